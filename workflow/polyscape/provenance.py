"""Where, when and with what a table was made: kept beside the tables, never in them."""

import importlib.metadata
import os
import platform
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from polyscape.files import write_json

_PACKAGES = (
    "polyscape",
    "numpy",
    "scipy",
    "numba",
    "ase",
    "gpaw",
    "pyscf",
    "occpy",
    "rdkit",
    "scikit-learn",
    "dscribe",
    "dftd3",
    "dftd4",
    "tblite",
)


def provenance_path(output: Path) -> Path:
    """The JSON file of an output: ``results/c/minima/014/x.parquet`` -> ``results/c/provenance/minima/014/x.json``.

    The campaign's folder is the one below ``results``; an output elsewhere keeps its provenance beside itself.
    """
    parts = output.parts
    if "results" in parts:
        index = len(parts) - 1 - parts[::-1].index("results")
        if index + 2 < len(parts):
            inside = Path(*parts[index + 2 :]).with_suffix(".json")
            return Path(*parts[: index + 2]) / "provenance" / inside
    return output.with_suffix(".provenance.json")


@contextmanager
def recorded(
    stage: str, slice_json: str, outputs: Sequence[Path], more: Mapping[str, object] | None = None
) -> Iterator[None]:
    """Write the provenance of `outputs`, and what `more` says, when the block has ended well."""
    started, clock = datetime.now(UTC), time.perf_counter()
    yield
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    record = {
        "stage": stage,
        "settings": slice_json,
        "command": sys.argv,
        "started": started.isoformat(timespec="seconds"),
        "wall_s": round(time.perf_counter() - clock, 3),
        "core_s": round(own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime, 3),
        "peak_memory_MB": round(max(own.ru_maxrss, children.ru_maxrss) / 1024, 1),
        "host": socket.gethostname(),
        "cpu": processor(),
        "slurm_job": os.environ.get("SLURM_JOB_ID"),
        "python": platform.python_version(),
        "packages": _versions(),
        "git_commit": _git_commit(),
    }
    for output in outputs:
        write_json(provenance_path(output), record | dict(more or {}) | {"output": str(output)})


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


@cache
def processor() -> str:
    """The model of this machine's processor, as it names itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine()
    )


def _git_commit() -> str:
    here = Path(__file__).parent
    try:
        done = subprocess.run(
            ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=40"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() or "unknown"
