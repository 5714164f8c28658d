"""Which structures to compute next, and how high: the most learned about the ranking for its price.

The first batch knows the force field only: low energy, small cells, far from what is already chosen
(Gonzalez, Theor. Comput. Sci. 38 (1985) 293, https://doi.org/10.1016/0304-3975(85)90224-5, weighted).
Later batches ask the posterior: by how much would a computation lower the uncertainty of the low-energy
structures' relative energies?  A normal posterior's covariance does not depend on the values found, so a
whole batch is chosen greedily before any is known.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from polyscape.learn.linalg import cholesky_lower
from polyscape.learn.protocol import Indices, Points, Posterior, Reals

_MOST_CANDIDATES = 400
"""Structures considered in a later batch: those of lowest predicted energy at the highest level."""

_SMALLEST_WEIGHT = 1e-3
"""Structures less likely than this to be among the lowest do not count in the ranking's uncertainty."""


@dataclass(frozen=True)
class Choice:
    """A structure to compute, the level to climb to, and the value that won it the slot."""

    structure: int
    level: int
    value: float


@dataclass(frozen=True)
class Budget:
    """What may be chosen.

    Attributes
    ----------
    slots, top_slots : int
        Slots of the batch, and how many of them climb to the highest level.
    cost_ls : numpy.ndarray, shape (levels, structures)
        Predicted core seconds to climb to a level; level 0 costs nothing and is never chosen.
    allowed_ls : numpy.ndarray of bool, shape (levels, structures)
        Whether a structure may be sent to a level: small enough, never failed, not yet computed there.
    cost_exponent : float
        A choice's value is divided by its cost to this power.
    """

    slots: int
    top_slots: int
    cost_ls: Reals
    allowed_ls: NDArray[np.bool_]
    cost_exponent: float

    @property
    def top(self) -> int:
        """Index of the highest level."""
        return len(self.cost_ls) - 1

    @property
    def lower_slots(self) -> int:
        """Slots that stay below the highest level; none on a ladder of one level."""
        return self.slots - self.top_slots if self.top > 1 else 0

    def price_ls(self) -> Reals:
        """Cost to the configured power, shape (levels, structures)."""
        return np.maximum(self.cost_ls, 1.0) ** self.cost_exponent


def first_batch(X_sf: Reals, energy_s: Reals, scale_kJ_per_mol: float, budget: Budget) -> list[Choice]:
    """Low energy, cheap, and far from each other, without any computed point.

    A slot goes to the largest ``exp(-(E - E_min) / scale) d / cost^exponent``, d the distance to the
    nearest structure already chosen (1 for the first slot).  The slots of the highest level come first, the
    others climb to the one below.
    """
    weight_s = np.exp(-(energy_s - energy_s.min()) / scale_kJ_per_mol)
    price_ls, free_s = budget.price_ls(), np.ones(len(energy_s), bool)
    distance_s, chosen = np.ones(len(energy_s)), list[Choice]()
    levels = [budget.top] * (budget.slots - budget.lower_slots) + [budget.top - 1] * budget.lower_slots
    for level in levels:
        open_s = free_s & budget.allowed_ls[level]
        if not open_s.any():
            continue
        value_s = np.where(open_s, weight_s * np.maximum(distance_s, 1e-9) / price_ls[level], -np.inf)
        best = int(np.argmax(value_s))
        chosen.append(Choice(best, level, float(value_s[best])))
        free_s[best] = False
        nearest_s = np.linalg.norm(X_sf - X_sf[best], axis=1)
        distance_s = nearest_s if len(chosen) == 1 else np.minimum(distance_s, nearest_s)
    return chosen


def later_batch(
    posterior: Posterior, weight_s: Reals, known_ls: NDArray[np.bool_], budget: Budget
) -> list[Choice]:
    """The greedy batch of the largest expected fall of the ranking's variance per price.

    Parameters
    ----------
    posterior : Posterior
        What is believed so far.
    weight_s : numpy.ndarray, shape (structures,)
        Probability of being among the lowest at the highest level.
    known_ls : numpy.ndarray of bool, shape (levels, structures)
        What was computed: climbing past it teaches nothing more about it.
    budget : Budget
        Slots, prices and what may be chosen.
    """
    lowest = np.argsort(posterior.mean_ls()[budget.top], kind="stable")[:_MOST_CANDIDATES]
    belief = _Belief.start(posterior, np.sort(lowest), weight_s, budget.top)
    free_s = np.isin(np.arange(len(weight_s)), lowest)
    price_ls, chosen = budget.price_ls(), list[Choice]()
    top_slots = budget.slots - budget.lower_slots
    for slot in range(budget.slots):
        levels = [budget.top] if slot < top_slots else range(1, budget.top)
        options = [
            Choice(structure, level, belief.fall(observed) / price_ls[level, structure])
            for level in levels
            for structure in np.flatnonzero(budget.allowed_ls[level] & free_s).tolist()
            if (
                observed := [
                    (step, structure) for step in range(1, level + 1) if not known_ls[step, structure]
                ]
            )
        ]
        if not options:
            continue
        best = max(options, key=lambda option: (option.value, -option.structure))
        belief.observe(
            [
                (step, best.structure)
                for step in range(1, best.level + 1)
                if not known_ls[step, best.structure]
            ]
        )
        free_s[best.structure] = False
        chosen.append(best)
    return chosen


def ranking_variance(K_ss: Reals, weight_s: Reals) -> float:
    """Weighted variance of energies relative to their weighted mean, ``sum w_i K_ii - w^T K w`` with sum w
    = 1.
    """
    share_s = weight_s / weight_s.sum()
    return float(share_s @ np.diag(K_ss) - share_s @ K_ss @ share_s)


class _Belief:
    """The covariance between the candidates' levels and the structures that count, as a batch is imagined
    computed.
    """

    def __init__(
        self, K_pp: Reals, row: dict[tuple[int, int], int], target_p: Indices, share_p: Reals, noise: float
    ):
        self.K_pp, self.row, self.target_p, self.share_p, self.noise = K_pp, row, target_p, share_p, noise

    @classmethod
    def start(cls, posterior: Posterior, candidates: Indices, weight_s: Reals, top: int) -> "_Belief":
        """The belief before the batch, over all levels of the candidates."""
        pairs = [(level, int(structure)) for level in range(1, top + 1) for structure in candidates]
        points = Points(np.array([p[0] for p in pairs], np.int64), np.array([p[1] for p in pairs], np.int64))
        row = {pair: index for index, pair in enumerate(pairs)}
        threshold = min(_SMALLEST_WEIGHT, float(weight_s[candidates].max()))
        heavy = [int(s) for s in candidates if weight_s[s] >= threshold]
        target_p = np.array([row[top, s] for s in heavy], np.int64)
        share_p = weight_s[heavy] / weight_s[heavy].sum()
        return cls(
            posterior.covariance_pp(points, points), row, target_p, share_p, posterior.noise_kJ_per_mol
        )

    def fall(self, observed: list[tuple[int, int]]) -> float:
        """Fall of `ranking_variance` when points are computed."""
        gain_qt = self._gain(observed)[:, self.target_p]
        return float(np.sum(gain_qt**2 @ self.share_p) - np.sum((gain_qt @ self.share_p) ** 2))

    def observe(self, observed: list[tuple[int, int]]) -> None:
        """Condition on points, whatever their values."""
        gain_qp = self._gain(observed)
        self.K_pp = self.K_pp - gain_qp.T @ gain_qp

    def _gain(self, observed: list[tuple[int, int]]) -> Reals:
        """L^-1 K_op with L L^T = K_oo + noise^2, shape (observed, points)."""
        index = [self.row[pair] for pair in observed]
        K_oo = self.K_pp[np.ix_(index, index)] + self.noise**2 * np.eye(len(index))
        return np.asarray(solve_triangular(cholesky_lower(K_oo), self.K_pp[index], lower=True))
