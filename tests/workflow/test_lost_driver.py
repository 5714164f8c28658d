"""A driver that is killed alone leaves its jobs running: they and those of the next run compute nothing twice."""

import contextlib
import os
import signal
import time

import pytest

from tests.workflow.campaigns import Written

pytestmark = [pytest.mark.slow, pytest.mark.dft]


def test_jobs_that_outlive_their_driver_and_those_of_the_next_compute_no_point_twice(finished, tmp_path):
    campaign = finished.copy(tmp_path, selection={"rounds": 1})
    campaign.without("store", "tiny/points", "tiny/selection", "tiny/posterior", "tiny/ranking.parquet")
    with Written(campaign.folder / "results/store") as written:
        driver = campaign.start()
        while not list(campaign.folder.glob("results/store/locks/*/*.lock")):
            assert driver.poll() is None
            time.sleep(0.02)
        driver.kill()  # its jobs go on
        campaign.run()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(driver.pid, signal.SIGKILL)
        driver.communicate()
    points = campaign.table("points/round*/*.parquet")
    assert (points.status == "ok").all()
    assert len(written.files) == len(points) + len(campaign.table("points/molecules.parquet"))
    assert all(len(inodes) == 1 for inodes in written.files.values()), written.files
