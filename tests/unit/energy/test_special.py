import numpy as np
from scipy.special import erfcx

from polyscape.energy.special import ERFCX_RANGE, erfcx_simd, exp_simd, sincos_turns


def test_exponential_is_accurate_to_rounding():
    x = -np.concatenate([np.linspace(0.0, 50.0, 4001), [120.0, 199.0]])
    found = np.array([exp_simd(value) for value in x])
    np.testing.assert_allclose(found, np.exp(x), rtol=5e-14)  # fast-math merges the two parts of ln 2


def test_exponential_of_a_far_negative_number_is_negligible():
    assert 0.0 <= exp_simd(-1e6) < 1e-86


def test_scaled_error_function_is_accurate_over_its_range():
    x = np.linspace(0.0, ERFCX_RANGE, 3001)
    found = np.array([erfcx_simd(value) for value in x])
    np.testing.assert_allclose(found, erfcx(x), rtol=1e-11)  # the fit's own error is 6e-12


def test_cosine_and_sine_of_turns():
    x = np.concatenate([np.linspace(-3.0, 3.0, 4801), [40.125, -17.99]])
    found = np.array([sincos_turns(value) for value in x])
    np.testing.assert_allclose(
        found[:, 0], np.cos(2 * np.pi * x), atol=1e-13
    )  # numpy's own: rounding of 2 pi x
    np.testing.assert_allclose(found[:, 1], np.sin(2 * np.pi * x), atol=1e-13)
