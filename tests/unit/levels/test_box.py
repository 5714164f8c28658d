"""The box of an isolated molecule or ion: what its images leave out of the energy, against lattice sums."""

import numpy as np
import pytest

from polyscape.levels.box import (
    MADELUNG_CUBIC,
    Moments,
    charge_corrections_eV,
    charge_of,
    dipole_correction_eV,
    in_box,
)
from polyscape.units import COULOMB_EV_A

WIDTH_A = 0.6
"""Of the Gaussian charges below: small enough for no overlap with an image's."""


def coulomb_energies_eV(charge_a, position_av, edge_A):
    """Energy of Gaussian charges in a cubic lattice with average potential 0, and of the same charges alone.

    ``2 pi / V sum_{G != 0} |rho(G)|^2 / G^2`` with ``rho(G) = sum_a q_a exp(-G^2 w^2 / 2 - i G r_a)``; alone
    ``sum_{a<b} q_a q_b erf(r / 2w) / r + sum_a q_a^2 / (2 w sqrt(pi))``.
    """
    from scipy.special import erf

    n = np.arange(-16, 17)  # to exp(-(2 pi 16 / 12)^2 0.36) = 1e-11
    G_gv = 2 * np.pi / edge_A * np.stack(np.meshgrid(n, n, n), axis=-1).reshape(-1, 3)
    square_g = (G_gv**2).sum(axis=1)
    G_gv, square_g = G_gv[square_g > 0], square_g[square_g > 0]
    rho_g = np.exp(-square_g * WIDTH_A**2 / 2) * (np.exp(-1j * G_gv @ position_av.T) @ charge_a)
    periodic = 2 * np.pi / edge_A**3 * np.sum(np.abs(rho_g) ** 2 / square_g)
    alone = np.sum(charge_a**2) / (2 * WIDTH_A * np.sqrt(np.pi))
    for a in range(len(charge_a)):
        for b in range(a):
            r = np.linalg.norm(position_av[a] - position_av[b])
            alone += charge_a[a] * charge_a[b] * erf(r / (2 * WIDTH_A)) / r
    return COULOMB_EV_A * periodic, COULOMB_EV_A * alone


def moments(charge_a, position_av):
    """A Gaussian adds ``3 w^2`` to the square of its place."""
    second = charge_a @ ((position_av**2).sum(axis=1) + 3 * WIDTH_A**2)
    return Moments(float(charge_a.sum()), charge_a @ position_av, float(second))


CATION = np.array([0.9, 0.5, -0.4]), np.array([[0.0, 0, 0], [0.7, 0.3, -0.2], [-0.4, 0.9, 0.3]])
DIANION = np.array([-1.5, -1.0, 0.5]), np.array([[0.6, 0, 0], [-0.6, 0.1, 0], [0, 0.2, 0.8]])


@pytest.mark.parametrize("ion", [CATION, DIANION], ids=["cation", "dianion"])
def test_the_energy_of_an_ion_alone_is_found_from_its_box(ion):
    left_over_eV = []
    for edge_A in (9.0, 12.0):
        periodic_eV, alone_eV = coulomb_energies_eV(*ion, edge_A)
        terms = charge_corrections_eV(moments(*ion), edge_A)
        left_over_eV.append(abs(periodic_eV + sum(terms.values()) - alone_eV))
        assert abs(terms["quadrupole_images"]) > 3 * left_over_eV[-1]  # a term that could have the wrong sign
    assert left_over_eV[1] < 2e-3
    # what is left falls as L^-5, (3/4)^5 = 0.24
    assert left_over_eV[1] < 0.35 * left_over_eV[0]


def test_the_monopole_term_of_one_charge_is_exact():
    """Of a Gaussian alone everything but the two terms vanishes: its images see a point charge."""
    charge, place = np.array([1.0]), np.zeros((1, 3))
    periodic_eV, alone_eV = coulomb_energies_eV(charge, place, 10.0)
    terms = charge_corrections_eV(moments(charge, place), 10.0)
    assert terms["monopole_images"] == pytest.approx(COULOMB_EV_A * MADELUNG_CUBIC / 20)
    assert periodic_eV + sum(terms.values()) == pytest.approx(alone_eV, abs=1e-9)  # rounding


def test_the_origin_of_the_moments_does_not_matter():
    (charge_a, position_av), shift_v = CATION, np.array([3.0, -2.0, 1.0])
    here, there = moments(charge_a, position_av), moments(charge_a, position_av + shift_v)
    assert np.linalg.norm(here.dipole_v - there.dipole_v) > 3
    assert charge_corrections_eV(here, 9.0) == pytest.approx(charge_corrections_eV(there, 9.0), abs=1e-12)


def test_a_neutral_molecule_has_the_term_of_its_dipole():
    charge_a, position_av = np.array([0.4, -0.4]), np.array([[0.0, 0, 0], [0.8, 0.4, -0.3]])
    periodic_eV, alone_eV = coulomb_energies_eV(charge_a, position_av, 10.0)
    term_eV = dipole_correction_eV(charge_a @ position_av, 10.0**3)
    assert term_eV > 3e-3
    assert periodic_eV + term_eV == pytest.approx(alone_eV, abs=0.02 * term_eV)  # octopoles


def test_a_box_knows_its_ions_charge_and_a_crystal_has_none():
    place = np.zeros((1, 3)), 8.0
    ion, atom = in_box(np.array([9]), *place, charge=-1), in_box(np.array([9]), *place)
    assert (charge_of(ion), charge_of(ion.copy()), charge_of(atom), atom.info) == (-1, -1, 0, {})
    ion.pbc = True
    assert charge_of(ion) == 0
