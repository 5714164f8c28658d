"""Recursive autoregressive co-kriging over any number of levels.

Each level's hyperparameters are fitted on the posterior of the level below, with its uncertainty (Le
Gratiet & Garnier, Int. J. Uncertainty Quantification 4 (2014) 365,
https://doi.org/10.1615/Int.J.UncertaintyQuantification.2014006914); the training sets need not be nested.
The factor rho_t has the prior N(1, slope_sd^2) and is integrated out with the trend: f_t = rho f_{t-1} +
(rho_t - rho) m_{t-1} + intercept + delta_t, with m_{t-1} the posterior mean below and rho the posterior
mean of rho_t, found by repeating the fit once.  A joint posterior of all levels conditions on all points.
"""

from dataclasses import dataclass, replace

import numpy as np

from polyscape.learn.discrepancy import FIRST_LEVEL, HIGHER_LEVELS, Hyperparameters, Priors, Rung
from polyscape.learn.ladder import Ladder, LadderPosterior, Step
from polyscape.learn.protocol import Points, Reals, TrainingData


@dataclass(frozen=True)
class CoKriging:
    """The learner.

    Attributes
    ----------
    noise_kJ_per_mol : float
        Numerical noise of a computed value.
    slope_sd : float
        Prior standard deviation of rho about 1.
    intercept_sd_kJ_per_mol : float
        Prior standard deviation of a level's offset from the level below: wide, for it cancels in the
        ranking.
    first_priors, higher_priors : Priors
        Priors of the discrepancies' hyperparameters, of the first level and of those above it.
    """

    noise_kJ_per_mol: float = 0.2
    slope_sd: float = 0.2
    intercept_sd_kJ_per_mol: float = 30.0
    first_priors: Priors = FIRST_LEVEL
    higher_priors: Priors = HIGHER_LEVELS

    def fit(self, data: TrainingData) -> LadderPosterior:
        """Learn level by level, then condition on everything at once."""
        X_sf = data.X_sf / _typical_distance(data.X_sf)
        steps: tuple[Step, ...] = ()
        for level in range(1, data.levels):
            steps = (*steps, self._fit_level(level, X_sf, steps, data))
        return self._condition(Ladder(X_sf, data.value_ls[0], steps), data, data.levels - 1)

    def _fit_level(self, level: int, X_sf: Reals, below: tuple[Step, ...], data: TrainingData) -> Step:
        """The step to a level: hyperparameters on the posterior of the level below, first with the factor 1, then with
        the one that this finds.
        """
        known = np.flatnonzero(data.computed_ls[level])
        ladder = Ladder(X_sf, data.value_ls[0], below)
        posterior = self._condition(ladder, data, level - 1)
        mean_s = posterior.mean_ls()[level - 1]
        points = Points.at_level(level - 1, known)
        below_pp = posterior.covariance_pp(points, points)

        def with_factor(rho: float) -> Step:
            step = self._step(rho, mean_s, data.linear_sj)
            trend_pp = (step.H_sj[known] * step.B_j) @ step.H_sj[known].T
            known_pp = trend_pp + rho**2 * below_pp + self.noise_kJ_per_mol**2 * np.eye(len(known))
            residual_p = data.value_ls[level, known] - rho * mean_s[known] - step.H_sj[known] @ step.b0_j
            rung = Rung(X_sf[known], data.linear_sj[known], residual_p, known_pp)
            return replace(step, hyper=rung.fit(self.first_priors if level == 1 else self.higher_priors))

        first = with_factor(1.0)
        fitted = self._condition(Ladder(X_sf, data.value_ls[0], (*below, first)), data, level)
        return with_factor(1.0 + float(fitted.trend_mean_j(level)[1]))

    def _step(self, rho: float, mean_s: Reals, Z_sj: Reals) -> Step:
        """A step with its trend, intercept and slope on the level below, before its hyperparameters are
        known.
        """
        H_sj = np.stack([np.ones_like(mean_s), mean_s - mean_s.mean()], axis=1)
        offset = (1.0 - rho) * mean_s.mean()
        b0_j = np.array([offset, 1.0 - rho])
        B_j = np.array([self.intercept_sd_kJ_per_mol, self.slope_sd]) ** 2
        return Step(rho, H_sj, b0_j, B_j, Z_sj, Hyperparameters(1.0, 1.0, 1.0))

    def _condition(self, ladder: Ladder, data: TrainingData, highest: int) -> LadderPosterior:
        """The posterior of a ladder after all values up to a level."""
        level_p, structure_p = np.nonzero(data.computed_ls[1 : highest + 1])
        points = Points(level_p + 1, structure_p)
        return LadderPosterior(
            ladder, points, data.value_ls[points.level_p, points.structure_p], self.noise_kJ_per_mol
        )


def _typical_distance(X_sf: Reals) -> float:
    """Root mean square distance of two structures, (2 sum of variances)^1/2; 1 where all are alike."""
    distance = float(np.sqrt(2.0 * X_sf.var(axis=0).sum()))
    return distance if distance > 1e-12 else 1.0
