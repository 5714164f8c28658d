import numpy as np

from polyscape.energy.quasi_newton import ACCEPT, TOO_LONG, TOO_SHORT, direction, interpolate, judge, update


def test_update_satisfies_the_secant_equation_and_stays_positive():
    rng = np.random.default_rng(5)
    hessian = np.diag([1.0, 5.0, 20.0, 3.0])
    metric = np.eye(4)
    for first in (True, False, False):
        step = rng.normal(size=4)
        change = hessian @ step
        update(metric, step, change, first)
        np.testing.assert_allclose(metric @ change, step, rtol=1e-10)  # rounding of a 4 x 4 update
        assert np.linalg.eigvalsh(metric).min() > 0.0


def test_update_refuses_negative_curvature():
    metric = np.eye(3)
    update(metric, np.array([1.0, 0.0, 0.0]), np.array([-1.0, 0.0, 0.0]), False)
    np.testing.assert_array_equal(metric, np.eye(3))


def test_direction_descends_and_keeps_its_length():
    gradient = np.array([3.0, -4.0, 0.0])
    step = direction(np.eye(3), gradient, 0.5)
    assert step @ gradient < 0.0
    assert np.abs(step).max() == 0.5
    assert direction(-np.eye(3), gradient, 0.5) @ gradient < 0.0


def test_judge_tells_long_from_short():
    assert judge((0.0, -1.0), (0.5, 2.0), 1.0, 1e-9) == TOO_LONG
    assert judge((0.0, -1.0), (-0.99, -0.98), 1.0, 1e-9) == TOO_SHORT
    assert judge((0.0, -1.0), (-0.5, 0.1), 1.0, 1e-9) == ACCEPT
    assert (
        judge((0.0, -1e-6), (1e-10, 0.2e-6), 1.0, 1e-9) == ACCEPT
    )  # flat within the noise, slope has fallen
    assert judge((0.0, -1.0), (np.inf, np.nan), 1.0, 1e-9) == TOO_LONG


def test_interpolation_finds_the_minimum_of_a_cubic():
    def cubic(t):
        return (t, t**3 - 2.0 * t, 3.0 * t**2 - 2.0)

    assert abs(interpolate(cubic(0.0), cubic(1.5)) - np.sqrt(2.0 / 3.0)) < 1e-12  # exact but for rounding
    assert 0.0 < interpolate((0.0, 0.0, -1.0), (1.0, np.inf, np.nan)) < 0.5
