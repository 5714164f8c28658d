"""The tiny campaign on a real SLURM: the tables of the local run, MPI, and a driver that is killed."""

import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

from polyscape.locks import held
from tests.slurm.cluster import Cluster, missing
from tests.workflow.campaigns import LONGEST_S, ROOT, Written, assert_same_points, assert_same_search

pytestmark = [pytest.mark.slurm, pytest.mark.slow, pytest.mark.dft]

PROFILE = (
    *("--workflow-profile", str(ROOT / "workflow/profiles/slurm")),
    *("--slurm-init-seconds-before-status-checks", "2"),
)
# more than any of the tiny campaign's points is predicted to take: each gets two ranks
TWO_RANKS = ("mpi_ranks=2", "mpi_hours=0.0001", "mpi_launcher='srun --mpi=pmix'")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    reason = missing()
    if reason:
        pytest.skip(f"NO SLURM TEST: {reason}")
    started = Cluster(tmp_path_factory.mktemp("slurm"))
    with held([Path(tempfile.gettempdir()) / "polyscape-slurm.lock"]):  # its ports and link are the machine's
        try:
            started.start()
            yield started
        finally:
            started.stop()


UNTIL_THE_POINTS = ("--until", "single_point")


def test_the_same_tables_as_on_one_machine_with_two_ranks_of_mpi(cluster, finished, tmp_path):
    """From the minimisation to the points of a round; each step costs SLURM a quarter of a minute of waiting."""
    campaign = finished.copy(tmp_path, selection={"rounds": 1})
    campaign.without("store", "tiny/minima", "tiny/landscape.parquet", "tiny/features.parquet")
    campaign.without("tiny/dispersion.parquet", "tiny/points", "tiny/selection")
    setup, scratch = "touch set-up", tmp_path / "scratch"
    resources = ("slurm_account=research", "mem_mb=2000", "runtime=60", f"tmpdir={scratch}", f"setup={setup}")
    output = campaign.run(*PROFILE, *UNTIL_THE_POINTS, "--default-resources", *resources, *TWO_RANKS)
    assert "SLURM jobid" in output
    assert_same_search(finished, campaign)
    assert_same_points(finished, campaign, rounds=1)
    for name in ("points/molecules.parquet", "points/round*/*.parquet"):
        assert set(campaign.table(name).cores) == {2}
    assert (campaign.folder / "set-up").exists()
    assert scratch.exists()
    assert not list(scratch.glob("polyscape-*"))
    assert campaign.planned(*PROFILE, *UNTIL_THE_POINTS) == {}


def test_a_killed_driver_finds_its_jobs_and_no_point_is_computed_twice(cluster, finished, tmp_path):
    campaign = finished.copy(tmp_path, selection={"rounds": 1})
    without_slots(campaign)
    with Written(campaign.folder / "results/store") as written:
        run_id, computing = kill_the_driver(campaign)
        queued = submitted("--hold", f"--job-name={run_id}", "--comment=rule_single_point", "--wrap=true")
        other = submitted("--hold", "--job-name=another", "--comment=rule_single_point", "--wrap=true")

        again = campaign.start(*PROFILE, *UNTIL_THE_POINTS)
        lines = until(again, "still compute: waiting for")
        assert f"scancel {' '.join(computing)})" in lines[-1]
        assert f"cancelled: SLURM {queued}\n" in "".join(lines)
        assert not list(campaign.results.glob("points/round0/*"))  # nothing was submitted meanwhile
        for job in computing:
            subprocess.run(["scontrol", "resume", job], check=True)
        rest, _ = again.communicate(timeout=LONGEST_S)
        assert again.returncode == 0, rest[-6000:]
    assert "they have ended" in rest
    subprocess.run(["scancel", other], check=True)  # it was none of this campaign's, and is there still
    points = campaign.table("points/round*/*.parquet")
    assert (points.status == "ok").all()
    assert "store" in set(points.source)  # what the jobs of the killed run computed
    assert len(written.files) == len(points) + len(campaign.table("points/molecules.parquet"))
    assert all(len(inodes) == 1 for inodes in written.files.values()), written.files


def without_slots(campaign):
    """Take away what the slots computed; the isolated molecule stays."""
    crystals = [
        f"store/{path.parent.name}/{path.name}" for path in campaign.folder.glob("results/store/*/*-crystal")
    ]
    rounds = ("tiny/points/round0", "tiny/points/round1", "tiny/selection")
    campaign.without(*crystals, *rounds, "tiny/posterior", "tiny/ranking.parquet")


def kill_the_driver(campaign):
    """Kill snakemake while a slot computes; its run's id and its slots, suspended so that they cannot end too soon."""
    process = campaign.start(*PROFILE, *UNTIL_THE_POINTS)
    while not (slots := running_slots()) or not list(campaign.folder.glob("results/store/locks/*/*.lock")):
        assert process.poll() is None, process.communicate()[0][-6000:]
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    output, _ = process.communicate()
    for job in slots:
        subprocess.run(["scontrol", "suspend", job], check=True)
    return re.search(r"SLURM run ID: (\S+)", output)[1], slots


def running_slots():
    """SLURM's ids of the slots that run."""
    command = ["squeue", "--noheader", "--states=RUNNING", "--format=%i %k"]
    queue = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return re.findall(r"^(\d+) rule_single_point", queue, re.MULTILINE)


def submitted(*options):
    """SLURM's id of a job submitted by hand."""
    done = subprocess.run(["sbatch", "--parsable", *options], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def until(process, text):
    """The lines that a process prints up to one with the text; it is killed when that takes too long."""
    timer = threading.Timer(LONGEST_S, os.killpg, (process.pid, signal.SIGKILL))
    timer.start()
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if text in line:
                return lines
    finally:
        timer.cancel()
    raise AssertionError("".join(lines)[-6000:])
