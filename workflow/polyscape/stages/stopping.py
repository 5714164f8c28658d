"""Minimisation of a chunk in a search that ends a series of trials once its coverage is reached.

A series is judged at fixed numbers of trials (`polyscape.search.completeness.checkpoints`), from the minima of the trials
below each number alone: chunks of any size stop at the same trial.  The trials beyond keep their rows.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from polyscape.crystal.packing import Conformers
from polyscape.ids import SEARCH, parse_trial_id
from polyscape.schemas import MINIMA
from polyscape.search.completeness import checkpoints, good_turing, is_complete
from polyscape.search.duplicates import Comparison
from polyscape.stages.distinct import tell_apart
from polyscape.stages.landscape import in_window
from polyscape.stages.rows import packing_of, packing_values
from polyscape.status import Status


@dataclass(frozen=True)
class Goal:
    """When a series is complete.

    Attributes
    ----------
    coverage : float
        Good-Turing coverage that ends it.
    comparison : Comparison
        What counts as one structure, and the energy window.
    """

    coverage: float
    comparison: Comparison


def minimise_until_complete(
    trials: pd.DataFrame,
    earlier: pd.DataFrame,
    minimise: Callable[[pd.DataFrame], pd.DataFrame],
    rigid: Conformers,
    goal: Goal,
) -> pd.DataFrame:
    """The minima of a chunk; trials beyond the checkpoint at which the series was complete are `stopped`.

    Parameters
    ----------
    trials : pandas.DataFrame
        Table `trials` of one chunk.
    earlier : pandas.DataFrame
        Table `minima` of the series' trials before the chunk, at least those below the last checkpoint in reach.
    minimise : callable
        From trials to minima.
    rigid : mapping
        The rigid molecules.
    goal : Goal
        When the series is complete.
    """
    if trials.empty or trials.origin.iloc[0] != SEARCH:  # imported crystals are no series
        return minimise(trials)
    start, end = int(trials.sobol_index.min()), int(trials.sobol_index.max()) + 1
    reached = [count for count in checkpoints(end - 1) if count <= start]
    inside = [count for count in checkpoints(end - 1) if count > start]
    complete = bool((earlier.status == Status.STOPPED).any())
    complete = complete or (bool(reached) and _is_complete(earlier, reached[-1], rigid, goal))
    parts: list[pd.DataFrame] = []
    for low, high in zip((start, *inside), (*inside, end), strict=True):
        complete = complete or (low in inside and _is_complete(_joined([earlier, *parts]), low, rigid, goal))
        own = trials[(trials.sobol_index >= low) & (trials.sobol_index < high)]
        parts.append(_stopped(own) if complete else minimise(own))
    return _joined(parts)


def _is_complete(minima: pd.DataFrame, below: int, rigid: Conformers, goal: Goal) -> bool:
    """Whether the trials below a number have the coverage that is asked for."""
    index = minima.trial_id.map(_sobol_index)
    good = minima[(index < below) & (minima.status == Status.OK)]
    if good.empty:
        return False
    inside = in_window(good, goal.comparison.settings.window_kJ_per_mol)
    found = good_turing(tell_apart(inside, rigid, goal.comparison).same_s.tolist())
    return is_complete(found, goal.coverage)


def _sobol_index(name: str) -> int:
    return int(parse_trial_id(name)[-1])


def _stopped(trials: pd.DataFrame) -> pd.DataFrame:
    """Rows of trials that are not minimised; one that was rejected keeps its reason."""
    rows = []
    for record in trials.to_dict("records"):
        trial = {str(key): value for key, value in record.items()}
        status = Status.STOPPED if trial["status"] == Status.OK else trial["status"]
        values = packing_values(packing_of(trial), int(trial["space_group"]), trial["origin"])
        rows.append(
            {"trial_id": trial["trial_id"], **values, "steps": 0, "evaluations": 0, "status": str(status)}
        )
    return MINIMA.from_rows(rows)


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Minima one after another."""
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else MINIMA.from_rows([])
