"""Whether two cells hold the same packing so nearly that one's energy serves for the other.

The bar is far above that of duplicate removal: an overlay within 0.02 Angstrom, hydrogens included.
"""

from typing import Final

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from polyscape.crystal.invariants import average_minimum_distances
from polyscape.levels.box import charge_of
from polyscape.search.similarity import Fingerprint, overlay

RMSD_TOLERANCE_A: Final = 0.02
AMD_TOLERANCE_A: Final = 0.02
MOLECULE_TOLERANCE_A: Final = 2e-4
"""Two steps of the hash's rounding; against a force of 1 eV/Angstrom that is 0.02 kJ/mol."""
_MOLECULES: Final = 15
_NEIGHBOURS: Final = 30


def same_packing(left: Atoms, right: Atoms) -> bool:
    """Whether two crystals of one formula overlay within `RMSD_TOLERANCE_A`; mirror images count as the same."""
    return similar(amd(left), amd(right)) and overlays(left, right)


def similar(left_k: NDArray[np.float64], right_k: NDArray[np.float64]) -> bool:
    """Whether average minimum distances allow an overlay; they cost a thousandth of one.

    Packings that overlay within epsilon differ by at most 2 epsilon in them. D. Widdowson et al., MATCH 87,
    529 (2022), https://doi.org/10.46793/match.87-3.529W
    """
    return bool(np.abs(left_k - right_k).max() <= 2 * AMD_TOLERANCE_A)


def overlays(left: Atoms, right: Atoms) -> bool:
    """Whether clusters of molecules of two crystals overlay within `RMSD_TOLERANCE_A`."""
    try:
        one, other = Fingerprint.of_crystal(left), Fingerprint.of_crystal(right)
    except ValueError:  # molecules cannot be told apart in a network or at very close contacts
        return False
    return overlay(one, other, _MOLECULES).same(_MOLECULES, RMSD_TOLERANCE_A)


def same_molecule(left: Atoms, right: Atoms) -> bool:
    """Whether two boxes hold the same molecule of the same charge in the same place, but for rounding."""
    if charge_of(left) != charge_of(right) or list(left.numbers) != list(right.numbers):
        return False
    shift = max(np.abs(left.positions - right.positions).max(), np.abs(left.cell - right.cell).max())
    return bool(shift <= MOLECULE_TOLERANCE_A)


def amd(atoms: Atoms) -> NDArray[np.float64]:
    """Average minimum distances: from an atom to its k-th neighbour, mean over atoms, in Angstrom."""
    return average_minimum_distances(atoms, _NEIGHBOURS)
