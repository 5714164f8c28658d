"""Overlay of clusters of molecules by their centres: for molecules whose own atoms give no orientation.

A linear molecule or a single atom cannot be laid on another of its kind in one way only.  The frame is therefore taken
from three molecules: every triple of the one crystal whose centres form the triangle of the other's gives a rotation
(Kabsch), which is refined over all atoms of the cluster.

References
----------
W. Kabsch, Acta Cryst. A32 (1976) 922, https://doi.org/10.1107/S0567739476001873 (the rotation).
J. A. Chisholm, S. Motherwell, J. Appl. Cryst. 38 (2005) 228, https://doi.org/10.1107/S0021889804027074 (RMSD_n).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

_TRIANGLE_A: Final = 0.8
"""Sides of two triangles of centres that may lie on each other differ by less: overlays are asked to 0.5 A."""

_TRIALS: Final = 96
"""Rotations that are refined, those of the best centres first: twice the symmetry of a cubic lattice of centres."""

_CENTRES_A: Final = 0.8
"""Centres of clusters that overlay lie nearer on average, before refinement."""

_PERFECT_A: Final = 0.005
"""An overlay of the whole cluster this good is not searched further."""

_REFINEMENTS: Final = 3
_PARALLEL: Final = 0.95
"""Cosine beyond which two neighbours lie on a line with the centre and fix no frame."""


@dataclass(frozen=True)
class Molecules:
    """All molecules of a cell.

    Attributes
    ----------
    number_ma : tuple of numpy.ndarray
        Atomic numbers of each molecule.
    position_mav : tuple of numpy.ndarray
        Positions of its atoms, Angstrom, whole.
    cell_cv : numpy.ndarray, shape (3, 3)
        Cell vectors as rows, Angstrom.
    """

    number_ma: tuple[NDArray[np.int64], ...]
    position_mav: tuple[NDArray[np.float64], ...]
    cell_cv: NDArray[np.float64]


@dataclass(frozen=True)
class _Cluster:
    """A molecule and those around it, by rising distance of the centres, its own centre at the origin."""

    number_ma: list[NDArray[np.int64]]
    position_mav: list[NDArray[np.float64]]
    centre_mv: NDArray[np.float64]


def overlaid(
    one: Molecules, other: Molecules, molecules: int, mirror: bool, largest_A: float = 1.0
) -> tuple[int, float]:
    """Molecules of a cluster that lie on molecules of the other crystal, and their RMSD in Angstrom.

    Parameters
    ----------
    one, other : Molecules
        The crystals.
    molecules : int
        Size of the cluster.
    mirror : bool
        Whether the mirror image of the one may be laid on the other.
    largest_A : float
        Molecules whose atoms lie further apart (root mean square) do not overlay.

    Returns
    -------
    tuple of int and float
        The best overlay: most molecules, then smallest RMSD; (0, inf) when no
        arrangement of centres fits.
    """
    best = (0, float("inf"))
    found = _cluster(one, 0, molecules)
    trials: list[tuple[float, int, _Cluster, NDArray[np.float64]]] = []
    for target in (_cluster(other, m, 3 * molecules) for m in _kinds(other, one.number_ma[0])):
        for turn_vv in _rotations(found, target, molecules, mirror):
            misfit = _centre_misfit(found, target, turn_vv)
            if misfit < _CENTRES_A:
                trials.append((misfit, len(trials), target, turn_vv))
    for _, _, target, turn_vv in sorted(trials, key=lambda trial: trial[:2])[:_TRIALS]:
        fitted = _fit(found, target, turn_vv, largest_A)
        if (-fitted[0], fitted[1]) < (-best[0], best[1]):
            best = fitted
        if best[0] == molecules and best[1] < _PERFECT_A:
            break
    return best


def _centre_misfit(one: _Cluster, other: _Cluster, turn_vv: NDArray[np.float64]) -> float:
    """Mean distance of the turned centres to the nearest of the other's, rounded so that ties keep their order."""
    offset_mnv = (one.centre_mv @ turn_vv.T)[:, None] - other.centre_mv[None]
    return round(float(np.sqrt((offset_mnv**2).sum(axis=2).min(axis=1)).mean()), 3)


def _kinds(crystal: Molecules, number_a: NDArray[np.int64]) -> Iterator[int]:
    """The molecules of a formula."""
    return (m for m, own_a in enumerate(crystal.number_ma) if _same(own_a, number_a))


def _same(one_a: NDArray[np.int64], other_a: NDArray[np.int64]) -> bool:
    return np.array_equal(np.sort(one_a), np.sort(other_a))


def _cluster(crystal: Molecules, first: int, molecules: int) -> _Cluster:
    centre_mv = np.array([position_av.mean(axis=0) for position_av in crystal.position_mav])
    height_c = 1.0 / np.linalg.norm(np.linalg.inv(crystal.cell_cv), axis=0)
    volume = abs(np.linalg.det(crystal.cell_cv)) / len(centre_mv)
    reach = 1.6 * (3 * (molecules + 1) * volume / (4 * np.pi)) ** (1 / 3)
    axes = [np.arange(-n, n + 1) for n in np.ceil(reach / height_c).astype(int) + 1]
    shift_nv = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3) @ crystal.cell_cv
    offset_nmv = shift_nv[:, None] + centre_mv[None] - centre_mv[first]
    distance = np.linalg.norm(offset_nmv, axis=2)
    order = np.argsort(np.round(distance, 4), axis=None, kind="stable")[:molecules]
    chosen = [divmod(int(index), len(centre_mv)) for index in order]
    atoms = [crystal.position_mav[m] + shift_nv[n] - centre_mv[first] for n, m in chosen]
    return _Cluster(
        [crystal.number_ma[m] for _, m in chosen], atoms, np.array([a.mean(axis=0) for a in atoms])
    )


def _rotations(one: _Cluster, other: _Cluster, shell: int, mirror: bool) -> Iterator[NDArray[np.float64]]:
    """Orthogonal matrices that lay the first triangle of centres of the one on those of the other."""
    i, j = _frame(one.centre_mv)
    legs_nv = one.centre_mv[[i, j]]
    across = np.linalg.norm(legs_nv[0] - legs_nv[1])
    length_n = np.linalg.norm(legs_nv, axis=1)
    length_m = np.linalg.norm(other.centre_mv, axis=1)
    firsts, seconds = (
        [
            m
            for m in range(1, 2 * shell)
            if abs(length_m[m] - length) < _TRIANGLE_A and _same(other.number_ma[m], one.number_ma[n])
        ]
        for n, length in zip((i, j), length_n, strict=True)
    )
    for k in firsts:
        for m in seconds:
            side = np.linalg.norm(other.centre_mv[k] - other.centre_mv[m])
            if k == m or abs(side - across) > _TRIANGLE_A:
                continue
            for hand in (1, -1) if mirror else (1,):
                yield hand * _kabsch(hand * legs_nv, other.centre_mv[[k, m]])


def _frame(centre_mv: NDArray[np.float64]) -> tuple[int, int]:
    """The nearest two neighbours that are not on a line with the first molecule."""
    unit_mv = centre_mv[1:] / np.linalg.norm(centre_mv[1:], axis=1)[:, None]
    second = int(np.flatnonzero(np.abs(unit_mv @ unit_mv[0]) < _PARALLEL)[0])
    return 1, 1 + second


def _kabsch(one_nv: NDArray[np.float64], other_nv: NDArray[np.float64]) -> NDArray[np.float64]:
    """The proper rotation R that minimises ``sum |R x - y|^2``."""
    left, _, right = np.linalg.svd(other_nv.T @ one_nv)
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    return left @ flip @ right


def _fit(one: _Cluster, other: _Cluster, turn_vv: NDArray[np.float64], largest_A: float) -> tuple[int, float]:
    """Molecules that overlay and their RMSD, after refinement of a rotation and a shift over the molecules that do."""
    hand = 1.0 if np.linalg.det(turn_vv) > 0 else -1.0
    shift_v = np.zeros(3)
    matched: tuple[int, float] = (0, float("inf"))
    for _ in range(_REFINEMENTS):
        laid, target = _pairs(one, other, turn_vv, shift_v, largest_A)
        if not laid:
            return matched
        x_av, y_av = np.concatenate(laid), np.concatenate(target)
        mean_x, mean_y = x_av.mean(axis=0), y_av.mean(axis=0)
        turn_vv = hand * _kabsch(hand * (x_av - mean_x), y_av - mean_y)
        shift_v = mean_y - turn_vv @ mean_x
        misfit_av = x_av @ turn_vv.T + shift_v - y_av
        matched = (len(laid), float(np.sqrt((misfit_av**2).sum(axis=1).mean())))
    return matched


def _pairs(
    one: _Cluster,
    other: _Cluster,
    turn_vv: NDArray[np.float64],
    shift_v: NDArray[np.float64],
    largest_A: float,
) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """Atoms of the one and those of the other that they fall on, molecule by molecule; like atoms only."""
    laid, target, taken = [], [], set()
    centre_mv = one.centre_mv @ turn_vv.T + shift_v
    distance_mn = np.linalg.norm(centre_mv[:, None] - other.centre_mv[None], axis=2)
    for m, n in enumerate(np.argmin(distance_mn, axis=1)):
        if n in taken or distance_mn[m, n] > largest_A or not _same(one.number_ma[m], other.number_ma[n]):
            continue
        moved_av = one.position_mav[m] @ turn_vv.T + shift_v
        squared_aa = ((moved_av[:, None] - other.position_mav[n][None]) ** 2).sum(axis=2)
        squared_aa[one.number_ma[m][:, None] != other.number_ma[n][None]] = 1e6
        rows, columns = _assigned(squared_aa)
        if np.sqrt(squared_aa[rows, columns].mean()) <= largest_A:
            taken.add(n)
            laid.append(one.position_mav[m][rows])
            target.append(other.position_mav[n][columns])
    return laid, target


def _assigned(squared_aa: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The cheapest assignment of atoms: each to its nearest where no two share one."""
    nearest_a = squared_aa.argmin(axis=1)
    if len(set(nearest_a.tolist())) == len(nearest_a):
        return np.arange(len(nearest_a)), nearest_a
    rows, columns = linear_sum_assignment(squared_aa)
    return rows, columns
