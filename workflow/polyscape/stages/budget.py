"""What is left of the budget of core-hours when a round is chosen.

The budget covers the isolated molecules and the slots.  What counts are whole jobs, start-up and failures included, and
what was lost with attempts that died.  A result that the store had counts with the price that it had when it was made:
the same config chooses the same structures whatever the store holds, and a campaign that is run again does not get its
budget anew.
"""

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from polyscape.settings.selection import BudgetSettings
from polyscape.stages.ledger import Job, paid_core_s

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
        Tables `points` of the isolated molecules and of the rounds before by the name of their job, as
        `polyscape.stages.ledger.read_points` gives them.
    jobs : sequence of Job
        Records of the campaign's jobs; those without a table among `points` belong to a selection of before.
    slots : int
        Slots of the round.
    """
    if budget.core_hours is None:
        return math.inf
    taken = {job.name: job.core_s for job in jobs}
    beside = [max(0.0, taken[name] - paid_core_s(table)) for name, table in points.items() if name in taken]
    start_core_s = sum(beside) / len(beside) if beside else _START_CORE_S
    return max(0.0, 3600.0 * budget.core_hours - counted_core_s(points, jobs) - slots * start_core_s)


def counted_core_s(points: Mapping[str, pd.DataFrame], jobs: Sequence[Job]) -> float:
    """Core-seconds that count towards the budget.

    The record of a job on several ranks holds the time of its first rank, its points that of all: the larger counts.
    """
    known = {job.name: job for job in jobs}
    total_s = 0.0
    for name, table in points.items():
        price_s = float(table["core_s"].sum())
        job = known.get(name)
        total_s += price_s if job is None else max(price_s, job.core_s) + job.lost_core_s
    return total_s
