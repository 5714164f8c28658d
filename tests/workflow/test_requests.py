"""What jobs of single points ask for: a profile's keys, ranks, memory and time, and their growth."""

import pytest

from polyscape.errors import InputError
from polyscape.schemas import SELECTION
from polyscape.settings.campaign import default_levels
from polyscape.stages.machine import Machine
from polyscape.stages.requests import Request, slot_cost

FULL = {
    "structure_id": "014-0000001",
    "level": "pbe-d3",
    "predicted_core_s": 3600.0,
    "predicted_memory_MB": 4000.0,
}


@pytest.fixture
def selection(tmp_path):
    path = tmp_path / "selection.parquet"
    rows = [{"round": 0, "slot": 0, "reason": "", **FULL}, {"round": 0, "slot": 1, "reason": "empty"}]
    SELECTION.write(SELECTION.from_rows(rows), path)
    return str(path)


def test_a_slot_asks_for_what_its_row_predicts_and_for_more_with_each_attempt(selection):
    request = Request(*slot_cost(selection, 0))
    assert [request.mem_mb(attempt) for attempt in (1, 2, 3)] == [6000, 12000, 24000]
    assert [request.runtime(attempt) for attempt in (1, 2)] == [240, 480]


def test_an_empty_slot_still_starts_python(selection):
    request = Request(*slot_cost(selection, 1))
    assert (request.mem_mb(1), request.runtime(1)) == (1000, 10)


def test_a_selection_to_come_is_not_known_yet(tmp_path):
    with pytest.raises(FileNotFoundError):  # which Snakemake takes for that
        slot_cost(str(tmp_path / "none.parquet"), 0)


def test_a_new_selection_is_read_anew(selection, tmp_path):
    assert slot_cost(selection, 0) == (3600.0, 4000.0)
    changed = FULL | {"predicted_core_s": 7200.0}
    SELECTION.write(
        SELECTION.from_rows([{"round": 0, "slot": 0, "reason": "", **changed}]),
        tmp_path / "selection.parquet",
    )
    assert slot_cost(selection, 0) == (7200.0, 4000.0)


@pytest.mark.parametrize(
    ("hours", "memory_MB", "ranks"),
    [(1.0, 500.0, 1), (5.0, 500.0, 2), (13.0, 500.0, 4), (1.0, 9000.0, 4), (1000.0, 500.0, 16)],
)
def test_large_cells_get_ranks_as_far_as_the_profile_allows(hours, memory_MB, ranks):
    machine = Machine.of(["mem_mb=2000", "mpi_ranks=16", "mpi_hours=4", "slurm_account=a"])
    assert machine.ranks(3600 * hours, memory_MB) == ranks
    assert Machine().ranks(3600 * hours, memory_MB) == 1  # without the key everything is serial


def test_ranks_share_time_and_memory_but_not_ideally():
    one, four = (Request(36000.0, 8000.0, ranks) for ranks in (1, 4))
    assert one.runtime(1) / 4 < four.runtime(1) < one.runtime(1)
    assert one.mem_mb(1) < four.mem_mb(1) < 4 * one.mem_mb(1)


def test_ranks_stay_within_the_cores_of_this_machine_and_with_the_program_that_has_them():
    machine = Machine(mpi_ranks=16, mpi_hours=0.1)
    levels = default_levels()
    assert Request.on(machine, (36000.0, 500.0), levels, limit=2).ranks == 2
    other = [levels[0].model_copy(update={"backend": "ase"})]
    assert Request.on(machine, (36000.0, 500.0), other, limit=2).ranks == 1
    assert Request.on(machine, (36000.0, 500.0), [*other, *levels], limit=2).ranks == 2


def test_texts_of_a_profile_may_have_the_quotes_that_snakemake_asks_for():
    machine = Machine.of(["setup='module load gpaw'", "mpi_launcher=srun --mpi=pmix", "tmpdir=/x"])
    assert (machine.setup, machine.mpi_launcher) == ("module load gpaw", "srun --mpi=pmix")


@pytest.mark.parametrize(
    "text", ["mpi_ranks=0", "mpi_ranks=many", "mpi_ranks=2.5", "mpi_hours=-1", "mpi_memory_mb=nan"]
)
def test_a_key_with_a_wrong_value_is_one_line(text):
    key, value = text.split("=")
    with pytest.raises(InputError) as caught:
        Machine.of([text])
    assert caught.value.line().startswith(f"profile: default-resources.{key} = '{value}': is not a ")
