"""How the lattice sums are split: Ewald's method for everything, or DMACRYS's convention.

By default every electrostatic term with l_A + l_B <= 4 and the dispersion are summed by Ewald's method, so that the
energy has neither a cutoff nor its noise.  DMACRYS (Price, Leslie, Welch, Habgood, Price, Karamertzanis & Day, Phys.
Chem. Chem. Phys. 12 (2010) 8478, https://doi.org/10.1039/c004164e) does so for charges and dipoles; higher multipoles
and exp-6 end at a cutoff, with a spline over pairs of sites, or without one: higher multipoles then by whole molecules.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import gamma, gammainc, hyp1f1

from polyscape.energy.pairs import Radial
from polyscape.energy.sites import DirectSums, ReciprocalSums, Sites, Sums
from polyscape.energy.tensors import (
    HOBSON_FACTOR,
    HOBSON_FROM,
    HOBSON_MONOMIAL,
    HOBSON_ORDER,
    HOBSON_TERMS,
    HOBSON_TO,
    TERMS,
    products,
)
from polyscape.molecule.multipoles import RANK

_NEVER_A: Final = 1e30
"""A switch that starts here never opens."""

_SWITCH_A: Final = 2.0
"""Repulsion, and dispersion outside of Ewald's sum, end over this length before the cutoff."""

_SMALL_ARGUMENT: Final = 1.0

ALL: Final = np.add.outer(np.arange(RANK + 1), np.arange(RANK + 1)) <= RANK
"""All terms with l_A + l_B <= 4."""

POINT: Final = np.maximum.outer(np.arange(RANK + 1), np.arange(RANK + 1)) <= 1
"""Charge-charge, charge-dipole, dipole-dipole."""

CHARGES: Final = np.maximum.outer(np.arange(RANK + 1), np.arange(RANK + 1)) == 0


@dataclass(frozen=True)
class Splitting:
    """How a model of the lattice energy is summed.

    Attributes
    ----------
    cutoff_A : float
        Of the direct sums.
    decades : float
        Powers of ten by which both of Ewald's sums have fallen at their ends.
    ewald_ll, direct_ll : numpy.ndarray of bool, shape (5, 5)
        The terms (l_A, l_B) summed by Ewald's method, and those summed directly.
    ewald_dispersion : bool
        Whether the dispersion is summed by Ewald's method.
    spline_A : float or None
        Without Ewald's method: length beyond the cutoff over which a cubic switches pairs of sites off; None for a
        sharp cutoff, of whole molecules for the multipoles.
    pressure : float
        Hydrostatic, eV/Angstrom^3.
    """

    cutoff_A: float
    decades: float
    ewald_ll: NDArray[np.bool_]
    direct_ll: NDArray[np.bool_]
    ewald_dispersion: bool
    spline_A: float | None = None
    pressure: float = 0.0

    @classmethod
    def full(cls, cutoff_A: float, decades: float, terms_ll: NDArray[np.bool_] = ALL) -> "Splitting":
        """Ewald's method for everything."""
        return cls(cutoff_A, decades, terms_ll, np.zeros_like(terms_ll), True)

    @classmethod
    def dmacrys(cls, cutoff_A: float, decades: float, spline_A: float | None) -> "Splitting":
        """DMACRYS's convention."""
        return cls(cutoff_A, decades, POINT, ALL & ~POINT, False, spline_A)

    @property
    def sharp(self) -> bool:
        """Whether the energy jumps where molecules cross a cutoff."""
        return bool(self.direct_ll.any()) and self.spline_A is None

    def only(self, terms_ll: NDArray[np.bool_]) -> "Splitting":
        """The same sums with some of the electrostatic terms only."""
        return replace(self, ewald_ll=self.ewald_ll & terms_ll, direct_ll=self.direct_ll & terms_ll)


def sums_of(sites: Sites, splitting: Splitting) -> Sums:
    """The sums of a crystal.

    Both of Ewald's sums end where exp(-x^2) = 10^-decades, x = alpha r = k / (2 alpha).
    """
    reach = np.sqrt(splitting.decades * np.log(10.0))
    cutoff = splitting.cutoff_A
    alpha = float(reach / cutoff)
    plain_start, multipole_start, width = cutoff - _SWITCH_A, _NEVER_A, _SWITCH_A
    by_molecule = False
    if not splitting.ewald_dispersion:
        plain_start, width = _NEVER_A, 1.0
        by_molecule = splitting.spline_A is None
        if splitting.spline_A is not None:
            plain_start = multipole_start = cutoff
            cutoff, width = cutoff + splitting.spline_A, splitting.spline_A
    ewald = 1.0 if splitting.ewald_dispersion else 0.0
    screened = Radial(alpha, plain_start, _NEVER_A, width)
    bare = Radial(0.0, plain_start, multipole_start, width)
    ranks = int(np.flatnonzero(splitting.ewald_ll.any(axis=0)).max(initial=0)) + 1
    electrostatic, dispersion = _self_energies(sites, alpha, products(splitting.ewald_ll))
    return Sums(
        screened=DirectSums(cutoff, False, 1.0, ewald, screened, products(splitting.ewald_ll)),
        bare=DirectSums(cutoff, by_molecule, 0.0, 0.0, bare, products(splitting.direct_ll)),
        reciprocal=ReciprocalSums(
            alpha, float(2.0 * alpha * reach), splitting.ewald_ll.astype(float), ranks, ewald
        ),
        self_energy=electrostatic,
        self_dispersion=ewald * dispersion,
        pressure=splitting.pressure,
    )


def _self_energies(sites: Sites, alpha: float, product_n4: NDArray[np.int64]) -> tuple[float, float]:
    """Minus the smooth potentials of a site on itself and on the other sites of its rigid molecule.

    erf(a r)/r and its derivatives for multipoles; -[1 - (1 + x^2 + x^4/2) exp(-x^2)]/r^6, x = a r, for dispersion; all
    finite at r = 0.  They do not change when the molecule turns.
    """
    electrostatic = dispersion = 0.0
    for m, weight in enumerate(sites.weight_m):
        own = slice(sites.first_m[m], sites.first_m[m + 1])
        position_av, moment_qa, c6_a = sites.body_av[own], sites.moment_qa[:, own], sites.dispersion_a[own]
        first, second = np.triu_indices(len(position_av))
        share = weight * np.where(first == second, 0.5, 1.0)
        vector_pv = position_av[second] - position_av[first]
        energy_p = smooth_energy(moment_qa[:, first], moment_qa[:, second], vector_pv, alpha, product_n4)
        electrostatic -= float(np.sum(share * energy_p))
        x2 = alpha**2 * np.sum(vector_pv**2, axis=1)
        dispersion += float(np.sum(share * c6_a[first] * c6_a[second] * alpha**6 * _smooth_dispersion(x2)))
    return electrostatic, dispersion


def _smooth_dispersion(x2: NDArray[np.float64]) -> NDArray[np.float64]:
    """[1 - (1 + x^2 + x^4/2) exp(-x^2)] / x^6 = P(3, x^2) / x^6, P the regularised incomplete gamma function."""
    series = np.exp(-x2) * hyp1f1(1.0, 4.0, x2) / 6.0
    return np.where(x2 < _SMALL_ARGUMENT, series, gammainc(3.0, x2) / np.maximum(x2, _SMALL_ARGUMENT) ** 3)


def smooth_energy(
    first_qp: NDArray[np.float64],
    second_qp: NDArray[np.float64],
    vector_pv: NDArray[np.float64],
    alpha: float,
    product_n4: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Energy of pairs of multipole sites in the potential erf(alpha r)/r, eV, shape (pairs,).

    b_j = 2 alpha / sqrt(pi) (2 alpha^2)^j F_j(alpha^2 r^2) with the Boys function F_j.

    Parameters
    ----------
    first_qp, second_qp : numpy.ndarray, shape (35, pairs)
        Polynomials of the two sites.
    vector_pv : numpy.ndarray, shape (pairs, 3)
        From the first to the second, Angstrom.
    product_n4 : numpy.ndarray, shape (n, 4)
        The terms that count, see `polyscape.energy.tensors.products`.
    """
    total_qp = np.zeros((TERMS, len(vector_pv)))
    for a, b, p, sign in product_n4:
        total_qp[p] += sign * first_qp[a] * second_qp[b]
    coefficient_cp = np.zeros((HOBSON_TERMS, len(vector_pv)))
    np.add.at(coefficient_cp, HOBSON_TO, HOBSON_FACTOR[:, None] * total_qp[HOBSON_FROM])
    monomial_cp = np.prod(vector_pv.T[None] ** HOBSON_MONOMIAL[:, :, None], axis=1)
    x2 = alpha**2 * np.sum(vector_pv**2, axis=1)
    b_jp = np.array(
        [2.0 * alpha / np.sqrt(np.pi) * (2.0 * alpha**2) ** j * boys(j, x2) for j in range(RANK + 1)]
    )
    return np.asarray(np.sum(coefficient_cp * monomial_cp * b_jp[HOBSON_ORDER], axis=0))


def boys(order: int, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """F_n(x) = integral of t^(2n) exp(-x t^2) over 0 < t < 1."""
    a = order + 0.5
    series = np.exp(-x) * hyp1f1(1.0, a + 1.0, x) / (2.0 * a)
    larger = np.maximum(x, _SMALL_ARGUMENT)
    return np.where(x < _SMALL_ARGUMENT, series, gamma(a) * gammainc(a, larger) / (2.0 * larger**a))
