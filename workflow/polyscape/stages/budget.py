"""What is left of the budget of core-hours when a round is chosen.

The budget covers the isolated molecules and the slots.  What counts is what this campaign paid: whole jobs, start-up
and failures included, and what was lost with attempts that died; a result that the store had costs a look-up.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from polyscape.settings.selection import BudgetSettings
from polyscape.stages.ledger import Job, paid_core_s

_COUNTED = ("isolated_molecule", "single_point")
"""Stages whose jobs the budget covers."""

_START_CORE_S = 5.0
"""What a job takes besides its points, while none has told: Python, its libraries, the tables."""


def core_s_left(
    budget: BudgetSettings, points: Mapping[str, pd.DataFrame], jobs: Sequence[Job], slots: int
) -> float:
    """Core-seconds that the points of a round may cost; infinite without a limit, never negative.

    What its jobs take besides their points is set aside, as much for each slot as the jobs before took on average.

    Parameters
    ----------
    budget : BudgetSettings
        The limit.
    points : mapping of str to pandas.DataFrame
        Tables `points` made so far by the name of their job, as `polyscape.stages.ledger.read_points` gives them.
    jobs : sequence of Job
        The campaign's jobs; of a job without record its points count alone.
    slots : int
        Slots of the round.
    """
    if budget.core_hours is None:
        return math.inf
    beside = [
        max(0.0, job.core_s - paid_core_s(points[job.name]))
        for job in jobs
        if job.stage in _COUNTED and job.name in points
    ]
    start_core_s = sum(beside) / len(beside) if beside else _START_CORE_S
    return max(0.0, 3600.0 * budget.core_hours - spent_core_s(points, jobs) - slots * start_core_s)


def spent_core_s(points: Mapping[str, pd.DataFrame], jobs: Iterable[Job]) -> float:
    """Core-seconds paid for isolated molecules and slots.

    The record of a job on several ranks holds the time of its first rank, its points that of all: the larger counts.
    """
    own = {name: paid_core_s(table) for name, table in points.items()}
    for job in jobs:
        if job.stage in _COUNTED:
            own[job.name] = max(own.get(job.name, 0.0), job.core_s) + job.lost_core_s
    return sum(own.values())
