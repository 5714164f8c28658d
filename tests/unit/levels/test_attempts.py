"""Attempts at jobs: seen while they run, after they failed, and after kill -9; what was lost is counted once."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from polyscape.errors import InputError
from polyscape.provenance import recorded
from polyscape.stages.attempts import attempted, read_attempts
from polyscape.stages.ledger import read_jobs

OUTPUT = Path("results/c/points/round0/slot000.parquet")

JOB = """
import sys, time
from pathlib import Path
from polyscape.stages import attempts
attempts.BEAT_S = 0.05
with attempts.attempted("single_point", [Path(sys.argv[1])]):
    while True:
        sum(range(1000))
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def _killed():
    """A job that is killed once it has told of some CPU time."""
    job = subprocess.Popen([sys.executable, "-c", JOB, str(OUTPUT)])
    try:
        while not any(a.is_running and a.wall_s > 0.2 for a in read_attempts(Path("results/c"))):
            assert job.poll() is None
            time.sleep(0.01)
    finally:
        job.send_signal(signal.SIGKILL)
        job.wait()


def test_a_killed_attempt_is_seen_and_its_time_passes_into_the_next_ones_provenance():
    _killed()
    (dead,) = read_attempts(Path("results/c"))
    assert (dead.job, dead.stage, dead.is_running, dead.error) == (
        "points/round0/slot000",
        "single_point",
        False,
        None,
    )
    assert dead.core_s > 0
    with (
        attempted("single_point", [OUTPUT]) as earlier,
        recorded("single_point", "{}", [OUTPUT], vars(earlier)),
    ):
        running = [attempt for attempt in read_attempts(Path("results/c")) if attempt.is_running]
        assert len(running) == 1
    assert read_attempts(Path("results/c")) == []
    (job,) = read_jobs(Path("results/c/provenance"))
    assert (job.retries, job.lost_core_s) == (1, dead.core_s)


def test_an_error_is_told_with_its_words():
    with pytest.raises(InputError), attempted("landscape", [Path("results/c/landscape.parquet")]):
        raise InputError("config", "key", 1, "is wrong", "mend it")
    (failed,) = read_attempts(Path("results/c"))
    assert (failed.error, failed.is_running) == ("InputError: config: key = 1: is wrong; mend it", False)


@pytest.mark.parametrize("outputs", [[], [Path("elsewhere.parquet")]])
def test_work_by_hand_leaves_no_traces(outputs, tmp_path):
    with attempted("single_point", outputs) as earlier:
        assert earlier.retries == 0
        assert list(tmp_path.rglob("*")) == []


def test_other_ranks_than_the_first_note_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "1")
    with attempted("single_point", [OUTPUT]):
        assert list(tmp_path.rglob("*")) == []


def test_a_file_that_is_not_an_attempt_is_passed_over():
    folder = Path("results/c/attempts")
    folder.mkdir(parents=True)
    (folder / "a.json").write_text("{")
    (folder / "b.json").write_text(json.dumps({"job": "x", "owner": {}}))
    assert read_attempts(Path("results/c")) == []
