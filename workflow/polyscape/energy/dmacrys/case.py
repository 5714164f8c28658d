"""A crystal from a file of the reference form, ready for the lattice energy."""

from dataclasses import dataclass, replace
from pathlib import Path

from polyscape.crystal.packing import Conformers, Packing
from polyscape.energy.dmacrys.document import read_document
from polyscape.energy.dmacrys.group import find_group
from polyscape.energy.dmacrys.molecules import cut_molecules, place_molecules
from polyscape.energy.dmacrys.pairs import potential_of, site_types
from polyscape.energy.formula_unit import formula_unit
from polyscape.energy.potentials import Potential


@dataclass(frozen=True)
class Case:
    """A crystal with everything that its energy needs.

    Attributes
    ----------
    title : str
        The file's title.
    conformers : mapping
        The rigid molecules at their interaction sites, those bonded alike as conformers of one component.
    packing : Packing
        The crystal in the file's setting.
    potential : Potential
        The file's pairs.
    cutoff_A : float
        Cutoff of the direct sums.
    spline_A : float or None
        Width of the switch beyond it; None for a sharp end.
    moved_A : float
        Mean distance of hydrogen sites from the crystal's hydrogen atoms.
    notes : tuple of str
        What had to be assumed.
    """

    title: str
    conformers: Conformers
    packing: Packing
    potential: Potential
    cutoff_A: float
    spline_A: float | None
    moved_A: float
    notes: tuple[str, ...]


def read_case(path: Path) -> Case:
    """Read a file of the reference form.

    Energies refer to a Z-th of the cell: the asymmetric unit as a rule, a part of it where Z counts molecules that are
    alike.

    Raises
    ------
    InputError
        Naming file and key, when the file cannot be used.
    """
    document = read_document(path)
    molecules = cut_molecules(document)
    placed, notes = place_molecules(document, molecules)
    found = find_group(document, molecules)
    typed = [
        replace(one.conformer, potential_type_a=site_types(document, one.site_a.tolist(), one.conformer))
        for one in placed
    ]
    potential, more = potential_of(document, typed)
    unit = formula_unit(typed, [one.pose for one in placed], found.group, (document.cell, document.z))
    return Case(
        title=document.title,
        conformers=unit.conformers,
        packing=unit.packing,
        potential=potential,
        cutoff_A=document.cutoff_A,
        spline_A=document.spline_A,
        moved_A=max(one.moved_A for one in placed),
        notes=(*found.notes, *notes, *more),
    )
