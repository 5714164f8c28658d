"""The repulsion of flattened halogens: formula, derivatives, invariances, and the sphere as its limit."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from polyscape.energy.anisotropic import BEND, anisotropic_repulsion

PAIR = (5903.7, 3.34, -0.094, -0.106)  # of the size of chlorine and bromine


def summed(vector_nv, axes, pair=PAIR):
    """Energy, derivatives by the vectors (n, 3) and by both axes (2, 3)."""
    vector_vn = np.vstack([vector_nv.T, np.sum(vector_nv**2, axis=1)])
    force_vn, out = np.zeros((3, len(vector_nv))), np.full(BEND, np.nan)
    axis_1, axis_2 = (np.ascontiguousarray(axis, dtype=float) for axis in axes)
    anisotropic_repulsion(
        np.ascontiguousarray(vector_vn), len(vector_nv), pair, (axis_1, axis_2), force_vn, out
    )
    return out[0], force_vn.T, out[1:].reshape(2, 3)


@pytest.fixture
def case():
    """Five vectors at contact distances and two oblique axes."""
    rng = np.random.default_rng(5)
    vector_nv = rng.normal(size=(5, 3))
    vector_nv *= rng.uniform(3.0, 4.5, 5)[:, None] / np.linalg.norm(vector_nv, axis=1)[:, None]
    axis_iv = rng.normal(size=(2, 3))
    return vector_nv, axis_iv / np.linalg.norm(axis_iv, axis=1)[:, None]


@pytest.mark.parametrize("degrees", [0.0, 37.0, 90.0, 180.0])
def test_energy_is_that_of_the_formula(degrees):
    """One site at the origin with its bond along z, the other a sphere at polar angle theta."""
    A, decay, stretch, r = 5903.7, 3.34, -0.094, 3.4
    theta = np.radians(degrees)
    vector_v = r * np.array([np.sin(theta), 0.0, np.cos(theta)])
    energy, _, _ = summed(vector_v[None], ([0, 0, 1], [0, 0, 0]), (A, decay, stretch, 0.0))
    s = stretch * (0.75 * np.cos(2.0 * theta) + 0.25)  # P_2 in another form
    assert energy == pytest.approx(A * np.exp(-decay * (r - s)), rel=1e-13)  # of the exponential


def test_a_flattened_site_repels_less_along_its_bond():
    along, across = (summed(3.4 * np.array([v]), ([0, 0, 1], [0, 0, 1]))[0] for v in ([0, 0, 1], [1, 0, 0]))
    sphere = summed(np.array([[0, 0, 3.4]]), ([0, 0, 1], [0, 0, 1]), (*PAIR[:2], 0.0, 0.0))[0]
    assert along < 0.6 * sphere < sphere < across


@pytest.mark.parametrize("step", [1e-3, 5e-4])
def test_derivatives_by_the_vectors(case, step):
    vector_nv, axis_iv = case
    _, force_nv, _ = summed(vector_nv, axis_iv)
    numeric_nv = np.zeros_like(force_nv)
    for place in np.ndindex(vector_nv.shape):
        shifted = [summed(moved(vector_nv, place, sign * step), axis_iv)[0] for sign in (1, -1)]
        numeric_nv[place] = (shifted[0] - shifted[1]) / (2.0 * step)
    # central differences err by step^2 / 6 times a third derivative of decay^3 U
    tolerance = step**2 * PAIR[1] ** 3 * summed(vector_nv, axis_iv)[0]
    np.testing.assert_allclose(force_nv, numeric_nv, rtol=0, atol=tolerance)
    assert np.abs(force_nv).max() > 1e3 * tolerance
    radial_nv = np.sum(force_nv * vector_nv, 1)[:, None] * vector_nv / np.sum(vector_nv**2, 1)[:, None]
    assert np.abs(force_nv - radial_nv).max() > 1e2 * tolerance  # not a central force


@pytest.mark.parametrize("step", [1e-3, 5e-4])
@pytest.mark.parametrize("site", [0, 1])
def test_derivatives_by_the_axes(case, site, step):
    vector_nv, axis_iv = case
    energy, _, slope_iv = summed(vector_nv, axis_iv)
    numeric_v = np.zeros(3)
    for v in range(3):
        shifted = [summed(vector_nv, moved(axis_iv, (site, v), sign * step))[0] for sign in (1, -1)]
        numeric_v[v] = (shifted[0] - shifted[1]) / (2.0 * step)
    # third derivatives by an axis are of the order of (3 decay a)^2 U < 4 U
    tolerance = step**2 * energy
    np.testing.assert_allclose(slope_iv[site], numeric_v, rtol=0, atol=tolerance)
    assert np.abs(slope_iv[site]).max() > 1e3 * tolerance


def test_energy_turns_with_everything(case):
    vector_nv, axis_iv = case
    rotation_vv = Rotation.random(random_state=3).as_matrix()
    energy, force_nv, slope_iv = summed(vector_nv, axis_iv)
    turned, turned_force_nv, turned_slope_iv = summed(vector_nv @ rotation_vv.T, axis_iv @ rotation_vv.T)
    assert turned == pytest.approx(energy, rel=1e-12)  # rounding in r, times decay r
    np.testing.assert_allclose(turned_force_nv, force_nv @ rotation_vv.T, atol=1e-12 * PAIR[1] * energy)
    np.testing.assert_allclose(turned_slope_iv, slope_iv @ rotation_vv.T, atol=1e-12 * energy)


def test_a_turn_of_everything_does_no_work(case):
    """Torques of both axes and of the vectors add up to zero."""
    vector_nv, axis_iv = case
    energy, force_nv, slope_iv = summed(vector_nv, axis_iv)
    torque_v = np.cross(vector_nv, force_nv).sum(axis=0)
    on_axes_v = np.cross(axis_iv, slope_iv).sum(axis=0)
    np.testing.assert_allclose(torque_v + on_axes_v, 0.0, atol=1e-13 * energy)  # rounding
    assert np.linalg.norm(on_axes_v) > 1e-3 * energy


def test_exchange_of_the_sites_and_of_an_axis_direction(case):
    """Seen from the other site, vectors are reversed; a bond may point either way."""
    vector_nv, axis_iv = case
    A, decay, a1, a2 = PAIR
    energy, force_nv, slope_iv = summed(vector_nv, axis_iv)
    other, other_force_nv, other_slope_iv = summed(-vector_nv, axis_iv[::-1], (A, decay, a2, a1))
    assert other == pytest.approx(energy, rel=1e-13)
    np.testing.assert_allclose(other_force_nv, -force_nv, rtol=1e-12)
    np.testing.assert_allclose(other_slope_iv, slope_iv[::-1], rtol=1e-12)
    assert summed(vector_nv, [-axis_iv[0], axis_iv[1]])[0] == pytest.approx(energy, rel=1e-13)


def test_spheres_repel_along_the_line_of_sites(case):
    vector_nv, axis_iv = case
    A, decay = PAIR[:2]
    energy, force_nv, slope_iv = summed(vector_nv, axis_iv, (A, decay, 0.0, 0.0))
    r = np.linalg.norm(vector_nv, axis=1)
    assert energy == pytest.approx(np.sum(A * np.exp(-decay * r)), rel=1e-13)
    expected_nv = -decay * (A * np.exp(-decay * r) / r)[:, None] * vector_nv
    np.testing.assert_allclose(force_nv, expected_nv, rtol=1e-12)
    assert not slope_iv.any()


def test_forces_are_added_to(case):
    vector_nv, axis_iv = case
    vector_vn = np.ascontiguousarray(np.vstack([vector_nv.T, np.sum(vector_nv**2, axis=1)]))
    force_vn, out = np.ones((3, 5)), np.zeros(BEND)
    anisotropic_repulsion(vector_vn, 4, PAIR, (axis_iv[0], axis_iv[1]), force_vn, out)
    np.testing.assert_allclose(force_vn[:, :4] - 1.0, summed(vector_nv[:4], axis_iv)[1].T, atol=1e-15)
    assert np.all(force_vn[:, 4] == 1.0)


def moved(array, place, step):
    """A copy with one element changed."""
    copy = array.copy()
    copy[place] += step
    return copy
