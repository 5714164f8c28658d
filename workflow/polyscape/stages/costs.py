"""What points took against what they were predicted to take: the refined cost model, and how well it does."""

from collections.abc import Iterable, Sequence

import pandas as pd

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
    columns = ["core_s", "peak_memory_MB", "predicted_core_s", "predicted_memory_MB"]
    told = points[points[columns].gt(0.0).all(axis=1)]
    return [
        Observation(
            level=str(row["level"]),
            machine="" if pd.isna(row["machine"]) else str(row["machine"]),
            predicted=Cost(float(row["predicted_core_s"]), float(row["predicted_memory_MB"])),
            actual=Cost(float(row["core_s"]), float(row["peak_memory_MB"])),
        )
        for row in told.to_dict("records")
    ]
