"""What points took against what they were predicted to take: the refined cost model, and how well it does."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyscape.levels.cost import Cost
from polyscape.levels.refine import CostModel, Observation, refine
from polyscape.settings.levels import Level


def cost_model(points: Iterable[pd.DataFrame], levels: Sequence[Level]) -> CostModel:
    """The cost model of a ladder, refined by points of this campaign, those found in the store included.

    Parameters
    ----------
    points : iterable of pandas.DataFrame
        Tables `points`: isolated molecules, slots.
    levels : sequence of Level
        The ladder.
    """
    return refine([seen for table in points for seen in observations(table)], levels)


def observations(points: pd.DataFrame) -> list[Observation]:
    """The points that were attempted, failed ones too: their time was spent all the same."""
    told = points[_is_told(points)]
    return [
        Observation(
            level=str(row["level"]),
            machine="" if pd.isna(row["machine"]) else str(row["machine"]),
            predicted=Cost(float(row["predicted_core_s"]), float(row["predicted_memory_MB"])),
            actual=Cost(float(row["core_s"]), float(row["peak_memory_MB"])),
        )
        for row in told.to_dict("records")
    ]


def _is_told(points: pd.DataFrame) -> pd.Series:
    """Whether a point says what it took, and what the laws had said."""
    columns = ["core_s", "peak_memory_MB", "predicted_core_s", "predicted_memory_MB"]
    return points[columns].gt(0.0).all(axis=1)


def predicted_by_others(points: pd.DataFrame, levels: Sequence[Level]) -> list[float | None]:
    """CPU time that is predicted for each point by the model that all others refine; None where it cannot be told."""
    predicted = iter(left_out(observations(points), levels))
    return [next(predicted).core_s if told else None for told in _is_told(points)]


WITHIN: Final = 1.5
"""The factor within which a prediction counts as good."""


@dataclass(frozen=True)
class Accuracy:
    """What points took against what is predicted for each from all the others.

    Attributes
    ----------
    level : str
        Name of the level; empty for all together.
    points : int
        How many.
    law_within, within : float
        Share that took between 2/3 and 3/2 of what the laws say, and the refined model.
    factor : float
        Median factor, above 1, between the two numbers of a point, refined.
    """

    level: str
    points: int
    law_within: float
    within: float
    factor: float


def accuracy(points: Iterable[pd.DataFrame], levels: Sequence[Level]) -> tuple[Accuracy, ...]:
    """How well CPU times are predicted, level by level and together; nothing without points."""
    seen = [point for table in points for point in observations(table)]
    if not seen:
        return ()
    law_n = np.log([point.actual.core_s / point.predicted.core_s for point in seen])
    predicted_n = np.array([cost.core_s for cost in left_out(seen, levels)])
    refined_n = np.log(np.array([point.actual.core_s for point in seen]) / predicted_n)
    names = np.array([point.level for point in seen])
    wanted = [(level.name, names == level.name) for level in levels] + [("", names != "")]
    return tuple(
        Accuracy(name, int(own.sum()), _share(law_n[own]), _share(refined_n[own]), _factor(refined_n[own]))
        for name, own in wanted
        if own.any()
    )


def left_out(seen: Sequence[Observation], levels: Sequence[Level]) -> list[Cost]:
    """What is predicted for each point from all the others."""
    models = [refine([*seen[:index], *seen[index + 1 :]], levels) for index in range(len(seen))]
    return [model.corrected(p.predicted, p.level) for model, p in zip(models, seen, strict=True)]


def _share(log_n: NDArray[np.float64]) -> float:
    return float((np.abs(log_n) <= np.log(WITHIN)).mean())


def _factor(log_n: NDArray[np.float64]) -> float:
    return float(np.exp(np.median(np.abs(log_n))))
