"""The slow electrostatics that the library is compared with: against textbook formulas, charge clouds, constants."""

import itertools

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from polyscape.molecule.multipoles import potential, rotate_multipoles, solid_harmonics
from polyscape.units import ANGSTROM_PER_BOHR, COULOMB_EV_A
from tests.builders import multipole_conformers, multipole_packings
from tests.physics.lattices import DIPOLES, MADELUNG, QUADRUPOLES, axial
from tests.physics.slow_multipoles import (
    PAIRS_OF_RANKS,
    coulomb,
    ewald_ll,
    interaction_ll,
    lattice_of_sites,
    molecular_ll,
    operator,
    pair_energy,
    slow_crystal,
    summed_derivatives,
    value_at,
)

ROUNDING = {"rel": 1e-11, "abs": 1e-13}


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def legendre(rank, x):
    return np.polynomial.legendre.Legendre.basis(rank)(x)


@pytest.mark.parametrize("rank", range(5))
def test_a_charge_and_an_axial_multipole(rng, rank):
    """``E = q Q_l0 P_l(cos theta) / R^(l+1)`` (Stone 2013, eq. 3.1.9 ff.), the charge seen from the multipole."""
    axis_v, r_v = Rotation.random(random_state=3).as_matrix()[0], np.array([1.1, -2.3, 1.9])
    R = np.linalg.norm(r_v)
    charge_q = axial(0, axis_v, -0.7)
    expected = COULOMB_EV_A * -0.7 * 1.3 * legendre(rank, axis_v @ r_v / R) / R ** (rank + 1)
    assert pair_energy(axial(rank, axis_v, 1.3), charge_q, r_v, (rank, 0)) == pytest.approx(
        expected, **ROUNDING
    )
    assert pair_energy(charge_q, axial(rank, axis_v, 1.3), -r_v, (0, rank)) == pytest.approx(
        expected, **ROUNDING
    )


def test_two_dipoles(rng):
    first_v, second_v = rng.normal(size=(2, 3))
    r_v = np.array([1.3, -0.4, 2.2])
    R = np.linalg.norm(r_v)
    expected = first_v @ second_v / R**3 - 3 * (first_v @ r_v) * (second_v @ r_v) / R**5
    found = pair_energy(_dipole(first_v), _dipole(second_v), r_v, (1, 1))
    assert found == pytest.approx(COULOMB_EV_A * expected, **ROUNDING)


def _dipole(v):
    return axial(1, v, np.linalg.norm(v))


def test_a_dipole_and_an_axial_quadrupole(rng):
    """``3 mu Theta (cos a (3 cos^2 b - 1) - 2 sin a sin b cos b cos phi) / 2 R^4`` from the dipole to the quadrupole."""
    n_v, m_v, z_v = Rotation.random(3, random_state=8).as_matrix()[:, 0]
    ca, cb = n_v @ z_v, m_v @ z_v
    across = n_v @ m_v - ca * cb  # sin a sin b cos phi
    expected = COULOMB_EV_A * 1.5 * (ca * (3 * cb**2 - 1) - 2 * cb * across) / 4.2**4
    assert pair_energy(axial(1, n_v), axial(2, m_v), 4.2 * z_v, (1, 2)) == pytest.approx(expected, **ROUNDING)


def test_two_axial_quadrupoles(rng):
    """``3 Theta Theta' (1 - 5 c^2 - 5 c'^2 - 15 c^2 c'^2 + 2 (4 c c' - s s' cos phi)^2) / 4 R^5``.

    A. D. Buckingham, Q. Rev. Chem. Soc. 13 (1959) 183, https://doi.org/10.1039/QR9591300183.
    """
    n_v, m_v, z_v = Rotation.random(3, random_state=9).as_matrix()[:, 0]
    ca, cb = n_v @ z_v, m_v @ z_v
    across = n_v @ m_v - ca * cb
    angular = 1 - 5 * ca**2 - 5 * cb**2 - 15 * ca**2 * cb**2 + 2 * (4 * ca * cb - across) ** 2
    expected = COULOMB_EV_A * 0.75 * angular / 4.2**5
    assert pair_energy(axial(2, n_v), axial(2, m_v), 4.2 * z_v, (2, 2)) == pytest.approx(expected, **ROUNDING)


@pytest.mark.parametrize(("i", "j"), list(itertools.product(range(5), repeat=2)))
def test_axial_multipoles_in_line(i, j):
    """``Q_l0 Q_l'0 (-1)^l' (l + l')! / (l! l'! R^(l+l'+1))`` along one axis, second beyond first."""
    z_v = np.array([0.0, 0.0, 1.0])
    binomial = np.prod(np.arange(1, i + j + 1)) / np.prod(np.arange(1, i + 1)) / np.prod(np.arange(1, j + 1))
    expected = COULOMB_EV_A * (-1) ** j * binomial / 3.0 ** (i + j + 1)
    assert pair_energy(axial(i, z_v), axial(j, z_v), 3.0 * z_v, (i, j)) == pytest.approx(expected, **ROUNDING)


def test_all_components_in_the_potential_of_a_charge(rng):
    Q_q, r_v = rng.normal(size=25), np.array([2.0, -1.5, 2.5])
    charge_q = axial(0, r_v)
    energy = sum(pair_energy(Q_q, charge_q, r_v, (rank, 0)) for rank in range(5))
    bohr = r_v[None] / ANGSTROM_PER_BOHR
    expected = COULOMB_EV_A / ANGSTROM_PER_BOHR * potential(Q_q[None], np.zeros((1, 3)), bohr)[0]
    assert energy == pytest.approx(expected, **ROUNDING)


@pytest.mark.parametrize("parity", [1, -1])
def test_turned_operators_are_those_of_turned_multipoles(rng, parity):
    Q_q, turn_vv = rng.normal(size=25), parity * Rotation.random(random_state=2).as_matrix()
    turned_q, point_nv = rotate_multipoles(Q_q[None], turn_vv)[0], rng.normal(size=(9, 3))
    for rank in range(5):
        np.testing.assert_allclose(
            value_at(operator(Q_q, rank, turn_vv), point_nv),
            value_at(operator(turned_q, rank), point_nv),
            atol=1e-12,
        )


def test_series_approaches_the_energy_of_two_charge_clouds(rng):
    """What the terms l + l' <= 4 leave falls with the fifth power of the clouds' size."""
    charge_ni, place_niv = rng.normal(size=(2, 12)), rng.uniform(-1, 1, (2, 12, 3))
    r_v, errors = np.array([3.0, -2.0, 4.0]), []
    for size in (0.2, 0.1):
        first_v, second_v = size * place_niv[0], r_v + size * place_niv[1]
        distance = np.linalg.norm(second_v - first_v[:, None], axis=2)
        exact = COULOMB_EV_A * charge_ni[0] @ (1 / distance) @ charge_ni[1]
        Q_nq = [
            q @ solid_harmonics(size * x / ANGSTROM_PER_BOHR)
            for q, x in zip(charge_ni, place_niv, strict=True)
        ]
        series = sum(pair_energy(*Q_nq, r_v, ranks) for ranks in PAIRS_OF_RANKS)
        errors.append(abs(series - exact))
    assert errors[0] > 1e-9  # not vacuous
    assert errors[0] / errors[1] == pytest.approx(32.0, rel=0.2)  # the next power adds its part


@pytest.mark.parametrize("name", MADELUNG)
def test_madelung_constants(name):
    site_ac, charge_a, units, nearest, constant = MADELUNG[name]
    lattice = lattice_of_sites(np.eye(3), site_ac, [axial(0, (0, 0, 1), q) for q in charge_a])
    found = -ewald_ll(lattice, 2.5)[0, 0] / COULOMB_EV_A / units * nearest
    assert found == pytest.approx(constant, abs=1e-9)  # digits of the constants


@pytest.mark.parametrize("name", DIPOLES)
def test_dipole_arrays(name):
    site_ac, axis_av, constant = DIPOLES[name]
    lattice = lattice_of_sites(2 * np.eye(3), site_ac, [axial(1, axis_v) for axis_v in axis_av])
    density = len(site_ac) / 8
    found = ewald_ll(lattice, 1.25)[1, 1] / COULOMB_EV_A / len(site_ac) / density
    assert found == pytest.approx(constant, abs=2e-9)  # digits of the constants


@pytest.mark.parametrize("name", QUADRUPOLES)
def test_quadrupole_arrays(name):
    site_ac, axis_av, constant, literature = QUADRUPOLES[name]
    lattice = lattice_of_sites(np.eye(3), site_ac, [axial(2, axis_v) for axis_v in axis_av])
    found = ewald_ll(lattice, 2.5)[2, 2] / COULOMB_EV_A / len(site_ac)
    assert found == pytest.approx(constant, abs=1e-9)
    assert found == pytest.approx(0.75 * literature, rel=0.01)  # three digits, of sums cut short in 1960
    spheres = molecular_ll(lattice, 9.0)[2, 2] / COULOMB_EV_A / len(site_ac)
    assert spheres == pytest.approx(found, rel=1e-3)  # the shells beyond nine cells nearly cancel


def test_a_cubic_lattice_of_parallel_dipoles_in_tin_foil():
    """The sphere's sum is 0 by symmetry, its depolarising field lifted by tin foil: ``-2 pi mu^2 / 3 a^3``."""
    lattice = lattice_of_sites(np.eye(3), [(0, 0, 0)], [axial(1, (1, 2, 2))])
    assert ewald_ll(lattice, 2.5)[1, 1] / COULOMB_EV_A == pytest.approx(-2 * np.pi / 3, rel=1e-12)


@pytest.mark.parametrize("name", ["P1, Z' = 2, one mirrored", "P2_13, linear molecule"])
def test_every_term_at_two_ewald_parameters(name):
    crystal = slow_crystal(multipole_packings()[name], multipole_conformers())
    first_ll, second_ll = ewald_ll(crystal, 0.3), ewald_ll(crystal, 0.6)
    np.testing.assert_allclose(first_ll, second_ll, atol=1e-11)  # both sums go on to 1e-15
    np.testing.assert_allclose(first_ll, first_ll.T, atol=1e-11)
    assert all(abs(first_ll[ranks]) > 1e-5 for ranks in PAIRS_OF_RANKS)  # eV: every term is there


def test_ewald_against_spheres_of_whole_molecules():
    """Molecules with neither charge nor dipole: every term summed over whole molecules falls as r^-5 or faster."""
    molecules = multipole_conformers()
    linear = molecules[0, "linear"]
    even_q = np.repeat([1, 0, 1, 0, 1], [1, 3, 5, 7, 9])
    odd_aq = np.array([0.0, 1.0, -1.0])[:, None] * (1 - even_q) * linear.multipole_aq[1]
    Q_aq = even_q * linear.multipole_aq
    Q_aq[2] = Q_aq[1]
    linear = type(linear)(**(vars(linear) | {"multipole_aq": Q_aq + odd_aq}))
    crystal = slow_crystal(multipole_packings()["P2_13, linear molecule"], {(0, "linear"): linear})
    exact_ll = ewald_ll(crystal, 0.4)
    errors = [np.abs(molecular_ll(crystal, cutoff) - exact_ll).max() for cutoff in (20.0, 40.0)]
    assert errors[1] < 2e-3 * np.abs(exact_ll).max()  # the tail of an r^-5 sum beyond 40 A
    assert errors[1] < 0.5 * errors[0]  # 0.25 for an r^-2 tail, less what shells fluctuate


def test_a_pair_of_sites_in_any_order(rng):
    first_q, second_q, r_v = rng.normal(size=25), rng.normal(size=25), np.array([2.5, 1.0, -3.0])
    ahead = interaction_ll(
        [operator(first_q, rank) for rank in range(5)],
        [operator(second_q, rank) for rank in range(5)],
        summed_derivatives(r_v[None], coulomb, 4),
    )
    for i, j in PAIRS_OF_RANKS:
        assert ahead[i, j] == pytest.approx(pair_energy(second_q, first_q, -r_v, (j, i)), **ROUNDING)
