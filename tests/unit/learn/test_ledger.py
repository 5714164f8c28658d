"""The ledger: every result has its price once, whoever made it, and the full ladder is scaled by real points."""

import pytest

from polyscape.levels.cost import predict
from polyscape.schemas import LEDGER, POINTS
from polyscape.stages.ledger import Job, ledger, read_points
from polyscape.stages.rows import reduced_atoms
from tests.unit.learn import landscapes

LEVELS = landscapes.settings().levels
TABLE = landscapes.landscape(4)
FIRST, SECOND = TABLE.structure_id[:2]


def _point(name, level, core_s, source="computed", scf_steps=10, predicted_core_s=10.0):
    row = landscapes.point(name, level, 1, -100.0)
    return row | {
        "core_s": core_s,
        "source": source,
        "store_key": f"{level}/{name}",
        "scf_steps": scf_steps,
        "machine": "one",
        "predicted_core_s": predicted_core_s,
        "peak_memory_MB": 400.0,
        "predicted_memory_MB": 400.0,
    }


def _ledger(points, jobs=()):
    table = ledger(TABLE, {name: POINTS.from_rows(rows) for name, rows in points.items()}, jobs, LEVELS)
    return LEDGER.from_rows(table.to_dict("records"))


def _predicted_core_s(name, index):
    row = TABLE[TABLE.structure_id == name].to_dict("records")[0]
    return predict(reduced_atoms(row), LEVELS, index).core_s


def test_a_rerun_that_finds_everything_in_the_store_tells_the_same_price():
    made = [_point(FIRST, "pbe-d3", 20.0), _point(FIRST, "pbe0-d3", 50.0, scf_steps=0)]
    found = [row | {"source": "store"} for row in made]
    first, second = (_ledger({"points/round0/slot000": rows}) for rows in (made, found))
    paid, again = (table[(table.kind == "paid") & (table.points > 0)] for table in (first, second))
    assert paid.core_s.tolist() == again.core_s.tolist() == [20.0, 50.0]
    assert (paid.found_core_s.sum(), again.found_core_s.sum()) == (0.0, 70.0)
    assert first[first.kind == "full"].core_s.tolist() == second[second.kind == "full"].core_s.tolist()


def test_a_result_that_a_later_job_looks_up_counts_once_whatever_the_order_of_the_files():
    made, seen = [_point(FIRST, "pbe-d3", 20.0)], [_point(FIRST, "pbe-d3", 20.0, "store")]
    for points in ({"a": made, "b": seen, "c": seen}, {"b": seen, "a": made}):
        paid = _ledger(points).query("kind == 'paid'")
        assert (paid.points.sum(), paid.core_s.sum(), paid.found_core_s.sum()) == (1, 20.0, 0.0)
    paid = _ledger({"b": seen, "c": seen}).query("kind == 'paid'")
    assert (paid.points.sum(), paid.core_s.sum(), paid.found_core_s.sum()) == (1, 20.0, 20.0)


def test_a_job_shows_what_it_spent_besides_the_points_that_it_made():
    points = {
        "points/round0/slot000": [_point(FIRST, "pbe-d3", 20.0), _point(SECOND, "pbe-d3", 9.0, "store")]
    }
    job = Job("points/round0/slot000", "single_point", core_s=23.0, wall_s=30.0, peak_memory_MB=400.0)
    row = _ledger(points, [job]).query("points == 0 and kind == 'paid'").iloc[0]
    assert row.core_s == pytest.approx(3.0)


def test_lost_attempts_are_paid_and_told():
    job = Job("points/round0/slot000", "single_point", 23.0, 30.0, 400.0, retries=2, lost_core_s=50.0)
    row = _ledger({}, [job]).query("kind == 'paid'").iloc[0]
    assert (row.core_s, row.retries, row.lost_core_s) == (73.0, 2, 50.0)


def test_the_price_of_every_structure_follows_the_points_and_orbitals_made_again_do_not_raise_it():
    """All points took twice what is predicted for what they did; some made their orbitals themselves."""
    points = []
    for name in TABLE.structure_id[:4]:
        alone, orbitals = _predicted_core_s(name, 1), _predicted_core_s(name, 0)
        points.append(_point(name, "pbe0-d3", 2 * alone, scf_steps=0, predicted_core_s=alone))
        both = alone + orbitals
        points.append(_point(name + "b", "pbe0-d3", 2 * both, predicted_core_s=both))
    for source in ("computed", "store"):
        rows = [point | {"source": source} for point in points]
        table = _ledger({"a": rows})
        full = table.query("kind == 'full'").set_index("level").core_s
        wanted = sum(_predicted_core_s(name, 1) for name in TABLE.structure_id[:4])
        # eight points leave about a hundredth of the prior's 1; sizes that differ by a factor of ten leave some slope
        assert full["pbe0-d3"] == pytest.approx(2 * wanted, rel=0.03)
        paid = table.query("kind == 'paid'")
        assert paid.predicted_core_s.to_numpy() == pytest.approx(paid.core_s.to_numpy(), rel=0.05)


def test_points_that_were_not_attempted_cost_nothing():
    skipped = _point(FIRST, "pbe-d3", None) | {"status": "skipped", "store_key": None, "scf_steps": None}
    paid = _ledger({"a": [skipped]}).query("kind == 'paid'")
    assert paid.core_s.tolist() == [0.0]
    assert paid.status.tolist() == ["skipped"]


def test_files_of_the_same_name_in_two_rounds_are_both_read(tmp_path):
    for name in ("round0", "round1"):
        (tmp_path / name).mkdir()
        POINTS.write(POINTS.from_rows([_point(name, "pbe-d3", 1.0)]), tmp_path / name / "slot000.parquet")
    tables = read_points(sorted(tmp_path.glob("round*/*.parquet")))
    assert sorted(table.structure_id[0] for table in tables.values()) == ["round0", "round1"]
