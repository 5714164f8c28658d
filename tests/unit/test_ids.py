import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyscape.ids import chunks, discovery_order, molecule_id, parse_trial_id, trial_id

TRIALS = st.tuples(st.integers(1, 230), st.integers(0, 10**7 - 1))


@given(TRIALS)
def test_an_id_can_be_parsed_again(trial):
    assert parse_trial_id(trial_id(*trial)) == trial


@pytest.mark.parametrize("trial", [(0, 1), (231, 1), (14, -1), (14, 10**7)])
def test_numbers_out_of_range_are_refused(trial):
    with pytest.raises(ValueError, match="is not in"):
        trial_id(*trial)


@pytest.mark.parametrize("text", ["14-0000001", "014-1", "014-0000001 ", "alpha", "", "014-00000010"])
def test_what_is_no_id_is_refused(text):
    with pytest.raises(ValueError, match="is not a trial id"):
        parse_trial_id(text)


@given(st.lists(TRIALS, min_size=2, unique=True))
def test_a_longer_search_never_renames_a_structure(trials):
    """Whatever was found among the first trials of all groups comes before whatever later trials find."""
    middle = sorted(index for _, index in trials)[len(trials) // 2]
    early = [trial_id(*trial) for trial in trials if trial[1] < middle]
    everything = [trial_id(*trial) for trial in trials]
    if early:
        assert min(everything, key=discovery_order) == min(early, key=discovery_order)


def test_imported_structures_come_after_all_trials():
    assert discovery_order("alpha") > discovery_order(trial_id(230, 10**7 - 1))


@given(st.integers(0, 3000), st.integers(1, 700))
def test_chunks_cover_every_trial_once(count, size):
    covered = [chunk.start + i for chunk in chunks(14, count, size) for i in range(chunk.count)]
    assert covered == list(range(count))


def test_a_molecule_is_no_trial():
    with pytest.raises(ValueError, match="is not a trial id"):
        parse_trial_id(molecule_id(0))
