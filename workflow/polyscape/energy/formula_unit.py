"""The formula unit of a crystal whose independent molecules have shapes of their own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd

import numpy as np
from ase.cell import Cell

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.lattice import CellParameters, cell_parameters, symmetrised
from polyscape.crystal.packing import Conformers, Packing, Pose
from polyscape.crystal.sites import find_site, site_symbol
from polyscape.molecule.model import Conformer
from polyscape.molecule.species import kinds_of


@dataclass(frozen=True)
class CrystalOfUnits:
    """A crystal with its formula unit.

    Attributes
    ----------
    conformers : mapping
        Molecules bonded alike are conformers of one component; stoichiometries say what a formula unit holds.
    packing : Packing
        Molecules on special positions name their site symmetry.
    """

    conformers: Conformers
    packing: Packing

    @property
    def molecules(self) -> int:
        """Molecules in a formula unit."""
        return sum({key[0]: one.stoichiometry for key, one in self.conformers.items()}.values())


def formula_unit(
    molecules: Sequence[Conformer],
    poses: Sequence[Pose],
    group: SpaceGroup,
    crystal: tuple[CellParameters, int | None],
) -> CrystalOfUnits:
    """Independent molecules named by kind, with the stoichiometry of a Z-th of the cell.

    Without Z, or where it is no divisor of the numbers of molecules, the unit is the asymmetric unit: one of each
    independent molecule, more where others stand on special positions.

    Parameters
    ----------
    molecules, poses : sequences of Conformer and Pose
        The independent molecules.
    group : SpaceGroup
        Space group and setting; the cell is made to fit it exactly.
    crystal : (cell, Z)
        Cell parameters (Angstrom, degrees), and formula units in the cell where they are known.
    """
    cell, z = crystal
    cell_cv = np.asarray(Cell.fromcellpar(cell))
    packing = Packing(group.hall_symbol, cell_parameters(symmetrised(cell_cv @ cell_cv.T, group)), ())
    sites = [
        find_site(pose, molecule, group, packing.cell_cv)
        for pose, molecule in zip(poses, molecules, strict=True)
    ]
    copies = [len(group.operations) // len(site) for site in sites]
    kinds = kinds_of([(molecule.atomic_number_a, molecule.bonds) for molecule in molecules])
    counts = {
        kind: sum(n for n, other in zip(copies, kinds, strict=True) if other == kind) for kind in set(kinds)
    }
    units = z if z is not None and all(count % z == 0 for count in counts.values()) else gcd(*copies)
    named, placed = {}, []
    for index, (molecule, pose, site) in enumerate(zip(molecules, poses, sites, strict=True)):
        kind, name = kinds[index], f"m{index + 1}"
        named[kind, name] = replace(molecule, component=kind, name=name, stoichiometry=counts[kind] // units)
        symbol = site_symbol(site, group)
        placed.append(replace(pose, component=kind, conformer=name, site_symmetry=symbol))
    return CrystalOfUnits(named, replace(packing, poses=tuple(placed)))
