"""A crystal from a file of the reference form, ready for the lattice energy."""

from dataclasses import dataclass, replace
from pathlib import Path

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Conformers, Packing
from polyscape.crystal.sites import find_site, site_symbol
from polyscape.energy.dmacrys.document import read_document
from polyscape.energy.dmacrys.group import find_group
from polyscape.energy.dmacrys.molecules import Placed, cut_molecules, place_molecules
from polyscape.energy.dmacrys.pairs import potential_of, site_types
from polyscape.energy.potentials import Potential


@dataclass(frozen=True)
class Case:
    """A crystal with everything that its energy needs.

    Attributes
    ----------
    title : str
        The file's title.
    conformers : mapping
        The rigid molecules at their interaction sites, each independent one a component of its own.
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
    packing = Packing(found.group.hall_symbol, document.cell, tuple(one.pose for one in placed))
    conformers = {(molecule.component, molecule.name): molecule for molecule in typed}
    return Case(
        title=document.title,
        conformers=conformers,
        packing=_with_sites(packing, conformers, placed),
        potential=potential,
        cutoff_A=document.cutoff_A,
        spline_A=document.spline_A,
        moved_A=max(one.moved_A for one in placed),
        notes=(*found.notes, *notes, *more),
    )


def _with_sites(packing: Packing, conformers: Conformers, placed: list[Placed]) -> Packing:
    """The packing with molecules on special positions named as such."""
    group = SpaceGroup.from_hall(packing.hall_symbol)
    poses = []
    for one in placed:
        conformer = conformers[one.pose.component, one.pose.conformer]
        site = find_site(one.pose, conformer, group, packing.cell_cv)
        poses.append(replace(one.pose, site_symmetry=site_symbol(site, group)))
    return replace(packing, poses=tuple(poses))
