import numpy as np
import pytest
from scipy.stats import binom
from sklearn.gaussian_process.kernels import Matern

from polyscape.learn.calibration import calibrate, inflation, leave_one_out
from polyscape.learn.cokriging import CoKriging
from polyscape.learn.discrepancy import Hyperparameters
from polyscape.learn.ladder import Ladder, LadderPosterior, Step
from polyscape.learn.protocol import Points, TrainingData
from tests.unit.learn.toys import draw_ladder, observe


def test_a_linear_ladder_is_recovered():
    """f_1 = 1.2 f_0 + 7 and f_2 = 0.9 f_1 - 3, nothing else: a few points fix it everywhere."""
    generator = np.random.default_rng(0)
    X_sf, base_s = generator.normal(size=(50, 4)), generator.uniform(-100, -80, 50)
    true_ls = np.stack([base_s, 1.2 * base_s + 7, 0.9 * (1.2 * base_s + 7) - 3])
    posterior = CoKriging(noise_kJ_per_mol=0.05).fit(observe(X_sf, true_ls, (20, 10), noise=0.0))
    assert posterior.trend_mean_j(1)[1] + posterior.ladder.steps[0].rho == pytest.approx(1.2, abs=1e-3)
    assert posterior.trend_mean_j(2)[1] + posterior.ladder.steps[1].rho == pytest.approx(0.9, abs=1e-3)
    assert np.abs(posterior.mean_ls() - true_ls).max() < 0.01


@pytest.mark.parametrize(("counts", "structures"), [((12, 6), 40), ((25, 12), 50)])
def test_error_bars_cover_the_truth_over_many_landscapes(counts, structures):
    """Twenty landscapes drawn from the model; 95 % intervals hold 90 to 99 % of the truths of both levels.

    Hyperparameters are estimated from few points, which costs a little coverage; the values of one
    landscape are correlated, so that twenty landscapes fix the coverage to some 2 %.
    """
    inside, half = [], []
    for seed in range(20):
        X_sf, true_ls = draw_ladder(seed, structures=structures)
        data = observe(X_sf, true_ls, counts, seed)
        posterior = CoKriging().fit(data)
        z_ls = (np.abs(posterior.mean_ls() - true_ls)[1:] / posterior.sd_ls()[1:])[~data.computed_ls[1:]]
        inside.extend(z_ls < 1.96)
        half.extend(z_ls < 0.6745)
    assert 0.90 < np.mean(inside) < 0.99
    assert 0.40 < np.mean(half) < 0.65


def test_the_posterior_equals_conditioning_written_out():
    """Two levels, values at three points: means and covariances by the textbook formula on dense matrices."""
    generator = np.random.default_rng(2)
    X_sf, base_s = generator.normal(size=(5, 2)), generator.normal(size=5)
    H_sj, Z_sj = np.stack([np.ones(5), base_s], axis=1), generator.normal(size=(5, 3))
    steps = tuple(
        Step(rho, H_sj, np.array([0.3, 0.1]), np.array([2.0, 0.5]), Z_sj, Hyperparameters(1.5, 0.8, 0.4, 0.7))
        for rho in (1.1, 0.8)
    )
    ladder = Ladder(X_sf, base_s, steps)
    q_ss = steps[0].covariance(X_sf, np.arange(5), np.arange(5))
    own_ss = 2.0 + 0.5 * np.outer(base_s, base_s) + 0.49 * Z_sj @ Z_sj.T + 0.16 * np.eye(5)
    np.testing.assert_allclose(q_ss, own_ss + 2.25 * Matern(0.8, nu=2.5)(X_sf))
    K_pp = np.block([[q_ss, 0.8 * q_ss], [0.8 * q_ss, 0.64 * q_ss + q_ss]])
    first_s = 1.1 * base_s + H_sj @ [0.3, 0.1]
    mean_p = np.concatenate([first_s, 0.8 * first_s + H_sj @ [0.3, 0.1]])
    seen, value_p = np.array([0, 3, 8]), np.array([1.0, -2.0, 0.5])
    gain = K_pp[:, seen] @ np.linalg.inv(K_pp[np.ix_(seen, seen)] + 0.01 * np.eye(3))
    posterior = LadderPosterior(ladder, Points(np.array([1, 1, 2]), np.array([0, 3, 3])), value_p, 0.1)
    everything = Points(np.repeat([1, 2], 5), np.tile(np.arange(5), 2))
    np.testing.assert_allclose(posterior.mean_ls()[1:].ravel(), mean_p + gain @ (value_p - mean_p[seen]))
    expected_pp = K_pp - gain @ K_pp[seen]
    np.testing.assert_allclose(posterior.covariance_pp(everything, everything), expected_pp, atol=1e-10)
    np.testing.assert_allclose(posterior.sd_ls()[1:].ravel() ** 2, np.diag(expected_pp), atol=1e-10)


def test_similar_structures_share_their_errors():
    """Two nearly equal structures: the energy between them is known far better than either energy."""
    X_sf, true_ls = draw_ladder(3)
    X_sf[1] = X_sf[0] + 1e-3
    data = TrainingData(X_sf, observe(X_sf, true_ls, (0, 0)).value_ls)
    pair = Points.at_level(2, [0, 1])
    K_pp = CoKriging().fit(data).covariance_pp(pair, pair)
    assert K_pp[0, 0] + K_pp[1, 1] - 2 * K_pp[0, 1] < 0.2 * K_pp[0, 0]


def test_leaving_out_reports_honest_intervals_and_inflates_dishonest_ones():
    X_sf, true_ls = draw_ladder(4, structures=30)
    data = observe(X_sf, true_ls, (20, 10))
    first, second = leave_one_out(CoKriging(), data)
    assert (first.level, second.level) == (1, 2)
    assert (len(first.error_p), len(second.error_p)) == (20, 10)
    for nominal in (0.5, 0.8, 0.95):  # as many of 20 as chance allows 999 times of 1000
        low, high = binom.interval(0.999, 20, nominal)
        assert low <= 20 * first.coverage(nominal) <= high
    assert inflation(first.error_p, first.sd_p / 10) > 3
    assert 1 <= first.inflation < 2


def test_levels_with_few_points_are_not_judged():
    X_sf, true_ls = draw_ladder(5, structures=20)
    assert [c.level for c in leave_one_out(CoKriging(), observe(X_sf, true_ls, (6, 3)))] == [1]


def test_bad_shapes_and_gaps_in_the_force_field_are_refused():
    with pytest.raises(ValueError, match="fit each other"):
        TrainingData(np.zeros((3, 2)), np.zeros((2, 4)))
    with pytest.raises(ValueError, match="known for every structure"):
        TrainingData(np.zeros((2, 2)), np.array([[0.0, np.nan], [1.0, 1.0]]))


def test_leaving_values_out_in_one_go_is_conditioning_on_the_others():
    data = observe(*draw_ladder(6, structures=20), (12, 6))
    posterior = CoKriging().fit(data)
    structure = int(np.flatnonzero(data.computed_ls[2])[0])
    rows = np.flatnonzero(posterior.points.structure_p == structure)
    error_b, covariance_bb = posterior.left_out(rows)
    others = np.flatnonzero(posterior.points.structure_p != structure)
    points = Points(posterior.points.level_p[others], posterior.points.structure_p[others])
    value_p = data.value_ls[points.level_p, points.structure_p]
    rest = LadderPosterior(posterior.ladder, points, value_p, posterior.noise_kJ_per_mol)
    left = Points(np.array([1, 2]), np.array([structure] * 2))
    np.testing.assert_allclose(error_b, (data.value_ls - rest.mean_ls())[[1, 2], structure], atol=1e-8)
    noise_bb = posterior.noise_kJ_per_mol**2 * np.eye(2)
    np.testing.assert_allclose(covariance_bb, rest.covariance_pp(left, left) + noise_bb, atol=1e-8)


def test_sums_whose_weights_are_wrong_are_mended():
    """Level 1 is level 0 with other weights of three sums: a dozen points learn them, descriptors cannot."""
    generator = np.random.default_rng(7)
    X_sf, Z_sj = generator.normal(size=(60, 20)), generator.normal(size=(60, 3)) / np.sqrt(3)
    base_s = generator.uniform(-100, -80, 60)
    true_ls = np.stack([base_s, base_s + 5 * Z_sj @ [1.0, -2.0, 0.5]])
    seen = observe(X_sf, true_ls, (14,), noise=0.05)
    errors = [
        np.abs(CoKriging().fit(TrainingData(X_sf, seen.value_ls, linear_sj)).mean_ls() - true_ls)[1].mean()
        for linear_sj in (Z_sj, np.zeros((60, 0)))
    ]
    assert errors[0] < 0.3 * errors[1]


def test_a_further_point_never_raises_a_variance_at_fixed_hyperparameters():
    data = observe(*draw_ladder(8, structures=25), (10, 5))
    posterior = CoKriging().fit(data)
    everything = Points(np.repeat([1, 2], 25), np.tile(np.arange(25), 2))
    before = np.diag(posterior.covariance_pp(everything, everything))
    for level in (1, 2):
        for structure in np.flatnonzero(~data.computed_ls[level])[:5]:
            old = posterior.points
            points = Points(np.append(old.level_p, level), np.append(old.structure_p, structure))
            more = LadderPosterior(
                posterior.ladder, points, np.zeros(len(points)), posterior.noise_kJ_per_mol
            )
            after = np.diag(more.covariance_pp(everything, everything))
            assert (after <= before + 1e-10).all()
            assert after[25 * (level - 1) + structure] < 0.5 * before[25 * (level - 1) + structure]


def test_a_level_that_adds_nothing_has_the_energies_of_the_level_below():
    """rho = 1 and delta = 0: both levels agree, and a point at either is a point at both."""
    generator = np.random.default_rng(9)
    X_sf, base_s = generator.normal(size=(6, 2)), generator.normal(size=6)
    H_sj, b0_j, none_sj = np.ones((6, 1)), np.zeros(1), np.zeros((6, 0))
    first = Step(1.1, H_sj, b0_j, np.array([4.0]), none_sj, Hyperparameters(1.5, 0.8, 0.4))
    nothing = Step(1.0, H_sj, b0_j, b0_j, none_sj, Hyperparameters(0.0, 1.0, 0.0))
    ladder, value_p = Ladder(X_sf, base_s, (first, nothing)), np.array([1.0, -2.0])
    found = [
        LadderPosterior(ladder, Points(np.array(levels), np.array([0, 3])), value_p, 0.1)
        for levels in ([1, 1], [2, 2], [1, 2])
    ]
    for posterior in found:
        np.testing.assert_allclose(posterior.mean_ls()[2], posterior.mean_ls()[1], atol=1e-12)
        np.testing.assert_allclose(posterior.sd_ls()[2], posterior.sd_ls()[1], atol=1e-6)
        np.testing.assert_allclose(posterior.mean_ls(), found[0].mean_ls(), atol=1e-10)


def test_the_order_of_the_points_does_not_matter():
    data = observe(*draw_ladder(10, structures=20), (9, 4))
    posterior = CoKriging().fit(data)
    order = np.random.default_rng(0).permutation(len(posterior.points))
    old = posterior.points
    points = Points(old.level_p[order], old.structure_p[order])
    value_p = data.value_ls[points.level_p, points.structure_p]
    other = LadderPosterior(posterior.ladder, points, value_p, posterior.noise_kJ_per_mol)
    np.testing.assert_allclose(other.mean_ls(), posterior.mean_ls(), atol=1e-9)
    np.testing.assert_allclose(other.sd_ls(), posterior.sd_ls(), atol=1e-7)


def test_both_ways_of_leaving_out_cover_every_point_and_share_the_inflation():
    X_sf, true_ls = draw_ladder(11, structures=60)
    data = observe(X_sf, true_ls, (45, 12))
    found = calibrate(CoKriging(), data)
    assert [(one.method, one.level, len(one.error_p)) for one in found] == [
        ("leave_one_out", 1, 45),
        ("leave_one_out", 2, 12),
        ("k_fold", 1, 45),
        ("k_fold", 2, 12),
    ]
    for one, other in zip(found[:2], found[2:], strict=True):
        assert one.inflation == other.inflation
        # of values drawn from the model, 2 of 3 lie within an sd: 12 values leave sd 0.14 of that share
        assert 0.3 < one.coverage(0.68) <= 1.0
        assert np.abs(other.error_p).mean() == pytest.approx(np.abs(one.error_p).mean(), rel=0.5)
