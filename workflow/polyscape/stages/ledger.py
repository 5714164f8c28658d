"""What the campaign paid, and what its levels would have cost on every structure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from ase import Atoms

from polyscape.levels.cost import predict
from polyscape.levels.method import needs_orbitals, start_of
from polyscape.provenance import provenance_path
from polyscape.schemas import LEDGER, POINTS
from polyscape.settings.levels import Level
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
    another is counted without those; the levels' rows add up to the whole ladder.
    """
    rows = [_point_row(name, point) for name, point in _once(points)]
    rows += [_job_row(job, points.get(job.name)) for job in jobs]
    everything = pd.concat(points.values(), ignore_index=True) if points else POINTS.from_rows([])
    rows += [_full_row(index, levels, landscape, everything) for index in range(len(levels))]
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


def _point_row(job: str, point: pd.Series) -> dict[str, Any]:
    isolated = str(point["structure_id"]).startswith("molecule:")
    return {
        "kind": "paid",
        "job": f"{job}: {point['structure_id']} {point['level']}",
        "stage": "isolated_molecule" if isolated else "single_point",
        "level": point["level"],
        "points": 1,
        "core_s": _core_s(point),
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
        "core_s": max(0.0, job.core_s - in_points),
        "found_core_s": 0.0,
        "wall_s": job.wall_s,
        "peak_memory_MB": job.peak_memory_MB,
    }


def paid_core_s(points: pd.DataFrame) -> float:
    """CPU time of the single points that a job made itself, failed ones included."""
    return float(points.loc[points["source"] == "computed", "core_s"].sum())


def _full_row(
    index: int, levels: Sequence[Level], landscape: pd.DataFrame, points: pd.DataFrame
) -> dict[str, Any]:
    """A level on every distinct structure: predicted, times the points' median ratio of real to predicted."""
    distinct = landscape[landscape["duplicate_of"].isna()].set_index("structure_id", drop=False)
    atoms = {
        str(name): reduced_atoms({str(key): value for key, value in row.items()})
        for name, row in distinct.iterrows()
    }
    costs = {name: predict(crystal, levels, index) for name, crystal in atoms.items()}
    name = levels[index].name
    known = points[(points["level"] == name) & points["structure_id"].isin(list(costs))]
    ratios = [
        _core_s(point) / _predicted_core_s(point, atoms[point["structure_id"]], levels, index)
        for _, point in known[known["core_s"].notna()].iterrows()
    ]
    return {
        "kind": "full",
        "job": f"{name} on every structure",
        "stage": "single_point",
        "level": name,
        "points": len(costs),
        "core_s": (float(np.median(ratios)) if ratios else 1.0) * sum(cost.core_s for cost in costs.values()),
        "found_core_s": 0.0,
        "peak_memory_MB": max((cost.memory_MB for cost in costs.values()), default=None),
    }


def _predicted_core_s(point: pd.Series, atoms: Atoms, levels: Sequence[Level], index: int) -> float:
    """Predicted price of what a point did: the orbitals too, if it is one on orbitals that it made itself.

    Such a point has the self-consistency steps of its orbitals; one on the orbitals of the level below has 0.
    """
    made_orbitals = needs_orbitals(levels[index]) and point["scf_steps"] > 0
    first = start_of(levels, index) if made_orbitals else index
    return sum(predict(atoms, levels, rung).core_s for rung in range(first, index + 1))


def _core_s(point: pd.Series) -> float:
    """CPU time of a single point; 0 when nothing was attempted."""
    return 0.0 if pd.isna(point["core_s"]) else float(point["core_s"])
