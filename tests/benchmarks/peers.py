"""Other ways to predict the highest level from what is known: what `learning_curve` compares the learner with."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyscape.learn.calibration import leave_one_out
from polyscape.learn.protocol import Points, TrainingData
from polyscape.learn.registry import build_learner
from polyscape.settings.learning import LearningSettings

_PLS_COMPONENTS = 1
"""Partial-least-squares components by which its lengths are fitted; 2, 3 and 4 are worse on the first landscape, and so are
lengths for 4, 8 or 16 features without any.
"""


@dataclass(frozen=True)
class Prediction:
    """Means at the highest level, kJ/mol, and standard deviations of energies relative to the landscape's mean; nan
    without.
    """

    mean_s: NDArray[np.float64]
    sd_s: NDArray[np.float64]


def ours(data: TrainingData) -> Prediction:
    """The project's learner, its error bars widened by what leaving out in closed form asks for; a campaign starts anew
    without each structure, which takes too long here and asks for a little more.
    """
    learner = build_learner(LearningSettings())
    posterior = learner.fit(data)
    everywhere = Points.at_level(data.levels - 1, range(data.structures))
    K_ss = posterior.covariance_pp(everywhere, everywhere)
    centred_ss = K_ss - K_ss.mean(axis=0) - K_ss.mean(axis=1)[:, None] + K_ss.mean()
    tested = leave_one_out(learner, data, most_refits=0)
    factor = next((one.inflation for one in tested if one.level == data.levels - 1), 1.0)
    return Prediction(posterior.mean_ls()[-1], factor * np.sqrt(np.clip(np.diag(centred_ss), 0.0, None)))


def single_level_gp(data: TrainingData) -> Prediction:
    """The highest level on the force field, without the levels between."""
    return ours(TrainingData(data.X_sf, data.value_ls[[0, -1]], data.linear_sj))


def linear(data: TrainingData) -> Prediction:
    """Offset and factor on the force field by least squares."""
    known = data.computed_ls[-1]
    basis_sj = np.stack([np.ones(data.structures), data.value_ls[0] - data.value_ls[0].mean()], axis=1)
    weight_j, *_ = np.linalg.lstsq(basis_sj[known], data.value_ls[-1, known], rcond=None)
    left = data.value_ls[-1, known] - basis_sj[known] @ weight_j
    spread = float(np.sqrt(np.sum(left**2) / max(int(known.sum()) - 2, 1)))
    return Prediction(basis_sj @ weight_j, np.full(data.structures, spread))


def smt_mfk(data: TrainingData) -> Prediction:
    """Multi-fidelity kriging on the difference from the force field: Le Gratiet's with partial least squares, of the
    package smt (Bouhlel et al., Adv. Eng. Softw. 135 (2019) 102662, https://doi.org/10.1016/j.advengsoft.2019.03.005).

    It tells no covariances: its standard deviations are those of the energies, not relative to the landscape's mean.  It
    refuses to learn from two points of a level; what is predicted then is the force field.
    """
    from smt.applications.mfkpls import MFKPLS

    X_sf = data.X_sf
    change_ls = data.value_ls[1:] - data.value_ls[0]
    if data.computed_ls[1:].sum(axis=1).min() <= 2:
        return Prediction(data.value_ls[0], np.full(data.structures, np.nanstd(change_ls)))
    kriging = MFKPLS(
        n_comp=_PLS_COMPONENTS, theta0=[1.0] * _PLS_COMPONENTS, print_global=False, n_start=1, seed=0
    )
    for name, level in enumerate(change_ls[:-1]):
        known = np.isfinite(level)
        kriging.set_training_values(X_sf[known], level[known][:, None], name=name)
    known = np.isfinite(change_ls[-1])
    kriging.set_training_values(X_sf[known], change_ls[-1][known][:, None])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kriging.train()
    sd_s = np.sqrt(np.clip(kriging.predict_variances(X_sf)[:, 0], 0.0, None))
    return Prediction(data.value_ls[0] + kriging.predict_values(X_sf)[:, 0], sd_s)


PEERS: dict[str, Callable[[TrainingData], Prediction]] = {
    "single_level_gp": single_level_gp,
    "linear": linear,
    "smt_mfk": smt_mfk,
}
