"""Are the error bars honest?  Each computed structure is left out at all its levels, and predicted by the
others.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from polyscape.learn.protocol import Learner, Reals, TrainingData

NOMINAL = (0.5, 0.8, 0.95)
"""Coverage of the intervals tested."""

FEWEST = 4
"""A level with fewer points is not tested."""

_PRIOR_POINTS = 8.0
"""Weight of the belief that the error bars are right, in points: few residuals move the inflation little."""


@dataclass(frozen=True)
class Calibration:
    """How well the left-out values of a level were predicted.

    Attributes
    ----------
    level : int
        Index of the level.
    error_p, sd_p : numpy.ndarray, shape (points,)
        Computed less predicted value and its standard deviation, noise included, kJ/mol.
    """

    level: int
    error_p: Reals
    sd_p: Reals

    @property
    def inflation(self) -> float:
        """Factor >= 1 on the standard deviations: the root of (n0 + sum z^2) / (n0 + n), a scaled
        inverse-chi-squared prior of n0 points about 1 (Gelman et al., Bayesian Data Analysis, 3rd ed.,
        2013, section 2.6).
        """
        z_p = self.error_p / self.sd_p
        return max(1.0, float(np.sqrt((_PRIOR_POINTS + z_p @ z_p) / (_PRIOR_POINTS + len(z_p)))))

    def coverage(self, nominal: float) -> float:
        """Share of the errors inside the central interval of nominal probability, sds inflated."""
        half_width = norm.ppf(0.5 + nominal / 2) * self.inflation
        return float(np.mean(np.abs(self.error_p) <= half_width * self.sd_p))


def leave_one_out(learner: Learner, data: TrainingData) -> list[Calibration]:
    """Calibration of every level above the force field that has enough points."""
    errors: dict[int, list[tuple[float, float]]] = {level: [] for level in range(1, data.levels)}
    for structure in np.flatnonzero(data.computed_ls[1:].any(axis=0)):
        posterior = learner.fit(data.without(int(structure)))
        mean_ls, sd_ls = posterior.mean_ls(), posterior.sd_ls()
        for level in np.flatnonzero(data.computed_ls[1:, structure]) + 1:
            error = data.value_ls[level, structure] - mean_ls[level, structure]
            errors[int(level)].append(
                (error, float(np.hypot(sd_ls[level, structure], posterior.noise_kJ_per_mol)))
            )
    return [
        Calibration(level, *np.array(found, float).T)
        for level, found in errors.items()
        if len(found) >= FEWEST
    ]
