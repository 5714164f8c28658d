"""The joint normal distribution of all structures at all levels that an autoregressive ladder implies.

    f_t(s) = rho_t f_{t-1}(s) + h_t(s)^T b_t + g_t(s) + u_t(s),   f_0 known

so that ``cov(f_t(s), f_t'(s')) = sum_{j <= min(t, t')} R_jt R_jt' q_j(s, s')`` with ``R_jt = rho_{j+1} ...
rho_t`` and ``q_j = h_j^T B_j h_j + s_j^2 z^T z + sigma_j^2 k + tau_j^2 [s = s']`` (Kennedy & O'Hagan, Biometrika 87
(2000) 1, eq. 1, https://doi.org/10.1093/biomet/87.1.1).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_solve, solve_triangular
from sklearn.gaussian_process.kernels import Matern

from polyscape.learn.discrepancy import Hyperparameters
from polyscape.learn.linalg import cholesky_lower
from polyscape.learn.protocol import Indices, Points, Reals


@dataclass(frozen=True)
class Step:
    """One level above the force field.

    Attributes
    ----------
    rho : float
        Factor on the level below.
    H_sj : numpy.ndarray, shape (structures, trends)
        Trend functions h.
    b0_j, B_j : numpy.ndarray, shape (trends,)
        Prior means and variances of their coefficients.
    Z_sj : numpy.ndarray, shape (structures, sums)
        The force field's sums z, whose weights are mended.
    hyper : Hyperparameters
        sigma, length, tau, s of the discrepancy.
    """

    rho: float
    H_sj: Reals
    b0_j: Reals
    B_j: Reals
    Z_sj: Reals
    hyper: Hyperparameters

    def covariance(self, X_sf: Reals, rows: Indices, columns: Indices) -> Reals:
        """q_j between two sets of structures, shape (rows, columns)."""
        trend = (self.H_sj[rows] * self.B_j) @ self.H_sj[columns].T
        trend += self.hyper.linear_kJ_per_mol**2 * self.Z_sj[rows] @ self.Z_sj[columns].T
        smooth = self.hyper.sigma_kJ_per_mol**2 * Matern(self.hyper.length, nu=2.5)(X_sf[rows], X_sf[columns])
        own = self.hyper.tau_kJ_per_mol**2 * (rows[:, None] == columns[None, :])
        return trend + smooth + own


@dataclass(frozen=True)
class Ladder:
    """The prior: descriptors, the known level 0, and the steps above it."""

    X_sf: Reals
    baseline_s: Reals
    steps: tuple[Step, ...]

    def prior_mean_ls(self) -> Reals:
        """Prior means, shape (levels, structures)."""
        mean_ls = [self.baseline_s]
        for step in self.steps:
            mean_ls.append(step.rho * mean_ls[-1] + step.H_sj @ step.b0_j)
        return np.stack(mean_ls)

    def prior_covariance_pp(self, rows: Points, columns: Points) -> Reals:
        """Prior covariance between points, shape (rows, columns)."""
        K_pp = np.zeros((len(rows), len(columns)))
        for level, step in enumerate(self.steps, start=1):
            r, c = np.flatnonzero(rows.level_p >= level), np.flatnonzero(columns.level_p >= level)
            factor_l = self.factors(level)
            factors = np.outer(factor_l[rows.level_p[r]], factor_l[columns.level_p[c]])
            K_pp[np.ix_(r, c)] += factors * step.covariance(
                self.X_sf, rows.structure_p[r], columns.structure_p[c]
            )
        return K_pp

    def prior_variance_p(self, points: Points) -> Reals:
        """Prior variances of points: the diagonal of their covariance, shape (points,)."""
        variance_p = np.zeros(len(points))
        for level, step in enumerate(self.steps, start=1):
            hyper, s_p = step.hyper, points.structure_p
            own = hyper.sigma_kJ_per_mol**2 + hyper.tau_kJ_per_mol**2
            trend_p = np.sum(step.H_sj[s_p] ** 2 * step.B_j, axis=1)
            linear_p = hyper.linear_kJ_per_mol**2 * np.sum(step.Z_sj[s_p] ** 2, axis=1)
            variance_p += self.factors(level)[points.level_p] ** 2 * (trend_p + linear_p + own)
        return variance_p

    def factors(self, level: int) -> Reals:
        """R_jt for j = level and every t, shape (levels,); 0 below the level."""
        factor_l = np.zeros(len(self.steps) + 1)
        factor_l[level] = 1.0
        for above in range(level + 1, len(factor_l)):
            factor_l[above] = factor_l[above - 1] * self.steps[above - 1].rho
        return factor_l


class LadderPosterior:
    """A ladder's distribution after values were computed at points.

    Parameters
    ----------
    ladder : Ladder
        The prior.
    points : Points
        Where values were computed, above level 0.
    value_p : numpy.ndarray, shape (points,)
        The values, kJ/mol per formula unit.
    noise_kJ_per_mol : float
        Standard deviation of a value about the truth.
    """

    def __init__(self, ladder: Ladder, points: Points, value_p: Reals, noise_kJ_per_mol: float) -> None:
        self.ladder, self.points, self._noise = ladder, points, noise_kJ_per_mol
        prior_ls = ladder.prior_mean_ls()
        K_pp = ladder.prior_covariance_pp(points, points) + noise_kJ_per_mol**2 * np.eye(len(points))
        self._lower = cholesky_lower(K_pp)
        self._prior_ls = prior_ls
        self._weight_p = self._solve(value_p - prior_ls[points.level_p, points.structure_p])

    @property
    def noise_kJ_per_mol(self) -> float:
        """Standard deviation of a computed value about the truth."""
        return self._noise

    def mean_ls(self) -> Reals:
        """Means, shape (levels, structures)."""
        mean_ls = self._prior_ls.copy()
        for level in range(1, len(mean_ls)):
            everywhere = Points.at_level(level, range(mean_ls.shape[1]))
            mean_ls[level] += self.ladder.prior_covariance_pp(everywhere, self.points) @ self._weight_p
        return mean_ls

    def sd_ls(self) -> Reals:
        """Standard deviations, shape (levels, structures)."""
        sd_ls = np.zeros_like(self._prior_ls)
        for level in range(1, len(sd_ls)):
            everywhere = Points.at_level(level, range(sd_ls.shape[1]))
            explained_p = np.sum(self._whiten(everywhere) ** 2, axis=0)
            sd_ls[level] = np.sqrt(np.clip(self.ladder.prior_variance_p(everywhere) - explained_p, 0.0, None))
        return sd_ls

    def covariance_pp(self, rows: Points, columns: Points) -> Reals:
        """Posterior covariance between points above level 0, shape (rows, columns)."""
        half_rows, half_columns = (self._whiten(points) for points in (rows, columns))
        return self.ladder.prior_covariance_pp(rows, columns) - half_rows.T @ half_columns

    def trend_mean_j(self, level: int) -> Reals:
        """Posterior mean of a level's trend coefficients, shape (trends,)."""
        step = self.ladder.steps[level - 1]
        factor_p = self.ladder.factors(level)[self.points.level_p]
        cross_jp = step.B_j[:, None] * step.H_sj[self.points.structure_p].T * factor_p
        return step.b0_j + cross_jp @ self._weight_p

    def left_out(self, rows: Indices) -> tuple[Reals, Reals]:
        """Error of predicting some computed values from all the others, and the covariance of these errors.

        With K the covariance of all values, noise included, and r their deviations from the prior means:
        ``error = ([K^-1]_BB)^-1 [K^-1 r]_B``, ``covariance = ([K^-1]_BB)^-1`` (Dubrule, Math. Geol. 15 (1983) 687,
        https://doi.org/10.1007/BF01033232).  Hyperparameters stay as they are, and so
        does the trend's function, to which the values left out have contributed.

        Parameters
        ----------
        rows : numpy.ndarray of int
            Which of the posterior's points.
        """
        covariance_bb = np.asarray(np.linalg.inv(self._inverse_pp[np.ix_(rows, rows)]), np.float64)
        return covariance_bb @ self._weight_p[rows], covariance_bb

    @cached_property
    def _inverse_pp(self) -> Reals:
        return self._solve(np.eye(len(self.points)))

    def _whiten(self, points: Points) -> Reals:
        if not len(self.points):
            return np.zeros((0, len(points)))
        return solve_triangular(self._lower, self.ladder.prior_covariance_pp(self.points, points), lower=True)

    def _solve(self, value: Reals) -> Reals:
        return cho_solve((self._lower, True), value) if len(value) else np.zeros_like(value)
