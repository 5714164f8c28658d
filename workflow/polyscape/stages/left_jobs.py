"""Jobs that a killed run of a campaign left in SLURM's queue: seen to their end before new ones are submitted.

SLURM's jobs outlive the Snakemake that submitted them, and a new run knows nothing of them.  Snakemake names all jobs
of a run by one random id and writes it to its log; a campaign notes the logs of its runs, and so finds its jobs again.
What has started on single points is waited for: its results go to the store, where the new run finds them.  Everything
else, queued or running, would be repeated anyway, and is cancelled.
"""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from polyscape.files import write_text

POLL_S: Final = 5.0
_ATTEMPTS: Final = 12
"""Times that a silent SLURM is asked again, a minute in all: controllers are restarted now and then."""

_IDS_PER_COMMAND: Final = 200
_RUN_ID: Final = re.compile(r"SLURM run ID: (\S+)")


@dataclass(frozen=True)
class Job:
    """A job in SLURM's queue.

    Attributes
    ----------
    id : str
        SLURM's id; ``<id>_<task>`` for a task of an array.
    state : str
        ``PENDING``, ``RUNNING``, ``COMPLETING``, ...
    comment : str
        ``rule_<name>_wildcards_<values>``, as Snakemake's plugin writes it.
    """

    id: str
    state: str
    comment: str

    def is_worth(self, rules: Collection[str]) -> bool:
        """Whether it has begun work that is kept: that of one of these rules, or unknown work."""
        rule = re.match(r"rule_(\w+?)(_wildcards_|$)", self.comment)
        return self.state != "PENDING" and (rule is None or rule[1] in rules)


def settle(
    campaign: str, logs: Sequence[str], kept: Collection[str], engine: Path = Path(".snakemake")
) -> None:
    """Wait for or cancel the jobs of earlier runs of a campaign, and note this run.

    Parameters
    ----------
    campaign : str
        Name of the campaign; this process must be the only one that runs it.
    logs : sequence of str
        Snakemake's logs of this run.
    kept : collection of str
        Rules whose started jobs are waited for, because their results are kept apart from their output.
    engine : Path
        Snakemake's folder in the working directory.

    Raises
    ------
    subprocess.CalledProcessError
        When SLURM does not answer for a minute.
    """
    record = engine / f"polyscape-{campaign}.runs"
    runs = record.read_text().splitlines() if record.exists() else []
    write_text(record, "\n".join([*runs, *logs]) + "\n")
    names = [name for run in runs if Path(run).exists() for name in _RUN_ID.findall(Path(run).read_text())]
    if names and shutil.which("squeue"):
        _see_off(names, kept)
    write_text(record, "\n".join(logs) + "\n")


def _see_off(names: Sequence[str], kept: Collection[str]) -> None:
    """Return when the queue holds no job of these names any more."""
    said: set[str] = set()
    cancelled: set[str] = set()
    while jobs := _queued(names):
        waited = [job.id for job in jobs if job.is_worth(kept)]
        useless = [job.id for job in jobs if job.id not in waited and job.state != "COMPLETING"]
        if fresh := set(useless) - cancelled:
            cancelled |= fresh
            _say(
                f"{len(fresh)} jobs of a run that was killed are cancelled: SLURM {', '.join(sorted(fresh))}"
            )
        _cancel(useless)
        if waited and set(waited) != said:
            said = set(waited)
            _say(
                f"{len(waited)} jobs of a run that was killed still compute: waiting for what they put into the store"
                f" (to give it up: scancel {' '.join(waited)})"
            )
        time.sleep(POLL_S)
    if said:
        _say("they have ended; the campaign goes on")


def _queued(names: Sequence[str]) -> list[Job]:
    """The jobs of these names, every task of an array apart."""
    command = ["squeue", "--noheader", "--array", "--format=%i|%T|%k", f"--name={','.join(names)}"]
    for attempt in range(1, _ATTEMPTS + 1):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            break
        if attempt == _ATTEMPTS:
            done.check_returncode()
        _say(f"squeue does not answer ({done.stderr.strip()}); asking again")
        time.sleep(POLL_S)
    return [Job(*line.split("|", 2)) for line in done.stdout.splitlines()]


def _cancel(ids: Sequence[str]) -> None:
    """Cancel jobs; one that has ended meanwhile is no error."""
    for start in range(0, len(ids), _IDS_PER_COMMAND):
        subprocess.run(["scancel", *ids[start : start + _IDS_PER_COMMAND]], capture_output=True, check=False)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
