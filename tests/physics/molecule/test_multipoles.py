"""Distributed multipoles: harmonics, rotation, totals and potential against slow and obvious sums."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from polyscape.molecule.multipoles import (
    potential,
    rotate_multipoles,
    rotation_qq,
    shift_multipoles,
    solid_harmonics,
    total_moments,
    translation_aqq,
)


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def test_harmonics_are_stones(rng):
    x, y, z = point = rng.normal(size=3)
    r2 = point @ point
    R_q = solid_harmonics(point[None])[0]
    by_hand = {
        0: 1.0,
        1: z,
        2: x,
        3: y,
        4: (3 * z * z - r2) / 2,
        5: np.sqrt(3) * x * z,
        6: np.sqrt(3) * y * z,
        7: np.sqrt(3) / 2 * (x * x - y * y),
        8: np.sqrt(3) * x * y,
        9: (5 * z**3 - 3 * z * r2) / 2,
        15: np.sqrt(5 / 8) * (3 * x * x * y - y**3),
        16: (35 * z**4 - 30 * z * z * r2 + 3 * r2 * r2) / 8,
        23: np.sqrt(35) / 8 * (x**4 - 6 * x * x * y * y + y**4),
        24: np.sqrt(35) / 2 * (x**3 * y - x * y**3),
    }
    for index, value in by_hand.items():
        assert R_q[index] == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("parity", [1, -1])
def test_potential_turns_with_the_molecule(rng, parity):
    multipole_aq, position_av = rng.normal(size=(3, 25)), rng.normal(size=(3, 3))
    point_pv = 6 * rng.normal(size=(20, 3)) + 9
    rotation_vv = parity * Rotation.random(random_state=7).as_matrix()
    turned = potential(
        rotate_multipoles(multipole_aq, rotation_vv), position_av @ rotation_vv.T, point_pv @ rotation_vv.T
    )
    # the rotation matrix comes from a least-squares fit: rounding error only
    np.testing.assert_allclose(turned, potential(multipole_aq, position_av, point_pv), rtol=1e-11)


def test_rotations_are_orthogonal_and_compose():
    first, second = (Rotation.random(random_state=seed).as_matrix() for seed in (1, 2))
    D_qq = rotation_qq(first)
    np.testing.assert_allclose(D_qq @ D_qq.T, np.eye(25), atol=1e-12)
    np.testing.assert_allclose(rotation_qq(second @ first), rotation_qq(second) @ D_qq, atol=1e-12)
    assert np.abs(D_qq - np.eye(25)).max() > 0.1


def test_multipoles_of_point_charges_give_their_potential_far_away(rng):
    """``Q_q = sum_i q_i R_q(r_i)``; the rank-5 rest falls with (size / distance)^6."""
    charge_i, position_iv = rng.normal(size=6), 0.3 * rng.normal(size=(6, 3))
    Q_q = charge_i @ solid_harmonics(position_iv)
    point_pv = 20.0 * Rotation.random(10, random_state=3).as_matrix()[:, 0]
    exact_p = (charge_i / np.linalg.norm(point_pv[:, None] - position_iv, axis=2)).sum(axis=1)
    found_p = potential(Q_q[None], np.zeros((1, 3)), point_pv)
    np.testing.assert_allclose(found_p, exact_p, rtol=0, atol=1e-8)
    charges_only = Q_q[0] / 20.0
    assert np.abs(exact_p - charges_only).max() > 1e-4


def test_total_moments_of_point_charges(rng):
    """Charges on two sites, expanded about each, give the moments of all charges."""
    charge_i, offset_iv = rng.normal(size=(2, 4)), 0.5 * rng.normal(size=(2, 4, 3))
    site_av = np.array([[1.0, 2.0, -1.0], [-2.0, 0.5, 1.5]])
    multipole_aq = np.array([q @ solid_harmonics(r) for q, r in zip(charge_i, offset_iv, strict=True)])
    place_iv = (offset_iv + site_av[:, None]).reshape(-1, 3)
    flat = charge_i.ravel()
    charge, dipole_v, Theta_vv = total_moments(multipole_aq, site_av)
    second_vv = np.einsum("i,iv,iw->vw", flat, place_iv, place_iv)
    assert charge == pytest.approx(flat.sum())
    np.testing.assert_allclose(dipole_v, flat @ place_iv)
    np.testing.assert_allclose(Theta_vv, 1.5 * second_vv - 0.5 * np.trace(second_vv) * np.eye(3))


def test_harmonics_about_another_origin(rng):
    point_pv, shift_v = 3.0 * rng.normal(size=(20, 3)), rng.normal(size=3)
    moved_pq = solid_harmonics(point_pv) @ translation_aqq(shift_v[None])[0].T
    expected_pq = solid_harmonics(point_pv - shift_v)
    # the matrix comes from a least-squares fit: rounding error of the largest harmonics
    np.testing.assert_allclose(moved_pq, expected_pq, rtol=0, atol=1e-12 * np.abs(expected_pq).max())


def test_multipoles_of_point_charges_about_a_moved_origin_are_exact(rng):
    """Lower ranks determine those about another origin: nothing is cut off."""
    charge_i, position_iv = rng.normal(size=6), rng.normal(size=(6, 3))
    shift_av = np.array([[0.0, 0.0, 0.0], [0.1, -0.3, 0.2], [2.0, 1.0, -1.5]])
    about_old_q = charge_i @ solid_harmonics(position_iv)
    moved_aq = shift_multipoles(np.tile(about_old_q, (3, 1)), shift_av)
    expected_aq = [charge_i @ solid_harmonics(position_iv - shift_v) for shift_v in shift_av]
    np.testing.assert_allclose(moved_aq, expected_aq, rtol=0, atol=1e-12 * np.abs(expected_aq).max())
    assert np.array_equal(moved_aq[0], about_old_q)
    assert np.abs(moved_aq[1] - about_old_q).max() > 0.1


def test_changes_of_origin_compose(rng):
    first_v, second_v = rng.normal(size=(2, 3))
    first_qq, second_qq, sum_qq = translation_aqq(np.array([first_v, second_v, first_v + second_v]))
    both_qq = second_qq @ first_qq
    np.testing.assert_allclose(sum_qq, both_qq, atol=1e-11)  # elements up to 100
    assert np.abs(np.triu(both_qq, 1)).max() < 1e-11  # a rank is made of itself and lower ones
