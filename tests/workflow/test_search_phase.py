"""The search up to the features: the same bytes for any cores, chunk size and interruption."""

import os
import signal

import pytest

from polyscape.schemas import COMPLETENESS
from tests.workflow.campaigns import FORM, assert_same_search

pytestmark = [pytest.mark.slow, pytest.mark.dft]  # dft: all compare with the finished campaign

SEARCH = ("--until", "features", "dispersion")
FOUND = ("trials", "minima", "landscape.parquet", "features.parquet", "dispersion.parquet")


def before_the_search(finished, folder, **changes):
    """The finished campaign without what the search and later stages made."""
    campaign = finished.copy(folder, **changes)
    campaign.without(*(f"tiny/{name}" for name in FOUND))
    return campaign


def test_one_core_and_other_chunks_give_the_same_bytes(finished, tmp_path):
    other = before_the_search(finished, tmp_path, search={"chunk_size": 12})
    other.run(*SEARCH, cores=1)
    assert (
        len(list(other.results.glob("minima/*/c0000012.parquet"))) == 2
    )  # 16 trials in 12 and 4, two groups
    assert_same_search(finished, other)


def test_a_kill_in_the_search_changes_no_byte(finished, tmp_path):
    killed = before_the_search(finished, tmp_path)
    killed.kill_after("trials/*/*.parquet", 2, *SEARCH)
    assert list((tmp_path / ".snakemake/locks").glob("*.lock"))  # the marks of a run cut off
    killed.run(*SEARCH)
    assert_same_search(finished, killed)


def test_another_chunk_size_on_finished_chunks_is_harmless(finished, tmp_path):
    other = finished.copy(tmp_path, search={"chunk_size": 16})
    other.run(*SEARCH)
    for stale in other.results.glob("*/*/c0000008.parquet"):
        stale.unlink()
    assert_same_search(finished, other)


def test_two_runs_of_one_campaign_at_once_are_refused(finished, tmp_path):
    twice = finished.copy(tmp_path, search={"trials_per_space_group": 24})
    first = twice.start(*SEARCH)
    while not _outputs_are_locked(tmp_path):
        assert first.poll() is None, first.communicate()[0]
    os.kill(first.pid, signal.SIGSTOP)  # it holds its lock however long the others take
    try:
        assert "cannot be locked" in twice.run(*SEARCH, code=1)
        assert twice.planned(*SEARCH)  # a dry run may look on
    finally:
        os.kill(first.pid, signal.SIGCONT)
    output, _ = first.communicate()
    assert first.returncode == 0, output[-3000:]


def _outputs_are_locked(folder):
    """Whether a run holds its locks: those of the outputs are written last, and these are what a second run looks at."""
    locks = (folder / ".snakemake/locks").glob("*output.lock")
    return any(
        "dispersion.parquet" in lock.read_text() and "features.parquet" in lock.read_text() for lock in locks
    )


def test_special_positions_imports_and_a_coverage_run_once(finished, tmp_path):
    search = {"space_groups": [14, 15], "z_prime": ["special", 1], "trials_per_space_group": 8}
    search |= {"import": [str(FORM)], "stop_at_coverage": 0.5}
    other = before_the_search(finished, tmp_path, search=search)
    wanted = ("--until", "completeness")  # which needs the landscape
    other.run(*wanted)
    trials, minima = other.table("trials/*/*.parquet"), other.table("minima/*/*.parquet")
    series = trials.trial_id.str.rsplit("-", n=1).str[0]
    # formaldehyde has no inversion centre: nothing stands on the special positions of P2_1/c
    assert series.value_counts().to_dict() == {"014": 8, "015": 8, "015s": 8, "import-found_again": 1}
    assert minima.trial_id.tolist() == trials.trial_id.tolist()
    assert minima[minima.origin == "import:found_again"].status.tolist() == ["ok"]
    completeness = COMPLETENESS.read(other.results / "completeness.parquet")
    assert set(completeness.series) == {"014", "015", "015s", "all"}
    assert other.planned(*wanted) == {}
