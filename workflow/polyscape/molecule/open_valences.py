"""Hydrogen atoms that a structure lacks, told by the shape of what is left around carbon and nitrogen."""

from typing import Final

import numpy as np
from ase.data import chemical_symbols
from numpy.typing import NDArray

from polyscape.molecule.read import bonds_by_distance

_TRIPLE_A: Final = 1.25
"""Bonds to a terminal carbon or nitrogen are triple or cumulated (1.13 to 1.20 A) when nothing is missing."""

_LINEAR_COSINE: Final = np.cos(np.radians(150.0))
"""Two bonds at a carbon are straight (allenes and alkynes in strained rings: 155 degrees)."""

_FLAT_A: Final = 0.4
"""Three bonds at a carbon are flat: height 0.3 A on a fullerene, 0.5 A where the fourth bond is missing."""


def lacks_hydrogens(numbers_a: NDArray[np.int64], position_av: NDArray[np.float64]) -> str | None:
    """The first atom whose bonds say that hydrogens are missing, for instance ``C3``; None where all seems there.

    Hydrogens missing on oxygen cannot be told from an anion.

    Parameters
    ----------
    numbers_a : numpy.ndarray, shape (atoms,)
        Atomic numbers.
    position_av : numpy.ndarray, shape (atoms, 3)
        Angstrom.
    """
    bonded: list[list[int]] = [[] for _ in numbers_a]
    for first, second in bonds_by_distance(numbers_a, position_av):
        bonded[first].append(second)
        bonded[second].append(first)
    for atom, others in enumerate(bonded):
        if len(numbers_a) > 2 and _is_open(int(numbers_a[atom]), position_av[others] - position_av[atom]):
            return f"{chemical_symbols[int(numbers_a[atom])]}{atom + 1}"
    return None


def _is_open(number: int, bond_nv: NDArray[np.float64]) -> bool:
    """Whether an atom with these bonds has room for hydrogens."""
    length_n = np.linalg.norm(bond_nv, axis=1)
    if number in (6, 7) and len(bond_nv) == 1:
        return bool(length_n[0] > _TRIPLE_A)
    if number != 6 or len(bond_nv) not in (2, 3):
        return False
    if len(bond_nv) == 2:
        return bool(bond_nv[0] @ bond_nv[1] / np.prod(length_n) > _LINEAR_COSINE)
    normal_v = np.cross(bond_nv[1] - bond_nv[0], bond_nv[2] - bond_nv[0])
    return bool(abs(bond_nv[0] @ normal_v) / np.linalg.norm(normal_v) > _FLAT_A)
