"""Are the error bars honest?  Computed structures are left out at all their levels, and predicted by the others."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.stats import norm

from polyscape.learn.protocol import Learner, Reals, TrainingData

NOMINAL: Final = (0.5, 0.8, 0.95)
"""Coverage of the intervals tested."""

FEWEST: Final = 4
"""A level with fewer points is not tested."""

LEAVE_ONE_OUT, K_FOLD = "leave_one_out", "k_fold"

_FOLDS: Final = 10
_MOST_REFITS: Final = 40
"""With more structures the hyperparameters, and the trend's function, the level below as predicted, are those of all.

One left out moves them little then: errors over sds come out 6 to 10 % smaller so with 16 + 8 points of a landscape drawn from
the model, 4 to 6 % with 30 + 12.
"""

_PRIOR_POINTS: Final = 8.0
"""Weight of the belief that the error bars are right, in points: few residuals move the inflation little."""


@dataclass(frozen=True)
class Calibration:
    """How well the left-out values of a level were predicted.

    Attributes
    ----------
    level : int
        Index of the level.
    method : str
        `LEAVE_ONE_OUT` or `K_FOLD`.
    error_p, sd_p : numpy.ndarray, shape (points,)
        Computed less predicted value and its standard deviation, noise included, kJ/mol.
    inflation : float
        Factor on the standard deviations shown, see `inflation`.  It is found by these errors, and the descriptor was
        chosen with the left-out values: coverage with it is a description, not a test.
    """

    level: int
    method: str
    error_p: Reals
    sd_p: Reals
    inflation: float = 1.0

    def coverage(self, nominal: float) -> float:
        """Share of the errors inside the central interval of nominal probability, sds inflated."""
        half_width = norm.ppf(0.5 + nominal / 2) * self.inflation
        return float(np.mean(np.abs(self.error_p) <= half_width * self.sd_p))


def inflation(error_p: Reals, sd_p: Reals) -> float:
    """Factor >= 1 on standard deviations that are too small: the root of (n0 + sum z^2) / (n0 + n).

    A scaled inverse-chi-squared prior of n0 points about 1 (Gelman et al., Bayesian Data Analysis, 3rd ed., 2013,
    section 2.6).
    """
    z_p = error_p / sd_p
    return max(1.0, float(np.sqrt((_PRIOR_POINTS + z_p @ z_p) / (_PRIOR_POINTS + len(z_p)))))


def calibrate(learner: Learner, data: TrainingData) -> list[Calibration]:
    """Leaving out one structure at a time, and a tenth at a time; both with the inflation found by the first."""
    ones = leave_one_out(learner, data)
    factor = {one.level: one.inflation for one in ones}
    folds = k_fold(learner, data) if ones else []
    return [*ones, *(replace(one, inflation=factor.get(one.level, 1.0)) for one in folds)]


def leave_one_out(learner: Learner, data: TrainingData, most_refits: int = _MOST_REFITS) -> list[Calibration]:
    """Calibration of every level above the force field that has enough points, one structure left out at a time; up to
    `most_refits` structures the learner starts anew without each.
    """
    structures = np.flatnonzero(data.computed_ls[1:].any(axis=0))
    errors = (
        _refitted(learner, data, [[int(structure)] for structure in structures])
        if len(structures) <= most_refits
        else _at_once(learner, data)
    )
    found = _calibrations(errors, LEAVE_ONE_OUT)
    return [replace(one, inflation=inflation(one.error_p, one.sd_p)) for one in found]


def k_fold(learner: Learner, data: TrainingData, folds: int = _FOLDS) -> list[Calibration]:
    """The same with every tenth structure, in the landscape's order, left out at a time."""
    structures = np.flatnonzero(data.computed_ls[1:].any(axis=0))
    groups = [structures[fold::folds].tolist() for fold in range(min(folds, len(structures)))]
    return _calibrations(_refitted(learner, data, groups), K_FOLD)


Errors = list[tuple[int, float, float]]
"""Level, error and standard deviation of left-out values."""


def _refitted(learner: Learner, data: TrainingData, groups: Sequence[Sequence[int]]) -> Errors:
    """Left-out values when the learner starts anew without each group."""
    errors: Errors = []
    for group in groups:
        posterior = learner.fit(data.without(group))
        mean_ls, sd_ls = posterior.mean_ls(), posterior.sd_ls()
        for level, place in np.argwhere(data.computed_ls[1:, group]).tolist():
            point = level + 1, group[place]
            sd = float(np.hypot(sd_ls[point], posterior.noise_kJ_per_mol))
            errors.append((level + 1, float(data.value_ls[point] - mean_ls[point]), sd))
    return errors


def _at_once(learner: Learner, data: TrainingData) -> Errors:
    """Left-out values of one structure after another, with the hyperparameters and the trend's function of all."""
    posterior, errors = learner.fit(data), list[tuple[int, float, float]]()
    for structure in np.unique(posterior.points.structure_p):
        rows = np.flatnonzero(posterior.points.structure_p == structure)
        error_b, covariance_bb = posterior.left_out(rows)
        level_b, sd_b = posterior.points.level_p[rows], np.sqrt(np.diag(covariance_bb))
        errors += zip(level_b.tolist(), error_b.tolist(), sd_b.tolist(), strict=True)
    return errors


def _calibrations(errors: Errors, method: str) -> list[Calibration]:
    """By level, those with enough points."""
    found = []
    for level in sorted({level for level, _, _ in errors}):
        own = np.array([(error, sd) for at, error, sd in errors if at == level])
        if len(own) >= FEWEST:
            found.append(Calibration(level, method, own[:, 0], own[:, 1]))
    return found
