"""How far a campaign is, read from its files alone: nothing is written, nothing is locked.

A job is done when its output stands there (outputs are written under another name first, so none is ever half there);
of the others the notes of attempts tell whether they run, failed, or died.  What was paid stands in the provenance.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from polyscape.schemas import POINTS
from polyscape.stages.attempts import Attempt, read_attempts
from polyscape.stages.budget import counted_core_s
from polyscape.stages.costs import Accuracy, accuracy, cost_model
from polyscape.stages.forecast import Forecast, forecast, selected
from polyscape.stages.ledger import Job, read_jobs, read_points
from polyscape.stages.plan import Plan
from polyscape.tables import TableError


@dataclass(frozen=True)
class StageProgress:
    """A stage's jobs.

    Attributes
    ----------
    stage : str
        Name of the stage.
    jobs, done, running : int
        How many there are, have ended well, go on.
    failed : tuple of (job, why)
        Ended with an error, or died, and not done since.
    spent_core_s : float
        Paid so far: by what is done, by what runs, by what died.
    predicted_core_s : float or None
        What is still to be paid, where it can be told.
    """

    stage: str
    jobs: int
    done: int
    running: int
    failed: tuple[tuple[str, str], ...]
    spent_core_s: float
    predicted_core_s: float | None = None


@dataclass(frozen=True)
class Progress:
    """A campaign.

    Attributes
    ----------
    campaign : str
        Its name.
    stages : tuple of StageProgress
        In the order of the work.
    points : mapping of (level, how it ended) to int
        Single points by level and status, those of the store apart.
    reasons : tuple of (point, why)
        Single points that failed.
    expected : Forecast
        Cost of the levels of theory, what is done included.
    levels_core_s : float
        What of them counts towards the budget, results from the store and attempts that died included.
    accuracy : tuple of Accuracy
        How well costs are predicted, level by level, then all together.
    """

    campaign: str
    stages: tuple[StageProgress, ...]
    points: dict[str, dict[str, int]]
    reasons: tuple[tuple[str, str], ...]
    expected: Forecast
    levels_core_s: float
    accuracy: tuple[Accuracy, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def progress(plan: Plan, where: str) -> Progress:
    """How far a campaign is."""
    folder = Path(plan.folder)
    jobs, attempts = read_jobs(folder / "provenance"), read_attempts(folder)
    tables = _points(plan)
    model = cost_model(tables.values(), plan.settings.levels)
    stages = tuple(
        _stage(stage, names, _Records(folder, jobs, attempts), _open_core_s(stage, plan, folder))
        for stage, names in expected_jobs(plan).items()
    )
    lost_s = sum(a.core_s for a in attempts if a.stage in ("single_point", "isolated_molecule"))
    points = pd.concat(tables.values(), ignore_index=True) if tables else POINTS.from_rows([])
    return Progress(
        campaign=plan.settings.campaign,
        stages=stages,
        points=_counts(points),
        reasons=_reasons(points),
        expected=forecast(plan, where, model),
        levels_core_s=counted_core_s(tables, jobs) + lost_s,
        accuracy=accuracy(tables.values(), plan.settings.levels),
    )


def expected_jobs(plan: Plan) -> dict[str, list[str]]:
    """The outputs of every stage, without suffix, below the campaign's folder."""
    inside = f"{plan.folder}/"
    named = {
        "trials": plan.chunk_files("trials"),
        "minima": plan.chunk_files("minima"),
        "slots": plan.slot_files(len(plan.rounds)),
    }
    chunks = {
        key: [name.removeprefix(inside).removesuffix(".parquet") for name in files]
        for key, files in named.items()
    }
    minimise = "minimise" if plan.settings.search.stop_at_coverage is None else "minimise_until_complete"
    imported = [name for name in chunks["trials"] if name.startswith("trials/import/")]
    return {
        "molecule": ["molecule"],
        "known_forms": ["known_forms"],
        "isolated_molecule": ["points/molecules"],
        "search": [name for name in chunks["trials"] if name not in imported],
        **({"import_crystals": imported} if imported else {}),
        minimise: chunks["minima"],
        "landscape": ["landscape"],
        "completeness": ["completeness"],
        "features": ["features"],
        "dispersion": ["dispersion"],
        "selection": [f"selection/round{number}" for number in plan.rounds],
        "single_point": chunks["slots"],
        "learn": [f"posterior/round{number}" for number in plan.rounds],
        "stored_points": ["points/stored"],
        "rank": ["ranking"],
        "ledger": ["ledger"],
        "report": ["report/index"],
    }


@dataclass(frozen=True)
class _Records:
    folder: Path
    jobs: Sequence[Job]
    attempts: Sequence[Attempt]

    def is_done(self, name: str) -> bool:
        return any((self.folder / f"{name}{suffix}").exists() for suffix in (".parquet", ".html"))


def _stage(stage: str, names: list[str], records: _Records, open_core_s: float | None) -> StageProgress:
    own = [attempt for attempt in records.attempts if attempt.stage == stage]
    running = {attempt.job for attempt in own if attempt.is_running}
    done = {name for name in names if records.is_done(name)}
    ended: dict[str, str] = {}
    for attempt in sorted(own, key=lambda attempt: attempt.started):
        if attempt.job not in running | done:
            ended[attempt.job] = (
                attempt.error or f"killed after {attempt.wall_s:.0f} s (or its machine was lost)"
            )
    spent_s = sum(job.core_s + job.lost_core_s for job in records.jobs if job.stage == stage)
    return StageProgress(
        stage=stage,
        jobs=len(names),
        done=len(done - running),
        running=len(running),
        failed=tuple(sorted(ended.items())),
        spent_core_s=spent_s + sum(attempt.core_s for attempt in own),
        predicted_core_s=open_core_s,
    )


def _open_core_s(stage: str, plan: Plan, folder: Path) -> float | None:
    """Predicted core-seconds of the slots of selected rounds that are not done; None for other stages."""
    if stage != "single_point":
        return None
    left_s = 0.0
    for number in plan.rounds:
        for slot, cost in (selected(plan, number) or {}).items():
            if not (folder / f"points/round{number}/slot{slot:03d}.parquet").exists():
                left_s += cost.core_s
    return left_s


def _points(plan: Plan) -> dict[str, pd.DataFrame]:
    """The points made so far; a table of another version of polyscape is passed over: it will be made anew."""
    files = [Path(plan.folder) / "points/molecules.parquet", *map(Path, plan.slot_files(len(plan.rounds)))]
    tables: dict[str, pd.DataFrame] = {}
    for path in files:
        try:
            tables |= read_points([path])
        except (FileNotFoundError, TableError):
            continue
    return tables


def _counts(points: pd.DataFrame) -> dict[str, dict[str, int]]:
    ended = Counter(
        (str(row["level"]), f"{row['status']}{', from the store' if row['source'] == 'store' else ''}")
        for row in points.to_dict("records")
    )
    return {
        level: {how: n for (name, how), n in sorted(ended.items()) if name == level} for level, _ in ended
    }


def _reasons(points: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    failed = points[points["status"] != "ok"]
    return tuple(
        (f"{row['structure_id']} {row['level']}", f"{row['status']}: {row['message'] or ''}".rstrip(": "))
        for row in failed.astype(object).where(failed.notna(), None).to_dict("records")
    )


def total_core_s(stages: Iterable[StageProgress]) -> float:
    """Everything paid so far."""
    return sum(stage.spent_core_s for stage in stages)
