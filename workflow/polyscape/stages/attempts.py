"""Attempts at a job, noted while they last: what runs, what died, and what was lost with it.

``results/<campaign>/attempts/<output>.<token>.json`` appears when a job starts.  When the job ends well the file goes,
and those of earlier attempts at the same output with it: their number and their time pass into the job's provenance.
What a kill leaves behind tells of the kill.  Jobs of the levels of theory, which are long, write every half minute what
they have taken so far.
"""

import json
import os
import resource
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from polyscape.files import write_json
from polyscape.locks import Owner
from polyscape.provenance import provenance_path

BEAT_S: Final = 30.0
SILENCE_S: Final = 300.0
"""A job of another machine that beats and was not heard of for so long is taken for dead."""

LONG_STAGES: Final = ("isolated_molecule", "single_point")
"""Stages whose jobs beat; the others fork processes, or take minutes."""

_RANKS: Final = ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK")
_SIZES: Final = ("OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS")


@dataclass(frozen=True)
class Attempt:
    """An attempt at a job, as its file tells.

    Attributes
    ----------
    job : str
        Output of the job without suffix, below the campaign's folder.
    stage : str
        Stage of the job.
    owner : Owner or None
        The process.
    started : str
        Date and time, UTC.
    core_s : float
        CPU time of all ranks when it was last heard of.
    wall_s : float
        Time from its start until then.
    error : str or None
        With what it ended, if it ended with an error.
    silent_s : float
        Time since it was last heard of.
    """

    job: str
    stage: str
    owner: Owner | None
    started: str
    core_s: float
    wall_s: float
    error: str | None
    silent_s: float

    @property
    def is_running(self) -> bool:
        """Whether it goes on, as far as can be seen from here."""
        if self.error is not None or (self.owner is not None and self.owner.is_dead):
            return False
        return self.stage not in LONG_STAGES or self.silent_s < SILENCE_S or self._is_here

    @property
    def _is_here(self) -> bool:
        return self.owner is not None and self.owner.machine == Owner.this_process().machine


@dataclass(frozen=True)
class Earlier:
    """Attempts that died before the one that succeeds: how many, and the CPU time that they had taken."""

    retries: int = 0
    lost_core_s: float = 0.0


@contextmanager
def attempted(stage: str, outputs: Sequence[Path]) -> Iterator[Earlier]:
    """Note an attempt while the block runs; outside a campaign, and on all ranks but the first, nothing is noted."""
    place = _place(outputs)
    if place is None or any(os.environ.get(name, "0") != "0" for name in _RANKS):
        yield Earlier()
        return
    folder, job = place
    earlier = [(path, attempt) for path, attempt in _files(folder) if attempt.job == job]
    note = _Note(folder / f"{job}.{Owner.this_process().token}.json", stage, job)
    note.write()
    ended = threading.Event()
    if stage in LONG_STAGES:
        threading.Thread(target=_beat, args=(note, ended), daemon=True).start()
    try:
        yield Earlier(len(earlier), sum(attempt.core_s for _, attempt in earlier))
    except BaseException as error:
        note.write(_words(error))
        raise
    finally:
        ended.set()
    note.close()
    for path in (note.path, *(path for path, _ in earlier)):
        path.unlink(missing_ok=True)


def read_attempts(campaign: Path) -> list[Attempt]:
    """The attempts that a campaign's folder tells of: running, failed, or killed."""
    return [attempt for _, attempt in _files(campaign / "attempts")]


@dataclass
class _Note:
    """The file of an attempt that this process makes."""

    path: Path
    stage: str
    job: str

    def __post_init__(self) -> None:
        self.started = datetime.now(UTC).isoformat(timespec="seconds")
        self.owner = Owner.this_process()
        self.clock = time.monotonic()
        self.lock = threading.Lock()
        self.is_over = False

    def close(self) -> None:
        """Write nothing more."""
        with self.lock:
            self.is_over = True

    def write(self, error: str | None = None) -> None:
        """Tell what was taken so far, and how it ended; after that nothing more."""
        own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        taken_s = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
        ranks = next((int(os.environ[name]) for name in _SIZES if name in os.environ), 1)
        record = {
            "job": self.job,
            "stage": self.stage,
            "owner": vars(self.owner),
            "started": self.started,
            "core_s": round(ranks * taken_s, 1),
            "wall_s": round(time.monotonic() - self.clock, 1),
            "error": error,
        }
        with self.lock:
            if not self.is_over:
                self.is_over = error is not None
                write_json(self.path, record)


def _beat(note: _Note, ended: threading.Event) -> None:
    while not ended.wait(BEAT_S):
        try:
            note.write()
        except OSError:  # a full or absent disk is the job's to report
            continue


def _place(outputs: Sequence[Path]) -> tuple[Path, str] | None:
    """The campaign's folder of attempts and the job's name in it; None for an output outside a campaign."""
    if not outputs:
        return None
    record = provenance_path(outputs[0])
    if "provenance" not in record.parts:
        return None
    index = record.parts.index("provenance")
    return Path(*record.parts[:index], "attempts"), Path(*record.parts[index + 1 :]).with_suffix(
        ""
    ).as_posix()


def _files(folder: Path) -> list[tuple[Path, Attempt]]:
    found = []
    for path in sorted(folder.rglob("*.json")):
        try:
            silent_s = max(0.0, time.time() - path.stat().st_mtime)
            record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            owner = Owner(**record.pop("owner"))
            found.append((path, Attempt(owner=owner, silent_s=silent_s, **record)))
        except (FileNotFoundError, ValueError, TypeError, KeyError):  # ended just now, or not ours
            continue
    return found


def _words(error: BaseException) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0]}"[:300] if lines else type(error).__name__
