"""Net charges of molecules of which only the atoms are known: closed shells that make the crystal neutral."""

import itertools
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from polyscape.molecule.read import MoleculeError, from_coordinates

_TRIED: Final = (0, 1, -1, 2, -2, 3, -3)
"""Net charges in the order of preference."""

_IONS: Final = {3: 1, 11: 1, 19: 1, 37: 1, 55: 1, 9: -1, 17: -1, 35: -1, 53: -1, 12: 2, 20: 2, 38: 2, 56: 2}
"""Charges of single atoms."""


def possible_charges(numbers_a: NDArray[np.int64], position_av: NDArray[np.float64]) -> tuple[int, ...]:
    """Net charges at which a Lewis structure with all electrons paired fits a molecule's atoms, likeliest first.

    Parameters
    ----------
    numbers_a : numpy.ndarray, shape (atoms,)
        Atomic numbers.
    position_av : numpy.ndarray, shape (atoms, 3)
        Angstrom.
    """
    if len(numbers_a) == 1:
        return (_IONS.get(int(numbers_a[0]), 0),)
    return tuple(charge for charge in _TRIED if _fits(numbers_a, position_av, charge))


def _fits(numbers_a: NDArray[np.int64], position_av: NDArray[np.float64], charge: int) -> bool:
    if (int(numbers_a.sum()) - charge) % 2:
        return False
    try:
        molecule = from_coordinates(numbers_a, position_av, charge)
    except MoleculeError:
        return False
    return all(atom.GetNumRadicalElectrons() == 0 for atom in molecule.GetAtoms())


def neutral_charges(possible: Sequence[Sequence[int]], counts: Sequence[int]) -> tuple[int, ...]:
    """One charge for each kind of molecule so that the cell is neutral, the smallest charges first.

    Parameters
    ----------
    possible : sequence of sequences of int
        Charges that each kind may have.
    counts : sequence of int
        Molecules of each kind in the cell.

    Raises
    ------
    ValueError
        When no choice is neutral.
    """
    choices = [
        choice
        for choice in itertools.product(*possible)
        if sum(charge * count for charge, count in zip(choice, counts, strict=True)) == 0
    ]
    if not choices:
        raise ValueError(f"no charges of the molecules make the crystal neutral (tried {list(possible)})")
    return tuple(min(choices, key=lambda choice: sum(abs(charge) for charge in choice)))
