"""What a round may choose: slots, prices, and what is left of the budget."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from polyscape.learn.protocol import Reals


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
        Slots of the batch, and how many of them climb to the highest level where that is not weighed.
    cost_ls : numpy.ndarray, shape (levels, structures)
        Predicted core seconds to climb to a level; level 0 costs nothing and is never chosen.
    allowed_ls : numpy.ndarray of bool, shape (levels, structures)
        Whether a structure may be sent to a level: small enough, never failed, not yet computed there.
    cost_exponent : float
        A choice's value is divided by its cost to this power.
    core_s_left : float
        Predicted core seconds that all slots together may cost.
    weighed_ls : numpy.ndarray, shape (levels, structures), or None
        Costs to weigh choices by, where they differ from what is predicted: measured times wobble, and the same
        config shall choose the same structures again.
    """

    slots: int
    top_slots: int
    cost_ls: Reals
    allowed_ls: NDArray[np.bool_]
    cost_exponent: float
    core_s_left: float = float("inf")
    weighed_ls: Reals | None = None

    @property
    def top(self) -> int:
        """Index of the highest level."""
        return len(self.cost_ls) - 1

    def price_ls(self) -> Reals:
        """Cost to the configured power, shape (levels, structures)."""
        cost_ls = self.cost_ls if self.weighed_ls is None else self.weighed_ls
        return np.asarray(np.maximum(cost_ls, 1.0) ** self.cost_exponent)

    def shared_levels(self) -> list[int]:
        """The level of each slot when the share of the highest is fixed: the highest that anything may be sent to first,
        then the next such; none where nothing may be chosen.
        """
        levels = np.flatnonzero(self.allowed_ls.any(axis=1)).tolist()[-2:]
        if not levels:
            return []
        return [levels[-1]] * self.top_slots + [levels[0]] * (self.slots - self.top_slots)


@dataclass
class Basket:
    """The choices of a batch as it fills: a structure is taken once, and nobody spends more than there is."""

    budget: Budget
    chosen: list[Choice] = field(default_factory=list)
    spent_core_s: float = 0.0

    def open_ls(self) -> NDArray[np.bool_]:
        """What may still be taken, shape (levels, structures)."""
        left = self.budget.core_s_left - self.spent_core_s
        open_ls = self.budget.allowed_ls & (self.budget.cost_ls <= left)
        open_ls[:, [choice.structure for choice in self.chosen]] = False
        return open_ls

    def take(self, choice: Choice) -> None:
        """Put a choice into the basket."""
        self.chosen.append(choice)
        self.spent_core_s += float(self.budget.cost_ls[choice.level, choice.structure])
