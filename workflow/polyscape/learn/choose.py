"""The choice of a round: which strategy is asked, with what it knows, and when nothing more is needed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyscape.learn.acquisition import first_batch, later_batch
from polyscape.learn.budget import Budget, Choice
from polyscape.learn.calibration import leave_one_out
from polyscape.learn.protocol import Learner, Points, Posterior, Reals, TrainingData
from polyscape.learn.ranking import LOWEST, Ranking, rank_structures
from polyscape.learn.strategies import at_random, everything, farthest_points, lowest_energy
from polyscape.settings.selection import SelectionSettings

FEWEST_BEFORE_STOP = (8, 4)
"""Structures known at all, and at the highest level, below which a campaign never stops by itself."""

_WHY = {
    "all": "every structure is computed, the lowest energy first",
    "lowest_energy": "the lowest energy of the force field",
    "random": "drawn at random",
    "farthest_points": "unlike all that are known",
}

_NO_MATTER = 0.01
"""A structure less likely than this to be among the lowest does not keep a campaign going."""


@dataclass(frozen=True)
class Situation:
    """What a round's choice is made from.

    Attributes
    ----------
    data : TrainingData
        Descriptors and what is known.
    energy_s : numpy.ndarray, shape (structures,)
        Energy (enthalpy) of the force field, kJ/mol.
    added_s : numpy.ndarray, shape (structures,)
        What is added to the learner's values at the highest level before they are ranked, kJ/mol.
    failed_ls : numpy.ndarray of bool, shape (levels, structures)
        Where a computation was tried in vain.
    """

    data: TrainingData
    energy_s: Reals
    added_s: Reals
    failed_ls: NDArray[np.bool_]

    @property
    def tried(self) -> bool:
        """Whether anything was computed, or tried."""
        return bool(self.data.computed_ls[1:].any() or self.failed_ls.any())


@dataclass(frozen=True)
class Batch:
    """The choices of a round, why they were made, and why there are no more."""

    chosen: list[Choice]
    why: str
    why_empty: str


@dataclass(frozen=True)
class Judge:
    """Who decides: the learner, the draws of its ranking and their random numbers."""

    learner: Learner
    draws: int
    generator: np.random.Generator


def may_be_chosen(
    data: TrainingData, failed_ls: NDArray[np.bool_], wanted_ls: NDArray[np.bool_], slots: int
) -> NDArray[np.bool_]:
    """What a round may choose, shape (levels, structures): of what is wanted, what is not computed yet, and nothing at or
    above a level that failed.

    While few structures are known, every slot takes a new one; later a known one may climb higher.
    """
    failed_below_ls = np.logical_or.accumulate(failed_ls, axis=0)
    computed_above_ls = np.logical_or.accumulate(data.computed_ls[::-1], axis=0)[::-1]
    allowed_ls = wanted_ls & ~failed_below_ls & ~computed_above_ls
    allowed_ls[0] = False
    known_s = data.computed_ls[1:].any(axis=0)
    fresh_ls = allowed_ls & ~known_s
    if known_s.sum() < FEWEST_BEFORE_STOP[0] and fresh_ls.any(axis=0).sum() >= slots:
        return fresh_ls
    return np.asarray(allowed_ls)


def choose(now: Situation, budget: Budget, settings: SelectionSettings, judge: Judge) -> Batch:
    """The batch of a round by the strategy that the settings name."""
    why_empty = "no further structure may be computed"
    if np.isfinite(budget.core_s_left):
        why_empty += " within the budget"
    if settings.strategy != "ranking":
        return Batch(_simple(now, budget, settings, judge.generator), _WHY[settings.strategy], why_empty)
    if not now.tried:
        chosen = first_batch(now.data.X_sf, now.energy_s, settings.energy_scale_kJ_per_mol, budget)
        return Batch(chosen, "low energy, cheap, unlike the others", why_empty)
    posterior = judge.learner.fit(now.data)
    ranking = _ranking(now, posterior, judge)
    settled = why_settled(now.data, ranking, settings.settled_probability)
    if settled:  # with the error bars that the ranking will show, too?
        widened = _ranking(now, posterior, judge, _inflation(now.data, judge.learner))
        settled = why_settled(now.data, widened, settings.settled_probability)
    if settled:
        return Batch([], "", settled)
    owed = max(0, FEWEST_BEFORE_STOP[1] - int(now.data.computed_ls[-1].sum()))
    weight_s = low_energy_weight(posterior, ranking.p_lowest_s, now.added_s, settings.energy_scale_kJ_per_mol)
    chosen = later_batch(posterior, weight_s, now.data.computed_ls, budget, owed)
    return Batch(chosen, "largest fall of the ranking's uncertainty per cost", why_empty)


def low_energy_weight(
    posterior: Posterior, p_lowest_s: Reals, added_s: Reals, scale_kJ_per_mol: float
) -> Reals:
    """How much the uncertainty of each structure matters: half by its chance to be among the lowest, half by
    ``exp(-(E - E_min) / scale)`` as expected under the posterior, at most 1: the window in which polymorphs lie.
    """
    mean_s, sd_s = posterior.mean_ls()[-1] + added_s, posterior.sd_ls()[-1]
    spread_s = np.sqrt(np.clip(sd_s**2 - sd_s.min() ** 2, 0.0, None))  # what all share cancels
    exponent_s = -(mean_s - mean_s.min()) / scale_kJ_per_mol + 0.5 * (spread_s / scale_kJ_per_mol) ** 2
    window_s = np.exp(np.minimum(exponent_s, 0.0))
    return np.asarray(p_lowest_s / p_lowest_s.sum() + window_s / window_s.sum())


def why_settled(data: TrainingData, ranking: Ranking, probability: float) -> str:
    """Why the ranking of the lowest structures needs nothing more; nothing while it does.

    Either their order is sure, or all that could be among them were computed at the highest level: what is left then
    is the numerical noise, of which more points tell nothing.  A probability of 1 never stops.
    """
    points_l = data.computed_ls.sum(axis=1)
    if probability >= 1.0 or points_l[1] < FEWEST_BEFORE_STOP[0] or points_l[-1] < FEWEST_BEFORE_STOP[1]:
        return ""
    first = float(ranking.p_first_s.max())
    members = float(np.sort(ranking.p_lowest_s)[::-1][:LOWEST].mean())
    if min(first, members) >= probability:
        return f"settled: P(rank 1) {first:.3f}, P(the lowest {LOWEST}) {members:.3f}"
    if data.computed_ls[-1, ranking.p_lowest_s >= _NO_MATTER].all():
        return f"settled: all that may be among the lowest {LOWEST} are computed, P(rank 1) {first:.3f}"
    return ""


def _inflation(data: TrainingData, learner: Learner) -> float:
    """Factor by which calibration widens the error bars of the highest level."""
    found = leave_one_out(learner, data)
    return next((one.inflation for one in found if one.level == data.levels - 1), 1.0)


def _ranking(now: Situation, posterior: Posterior, judge: Judge, inflation: float = 1.0) -> Ranking:
    everywhere = Points.at_level(now.data.levels - 1, range(now.data.structures))
    K_ss = posterior.covariance_pp(everywhere, everywhere) * inflation**2
    return rank_structures(posterior.mean_ls()[-1] + now.added_s, K_ss, judge.draws, judge.generator)


def _simple(
    now: Situation, budget: Budget, settings: SelectionSettings, generator: np.random.Generator
) -> list[Choice]:
    """The choice of a strategy that learns nothing."""
    if settings.strategy == "all":
        return everything(now.energy_s, budget)
    if settings.strategy == "lowest_energy":
        return lowest_energy(now.energy_s, budget)
    if settings.strategy == "random":
        return at_random(now.data.structures, budget, generator)
    known_s = np.logical_or(now.data.computed_ls[1:].any(axis=0), now.failed_ls.any(axis=0))
    return farthest_points(now.data.X_sf, now.energy_s, known_s, budget)
