"""Which structures to compute next, and how high: the most learned about the ranking for its price.

The first batch knows the force field only: low energy, small cells, far from what is already chosen
(Gonzalez, Theor. Comput. Sci. 38 (1985) 293, https://doi.org/10.1016/0304-3975(85)90224-5, weighted).
Later batches ask the posterior: by how much would a computation lower the uncertainty of the low-energy
structures' relative energies?  A normal posterior's covariance does not depend on the values found, so a
whole batch is chosen greedily before any is known.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from polyscape.learn.budget import Basket, Budget, Choice
from polyscape.learn.linalg import cholesky_lower
from polyscape.learn.protocol import Indices, Points, Posterior, Reals
from polyscape.learn.strategies import spread

_MOST_CANDIDATES = 400
"""Structures considered in a later batch: of those that may be chosen, and paid, the ones that weigh most."""

_MOST_TARGETS = 1000
"""Structures whose uncertainty counts: those that weigh most, whether they may be chosen or not."""


def first_batch(X_sf: Reals, energy_s: Reals, scale_kJ_per_mol: float, budget: Budget) -> list[Choice]:
    """Low energy, cheap, and far from each other, without any computed point.

    A slot goes to the largest ``exp(-(E - E_min) / scale) d / cost^exponent``, d the distance to the
    nearest structure already chosen (1 for the first slot).  The slots of the highest level come first, the
    others climb to the one below.
    """
    weight_s = np.exp(-(energy_s - energy_s.min()) / scale_kJ_per_mol)
    price_ls = budget.price_ls()

    def value(distance_s: Reals, level: int) -> Reals:
        near_s = np.where(np.isinf(distance_s), 1.0, np.maximum(distance_s, 1e-9))
        return np.asarray(weight_s * near_s / price_ls[level])

    return spread(np.full(len(energy_s), np.inf), X_sf, budget, value)


def later_batch(
    posterior: Posterior, weight_s: Reals, known_ls: NDArray[np.bool_], budget: Budget, owed: int = 0
) -> list[Choice]:
    """The greedy batch of the largest expected fall of the ranking's variance per price, level and structure chosen
    together.

    Parameters
    ----------
    posterior : Posterior
        What is believed so far.
    weight_s : numpy.ndarray, shape (structures,)
        How much the uncertainty of each structure's energy at the highest level matters, in any unit.
    known_ls : numpy.ndarray of bool, shape (levels, structures)
        What was computed: climbing past it teaches nothing more about it.
    budget : Budget
        Slots, prices and what may be chosen.
    owed : int
        So many slots climb to the highest level whatever they teach: the factor to it is learned from its points.
    """
    price_ls, basket = budget.price_ls(), Basket(budget)
    candidates = _heaviest(np.where(basket.open_ls().any(axis=0), weight_s, -np.inf), _MOST_CANDIDATES)
    belief = _Belief.start(posterior, candidates, weight_s, budget.top)
    considered_s = np.isin(np.arange(len(weight_s)), candidates)
    for slot in range(budget.slots):
        open_ls = basket.open_ls() & considered_s
        if slot < owed and open_ls[-1].any():
            open_ls[:-1] = False
        pairs = np.argwhere(open_ls).tolist()
        options = [
            Choice(structure, level, belief.fall(new) / price_ls[level, structure])
            for level, structure in pairs
            if (new := _new_points(level, structure, known_ls))
        ]
        if not options:
            break
        best = max(options, key=lambda option: (option.value, -option.level, -option.structure))
        belief.observe(_new_points(best.level, best.structure, known_ls))
        basket.take(best)
    return basket.chosen


def _heaviest(weight_s: Reals, most: int) -> Indices:
    """The structures of the largest finite weights, in their order."""
    heaviest = np.argsort(-weight_s, kind="stable")[:most]
    return np.sort(heaviest[np.isfinite(weight_s[heaviest])])


def _new_points(level: int, structure: int, known_ls: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The points that a climb to a level adds."""
    return [(step, structure) for step in range(1, level + 1) if not known_ls[step, structure]]


def ranking_variance(K_ss: Reals, weight_s: Reals) -> float:
    """Weighted variance of energies relative to their weighted mean, ``sum w_i K_ii - w^T K w`` with sum w = 1: what a
    later batch lowers.
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
        """The belief before the batch, over all levels of the candidates and the highest of what counts."""
        targets = _heaviest(weight_s, _MOST_TARGETS).tolist()
        pairs = [(level, structure) for level in range(1, top + 1) for structure in candidates.tolist()]
        chosen = set(candidates.tolist())
        pairs += [(top, structure) for structure in targets if structure not in chosen]
        points = Points(np.array([p[0] for p in pairs], np.int64), np.array([p[1] for p in pairs], np.int64))
        row = {pair: index for index, pair in enumerate(pairs)}
        target_p = np.array([row[top, structure] for structure in targets], np.int64)
        share_p = weight_s[targets] / weight_s[targets].sum()
        return cls(
            posterior.covariance_pp(points, points), row, target_p, share_p, posterior.noise_kJ_per_mol
        )

    def fall(self, observed: list[tuple[int, int]]) -> float:
        """Fall of `ranking_variance` when points are computed."""
        gain_qt = self._gain(observed, self.target_p)
        return float(np.sum(gain_qt**2 @ self.share_p) - np.sum((gain_qt @ self.share_p) ** 2))

    def observe(self, observed: list[tuple[int, int]]) -> None:
        """Condition on points, whatever their values."""
        gain_qp = self._gain(observed, np.arange(len(self.K_pp)))
        self.K_pp = self.K_pp - gain_qp.T @ gain_qp

    def _gain(self, observed: list[tuple[int, int]], points: Indices) -> Reals:
        """L^-1 K_op with L L^T = K_oo + noise^2, shape (observed, points)."""
        index = np.array([self.row[pair] for pair in observed], np.int64)
        K_oo = self.K_pp[np.ix_(index, index)] + self.noise**2 * np.eye(len(index))
        return np.asarray(
            solve_triangular(cholesky_lower(K_oo), self.K_pp[np.ix_(index, points)], lower=True)
        )
