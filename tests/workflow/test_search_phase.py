"""The search up to the features: the same bytes for any cores, chunk size and interruption."""

import pytest

from tests.workflow.campaigns import Campaign, assert_same_search

pytestmark = pytest.mark.slow

SEARCH = ("--until", "features", "dispersion")


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """The search of the tiny campaign on two cores."""
    campaign = Campaign.create(tmp_path_factory.mktemp("searched"))
    campaign.run(*SEARCH)
    return campaign


def test_one_core_and_other_chunks_give_the_same_bytes(searched, tmp_path):
    other = Campaign.create(tmp_path, search={"chunk_size": 5})
    other.run(*SEARCH, cores=1)
    assert len(list(other.results.glob("minima/*/*.parquet"))) == 8  # 16 trials in chunks of 5, two groups
    assert_same_search(searched, other)


def test_a_kill_in_the_search_changes_no_byte(searched, tmp_path):
    killed = Campaign.create(tmp_path)
    killed.kill_after("trials/*/*.parquet", 2, *SEARCH)
    assert list((tmp_path / ".snakemake/locks").glob("*.lock"))  # the marks of a run cut off
    killed.run(*SEARCH)
    assert_same_search(searched, killed)


def test_another_chunk_size_on_finished_chunks_is_harmless(searched, tmp_path):
    other = searched.copy(tmp_path, search={"chunk_size": 16})
    other.run(*SEARCH)
    for stale in other.results.glob("*/*/c0000008.parquet"):
        stale.unlink()
    assert_same_search(searched, other)


def test_two_runs_of_one_campaign_at_once_are_refused(searched, tmp_path):
    twice = searched.copy(tmp_path, search={"trials_per_space_group": 48})
    first = twice.start(*SEARCH)
    while not list((tmp_path / ".snakemake/locks").glob("*.lock")):
        assert first.poll() is None, first.communicate()[0]
    assert "cannot be locked" in twice.run(*SEARCH, code=1)
    assert twice.planned(*SEARCH)  # a dry run may look on
    output, _ = first.communicate()
    assert first.returncode == 0, output[-3000:]
