from dataclasses import replace

import numpy as np
import pytest

from polyscape.learn.budget import Budget
from polyscape.learn.choose import Judge, Situation, choose, low_energy_weight, may_be_chosen, why_settled
from polyscape.learn.cokriging import CoKriging
from polyscape.learn.discrepancy import LogNormal, Priors
from polyscape.learn.protocol import Points, TrainingData
from polyscape.learn.ranking import rank_structures
from polyscape.settings.selection import SelectionSettings
from tests.unit.learn.toys import draw_ladder, observe


def _data(known):
    """Ten structures 2 kJ/mol apart, so many of the lowest known at both levels."""
    value_ls = np.tile(np.arange(-100.0, -80.0, 2.0), (3, 1))
    value_ls[1:, known:] = np.nan
    return TrainingData(np.zeros((10, 1)), value_ls)


def _ranking(sd_s):
    mean_s = np.arange(0.0, 20.0, 2.0)
    return rank_structures(mean_s, np.diag(np.asarray(sd_s) ** 2), 2000, np.random.default_rng(0))


def test_a_sure_order_needs_no_more_points_and_an_unsure_one_does():
    assert why_settled(_data(8), _ranking(np.full(10, 0.2)), 0.95).startswith("settled: P(rank 1)")
    assert why_settled(_data(8), _ranking(np.full(10, 8.0)), 0.95) == ""


def test_forms_within_the_noise_settle_once_all_that_matter_are_computed():
    mean_s = np.array([0.0, 0.05, 2.0, 4.0, 6.0, 30.0, 30.0, 30.0, 30.0, 30.0])
    tie = rank_structures(mean_s, 0.04 * np.eye(10), 2000, np.random.default_rng(0))
    assert tie.p_first_s.max() < 0.8
    assert "all that may be among the lowest" in why_settled(_data(8), tie, 0.95)
    assert why_settled(_data(4), tie, 0.95) == ""  # too few points


def test_a_campaign_goes_on_where_calibration_widens_the_error_bars():
    """A learner that is far too sure says that all is settled; what it says of left-out structures is wrong."""
    sure = Priors(*(LogNormal(0.05, 0.01) for _ in range(4)))
    sure = replace(sure, length=LogNormal(0.7, 0.01))
    data = observe(*draw_ladder(5, structures=30), (16, 10))
    nowhere_ls = np.zeros(data.value_ls.shape, bool)
    now = Situation(data, data.value_ls[0], np.zeros(30), nowhere_ls)
    allowed_ls = may_be_chosen(data, nowhere_ls, ~nowhere_ls, 4)
    budget = Budget(4, 2, np.tile([[0.0], [30.0], [90.0]], 30), allowed_ls, 0.5)
    learner = CoKriging(slope_sd=0.01, first_priors=sure, higher_priors=sure)
    posterior, everywhere = learner.fit(data), Points.at_level(2, range(30))
    unwidened = rank_structures(
        posterior.mean_ls()[2],
        posterior.covariance_pp(everywhere, everywhere),
        2000,
        np.random.default_rng(0),
    )
    assert why_settled(data, unwidened, 0.9)
    settings = SelectionSettings(batch=4, settled_probability=0.9)
    batch = choose(now, budget, settings, Judge(learner, 2000, np.random.default_rng(0)))
    assert len(batch.chosen) == 4


def test_a_probability_of_one_never_stops():
    assert why_settled(_data(10), _ranking(np.full(10, 1e-3)), 1.0) == ""


def test_weights_fall_with_the_energy_and_rise_with_the_doubt():
    X_sf, true_ls = draw_ladder(0, structures=40)
    posterior = CoKriging().fit(observe(X_sf, true_ls, (20, 12)))
    mean_s, sd_s, nothing_s = posterior.mean_ls()[-1], posterior.sd_ls()[-1], np.zeros(40)
    p_lowest_s = np.where(np.argsort(np.argsort(mean_s)) < 5, 1.0, 0.0)
    weight_s = low_energy_weight(posterior, p_lowest_s, nothing_s, 5.0)
    assert weight_s.sum() == pytest.approx(2.0)
    assert weight_s.argmax() in np.argsort(mean_s)[:5]
    sure = np.argsort(sd_s)[:10]
    outside = sure[p_lowest_s[sure] == 0]
    by_energy = outside[np.argsort(mean_s[outside])]
    assert weight_s[by_energy[0]] > weight_s[by_energy[-1]] > 0
    # a shift of a structure down the landscape makes it matter
    lifted_s = np.where(np.arange(40) == by_energy[-1], -30.0, 0.0)
    assert low_energy_weight(posterior, p_lowest_s, lifted_s, 5.0)[by_energy[-1]] > weight_s[by_energy[-1]]
