"""Jobs of killed runs, as far as it needs no SLURM (tests/slurm has the rest): which are worth waiting for, what is noted."""

import pytest

from polyscape.stages.left_jobs import Job, settle

KEPT = {"single_point", "isolated_molecule"}


@pytest.mark.parametrize(
    ("state", "comment", "worth"),
    [
        ("RUNNING", "rule_single_point_wildcards_0_001", True),
        ("COMPLETING", "rule_isolated_molecule", True),
        ("SUSPENDED", "rule_single_point", True),
        ("PENDING", "rule_single_point_wildcards_0_001", False),
        ("RUNNING", "rule_minimise_wildcards_014_c0000000", False),
        ("RUNNING", "(null)", True),  # a site that clears comments: it may be anything
    ],
)
def test_only_single_points_that_have_begun_are_worth_waiting_for(state, comment, worth):
    assert Job("1", state, comment).is_worth(KEPT) == worth


def test_a_run_notes_its_logs_for_the_next_one(tmp_path):
    for name in ("first.log", "second.log"):
        (tmp_path / name).write_text("Provided cores: 2\n")  # a run on this machine has no id of SLURM's
        settle("mine", [str(tmp_path / name)], KEPT, tmp_path)
    assert (tmp_path / "polyscape-mine.runs").read_text() == f"{tmp_path / 'second.log'}\n"


def test_a_log_that_was_removed_is_no_obstacle(tmp_path):
    settle("mine", [str(tmp_path / "first.log")], KEPT, tmp_path)
    settle("mine", [str(tmp_path / "second.log")], KEPT, tmp_path)
    assert (tmp_path / "polyscape-mine.runs").read_text() == f"{tmp_path / 'second.log'}\n"
