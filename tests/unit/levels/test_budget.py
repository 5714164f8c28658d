"""The budget of core-hours and the forecast: what is spent, what is left, what a campaign will cost."""

import math

import numpy as np
import pytest

from polyscape.errors import InputError
from polyscape.learn.budget import Budget
from polyscape.learn.choose import Batch
from polyscape.learn.strategies import lowest_energy
from polyscape.levels.cost import predict_climb
from polyscape.schemas import POINTS, SELECTION
from polyscape.settings.selection import BudgetSettings
from polyscape.stages.budget import core_s_left, counted_core_s
from polyscape.stages.forecast import forecast, possible_cells
from polyscape.stages.ledger import Job
from polyscape.stages.plan import Plan
from polyscape.stages.rows import reduced_atoms
from polyscape.stages.selection import told_of_budget
from tests.unit.learn import landscapes


def _points(*core_s, source="computed"):
    rows = [landscapes.point(f"s{i}", "pbe-d3", 1, -1.0) | {"core_s": t} for i, t in enumerate(core_s)]
    return POINTS.from_rows([row | {"source": source} for row in rows])


def test_jobs_count_whole_with_results_from_the_store_and_lost_attempts():
    points = {
        "points/a": _points(20.0, 5.0),
        "points/b": _points(9.0, source="store"),
        "points/c": _points(80.0),
    }
    jobs = [
        Job("points/a", "single_point", core_s=31.0, wall_s=40.0, peak_memory_MB=1.0),
        Job("points/b", "single_point", 4.0, 5.0, 1.0, retries=1, lost_core_s=7.0),
        Job("points/c", "isolated_molecule", 45.0, 45.0, 1.0),  # the first of two ranks
        Job("points/round9", "single_point", 100.0, 100.0, 1.0),  # of a selection of before
    ]
    assert counted_core_s(points, jobs) == 31.0 + (9.0 + 7.0) + 80.0
    start = (6.0 + 4.0 + 0.0) / 3  # what the jobs took besides their points
    left = core_s_left(BudgetSettings(core_hours=0.1), points, jobs, slots=3)
    assert left == pytest.approx(360.0 - 127.0 - 3 * start)
    assert core_s_left(BudgetSettings(core_hours=0.01), points, jobs, slots=3) == 0.0
    assert core_s_left(BudgetSettings(), points, jobs, slots=3) == math.inf


def _budget(core_s_left):
    """Four structures; the force field, a level at 100 core-seconds each, one at 1000."""
    cost_ls = np.array([[0.0] * 4, [100.0] * 4, [1000.0] * 4])
    return Budget(3, 1, cost_ls, cost_ls > 0, 0.5, core_s_left)


@pytest.mark.parametrize(("left", "levels"), [(1e9, [2, 1, 1]), (1150.0, [2, 1]), (150.0, [1]), (50.0, [])])
def test_slots_that_do_not_fit_stay_empty_and_say_so(left, levels):
    budget = _budget(left)
    chosen = lowest_energy(np.arange(4.0), budget)
    assert [choice.level for choice in chosen] == levels
    assert sum(budget.cost_ls[choice.level, choice.structure] for choice in chosen) <= left
    told = told_of_budget(Batch(chosen, "low", "no more"), budget)
    assert told.why_empty.startswith("budget: " if len(levels) < 3 else "no more")


def test_empty_slots_of_a_settled_ranking_do_not_blame_the_budget():
    assert told_of_budget(Batch([], "", "settled"), _budget(50.0)).why_empty == "settled"


def _plan(**changes):
    return Plan.of(landscapes.settings(**changes), "test")


def test_before_the_landscape_the_forecast_is_an_upper_estimate(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = _plan(selection={"rounds": 2, "batch": 3, "max_atoms": 16})
    found = forecast(plan, "test")
    assert (found.jobs, found.is_upper, found.limit_core_s) == (7, True, None)
    levels = plan.settings.levels
    table = landscapes.landscape(12)
    small = table[table.atoms_in_reduced_cell <= 16].to_dict("records")
    assert len(small) > 6
    for row in small:  # no crystal of at most this size is dearer
        assert predict_climb(reduced_atoms(row), levels, levels[-1].name).core_s < found.longest_core_s
    assert "at most about" in found.words()


def test_selected_rounds_are_forecast_from_their_tables(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = _plan(selection={"rounds": 1, "batch": 2}, budget={"core_hours": 5.0})
    cost = {"structure_id": "a", "level": "pbe-d3", "predicted_core_s": 7200.0, "predicted_memory_MB": 4000.0}
    rows = [{"round": 0, "slot": 0, "reason": "x"} | cost, {"round": 0, "slot": 1, "reason": "budget"}]
    path = tmp_path / plan.folder / "selection/round0.parquet"
    path.parent.mkdir(parents=True)
    SELECTION.write(SELECTION.from_rows(rows), path)
    found = forecast(plan, "test")
    assert (found.jobs, found.is_upper, found.longest_core_s, found.memory_MB) == (2, False, 7200.0, 4000.0)
    assert "limited to 5 core-hours" in found.words()


def test_a_table_of_another_version_counts_as_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = _plan(selection={"rounds": 1, "batch": 2})
    path = tmp_path / plan.folder / "selection/round0.parquet"
    path.parent.mkdir(parents=True)
    POINTS.write(POINTS.from_rows([]), path)
    assert forecast(plan, "test").is_upper


def test_a_budget_below_the_isolated_molecule_is_refused():
    with pytest.raises(InputError, match=r"budget.core_hours = 0.0001.*isolated molecules alone"):
        forecast(_plan(budget={"core_hours": 0.0001}), "test").check("test")


@pytest.mark.parametrize(("max_atoms", "atoms"), [(31, {8, 16, 24}), (3, {8})])
def test_possible_cells_hold_whole_formula_units(max_atoms, atoms):
    cells = possible_cells(landscapes.settings(selection={"max_atoms": max_atoms}), "test")
    assert {len(cell) for cell in cells} == atoms
