"""What the page's viewer draws: the molecules of a unit cell, whole, with their bonds and hydrogen bonds."""

from itertools import product
from typing import Any, Final

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols, covalent_radii
from ase.neighborlist import natural_cutoffs, neighbor_list
from numpy.typing import NDArray
from scipy.spatial import cKDTree

_BOND_FACTOR: Final = 1.25
"""Two atoms are bonded below this times the sum of their covalent radii (Cordero 2008, doi:10.1039/b801115j)."""

_HYDROGEN_BOND_A: Final = 2.3
"""Longest H...acceptor distance drawn; 2.2 A is Jeffrey's limit of a moderate hydrogen bond (1997, ISBN 0195095499)."""

_ACCEPTORS: Final = (7, 8, 9)
_MARGIN: Final = 0.06
"""Molecules with their centre this far outside of the cell, in fractions, are drawn too: they close the picture."""


def packing_drawing(atoms: Atoms) -> dict[str, Any]:
    """Atoms, bonds and cell for the viewer, centred on the middle of the cell.

    Parameters
    ----------
    atoms : ase.Atoms
        A unit cell; its molecules may be cut by the cell's faces.

    Returns
    -------
    dict
        ``elements`` (symbols), ``xyz`` (flat, Angstrom), ``bonds`` and ``hbonds`` (flat index pairs), ``cell`` (nine
        numbers).
    """
    position_av, molecule_a = _whole_molecules(atoms)
    centre_mc = np.array([position_av[molecule_a == m].mean(axis=0) for m in range(molecule_a.max() + 1)])
    centre_mc = centre_mc @ np.linalg.inv(atoms.cell[:])
    shifts = np.array(list(product((-1, 0, 1), repeat=3)))
    numbers: list[NDArray[np.int64]] = []
    positions: list[NDArray[np.float64]] = []
    owners: list[NDArray[np.int64]] = []
    for molecule, centre_c in enumerate(centre_mc):
        home_c = np.floor(centre_c)
        for shift_c in shifts:
            image_c = centre_c - home_c + shift_c
            if np.all(image_c > -_MARGIN) and np.all(image_c < 1 + _MARGIN):
                own = molecule_a == molecule
                numbers.append(atoms.numbers[own])
                positions.append(position_av[own] + (shift_c - home_c) @ atoms.cell[:])
                owners.append(np.full(own.sum(), len(owners)))
    number_a, xyz_av, owner_a = np.concatenate(numbers), np.concatenate(positions), np.concatenate(owners)
    return {
        "elements": [chemical_symbols[number] for number in number_a],
        "xyz": _flat(xyz_av - atoms.cell[:].sum(axis=0) / 2),
        "bonds": [int(i) for pair in _bonds(number_a, xyz_av) for i in pair],
        "hbonds": [int(i) for pair in _hydrogen_bonds(number_a, xyz_av, owner_a) for i in pair],
        "cell": _flat(atoms.cell[:]),
    }


def _whole_molecules(atoms: Atoms) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Positions with each molecule in one piece, and the index of each atom's molecule."""
    first_b, second_b, shift_bc = neighbor_list("ijS", atoms, natural_cutoffs(atoms, mult=_BOND_FACTOR))
    bonded: dict[int, list[tuple[int, NDArray[np.int64]]]] = {}
    for i, j, shift_c in zip(first_b, second_b, shift_bc, strict=True):
        if not atoms.numbers[i] == atoms.numbers[j] == 1:
            bonded.setdefault(int(i), []).append((int(j), shift_c))
    molecule_a = np.full(len(atoms), -1)
    image_ac = np.zeros((len(atoms), 3))
    for start in range(len(atoms)):
        if molecule_a[start] >= 0:
            continue
        molecule_a[start] = molecule_a.max() + 1
        waiting = [start]
        while waiting:
            i = waiting.pop()
            for j, shift_c in bonded.get(i, []):
                if molecule_a[j] < 0:
                    molecule_a[j] = molecule_a[start]
                    image_ac[j] = image_ac[i] + shift_c
                    waiting.append(j)
    return atoms.get_positions() + image_ac @ atoms.cell[:], molecule_a


def _bonds(number_a: NDArray[np.int64], position_av: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Bonded pairs by distance, without periodic images."""
    radius_a = covalent_radii[number_a]
    found = cKDTree(position_av).query_pairs(_BOND_FACTOR * 2 * radius_a.max())
    return sorted(
        (i, j)
        for i, j in found
        if np.linalg.norm(position_av[i] - position_av[j]) < _BOND_FACTOR * (radius_a[i] + radius_a[j])
        and not number_a[i] == number_a[j] == 1
    )


def _hydrogen_bonds(
    number_a: NDArray[np.int64], position_av: NDArray[np.float64], owner_a: NDArray[np.int64]
) -> list[tuple[int, int]]:
    """Pairs (H on N, O or F; N, O or F of another molecule) within the hydrogen-bond distance."""
    donated = set()
    for i, j in _bonds(number_a, position_av):
        hydrogen, heavy = (i, j) if number_a[i] == 1 else (j, i)
        if number_a[hydrogen] == 1 and number_a[heavy] in _ACCEPTORS:
            donated.add(hydrogen)
    pairs = cKDTree(position_av).query_pairs(_HYDROGEN_BOND_A)
    return sorted(
        (h, x)
        for i, j in pairs
        for h, x in ((i, j), (j, i))
        if h in donated and number_a[x] in _ACCEPTORS and owner_a[h] != owner_a[x]
    )


def _flat(values: NDArray[np.float64]) -> list[float]:
    return [round(float(value), 3) + 0.0 for value in values.ravel()]
