"""What every learner must give, whatever it learns from."""

import numpy as np
import pytest

from polyscape.learn.protocol import Points, TrainingData
from polyscape.learn.registry import LEARNERS, build_learner
from polyscape.settings.learning import LearningSettings
from tests.unit.learn.toys import draw_ladder, observe


@pytest.fixture(params=sorted(LEARNERS))
def learner(request):
    return build_learner(LearningSettings(learner=request.param))


@pytest.mark.parametrize("counts", [(0, 0), (2, 0), (2, 2), (3, 1), (5, 5), (8, 4)])
def test_any_number_of_points_gives_finite_means_and_sds(learner, counts):
    X_sf, true_ls = draw_ladder(0)
    posterior = learner.fit(observe(X_sf, true_ls, counts))
    mean_ls, sd_ls = posterior.mean_ls(), posterior.sd_ls()
    assert mean_ls.shape == sd_ls.shape == true_ls.shape
    assert np.isfinite(mean_ls).all()
    assert np.isfinite(sd_ls).all()
    assert (sd_ls[1:] > 0).all()


def test_the_force_field_is_known(learner):
    X_sf, true_ls = draw_ladder(1)
    posterior = learner.fit(observe(X_sf, true_ls, (8, 4)))
    np.testing.assert_array_equal(posterior.mean_ls()[0], true_ls[0])
    assert (posterior.sd_ls()[0] == 0).all()


def test_computed_values_are_kept_to_the_noise(learner):
    X_sf, true_ls = draw_ladder(2)
    data = observe(X_sf, true_ls, (12, 6))
    posterior = learner.fit(data)
    known = data.computed_ls
    known[0] = False
    # three noise units: a computed value is the truth plus noise, and the posterior shrinks it slightly
    assert np.abs(posterior.mean_ls()[known] - data.value_ls[known]).max() < 3 * posterior.noise_kJ_per_mol
    assert (posterior.sd_ls()[known] <= posterior.noise_kJ_per_mol * 1.001).all()


def test_all_structures_computed_leaves_the_noise_alone(learner):
    X_sf, true_ls = draw_ladder(3, structures=15)
    posterior = learner.fit(observe(X_sf, true_ls, (15, 15)))
    assert (posterior.sd_ls()[2] <= posterior.noise_kJ_per_mol * 1.001).all()


def test_the_order_of_structures_does_not_matter(learner):
    X_sf, true_ls = draw_ladder(4)
    data = observe(X_sf, true_ls, (10, 5))
    order = np.random.default_rng(0).permutation(data.structures)
    here = learner.fit(data)
    there = learner.fit(TrainingData(data.X_sf[order], data.value_ls[:, order]))
    # hyperparameters end where the optimiser stops, at slightly different places for another summation order
    np.testing.assert_allclose(there.mean_ls(), here.mean_ls()[:, order], atol=1e-2)
    np.testing.assert_allclose(there.sd_ls(), here.sd_ls()[:, order], atol=1e-2)


def test_equal_structures_get_equal_predictions(learner):
    X_sf, true_ls = draw_ladder(5)
    data = observe(X_sf, true_ls, (10, 5))
    twin = int(np.flatnonzero(~data.computed_ls[1])[0])
    both = TrainingData(
        np.vstack([data.X_sf, data.X_sf[twin]]), np.hstack([data.value_ls, data.value_ls[:, [twin]]])
    )
    posterior = learner.fit(both)
    np.testing.assert_allclose(posterior.mean_ls()[:, twin], posterior.mean_ls()[:, -1], rtol=1e-10)
    np.testing.assert_allclose(posterior.sd_ls()[:, twin], posterior.sd_ls()[:, -1], rtol=1e-8)


def test_covariances_are_those_of_one_joint_distribution(learner):
    X_sf, true_ls = draw_ladder(6, structures=20)
    posterior = learner.fit(observe(X_sf, true_ls, (8, 4)))
    everything = Points(np.repeat([1, 2], 20), np.tile(np.arange(20), 2))
    K_pp = posterior.covariance_pp(everything, everything)
    np.testing.assert_allclose(K_pp, K_pp.T, atol=1e-8)
    np.testing.assert_allclose(np.sqrt(np.diag(K_pp)), posterior.sd_ls()[1:].ravel(), atol=1e-5)
    assert np.linalg.eigvalsh(K_pp).min() > -1e-8 * K_pp.max()
    # the levels of one structure share what is not known about the lower one
    uncomputed = np.flatnonzero(~np.isin(np.arange(20), posterior.points.structure_p))
    assert (K_pp[uncomputed, uncomputed + 20] > 0).all()


def test_a_landscape_of_one_structure(learner):
    posterior = learner.fit(TrainingData(np.zeros((1, 2)), np.array([[-90.0], [np.nan], [np.nan]])))
    assert np.isfinite(posterior.mean_ls()).all()
    learned = learner.fit(TrainingData(np.zeros((1, 2)), np.array([[-90.0], [-95.0], [-96.0]])))
    np.testing.assert_allclose(learned.mean_ls()[:, 0], [-90.0, -95.0, -96.0], atol=0.1)


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_ladders_of_any_height(learner, levels):
    X_sf, true_ls = draw_ladder(7, levels=levels)
    posterior = learner.fit(observe(X_sf, true_ls, tuple(16 - 4 * level for level in range(levels))))
    error_ls = np.abs(posterior.mean_ls() - true_ls)[1:]
    offset_ls = np.abs(true_ls[0] - true_ls[1:])
    assert error_ls.mean() < 0.4 * offset_ls.mean()


def test_a_point_whose_level_below_failed_still_teaches(learner):
    """Training sets need not be nested: the second level was computed where the first gave no energy."""
    X_sf, true_ls = draw_ladder(8)
    data = observe(X_sf, true_ls, (10, 5))
    broken = int(np.flatnonzero(data.computed_ls[2])[0])
    value_ls = data.value_ls.copy()
    value_ls[1, broken] = np.nan
    posterior = learner.fit(TrainingData(X_sf, value_ls))
    assert abs(posterior.mean_ls()[2, broken] - value_ls[2, broken]) < 3 * posterior.noise_kJ_per_mol
    # what was computed above says something of the level below: its sd is less than without it
    value_ls[2, broken] = np.nan
    ignorant = learner.fit(TrainingData(X_sf, value_ls))
    assert posterior.sd_ls()[1, broken] < 0.9 * ignorant.sd_ls()[1, broken]


def test_more_points_tell_more(learner):
    X_sf, true_ls = draw_ladder(9)
    few, many = (learner.fit(observe(X_sf, true_ls, counts)) for counts in ((6, 3), (40, 30)))
    assert many.sd_ls()[2].mean() < few.sd_ls()[2].mean()
    assert np.abs(many.mean_ls() - true_ls)[2].mean() < np.abs(few.mean_ls() - true_ls)[2].mean()


def test_values_left_out_are_predicted_by_the_others(learner):
    X_sf, true_ls = draw_ladder(10, structures=30)
    posterior = learner.fit(observe(X_sf, true_ls, (16, 8)))
    z_p = []
    for row in range(len(posterior.points)):
        error_b, covariance_bb = posterior.left_out(np.array([row]))
        z_p.append(error_b[0] / np.sqrt(covariance_bb[0, 0]))
    assert 0.5 < np.std(z_p) < 2.0
