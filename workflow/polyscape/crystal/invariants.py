"""Invariants of a crystal: numbers that no choice of cell, origin, setting or handedness changes."""

from typing import Final

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

AMD_NEIGHBOURS: Final = 100
_DECIMALS: Final = 8
"""Stored invariants are rounded to 1e-8 A, far below any meaning and above the noise of summation."""


def average_minimum_distances(atoms: Atoms, neighbours: int = AMD_NEIGHBOURS) -> NDArray[np.float64]:
    """Average minimum distances: ``AMD_k = mean over atoms of the distance to the k-th nearest neighbour``.

    Parameters
    ----------
    atoms : ase.Atoms
        A periodic crystal, in any cell.
    neighbours : int
        Largest k.

    Returns
    -------
    numpy.ndarray, shape (neighbours,)
        In Angstrom, rising.

    References
    ----------
    D. Widdowson, M. M. Mosca, A. Pulido, A. I. Cooper, V. Kurlin, MATCH Commun. Math. Comput. Chem. 87 (2022) 529,
    https://doi.org/10.46793/match.87-3.529W, definition 5.
    """
    return np.round(neighbour_distances(atoms, neighbours).mean(axis=0), _DECIMALS)


def neighbour_distances(atoms: Atoms, neighbours: int) -> NDArray[np.float64]:
    """Distances of every atom to its nearest neighbours, shape (atoms, neighbours), in Angstrom."""
    cell_cv = np.asarray(atoms.cell)
    fractional_ac = atoms.get_scaled_positions(wrap=True)
    height_c = 1.0 / np.linalg.norm(np.linalg.inv(cell_cv), axis=0)
    radius = 1.2 * (3 * (neighbours + 1) * atoms.get_volume() / (4 * np.pi * len(atoms))) ** (1 / 3)
    while True:
        layers_c = np.ceil(radius / height_c).astype(int)
        ranges = [np.arange(-n, n + 1) for n in layers_c]
        image_nc = np.stack(np.meshgrid(*ranges, indexing="ij"), -1).reshape(-1, 3)
        cloud_v = ((fractional_ac[None] + image_nc[:, None]) @ cell_cv).reshape(-1, 3)
        distance_ak = np.asarray(cKDTree(cloud_v).query(fractional_ac @ cell_cv, k=neighbours + 1)[0])[:, 1:]
        if distance_ak.max() <= np.min(layers_c * height_c):
            return distance_ak
        radius *= 1.2
