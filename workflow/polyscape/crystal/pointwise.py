"""Pointwise distance distributions (PDD) of a crystal, their distance, and a measure of handedness.

A row of the PDD holds the distances of one independent atom to its nearest neighbours; its weight is how many atoms of
the cell it stands for.  No choice of cell, origin or setting changes them, and neither does inversion: that is what the
handedness is for.

References
----------
D. Widdowson, V. Kurlin, NeurIPS 35 (2022) 24625, https://doi.org/10.48550/arXiv.2108.04798, definitions 3.1 and 4.1.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from math import gcd, lcm
from typing import Final

import numpy as np
from ase import Atoms
from numba import njit
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Conformers, Packing

NEIGHBOURS: Final = 100
_WIDTH_A: Final = np.array([0.9, 1.5, 2.2])
"""Widths of the Gaussians of the handedness: bonds, contacts, and the shell beyond."""


@dataclass(frozen=True)
class PointwiseDistances:
    """The pointwise distance distribution of a crystal.

    Attributes
    ----------
    number_r : numpy.ndarray of int, shape (rows,)
        Atomic number of each independent atom.
    weight_r : numpy.ndarray of int, shape (rows,)
        Atoms of the cell that it stands for, without common divisor.
    distance_rk : numpy.ndarray of float32, shape (rows, neighbours)
        Distances to its nearest neighbours, rising, Angstrom.
    hand_r : numpy.ndarray, shape (rows,)
        Mean handedness of the surroundings of the atoms it stands for, in -1..1; inversion changes the sign.
    """

    number_r: NDArray[np.int64]
    weight_r: NDArray[np.int64]
    distance_rk: NDArray[np.float32]
    hand_r: NDArray[np.float64]

    @cached_property
    def amd_k(self) -> NDArray[np.float64]:
        """Average minimum distances: the weighted mean of the rows, Angstrom, shape (neighbours,)."""
        return np.average(self.distance_rk.astype(float), axis=0, weights=self.weight_r)

    @cached_property
    def hand_e(self) -> NDArray[np.float64]:
        """Mean handedness of each element's atoms, by rising atomic number."""
        return np.array(
            [
                np.average(self.hand_r[self.number_r == z], weights=self.weight_r[self.number_r == z])
                for z in np.unique(self.number_r)
            ]
        )


def of_packing(packing: Packing, conformers: Conformers, neighbours: int = NEIGHBOURS) -> PointwiseDistances:
    """The PDD of a crystal of rigid molecules; only the independent atoms are looked at."""
    group = SpaceGroup.from_hall(packing.hall_symbol)
    rows, atoms, weights, hands = [], [], [], []
    independent = packing.independent_atoms(conformers)
    for (numbers_a, fractional_ac), images in zip(independent, packing.molecules(conformers), strict=True):
        rows.append((numbers_a, fractional_ac))
        weights += [len(images)] * len(numbers_a)
        hands += [np.mean([np.linalg.det(group.operations[n][0]) for n in images])] * len(numbers_a)
        for rotation_cc, translation_c in (group.operations[n] for n in images):
            atoms.append(fractional_ac @ rotation_cc.T + translation_c)
    number_r, fractional_rc = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    found = _distances(
        (number_r, np.array(weights), fractional_rc), np.concatenate(atoms), packing.cell_cv, neighbours
    )
    return replace(found, hand_r=found.hand_r * np.array(hands))


def of_atoms(atoms: Atoms, neighbours: int = NEIGHBOURS) -> PointwiseDistances:
    """The PDD of a periodic crystal, every atom of the cell a row."""
    fractional_ac = atoms.get_scaled_positions(wrap=False)
    rows = (atoms.numbers.astype(np.int64), np.ones(len(atoms), np.int64), fractional_ac)
    return _distances(rows, fractional_ac, np.asarray(atoms.cell), neighbours)


def pdd_distance_A(one: PointwiseDistances, other: PointwiseDistances) -> float:
    """Earth mover's distance of two PDDs in Angstrom, infinite for unlike compositions.

    Rows of one element only are matched.  The distance of two rows is their largest difference over the neighbours.  The
    weights are counts, so that the transport is an assignment of as many equal shares, which is exact.
    """
    total = 0.0
    for z in np.union1d(one.number_r, other.number_r):
        shares = [(p.number_r == z) @ p.weight_r / p.weight_r.sum() for p in (one, other)]
        if abs(shares[0] - shares[1]) > 1e-9:  # ratios of small integers
            return float("inf")
        total += shares[0] * _assigned(*(_rows_of(p, int(z)) for p in (one, other)))
    return float(total)


def same_hand(one: PointwiseDistances, other: PointwiseDistances) -> bool | None:
    """Whether two crystals of one PDD are of one hand; None when they are too nearly their own mirror image to say."""
    size = max(np.abs(one.hand_e).max(), np.abs(other.hand_e).max())
    if size < _SURE_HAND:
        return None
    if np.abs(one.hand_e - other.hand_e).max() < 0.25 * size:
        return True
    return False if np.abs(one.hand_e + other.hand_e).max() < 0.25 * size else None


_SURE_HAND: Final = 0.02
"""Atoms off by 0.005 A change the handedness by less than a quarter of this."""


def _rows_of(pdd: PointwiseDistances, z: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    own = pdd.number_r == z
    return pdd.weight_r[own] // gcd(*(int(w) for w in pdd.weight_r[own])), pdd.distance_rk[own]


def _assigned(
    one: tuple[NDArray[np.int64], NDArray[np.float32]], other: tuple[NDArray[np.int64], NDArray[np.float32]]
) -> float:
    """Mean distance of the rows of one element in the cheapest assignment of equal shares."""
    shares = lcm(int(one[0].sum()), int(other[0].sum()))
    cost_rs = _largest_differences(one[1], other[1])
    repeat = [weight * (shares // int(weight.sum())) for weight, _ in (one, other)]
    cost = cost_rs.repeat(repeat[0], axis=0).repeat(repeat[1], axis=1)
    return float(cost[linear_sum_assignment(cost)].mean())


def _distances(
    rows: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
    fractional_ac: NDArray[np.float64],
    cell_cv: NDArray[np.float64],
    neighbours: int,
) -> PointwiseDistances:
    number_r, weight_r, fractional_rc = rows
    cell_cv = np.ascontiguousarray(cell_cv, float)
    height_c = 1.0 / np.linalg.norm(np.linalg.inv(cell_cv), axis=0)
    per_atom_A3 = abs(np.linalg.det(cell_cv)) / len(fractional_ac)
    radius = 1.15 * (3 * (neighbours + 1) * per_atom_A3 / (4 * np.pi)) ** (1 / 3)
    while True:
        layers_c = np.floor(radius / height_c + 0.5).astype(np.int64)
        enough, distance_rk, hand_r = _nearest(
            fractional_rc, fractional_ac, cell_cv, layers_c, radius, neighbours
        )
        if enough:
            weight_r = weight_r // gcd(*(int(w) for w in weight_r))
            return PointwiseDistances(number_r, weight_r, distance_rk, hand_r)
        radius *= 1.2


@njit(cache=True, nogil=True)
def _nearest(fractional_rc, fractional_ac, cell_cv, layers_c, radius, neighbours):
    """Distances of each row's atom to its nearest neighbours, and the handedness of its surroundings.

    The handedness is ``u . (v x w) / (|u| |v| |w|)`` of the mean neighbour vectors under Gaussians of three widths.
    False first when a sphere of this radius holds too few neighbours.
    """
    rows, atoms = len(fractional_rc), len(fractional_ac)
    distance_rk = np.empty((rows, neighbours), np.float32)
    hand_r = np.zeros(rows)
    images = (2 * layers_c[0] + 1) * (2 * layers_c[1] + 1) * (2 * layers_c[2] + 1)
    squared = np.empty(atoms * images)
    mean_wv = np.empty((3, 3))
    for r in range(rows):
        found = 0
        mean_wv[:] = 0.0
        for a in range(atoms):
            offset_c = fractional_ac[a] - fractional_rc[r]
            offset_c -= np.rint(offset_c)
            for i in range(-layers_c[0], layers_c[0] + 1):
                for j in range(-layers_c[1], layers_c[1] + 1):
                    for k in range(-layers_c[2], layers_c[2] + 1):
                        x, y, z = offset_c[0] + i, offset_c[1] + j, offset_c[2] + k
                        dx = x * cell_cv[0, 0] + y * cell_cv[1, 0] + z * cell_cv[2, 0]
                        dy = x * cell_cv[0, 1] + y * cell_cv[1, 1] + z * cell_cv[2, 1]
                        dz = x * cell_cv[0, 2] + y * cell_cv[1, 2] + z * cell_cv[2, 2]
                        s = dx * dx + dy * dy + dz * dz
                        if s > radius * radius:
                            continue
                        squared[found] = s
                        found += 1
                        for n in range(3):
                            share = np.exp(-0.5 * s / _WIDTH_A[n] ** 2)
                            mean_wv[n, 0] += share * dx
                            mean_wv[n, 1] += share * dy
                            mean_wv[n, 2] += share * dz
        if found <= neighbours:
            return False, distance_rk, hand_r
        distance_rk[r] = np.sqrt(np.sort(squared[:found])[1 : neighbours + 1])
        size = np.sqrt((mean_wv[0] ** 2).sum() * (mean_wv[1] ** 2).sum() * (mean_wv[2] ** 2).sum())
        hand_r[r] = np.dot(mean_wv[0], np.cross(mean_wv[1], mean_wv[2])) / (size + 1e-9)
    return True, distance_rk, hand_r


@njit(cache=True, nogil=True)
def _largest_differences(one_rk, other_sk):
    """Largest difference over the neighbours of every pair of rows, shape (rows of one, rows of other)."""
    cost_rs = np.zeros((len(one_rk), len(other_sk)))
    for r in range(len(one_rk)):
        for s in range(len(other_sk)):
            for k in range(one_rk.shape[1]):
                cost_rs[r, s] = max(cost_rs[r, s], abs(one_rk[r, k] - other_sk[s, k]))
    return cost_rs
