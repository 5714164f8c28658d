"""Molecules cut out of a crystal: bonds by distance across cell boundaries, each molecule made whole."""

from pathlib import Path

import gemmi
import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray

_BOND_FACTOR = 1.25
_SAME_SITE_A = 0.1


def molecules_of_cif(path: Path) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """The whole molecules of a CIF's cell: atomic numbers and positions in Angstrom, one pair per molecule.

    Raises
    ------
    ValueError
        When the file is no crystal structure, is disordered, or its molecules differ in composition.
    """
    try:
        structure = gemmi.make_small_structure_from_block(gemmi.cif.read(str(path)).sole_block())
    except (RuntimeError, IndexError) as error:
        raise ValueError(str(error)) from error
    if not structure.sites:
        raise ValueError("no atom sites in it")
    if any(0 < site.occ < 0.999 for site in structure.sites):
        raise ValueError("partly occupied (disordered) sites")
    numbers_a, fractional_ac = _cell_content(structure)
    cell_cv = np.array(structure.cell.orth.mat.tolist()).T
    molecules = whole_molecules(numbers_a, fractional_ac, cell_cv)
    compositions = {tuple(sorted(numbers.tolist())) for numbers, _ in molecules}
    if len(compositions) > 1:
        raise ValueError("molecules of several compositions; give each as a component with a file of its own")
    return molecules


def _cell_content(structure: gemmi.SmallStructure) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """All atoms of the cell, each once."""
    numbers, fractions = [], []
    for site in structure.get_all_unit_cell_sites():
        numbers.append(site.element.atomic_number)
        fractions.append([site.fract.x, site.fract.y, site.fract.z])
    fractional_ac = np.array(fractions) % 1.0
    cell_cv = np.array(structure.cell.orth.mat.tolist()).T
    keep: list[int] = []
    for index, fractional_c in enumerate(fractional_ac):
        offset_kc = fractional_ac[keep] - fractional_c
        distance_k = np.linalg.norm((offset_kc - np.round(offset_kc)) @ cell_cv, axis=1)
        if not np.any(distance_k < _SAME_SITE_A):
            keep.append(index)
    return np.array(numbers)[keep], fractional_ac[keep]


def whole_molecules(
    numbers_a: NDArray[np.int64], fractional_ac: NDArray[np.float64], cell_cv: NDArray[np.float64]
) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """The molecules of a cell, unwrapped along their bonds.

    Parameters
    ----------
    numbers_a : numpy.ndarray, shape (atoms,)
        Atomic numbers.
    fractional_ac : numpy.ndarray, shape (atoms, 3)
        Fractional coordinates of all atoms of the cell.
    cell_cv : numpy.ndarray, shape (3, 3)
        Cell vectors as rows, in Angstrom.

    Raises
    ------
    ValueError
        When a molecule is bonded to its own image: a polymer or network.
    """
    bonds = periodic_bonds(numbers_a, fractional_ac, cell_cv)
    shift_ac = np.zeros((len(numbers_a), 3))
    seen: set[int] = set()
    molecules = []
    for seed in range(len(numbers_a)):
        if seed in seen:
            continue
        members, queue = [seed], [seed]
        seen.add(seed)
        while queue:
            atom = queue.pop()
            for other, image_c in bonds[atom]:
                if other not in seen:
                    seen.add(other)
                    shift_ac[other] = shift_ac[atom] + image_c
                    members.append(other)
                    queue.append(other)
                elif not np.allclose(shift_ac[other], shift_ac[atom] + image_c):
                    raise ValueError("bonds that run through the whole crystal: not a molecular crystal")
        members.sort()
        molecules.append((numbers_a[members], (fractional_ac[members] + shift_ac[members]) @ cell_cv))
    return molecules


def periodic_bonds(
    numbers_a: NDArray[np.int64], fractional_ac: NDArray[np.float64], cell_cv: NDArray[np.float64]
) -> list[list[tuple[int, NDArray[np.float64]]]]:
    """For every atom its bonded atoms with the lattice vector to the image that is bonded; in cells of any shape."""
    atoms = Atoms(numbers_a, cell=cell_cv, scaled_positions=fractional_ac, pbc=True)
    reach_a = _BOND_FACTOR * covalent_radii[numbers_a]
    first, second, image, distance = neighbor_list("ijSd", atoms, reach_a)
    hydrogen_a = np.asarray(numbers_a) == 1
    kept = ~(hydrogen_a[first] & hydrogen_a[second]) & (distance > _SAME_SITE_A)
    bonds: list[list[tuple[int, NDArray[np.float64]]]] = [[] for _ in numbers_a]
    for a, b, image_c in zip(first[kept], second[kept], image[kept], strict=True):
        bonds[a].append((int(b), image_c.astype(float)))
    return bonds
