"""The tiny campaign on a real SLURM gives the tables of the local run."""

import pytest

from tests.slurm.cluster import Cluster, missing
from tests.workflow.campaigns import ROOT, Campaign, assert_same_points, assert_same_search

pytestmark = [pytest.mark.slurm, pytest.mark.slow, pytest.mark.dft]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    reason = missing()
    if reason:
        pytest.skip(f"NO SLURM TEST: {reason}")
    started = Cluster(tmp_path_factory.mktemp("slurm"))
    try:
        started.start()
        yield started
    finally:
        started.stop()


def test_the_same_tables_as_on_one_machine(cluster, finished, tmp_path):
    campaign = Campaign.create(tmp_path, search={"chunk_size": 16})  # few jobs: each costs SLURM seconds
    output = campaign.run(
        *("--workflow-profile", str(ROOT / "workflow/profiles/slurm")),
        *("--slurm-init-seconds-before-status-checks", "2"),
    )
    assert "SLURM jobid" in output
    assert_same_search(finished, campaign)
    assert_same_points(finished, campaign)
    assert "Nothing to be done" in campaign.run("--workflow-profile", str(ROOT / "workflow/profiles/slurm"))
