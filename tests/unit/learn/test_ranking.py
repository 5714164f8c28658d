import numpy as np
import pytest
from scipy.stats import norm

from polyscape.learn.ranking import LOWEST, MORE, rank_structures, ranks


def _ranking(mean_s, K_ss, draws=20_000, seed=0, references=()):
    return rank_structures(
        np.asarray(mean_s, float), np.asarray(K_ss, float), draws, np.random.default_rng(seed), references
    )


def test_ranks_of_rows_with_ties():
    np.testing.assert_array_equal(ranks(np.array([[3.0, 1.0, 1.0, 0.0]])), [[4, 2, 3, 1]])


def test_probabilities_sum_to_what_they_must():
    found = _ranking(np.arange(12.0), 4 * np.eye(12))
    assert found.p_first_s.sum() == pytest.approx(1.0)
    assert found.p_lowest_s.sum() == pytest.approx(LOWEST)
    assert found.p_more_s.sum() == pytest.approx(MORE)


def test_two_structures_have_the_probability_of_the_normal_distribution():
    found = _ranking([0.0, 1.0], [[1.0, 0.0], [0.0, 1.0]], draws=200_000)
    assert found.p_first_s[0] == pytest.approx(norm.cdf(1 / np.sqrt(2)), abs=0.005)  # five standard errors


def test_shared_errors_cancel():
    """An error common to all structures says nothing about their order."""
    found = _ranking([0.0, 0.1, 0.2], 100.0 * np.ones((3, 3)) + 1e-6 * np.eye(3))
    np.testing.assert_array_equal(found.p_first_s, [1, 0, 0])
    assert found.sd_relative_s.max() < 0.01


def test_intervals_hold_the_rank_and_certain_rankings_have_none():
    generator = np.random.default_rng(1)
    found = _ranking(generator.normal(size=30), np.diag(generator.uniform(0.1, 9, 30)))
    assert (found.rank_low_s <= found.rank_s).all()
    assert (found.rank_s <= found.rank_high_s).all()
    sure = _ranking(np.arange(30.0), 1e-8 * np.eye(30))
    np.testing.assert_array_equal(sure.rank_low_s, sure.rank_high_s)


def test_the_same_seed_draws_the_same():
    first, second, other = (_ranking(np.arange(5.0), np.eye(5), seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.p_first_s, second.p_first_s)
    assert (first.p_first_s != other.p_first_s).any()


def test_a_single_structure_is_first():
    found = _ranking([-90.0], [[4.0]])
    assert (found.rank_s[0], found.p_first_s[0], found.p_lowest_s[0], found.sd_relative_s[0]) == (1, 1, 1, 0)


def test_the_probability_of_lying_below_another_is_that_of_their_difference():
    """var(E_1 - E_0) = 1 + 1 - 2 * 0.5; correlated errors cancel."""
    found = _ranking([0.0, 1.0, 3.0], np.eye(3) * 0.5 + 0.5, draws=200_000, references=[0, 2])
    assert found.p_below_ks.shape == (2, 3)
    assert found.p_below_ks[0, 1] == pytest.approx(norm.cdf(-1.0), abs=0.005)  # five standard errors
    assert found.p_below_ks[1, 0] == pytest.approx(norm.cdf(3.0), abs=0.001)
    assert found.p_below_ks[0, 0] == found.p_below_ks[1, 2] == 0.0
