"""Whether two cells hold the same packing so nearly that one's energy serves for the other.

The bar is far above that of duplicate removal: an overlay within 0.02 Angstrom, hydrogens included.
"""

from typing import Final

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from oxtalign import compare, from_ase
from scipy.spatial import cKDTree

RMSD_TOLERANCE_A: Final = 0.02
AMD_TOLERANCE_A: Final = 0.02
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
        structures = [from_ase(atoms, include_hydrogens=True) for atoms in (left, right)]
    except ValueError:  # molecules cannot be told apart in a network or at very close contacts
        return False
    found = compare(*structures, n=_MOLECULES)
    return bool(found.n_matched == _MOLECULES and found.rmsd_n <= RMSD_TOLERANCE_A)


def amd(atoms: Atoms) -> NDArray[np.float64]:
    """Average minimum distances: from an atom to its k-th neighbour, mean over atoms, in Angstrom."""
    cell_cv = np.asarray(atoms.cell)
    heights_c = 1 / np.linalg.norm(np.linalg.inv(cell_cv), axis=0)
    reach_A = 2.0 * (_NEIGHBOURS * atoms.get_volume() / len(atoms)) ** (1 / 3)
    images_c = np.ceil(reach_A / heights_c).astype(int)
    axes = [np.arange(-n, n + 1) for n in images_c]
    shifts_xc = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    wrapped_av = (atoms.get_scaled_positions(wrap=True)) @ cell_cv
    points_xv = (wrapped_av[None] + (shifts_xc @ cell_cv)[:, None]).reshape(-1, 3)
    distances_ak = np.asarray(cKDTree(points_xv).query(wrapped_av, k=_NEIGHBOURS + 1)[0], np.float64)
    return distances_ak[:, 1:].mean(axis=0)
