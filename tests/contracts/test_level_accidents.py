"""Single points when things go wrong around them: two jobs for one point, a full disk, a rank that fails."""

import os
import shutil
import subprocess

import pytest

from polyscape.schemas import POINTS
from tests.contracts.test_level_scripts import LEVELS, campaign, run, slot

__all__ = ["campaign"]  # the fixture: a landscape of one structure, and a slot for it

pytestmark = pytest.mark.dft


@pytest.fixture
def disk(tmp_path):
    """A folder with a disk of its own, of a few pages."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", folder], check=False)
    if made.returncode:
        pytest.skip("NO TEST OF A FULL DISK: only root may mount one")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_two_jobs_for_one_point_compute_it_once(campaign):
    jobs = [subprocess.Popen(slot(campaign, 0, f"{name}.parquet")) for name in ("one", "two")]
    assert [job.wait() for job in jobs] == [0, 0]
    one, two = (POINTS.read(campaign / f"{name}.parquet") for name in ("one", "two"))
    assert {*one.source, *two.source} == {"computed", "store"}
    assert set(one.source).isdisjoint(two.source)  # one of them all of it, the other none
    assert (one.total_energy_eV == two.total_energy_eV).all()
    assert not list(campaign.glob("store/locks/*/*"))


@pytest.mark.parametrize("full", ["scratch", "store"])
def test_a_full_disk_leaves_nothing_and_the_same_command_goes_on(campaign, disk, full):
    (campaign / full).symlink_to(disk)
    words = slot(campaign, 0, "slot.parquet")
    failed = subprocess.run(words, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert "No space left on device" in failed.stderr
    assert not (campaign / "slot.parquet").exists()
    assert not [path for path in disk.rglob("*") if path.is_file()]
    subprocess.run(["mount", "-o", "remount,size=10M", disk], check=True)
    run(words)
    assert (POINTS.read(campaign / "slot.parquet").status == "ok").all()
    assert len(list(campaign.glob("store/*/*/*.json"))) == len(LEVELS)


@pytest.mark.skipif(shutil.which("mpiexec") is None, reason="no mpiexec")
def test_a_rank_that_fails_ends_the_others(campaign):
    (campaign / "store").write_text("a file where a folder should be: only the first rank writes")
    words = ["mpiexec", "--oversubscribe", "-n", "2", *slot(campaign, 0, "slot.parquet")]
    threads = {"OMP_NUM_THREADS": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    done = subprocess.run(
        words, env=os.environ | threads, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode != 0
    assert "NotADirectoryError" in done.stderr
