"""Multipoles as homogeneous polynomials in three variables: tables, rotation, products.

A site with multipoles Q_lm has the charge density D(-grad) delta(r - r_a), where

    D(k) = sum_l D_l(k),   D_l(k) = sum_m Q_lm R_lm(k) / (2 l - 1)!! ,

R_lm the regular solid harmonics in Racah's normalisation (Stone, The Theory of Intermolecular Forces, 2nd ed., 2013,
section 3.3 and appendix B, https://doi.org/10.1093/acprof:oso/9780199672394.001.0001).  Its structure factor is
D(i k) exp(i k r_a), and two sites a distance r apart have the energy P(grad) f(r) in the potential f, with the product

    P(k) = D_A(-k) D_B(k) .

Polynomials are stored as the coefficients of x^a y^b z^c by rising degree (`EXPONENT_qv`), 35 to degree 4.  For a
radial f Hobson's theorem (Proc. London Math. Soc. 24 (1892) 55, https://doi.org/10.1112/plms/s1-24.1.55) gives

    P_n(grad) f = sum_k (laplace^k P_n)(r) / (2^k k!)  g_(n-k)(r) ,   g_j = ((1/r) d/dr)^j f ,

so that the energy is sum_j (-1)^j b_j A_j(r), b_j = (-1)^j g_j, with polynomials A_0 .. A_4 of 46 coefficients in all:
a linear map of P (`HOBSON`).
"""

from functools import cache
from math import factorial, prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from polyscape.energy.compiled import compiled
from polyscape.molecule.multipoles import COMPONENTS, RANK, solid_harmonics
from polyscape.units import ANGSTROM_PER_BOHR, COULOMB_EV_A


def _exponents(degree: int) -> list[tuple[int, int, int]]:
    return [(a, b, degree - a - b) for a in range(degree, -1, -1) for b in range(degree - a, -1, -1)]


_MONOMIALS: Final = [exponent for degree in range(RANK + 1) for exponent in _exponents(degree)]
_INDEX: Final = {exponent: q for q, exponent in enumerate(_MONOMIALS)}

EXPONENT_qv: Final = np.array(_MONOMIALS)
"""Powers of x, y, z of each coefficient."""

TERMS: Final = len(_MONOMIALS)
"""Coefficients of a polynomial to degree 4: 35."""

DEGREE_q: Final = EXPONENT_qv.sum(axis=1)

FIRST_l: Final = np.searchsorted(DEGREE_q, np.arange(RANK + 2))
"""First coefficient of each degree, and the end."""


def _lower_and_axis() -> NDArray[np.int64]:
    """Each monomial as a lower one times an axis: rows (index of the lower one, axis)."""
    rows = [(0, 0)]
    for exponent in _MONOMIALS[1:]:
        axis = next(v for v in range(3) if exponent[v])
        rows.append((_INDEX[_shifted(exponent, axis, -1)], axis))
    return np.array(rows)


def _shifted(exponent: tuple[int, ...], axis: int, by: int) -> tuple[int, int, int]:
    a, b, c = (power + by * (v == axis) for v, power in enumerate(exponent))
    return a, b, c


_LOWER_q2: Final = _lower_and_axis()

_RAISED_qv: Final = np.array(
    [[_INDEX.get(_shifted(exponent, v, 1), 0) for v in range(3)] for exponent in _MONOMIALS]
)
"""Each monomial times an axis (0 where that exceeds degree 4)."""


def _hobson() -> list[tuple[int, tuple[int, int, int], int, float]]:
    """Rows (j, monomial of A_j, coefficient of P, factor) of the map from P to A_0 .. A_4, the sign (-1)^j included."""
    rows = []
    for q, exponent in enumerate(_MONOMIALS):
        degree = sum(exponent)
        terms = {exponent: 1.0}
        for k in range(degree // 2 + 1):
            scale = (-1.0) ** (degree - k) / (2**k * factorial(k))
            rows += [(degree - k, left, q, scale * value) for left, value in terms.items()]
            terms = _laplacian(terms)
    return rows


def _laplacian(terms: dict[tuple[int, int, int], float]) -> dict[tuple[int, int, int], float]:
    out: dict[tuple[int, int, int], float] = {}
    for exponent, value in terms.items():
        for axis, power in enumerate(exponent):
            if power > 1:
                left = _shifted(exponent, axis, -2)
                out[left] = out.get(left, 0.0) + value * power * (power - 1)
    return out


_ORDERED: Final = [
    (j, exponent)
    for j in range(RANK + 1)
    for degree in range(j, -1, -1)
    for exponent in _exponents(degree)
    if (j, exponent) in {(row[0], row[1]) for row in _hobson()}
]
"""The coefficients of A_0 .. A_4, of each by falling degree: the order that `polyscape.energy.pairs` unrolls."""

HOBSON_TERMS: Final = len(_ORDERED)
HOBSON_ORDER: Final = np.array([j for j, _ in _ORDERED])
"""To which A_j each coefficient belongs."""

HOBSON_MONOMIAL: Final = np.array([exponent for _, exponent in _ORDERED])
"""Its powers of x, y, z."""

HOBSON_TO: Final = np.array([_ORDERED.index((j, left)) for j, left, _, _ in _hobson()])
HOBSON_FROM: Final = np.array([q for _, _, q, _ in _hobson()])
HOBSON_FACTOR: Final = np.array([factor for _, _, _, factor in _hobson()])


def _generators() -> list[tuple[int, int, int, int, int]]:
    """Rows (u, w, from, to, power) of k_u d/dk_w: coefficient `from` gives `power` times itself to `to`."""
    rows = []
    for q, exponent in enumerate(_MONOMIALS):
        for w in range(3):
            for u in range(3):
                if exponent[w]:
                    to = _INDEX[_shifted(_shifted(exponent, w, -1), u, 1)]
                    rows.append((u, w, q, to, exponent[w]))
    return rows


_GENERATOR: Final = np.array(_generators())


@cache
def _cartesian_qp() -> NDArray[np.float64]:
    """Coefficients of R_lm / (2 l - 1)!!, shape (35, 25)."""
    point_pv = np.random.default_rng(0).normal(size=(4 * TERMS, 3))
    harmonics = solid_harmonics(point_pv)
    monomials = np.prod(point_pv[:, None, :] ** EXPONENT_qv, axis=2)
    out = np.zeros((TERMS, COMPONENTS))
    for rank in range(RANK + 1):
        rows, columns = slice(FIRST_l[rank], FIRST_l[rank + 1]), slice(rank**2, (rank + 1) ** 2)
        fit, *_ = np.linalg.lstsq(monomials[:, rows], harmonics[:, columns], rcond=None)
        out[rows, columns] = fit / prod(range(2 * rank - 1, 0, -2))
    return out


def operators(multipole_aq: NDArray[np.float64]) -> NDArray[np.float64]:
    """The polynomials D of sites, shape (35, sites), in (eV Angstrom)^(1/2) Angstrom^l.

    Products over distances are energies in eV: sqrt(e^2 / 4 pi epsilon_0) is in them.

    Parameters
    ----------
    multipole_aq : numpy.ndarray, shape (sites, 25)
        Multipoles in e bohr^l, Stone's real order.
    """
    rank_p = np.floor(np.sqrt(np.arange(COMPONENTS)))
    scaled_aq = np.asarray(multipole_aq) * (np.sqrt(COULOMB_EV_A) * ANGSTROM_PER_BOHR**rank_p)
    return np.ascontiguousarray(_cartesian_qp() @ scaled_aq.T)


def products(included_ll: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How the terms l_A, l_B that are included make up P: rows (coefficient of A, of B, of P, sign).

    Parameters
    ----------
    included_ll : numpy.ndarray of bool, shape (5, 5)
        Which pairs of ranks; l_A + l_B > 4 must not be.
    """
    return _products(np.asarray(included_ll, bool).tobytes()).copy()


@cache
def _products(included: bytes) -> NDArray[np.int64]:
    included_ll = np.frombuffer(included, bool).reshape(RANK + 1, RANK + 1)
    rows = []
    for a, first in enumerate(_MONOMIALS):
        for b, second in enumerate(_MONOMIALS):
            if included_ll[sum(first), sum(second)]:
                total = (first[0] + second[0], first[1] + second[1], first[2] + second[2])
                rows.append((a, b, _INDEX[total], 1 - 2 * (sum(first) % 2)))
    return np.array(rows, np.int64).reshape(-1, 4)


@compiled()
def rotated(moment_qa, turn_vv):
    """The polynomials of sites turned by r -> turn r, proper or not: D'(k) = D(turn^T k), shape (35, sites).

    Each monomial of turn^T k is the product of a lower one and a linear form.
    """
    image_qp = np.zeros((TERMS, TERMS))
    image_qp[0, 0] = 1.0
    for q in range(1, TERMS):
        lower, axis = _LOWER_q2[q]
        degree = DEGREE_q[q]
        for p in range(FIRST_l[degree - 1], FIRST_l[degree]):
            for v in range(3):
                image_qp[q, _RAISED_qv[p, v]] += turn_vv[v, axis] * image_qp[lower, p]
    out_qa = np.zeros(moment_qa.shape)
    for degree in range(RANK + 1):
        for q in range(FIRST_l[degree], FIRST_l[degree + 1]):
            for p in range(FIRST_l[degree], FIRST_l[degree + 1]):
                factor = image_qp[q, p]
                for a in range(moment_qa.shape[1]):
                    out_qa[p, a] += factor * moment_qa[q, a]
    return out_qa


@compiled()
def monomials(k_vn, terms):
    """The first `terms` monomials x^a y^b z^c of many vectors, shape (terms, n)."""
    out_qn = np.empty((terms, k_vn.shape[1]))
    out_qn[0] = 1.0
    for q in range(1, terms):
        lower, axis = _LOWER_q2[q]
        for n in range(k_vn.shape[1]):
            out_qn[q, n] = out_qn[lower, n] * k_vn[axis, n]
    return out_qn


@compiled()
def deformation(moment_qa, slope_qa, first, last):
    """Y_uw = sum over the sites first .. last of dE/dD . (k_u d/dk_w) D, shape (3, 3).

    Parameters
    ----------
    moment_qa, slope_qa : arrays, shape (35, sites)
        The polynomials D and the derivatives of the energy by their coefficients.
    """
    out_vv = np.zeros((3, 3))
    for n in range(_GENERATOR.shape[0]):
        u, w, source, to, power = _GENERATOR[n]
        for a in range(first, last):
            out_vv[u, w] += power * moment_qa[source, a] * slope_qa[to, a]
    return out_vv


@compiled()
def torque_of(deformation_vv, out_v):
    """Add the derivative by a rotation vector phi, which changes D by - (phi x k)_w dD/dk_w = - e_wvu phi_v k_u dD/dk_w."""
    for v in range(3):
        u, w = (v + 1) % 3, (v + 2) % 3
        out_v[v] += deformation_vv[w, u] - deformation_vv[u, w]
