"""Stage selection: which structures the slots of a round compute, and to which level they climb.

The choice is blind to the store and to known forms: the same config gives the same selection whatever ran
before.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from polyscape.learn.budget import Budget
from polyscape.learn.choose import Batch, Judge, Situation, choose, may_be_chosen
from polyscape.learn.registry import build_learner
from polyscape.levels.cost import Cost, predict, together
from polyscape.levels.refine import CostModel
from polyscape.schemas import SELECTION
from polyscape.settings.levels import Level
from polyscape.settings.selection import SelectionSettings
from polyscape.stages.costs import cost_model
from polyscape.stages.lattice_energies import LandscapeData, LearningPlan, LearningTables, assemble, records
from polyscape.stages.rows import enthalpy_kJ_per_mol, reduced_atoms

_SELECTION_STREAM = 10
"""Separates this stage's random numbers from those of other stages with the same seed."""


@dataclass(frozen=True)
class SelectionPlan:
    """The settings that a selection depends on."""

    known: LearningPlan
    selection: SelectionSettings
    seed: int

    @property
    def levels(self) -> Sequence[Level]:
        """The ladder."""
        return self.known.levels


def select(
    round_number: int, tables: LearningTables, plan: SelectionPlan, core_s_left: float = math.inf
) -> pd.DataFrame:
    """The table `selection` of a round: always `batch` rows, empty ones with the reason why.

    Its predicted core-seconds add up to at most `core_s_left`.
    """
    data = assemble(tables, plan.known)
    model = cost_model([t for t in (tables.molecules, *tables.points) if t is not None], plan.levels)
    alone = [_costs_alone(reduced_atoms(row), plan.levels) for row in records(data.landscape)]
    cost = _climbing_costs(alone, plan.levels, model)
    weighed = _climbing_costs(alone, plan.levels, model.coarse())
    budget = replace(_budget(data, cost, plan.selection, core_s_left), weighed_ls=_core_s_ls(weighed))
    batch = told_of_budget(_choose(round_number, data, budget, plan), budget)
    return SELECTION.from_rows(
        _row(round_number, slot, batch, data, cost) for slot in range(plan.selection.batch)
    )


def told_of_budget(batch: Batch, budget: Budget) -> Batch:
    """The batch, saying so where slots are empty because what is left does not pay for any candidate."""
    taken_s = sum(float(budget.cost_ls[choice.level, choice.structure]) for choice in batch.chosen)
    open_ls = budget.allowed_ls.copy()
    open_ls[:, [choice.structure for choice in batch.chosen]] = False
    left_s, cost_q = budget.core_s_left - taken_s, budget.cost_ls[open_ls]
    settled = not batch.chosen and not batch.why
    if settled or len(batch.chosen) == budget.slots or not cost_q.size or cost_q.min() <= left_s:
        return batch
    why = (
        f"budget: {left_s / 3600:.3g} core-hours left, the cheapest candidate takes {cost_q.min() / 3600:.3g}"
    )
    return replace(batch, why_empty=why)


def _choose(round_number: int, data: LandscapeData, budget: Budget, plan: SelectionPlan) -> Batch:
    """The batch of a round."""
    if not budget.allowed_ls.any():
        return Batch([], "", _why_nothing(data, plan.selection))
    energy_s = enthalpy_kJ_per_mol(data.landscape).to_numpy(float)
    now = Situation(data.training, energy_s, data.added_ls[-1], data.failed_ls)
    generator = np.random.default_rng([plan.seed, _SELECTION_STREAM, round_number])
    judge = Judge(build_learner(plan.known.learning), plan.known.learning.draws, generator)
    return choose(now, budget, plan.selection, judge)


def _costs_alone(atoms: Atoms, levels: Sequence[Level]) -> list[Cost]:
    """Cost of each level by the laws, without those below it."""
    return [predict(atoms, levels, index) for index in range(len(levels))]


def _climbing_costs(alone: list[list[Cost]], levels: Sequence[Level], model: CostModel) -> list[list[Cost]]:
    """Predicted cost of climbing to each level above the force field, for each structure."""
    names = [level.name for level in levels]
    known = [list(map(model.corrected, costs, names)) for costs in alone]
    return [[together(costs[: index + 1]) for costs in known] for index in range(len(levels))]


def _core_s_ls(cost: list[list[Cost]]) -> NDArray[np.float64]:
    """Core seconds as an array, the force field with nothing first, shape (levels, structures)."""
    return np.array([[0.0] * len(cost[0]), *([c.core_s for c in costs] for costs in cost)])


def _budget(
    data: LandscapeData, cost: list[list[Cost]], settings: SelectionSettings, core_s_left: float
) -> Budget:
    """What may be chosen: small cells, at levels at which something can be learned from them."""
    small_s = data.landscape.atoms_in_reduced_cell.to_numpy(int) <= settings.max_atoms
    wanted_ls = small_s & data.referenced_l[:, None]
    allowed_ls = may_be_chosen(data.training, data.failed_ls, wanted_ls, settings.batch)
    return Budget(
        settings.batch, settings.top_slots, _core_s_ls(cost), allowed_ls, settings.cost_exponent, core_s_left
    )


def _why_nothing(data: LandscapeData, settings: SelectionSettings) -> str:
    """Why no structure may be computed."""
    smallest = data.landscape.atoms_in_reduced_cell.min() if len(data.landscape) else 0
    if data.landscape.empty:
        return "the landscape is empty"
    if smallest > settings.max_atoms:
        return (
            f"no reduced cell has at most max_atoms = {settings.max_atoms} atoms (the smallest: {smallest})"
        )
    if not data.referenced_l[1:].any():
        return "the isolated molecules have no energy at any level: nothing could be learned from a crystal's"
    return "every structure that may be computed has been"


def _row(
    round_number: int, slot: int, batch: Batch, data: LandscapeData, cost: list[list[Cost]]
) -> dict[str, Any]:
    """A slot's row of the selection."""
    row: dict[str, Any] = {"round": round_number, "slot": slot, "reason": batch.why_empty}
    if slot >= len(batch.chosen):
        return row
    choice = batch.chosen[slot]
    price = cost[choice.level - 1][choice.structure]
    return row | {
        "structure_id": data.landscape.structure_id.iloc[choice.structure],
        "level": data.levels[choice.level],
        "acquisition": choice.value,
        "predicted_core_s": price.core_s,
        "predicted_memory_MB": price.memory_MB,
        "reason": batch.why,
    }
