"""What the campaign paid, and what its levels would have cost on every structure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from polyscape.levels.refine import CostModel
from polyscape.provenance import provenance_path
from polyscape.schemas import LEDGER, POINTS
from polyscape.settings.levels import Level
from polyscape.stages.costs import cost_model, predicted_by_others
from polyscape.stages.rows import reduced_atoms

_NUMBERS: Final = ("core_s", "wall_s", "peak_memory_MB", "retries", "lost_core_s")
"""What a job's record holds in numbers; the last two only where attempts died."""


@dataclass(frozen=True)
class Job:
    """A job of the campaign, from its provenance record.

    Attributes
    ----------
    name : str
        Output of the job without suffix, below the provenance folder.
    stage : str
        Stage of the job.
    core_s, wall_s, peak_memory_MB : float
        What it took.
    retries : int
        Attempts before it that died.
    lost_core_s : float
        What those attempts had taken when they were last heard of.
    """

    name: str
    stage: str
    core_s: float
    wall_s: float
    peak_memory_MB: float
    retries: int = 0
    lost_core_s: float = 0.0


def read_jobs(provenance: Path, below: str = "") -> list[Job]:
    """The jobs recorded in a provenance folder (in one folder below it); the outputs of one job count once."""
    jobs: dict[tuple[str, str, str], Job] = {}
    for path in sorted((provenance / below).rglob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        identity = (record["stage"], record["started"], json.dumps(record["command"]))
        name = path.relative_to(provenance).with_suffix("").as_posix()
        numbers = {key: record[key] for key in _NUMBERS if key in record}
        jobs.setdefault(identity, Job(name, record["stage"], **numbers))
    return list(jobs.values())


def read_points(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Tables of points by the name of their job; by their path where names of files outside a campaign clash."""
    tables: dict[str, pd.DataFrame] = {}
    for path in paths:
        inside = provenance_path(path).parts
        start = inside.index("provenance") + 1 if "provenance" in inside else len(inside) - 1
        name = Path(*inside[start:]).with_suffix("").as_posix().removesuffix(".provenance")
        tables[path.with_suffix("").as_posix() if name in tables else name] = POINTS.read(path)
    return tables


def ledger(
    landscape: pd.DataFrame, points: Mapping[str, pd.DataFrame], jobs: Iterable[Job], levels: Sequence[Level]
) -> pd.DataFrame:
    """Every job and every single point with its price, and each level's predicted price on every structure.

    A single point found in the store has the price that it had when it was made, as the ranking rests on it;
    `found_core_s` says how much of a price was not paid again. A result that several jobs use counts once.
    The row of a job that made single points holds what it spent besides them. A level on the orbitals of
    another is counted without those; the levels' rows add up to the whole ladder.  What was predicted for a point is
    told by the cost model that all others refine, the price of every structure by the one that all refine.
    """
    once = _once(points)
    table = pd.DataFrame([point for _, point in once], columns=POINTS.names)
    predicted = predicted_by_others(table, levels)
    rows = [_point_row(*pair, core_s) for pair, core_s in zip(once, predicted, strict=True)]
    rows += [_job_row(job, points.get(job.name)) for job in jobs]
    model = cost_model([table], levels)
    rows += [_full_row(index, levels, landscape, model) for index in range(len(levels))]
    return LEDGER.from_rows(rows)


def _once(points: Mapping[str, pd.DataFrame]) -> list[tuple[str, pd.Series]]:
    """The points with the names of their jobs, without look-ups of results that stand there already."""
    named = [(name, point) for name, table in points.items() for _, point in table.iterrows()]
    seen = {point["store_key"] for _, point in named if point["source"] == "computed"}
    kept = []
    for name, point in named:
        if point["source"] == "computed" or point["store_key"] not in seen:
            kept.append((name, point))
            seen.add(point["store_key"])
    return kept


def _point_row(job: str, point: pd.Series, predicted_core_s: float | None) -> dict[str, Any]:
    isolated = str(point["structure_id"]).startswith("molecule:")
    return {
        "kind": "paid",
        "job": f"{job}: {point['structure_id']} {point['level']}",
        "stage": "isolated_molecule" if isolated else "single_point",
        "level": point["level"],
        "points": 1,
        "status": point["status"],
        "core_s": _core_s(point),
        "predicted_core_s": predicted_core_s,
        "found_core_s": 0.0 if point["source"] == "computed" else _core_s(point),
        "wall_s": point["wall_s"],
        "peak_memory_MB": point["peak_memory_MB"],
    }


def _job_row(job: Job, points: pd.DataFrame | None) -> dict[str, Any]:
    in_points = 0.0 if points is None else paid_core_s(points)
    return {
        "kind": "paid",
        "job": job.name,
        "stage": job.stage,
        "points": 0,
        "core_s": max(0.0, job.core_s - in_points) + job.lost_core_s,
        "found_core_s": 0.0,
        "retries": job.retries,
        "lost_core_s": job.lost_core_s,
        "wall_s": job.wall_s,
        "peak_memory_MB": job.peak_memory_MB,
    }


def paid_core_s(points: pd.DataFrame) -> float:
    """CPU time of the single points that a job made itself, failed ones included."""
    return float(points.loc[points["source"] == "computed", "core_s"].sum())


def _full_row(
    index: int, levels: Sequence[Level], landscape: pd.DataFrame, model: CostModel
) -> dict[str, Any]:
    """A level on every distinct structure, without what it stands on."""
    distinct = landscape[landscape["duplicate_of"].isna()].to_dict("records")
    cells = [reduced_atoms({str(key): value for key, value in row.items()}) for row in distinct]
    costs = [model.predict(atoms, levels, index) for atoms in cells]
    name = levels[index].name
    return {
        "kind": "full",
        "job": f"{name} on every structure",
        "stage": "single_point",
        "level": name,
        "points": len(costs),
        "core_s": sum(cost.core_s for cost in costs),
        "found_core_s": 0.0,
        "peak_memory_MB": max((cost.memory_MB for cost in costs), default=None),
    }


def _core_s(point: pd.Series) -> float:
    """CPU time of a single point; 0 when nothing was attempted."""
    return 0.0 if pd.isna(point["core_s"]) else float(point["core_s"])
