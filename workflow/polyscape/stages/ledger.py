"""What the campaign paid, and what its levels would have cost on every structure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from polyscape.levels.cost import predict
from polyscape.provenance import provenance_path
from polyscape.schemas import LEDGER, POINTS
from polyscape.settings.levels import Level
from polyscape.stages.rows import reduced_atoms


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
    """

    name: str
    stage: str
    core_s: float
    wall_s: float
    peak_memory_MB: float


def read_jobs(provenance: Path) -> list[Job]:
    """The jobs recorded below a provenance folder; the outputs of one job count once."""
    jobs: dict[tuple[str, str, str], Job] = {}
    for path in sorted(provenance.rglob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        identity = (record["stage"], record["started"], json.dumps(record["command"]))
        name = path.relative_to(provenance).with_suffix("").as_posix()
        job = Job(name, record["stage"], record["core_s"], record["wall_s"], record["peak_memory_MB"])
        jobs.setdefault(identity, job)
    return list(jobs.values())


def read_points(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Tables of points by the name of their job."""
    tables: dict[str, pd.DataFrame] = {}
    for path in paths:
        inside = provenance_path(path).parts
        start = inside.index("provenance") + 1 if "provenance" in inside else len(inside) - 1
        name = Path(*inside[start:]).with_suffix("")
        tables[name.as_posix().removesuffix(".provenance")] = POINTS.read(path)
    return tables


def ledger(
    landscape: pd.DataFrame, points: Mapping[str, pd.DataFrame], jobs: Iterable[Job], levels: Sequence[Level]
) -> pd.DataFrame:
    """Every job and every single point paid for, and each level's predicted cost on every distinct structure.

    A single point found in the store cost nothing here; its `wall_s` says what it took when it was made.
    The row of a job that made single points holds what it spent besides them. A level on the orbitals of
    another is counted without those; the levels' rows add up to the whole ladder.
    """
    rows = [_point_row(name, point) for name, table in points.items() for _, point in table.iterrows()]
    rows += [_job_row(job, points.get(job.name)) for job in jobs]
    everything = pd.concat(points.values(), ignore_index=True) if points else POINTS.from_rows([])
    rows += [_full_row(index, levels, landscape, everything) for index in range(len(levels))]
    return LEDGER.from_rows(rows)


def _point_row(job: str, point: pd.Series) -> dict[str, Any]:
    return {
        "kind": "paid",
        "job": f"{job}: {point['structure_id']} {point['level']}",
        "stage": "isolated_molecule"
        if str(point["structure_id"]).startswith("molecule:")
        else "single_point",
        "level": point["level"],
        "points": 1,
        "core_s": _core_s(point) if point["source"] == "computed" else 0.0,
        "wall_s": point["wall_s"],
        "peak_memory_MB": point["peak_memory_MB"],
    }


def _job_row(job: Job, points: pd.DataFrame | None) -> dict[str, Any]:
    in_points = (
        0.0 if points is None else sum(_core_s(p) for _, p in points.iterrows() if p["source"] == "computed")
    )
    return {
        "kind": "paid",
        "job": job.name,
        "stage": job.stage,
        "points": 0,
        "core_s": max(0.0, job.core_s - in_points),
        "wall_s": job.wall_s,
        "peak_memory_MB": job.peak_memory_MB,
    }


def _full_row(
    index: int, levels: Sequence[Level], landscape: pd.DataFrame, points: pd.DataFrame
) -> dict[str, Any]:
    """A level on every distinct structure: predicted, times the points' median ratio of real to predicted."""
    distinct = landscape[landscape["duplicate_of"].isna()].set_index("structure_id", drop=False)
    costs = {
        name: predict(reduced_atoms({str(name): value for name, value in row.items()}), levels, index)
        for name, row in distinct.iterrows()
    }
    name = levels[index].name
    known = points[
        (points["level"] == name) & points["structure_id"].isin(list(costs)) & points["core_s"].notna()
    ]
    ratios = [_core_s(point) / costs[point["structure_id"]].core_s for _, point in known.iterrows()]
    scale = float(np.median(ratios)) if ratios else 1.0
    return {
        "kind": "full",
        "job": f"{name} on every structure",
        "stage": "single_point",
        "level": name,
        "points": len(costs),
        "core_s": scale * sum(cost.core_s for cost in costs.values()),
        "peak_memory_MB": max((cost.memory_MB for cost in costs.values()), default=None),
    }


def _core_s(point: pd.Series) -> float:
    """CPU time of a single point; 0 when nothing was attempted."""
    return 0.0 if pd.isna(point["core_s"]) else float(point["core_s"])
