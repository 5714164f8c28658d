"""Stage selection: which structures the slots of a round compute, and to which level they climb.

The choice is blind to the store and to known forms: the same config gives the same selection whatever ran
before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from polyscape.learn.acquisition import Budget, Choice, first_batch, later_batch, ranking_variance
from polyscape.learn.protocol import Points, Posterior
from polyscape.learn.ranking import LOWEST, rank_structures
from polyscape.learn.registry import build_learner
from polyscape.levels.cost import Cost, predict_climb
from polyscape.schemas import SELECTION
from polyscape.settings.learning import LearningSettings
from polyscape.settings.levels import Level
from polyscape.settings.molecule import Component
from polyscape.settings.selection import SelectionSettings
from polyscape.stages.lattice_energies import LandscapeData, LearningTables, assemble, records
from polyscape.stages.rows import enthalpy_kJ_per_mol, reduced_atoms

_SELECTION_STREAM = 10
"""Separates this stage's random numbers from those of other stages with the same seed."""

_FEWEST_BEFORE_STOP = (8, 4)
"""Structures known at all, and at the highest level, below which a campaign never stops by itself."""

_SETTLED = 0.98
"""A ranking is settled when its lowest structures are the lowest ones with at least this mean probability."""


@dataclass(frozen=True)
class SelectionPlan:
    """The settings that a selection depends on."""

    levels: Sequence[Level]
    components: Sequence[Component]
    selection: SelectionSettings
    learning: LearningSettings
    seed: int


def select(round_number: int, tables: LearningTables, plan: SelectionPlan) -> pd.DataFrame:
    """The table `selection` of a round: always `batch` rows, empty ones with the reason why."""
    data = assemble(tables, plan.levels, plan.components)
    cost = _climbing_costs(data, plan.levels)
    batch = _choose(round_number, data, _budget(data, cost, plan.selection), plan)
    return SELECTION.from_rows(
        _row(round_number, slot, batch, data, cost) for slot in range(plan.selection.batch)
    )


@dataclass(frozen=True)
class _Batch:
    """The choices of a round, why they were made, and why there are no more."""

    chosen: list[Choice]
    why: str
    why_empty: str


def _choose(round_number: int, data: LandscapeData, budget: Budget, plan: SelectionPlan) -> _Batch:
    """The batch of a round: blind at first, by the posterior once anything was tried."""
    if not budget.allowed_ls.any():
        return _Batch([], "", _why_nothing(data, plan.selection))
    if not (data.training.computed_ls[1:].any() or data.failed_ls.any()):
        energy_s = enthalpy_kJ_per_mol(data.landscape).to_numpy(float)
        chosen = first_batch(data.training.X_sf, energy_s, plan.selection.energy_scale_kJ_per_mol, budget)
        return _Batch(chosen, "low energy, cheap, unlike the others", "no further structure may be computed")
    posterior = build_learner(plan.learning).fit(data.training)
    p_lowest_s, settled = _lowest(data, posterior, plan, round_number)
    if settled:
        return _Batch([], "", settled)
    chosen = later_batch(posterior, p_lowest_s, data.training.computed_ls, budget)
    return _Batch(
        chosen, "largest fall of the ranking's uncertainty per cost", "no further structure may be computed"
    )


def _climbing_costs(data: LandscapeData, levels: Sequence[Level]) -> list[list[Cost]]:
    """Predicted cost of climbing to each level above the force field, for each structure."""
    cells = [reduced_atoms(row) for row in records(data.landscape)]
    return [[predict_climb(atoms, levels, level.name) for atoms in cells] for level in levels]


def _budget(data: LandscapeData, cost: list[list[Cost]], settings: SelectionSettings) -> Budget:
    """What may be chosen: small cells, not computed yet, and nothing at or above a level that failed.

    While few structures are known, every slot takes a new one; later a known one may climb higher.
    """
    cost_ls = np.array([[0.0] * len(data.landscape), *([c.core_s for c in costs] for costs in cost)])
    small_s = data.landscape.atoms_in_reduced_cell.to_numpy(int) <= settings.max_atoms
    failed_below_ls = np.logical_or.accumulate(data.failed_ls, axis=0)
    computed_above_ls = np.logical_or.accumulate(data.training.computed_ls[::-1], axis=0)[::-1]
    allowed_ls = small_s & ~failed_below_ls & ~computed_above_ls
    allowed_ls[0] = False
    known_s = data.training.computed_ls[1:].any(axis=0)
    fresh_ls = allowed_ls & ~known_s
    if known_s.sum() < _FEWEST_BEFORE_STOP[0] and fresh_ls.any(axis=0).sum() >= settings.batch:
        allowed_ls = fresh_ls
    top_slots = min(settings.batch, max(1, round(settings.top_level_share * settings.batch)))
    return Budget(settings.batch, top_slots, cost_ls, allowed_ls, settings.cost_exponent)


def _why_nothing(data: LandscapeData, settings: SelectionSettings) -> str:
    """Why no structure may be computed."""
    smallest = data.landscape.atoms_in_reduced_cell.min() if len(data.landscape) else 0
    if data.landscape.empty:
        return "the landscape is empty"
    if smallest > settings.max_atoms:
        return (
            f"no reduced cell has at most max_atoms = {settings.max_atoms} atoms (the smallest: {smallest})"
        )
    return "every structure that may be computed has been"


def _lowest(
    data: LandscapeData, posterior: Posterior, plan: SelectionPlan, round_number: int
) -> tuple[np.ndarray, str]:
    """Probability of each structure to be among the lowest, and why the ranking needs nothing more (or
    nothing).
    """
    everywhere = Points.at_level(len(plan.levels), range(len(data.landscape)))
    K_ss = posterior.covariance_pp(everywhere, everywhere)
    mean_s = posterior.mean_ls()[-1] + data.added_ls[-1]
    generator = np.random.default_rng([plan.seed, _SELECTION_STREAM, round_number])
    ranking = rank_structures(mean_s, K_ss, plan.learning.draws, generator)
    points_l = data.training.computed_ls.sum(axis=1)
    enough = points_l[1] >= _FEWEST_BEFORE_STOP[0] and points_l[-1] >= _FEWEST_BEFORE_STOP[1]
    certain = float(np.sort(ranking.p_lowest_s)[::-1][:LOWEST].mean())
    sd = float(np.sqrt(max(ranking_variance(K_ss, ranking.p_lowest_s), 0.0)))
    if (
        enough
        and certain >= _SETTLED
        and ranking.p_first_s.max() >= _SETTLED
        and sd <= 2 * posterior.noise_kJ_per_mol
    ):
        return ranking.p_lowest_s, f"converged: P(rank 1) {ranking.p_first_s.max():.3f}, sd {sd:.2f} kJ/mol"
    return ranking.p_lowest_s, ""


def _row(
    round_number: int, slot: int, batch: _Batch, data: LandscapeData, cost: list[list[Cost]]
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
