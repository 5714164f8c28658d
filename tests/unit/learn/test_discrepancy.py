from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.stats import multivariate_normal, norm
from sklearn.gaussian_process.kernels import Matern

from polyscape.learn.discrepancy import Priors, Rung
from polyscape.learn.linalg import NotPositiveDefiniteError, cholesky_lower, normal_draws


def _rung(points=7, seed=0):
    generator = np.random.default_rng(seed)
    H_pj = generator.normal(size=(points, 2))
    known_pp = 4.0 * H_pj @ H_pj.T + 0.04 * np.eye(points)
    X_pf, Z_pj = generator.normal(size=(points, 3)), generator.normal(size=(points, 2))
    return Rung(X_pf, Z_pj, 3.0 * generator.normal(size=points), known_pp)


@pytest.mark.parametrize("theta_h", [(0.7, 0.0, -0.3, 0.2), (-1.0, 1.2, 0.5, -2.0), (2.0, -1.5, -2.0, 1.0)])
def test_gradient_of_the_objective(theta_h):
    rung, priors, theta_h = _rung(), Priors(), np.array(theta_h)
    error = check_grad(
        lambda t: rung.objective(t, priors)[0], lambda t: rung.objective(t, priors)[1], theta_h
    )
    size = np.linalg.norm(rung.objective(theta_h, priors)[1])
    assert error < 1e-5 * max(size, 1.0)  # forward differences with a step of 1.5e-8


def test_objective_is_the_density_of_the_data_times_the_priors():
    rung, priors, theta_h = _rung(), Priors(), np.array([0.5, -0.2, 0.1, 0.3])
    sigma, length, tau, linear = np.exp(theta_h)
    K_pp = rung.known_pp + sigma**2 * Matern(length, nu=2.5)(rung.X_pf) + tau**2 * np.eye(7)
    K_pp += linear**2 * rung.Z_pj @ rung.Z_pj.T
    expected = -multivariate_normal(cov=K_pp).logpdf(rung.residual_p)
    prior = norm(priors.median_h, priors.spread_h)
    constant = 4 * 0.5 * np.log(2 * np.pi) + np.log(priors.spread_h).sum()
    found = rung.objective(theta_h, priors)[0]
    assert found == pytest.approx(expected - prior.logpdf(theta_h).sum() - constant, rel=1e-10)


def test_no_points_give_the_medians_of_the_priors():
    hyper = Rung(np.zeros((0, 3)), np.zeros((0, 2)), np.zeros(0), np.zeros((0, 0))).fit(Priors())
    assert hyper.sigma_kJ_per_mol == pytest.approx(Priors().sigma_kJ_per_mol.median)


def test_the_size_of_the_residuals_is_learned():
    small = _rung(points=30)
    large = replace(small, residual_p=10 * small.residual_p)
    sizes = [
        np.linalg.norm([h.sigma_kJ_per_mol, h.tau_kJ_per_mol, h.linear_kJ_per_mol])
        for h in (small.fit(Priors()), large.fit(Priors()))
    ]
    assert 4 < sizes[1] / sizes[0] < 15


def test_a_covariance_singular_by_rounding_gets_a_factor_with_jitter():
    K_pp = np.ones((4, 4))
    lower = cholesky_lower(K_pp)
    np.testing.assert_allclose(lower @ lower.T, K_pp, atol=1e-5)


def test_a_wrong_covariance_is_refused_by_name():
    with pytest.raises(NotPositiveDefiniteError):
        cholesky_lower(np.array([[1.0, 2.0], [2.0, 1.0]]))


def test_draws_have_the_mean_and_covariance_asked_for():
    K_ss = np.array([[2.0, 1.5], [1.5, 3.0]])
    draw_ds = normal_draws(np.array([1.0, -4.0]), K_ss, 200_000, np.random.default_rng(0))
    # five standard errors of 200,000 draws
    np.testing.assert_allclose(draw_ds.mean(axis=0), [1.0, -4.0], atol=0.02)
    np.testing.assert_allclose(np.cov(draw_ds.T), K_ss, atol=0.05)
