"""Distributed multipoles: rotation, totals and potential, in atomic units and Stone's real order.

``Q00, Q10, Q11c, Q11s, Q20, Q21c, Q21s, Q22c, Q22s, Q30 ...``: 25 numbers to rank 4 per site.

References
----------
A. J. Stone, *The Theory of Intermolecular Forces*, 2nd ed., Oxford University Press 2013,
https://doi.org/10.1093/acprof:oso/9780199672394.001.0001, appendix B and eq. 3.3.
"""

from functools import lru_cache
from math import factorial, sqrt

import numpy as np
from numpy.typing import NDArray

RANK = 4
COMPONENTS = (RANK + 1) ** 2


def solid_harmonics(point_pv: NDArray[np.float64]) -> NDArray[np.float64]:
    """Real regular solid harmonics ``R_lm(r)`` (Racah's normalisation) to rank 4, shape (points, 25).

    ``R_l0 = r^l P_l(z/r)`` and ``R_lmc + i R_lms = sqrt(2 (l-m)!/(l+m)!) r^(l-m) P_l^(m)(z/r) (x + i y)^m`` with
    the m-th derivative of the Legendre polynomial; so ``R_11c = x, R_11s = y``.

    Parameters
    ----------
    point_pv : numpy.ndarray, shape (points, 3)
        Points in any unit of length; the result is in that unit to the power l.
    """
    x, y, z = np.asarray(point_pv, float).T
    r2 = x**2 + y**2 + z**2
    legendre: dict[tuple[int, int], NDArray[np.float64]] = {}
    R_pq = np.empty((len(x), COMPONENTS))
    for m in range(RANK + 1):
        power = (x + 1j * y) ** m
        for rank in range(m, RANK + 1):
            legendre[rank, m] = _legendre(legendre, rank, m, z, r2)
            value = sqrt(factorial(rank - m) / factorial(rank + m)) * legendre[rank, m]
            if m == 0:
                R_pq[:, rank**2] = value
            else:
                R_pq[:, rank**2 + 2 * m - 1] = sqrt(2) * value * power.real
                R_pq[:, rank**2 + 2 * m] = sqrt(2) * value * power.imag
    return R_pq


def _legendre(
    known: dict[tuple[int, int], NDArray[np.float64]],
    rank: int,
    m: int,
    z: NDArray[np.float64],
    r2: NDArray[np.float64],
) -> NDArray[np.float64]:
    """``r^(l-m) P_l^(m)(z/r)`` from ``(l-m) T_l = (2l-1) z T_(l-1) - (l+m-1) r^2 T_(l-2)``."""
    if rank == m:
        return np.full_like(z, np.prod(np.arange(2 * m - 1, 0, -2), initial=1.0))
    lower = known[rank - 2, m] if rank - 2 >= m else 0.0
    return ((2 * rank - 1) * z * known[rank - 1, m] - (rank + m - 1) * r2 * lower) / (rank - m)


@lru_cache(maxsize=1)
def _sample() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points that determine all harmonics to rank 4, and the pseudo-inverse of the harmonics there."""
    point_pv = np.random.default_rng(4).normal(size=(200, 3))
    point_pv /= np.linalg.norm(point_pv, axis=1)[:, None]
    inverse_qp = np.linalg.pinv(_block_diagonal(solid_harmonics(point_pv)))
    return point_pv, np.asarray(inverse_qp, dtype=np.float64)


def _block_diagonal(R_pq: NDArray[np.float64]) -> NDArray[np.float64]:
    """The harmonics with every rank on rows of its own, for ranks do not mix under rotation."""
    blocks = np.zeros((RANK + 1, len(R_pq), COMPONENTS))
    for rank in range(RANK + 1):
        part = slice(rank**2, (rank + 1) ** 2)
        blocks[rank, :, part] = R_pq[:, part]
    return blocks.reshape(-1, COMPONENTS)


def rotation_qq(rotation_vv: NDArray[np.float64]) -> NDArray[np.float64]:
    """The matrix D of a rotation or rotary reflection: ``R_q(O r) = sum_q' D_qq' R_q'(r)``, shape (25, 25)."""
    point_pv, inverse_qp = _sample()
    return (inverse_qp @ _block_diagonal(solid_harmonics(point_pv @ np.asarray(rotation_vv, float).T))).T


def rotate_multipoles(
    multipole_aq: NDArray[np.float64], rotation_vv: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The multipoles of the body turned by ``r -> O r``; they transform as the solid harmonics do.

    Parameters
    ----------
    multipole_aq : numpy.ndarray, shape (sites, 25)
        Multipoles before, in e bohr^l.
    rotation_vv : numpy.ndarray, shape (3, 3)
        Orthogonal matrix, proper or improper.
    """
    return multipole_aq @ rotation_qq(rotation_vv).T


def translation_aqq(shift_av: NDArray[np.float64]) -> NDArray[np.float64]:
    """The matrices T of changes of origin: ``R_q(r - s_a) = sum_q' T_aqq' R_q'(r)``, shape (shifts, 25, 25).

    The shifted harmonics are harmonic polynomials of no higher rank (Stone, section 2.3 and appendix B), so that their
    values on a sphere determine T to rounding error.

    Parameters
    ----------
    shift_av : numpy.ndarray, shape (shifts, 3)
        The new origins; elements carry their unit to the power l - l'.
    """
    point_pv, inverse_qp = _sphere()
    moved_av = (point_pv - np.asarray(shift_av, float)[:, None]).reshape(-1, 3)
    R_apq = solid_harmonics(moved_av).reshape(len(shift_av), len(point_pv), COMPONENTS)
    return (inverse_qp @ R_apq).transpose(0, 2, 1)


@lru_cache(maxsize=1)
def _sphere() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points on a sphere and the pseudo-inverse of the harmonics there: ranks are orthogonal, so it is well conditioned."""
    point_pv, _ = _sample()
    return point_pv, np.asarray(np.linalg.pinv(solid_harmonics(point_pv)))


def shift_multipoles(multipole_aq: NDArray[np.float64], shift_av: NDArray[np.float64]) -> NDArray[np.float64]:
    """The multipoles of the same charge densities about origins moved by `shift_av`, exact to rank 4.

    Parameters
    ----------
    multipole_aq : numpy.ndarray, shape (sites, 25)
        About the old origins, in e bohr^l.
    shift_av : numpy.ndarray, shape (sites, 3)
        From the old origin to the new one, in bohr; zero leaves the numbers as they are.
    """
    shifted_aq = np.array(multipole_aq, float)
    moved = np.any(shift_av != 0.0, axis=1)
    shifted_aq[moved] = np.einsum("aqp,ap->aq", translation_aqq(shift_av[moved]), shifted_aq[moved])
    return shifted_aq


def potential(
    multipole_aq: NDArray[np.float64], position_av: NDArray[np.float64], point_pv: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Electrostatic potential ``V(r) = sum_a sum_q Q_aq R_q(r - r_a) / |r - r_a|^(2l+1)`` in hartree/e, shape (points,).

    Parameters
    ----------
    multipole_aq : numpy.ndarray, shape (sites, 25)
        In e bohr^l.
    position_av, point_pv : numpy.ndarray, shape (sites, 3) and (points, 3)
        In bohr.
    """
    power_q = 2 * np.floor(np.sqrt(np.arange(COMPONENTS))) + 1
    value_p = np.zeros(len(point_pv))
    for Q_q, site_v in zip(multipole_aq, position_av, strict=True):
        offset_pv = point_pv - site_v
        distance_p = np.linalg.norm(offset_pv, axis=1)
        value_p += (solid_harmonics(offset_pv) / distance_p[:, None] ** power_q) @ Q_q
    return value_p


def total_moments(
    multipole_aq: NDArray[np.float64], position_av: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Charge, dipole (3,) and traceless quadrupole (3, 3) of all sites about the origin.

    ``Theta = sum_a Theta_a + (3 (mu r + r mu) - 2 mu.r) / 2 + q (3 r r - r^2) / 2``.

    Parameters
    ----------
    multipole_aq : numpy.ndarray, shape (sites, 25)
        In e bohr^l.
    position_av : numpy.ndarray, shape (sites, 3)
        In bohr.
    """
    charge_a, dipole_av = multipole_aq[:, 0], multipole_aq[:, [2, 3, 1]]
    second_vv = np.einsum("a,av,aw->vw", charge_a, position_av, position_av)
    mixed_vv = np.einsum("av,aw->vw", dipole_av, position_av)
    own_vv = sum(_quadrupole_vv(Q_q) for Q_q in multipole_aq)
    Theta_vv = own_vv + traceless(second_vv + mixed_vv + mixed_vv.T)
    return float(charge_a.sum()), dipole_av.sum(axis=0) + charge_a @ position_av, Theta_vv


def traceless(second_vv: NDArray[np.float64]) -> NDArray[np.float64]:
    """Stone's quadrupole ``(3 M - tr M) / 2`` of the second moments M."""
    return 1.5 * second_vv - 0.5 * np.trace(second_vv) * np.eye(3)


def _quadrupole_vv(Q_q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cartesian quadrupole of a site from its real components (Stone, table E.1)."""
    Q20, Q21c, Q21s, Q22c, Q22s = Q_q[4:9]
    half = sqrt(3) / 2
    xx, yy = -Q20 / 2 + half * Q22c, -Q20 / 2 - half * Q22c
    return np.array(
        [[xx, half * Q22s, half * Q21c], [half * Q22s, yy, half * Q21s], [half * Q21c, half * Q21s, Q20]]
    )
