import numpy as np
import pytest
from tests.unit.report.synthetic import LEVELS, report_slice, tables

from polyscape import schemas
from polyscape.crystal.groups import SpaceGroup
from polyscape.errors import InputError
from polyscape.stages import report_accounts as accounts
from polyscape.stages.report import report_data
from polyscape.stages.report_accounts import screw_axes_marked


def test_every_structure_is_there_in_the_order_of_its_rank(data):
    assert [s.rank for s in data.structures] == list(range(1, 37))
    assert data.levels == LEVELS


def test_the_cell_is_the_conventional_one(data):
    for structure in data.structures:
        a, b, c, *angles = structure.cell
        if structure.symmetry == "P2_12_12_1":
            assert angles == pytest.approx([90.0, 90.0, 90.0])
            # a primitive group: the conventional cell has the reduced cell's volume
            assert a * b * c == pytest.approx(structure.atoms.get_volume())


def test_each_level_counts_from_its_own_lowest(data):
    for place in range(len(LEVELS)):
        assert min(s.levels[place].relative_energy_kJ_per_mol for s in data.structures) == 0.0


def test_a_found_form_names_its_structure_and_a_missed_one_its_own_minimum(data):
    alpha, beta = data.known_forms
    assert alpha.structure is not None
    assert alpha.structure.known_form == "alpha"
    assert alpha.match_rmsd_A == pytest.approx(0.213)
    assert alpha.match_molecules == 15
    assert beta.structure is None
    # own minimum -108, lowest of the landscape -110
    assert beta.ff_relative_energy_kJ_per_mol == pytest.approx(2.0)
    assert not beta.conformer_searched


def test_the_density_of_a_form_is_compared_with_experiment(data):
    alpha = data.known_forms[0]
    assert alpha.structure is not None
    wanted = 100 * (alpha.structure.density_g_per_cm3 - 1.30) / 1.30
    assert alpha.density_deviation_percent == pytest.approx(wanted)


def test_the_search_counts_trials_minima_and_structures_by_group(data):
    groups = {g.number: g for g in data.search.groups}
    assert set(groups) == {2, 14, 19}
    assert groups[14].symbol == "P2_1/c"
    assert sum(g.trials or 0 for g in groups.values()) == 41
    assert sum(g.accepted or 0 for g in groups.values()) == 36
    assert sum(g.distinct for g in groups.values()) == 36
    assert sum(g.in_window for g in groups.values()) == 37  # one duplicate
    assert data.search.failures == (("overlap", 5),)


def test_the_coverage_is_that_of_the_table_at_its_end():
    """Trials only: imported crystals and known forms are no part of that table."""
    given = tables()
    table = given.completeness.copy()
    together = table.index[table.series == "all"]
    table.loc[together[-1], ["coverage", "found_once"]] = [0.7, 3]
    search = accounts.search(given.landscape, given.trials, given.minima, table)
    assert (search.coverage, search.found_once) == (0.7, 3)
    none = accounts.search(given.landscape, given.trials, given.minima, table.iloc[:0])
    assert (none.coverage, none.found_once) == (None, 0)


def test_without_trials_and_minima_the_search_is_told_from_the_landscape():
    given = tables()
    given = type(given)(
        **{**vars(given), "trials": schemas.TRIALS.from_rows([]), "minima": schemas.MINIMA.from_rows([])}
    )
    search = report_data(given, report_slice(), {}).search
    assert [g.trials for g in search.groups] == [None, None, None]
    assert sum(g.distinct for g in search.groups) == 36


def test_points_of_molecules_and_repeats_are_not_counted_twice(data):
    ladder = {level: sum(s.levels[k].computed for s in data.structures) for k, level in enumerate(LEVELS)}
    for points in data.points:
        assert points.computed + points.from_store == ladder[points.level]
        assert points.from_store == 1
    assert [len(points.failed) for points in data.points] == [0, 1]


def test_costs_are_summed_by_stage_and_level_with_the_price_of_everything(data):
    costs = {(c.name, c.level): c for c in data.costs}
    assert costs["single_point", "pbe0-d3"].core_s == pytest.approx(1800.0)
    assert costs["single_point", "pbe0-d3"].full_core_s == pytest.approx(120000.0)
    assert costs["minimise", None].full_core_s is None
    assert (costs["minimise", None].retries, costs["minimise", None].lost_core_s) == (1, 12.0)
    assert {level: c.unusable for (_, level), c in costs.items() if level} == {"pbe-d3": 0, "pbe0-d3": 1}
    told = {level: (c.well_predicted, c.predicted) for (_, level), c in costs.items() if level}
    assert told == {"pbe-d3": (1, 1), "pbe0-d3": (0, 1)}  # a factor of 1.2, and one of 1.6


def test_a_level_that_no_job_computed_still_has_its_price():
    given = tables()
    ledger = given.ledger[(given.ledger.kind == "full") | (given.ledger.level != "pbe0-d3")]
    data = report_data(type(given)(**{**vars(given), "ledger": ledger}), report_slice(), {})
    assert [(c.name, c.full_core_s) for c in data.costs if c.level == "pbe0-d3"] == [
        ("not computed", 120000.0)
    ]


def test_a_campaign_that_found_nothing_says_so():
    given = tables()
    with pytest.raises(InputError, match="found no structure"):
        report_data(type(given)(**{**vars(given), "ranking": given.ranking.iloc[:0]}), report_slice(), {})


def test_rounds_show_the_falling_uncertainty(data):
    first, second = data.rounds
    assert first.median_sd_kJ_per_mol == pytest.approx(2 * second.median_sd_kJ_per_mol)
    assert np.isfinite(second.median_sd_kJ_per_mol)


@pytest.mark.parametrize(
    ("number", "symbol"),
    [(2, "P-1"), (14, "P2_1/c"), (19, "P2_12_12_1"), (61, "Pbca"), (15, "C2/c"), (29, "Pca2_1")],
)
def test_screw_axes_are_marked(number, symbol):
    assert screw_axes_marked(SpaceGroup.find(number)) == symbol


def test_kinds_of_trials_imports_and_known_forms_are_told_apart():
    given = tables()
    names = dict(
        zip(given.trials.trial_id[:3], ("014s-0000000", "002z2-0000001", "import-mine-0000000"), strict=True)
    )
    landscape, trials, minima = (
        frame.assign(**{key: frame[key].replace(names)})
        for frame, key in (
            (given.landscape, "structure_id"),
            (given.trials, "trial_id"),
            (given.minima, "trial_id"),
        )
    )
    landscape.loc[landscape.duplicate_of.notna(), "structure_id"] = "known_form-alpha"
    groups = accounts.search(landscape, trials, minima, given.completeness).groups
    shown = [(g.number, g.kind, g.trials) for g in groups if g.kind != "Z′ = 1"]
    assert shown == [(14, "special", 1), (2, "Z′ = 2", 1), (None, "imported", 1)]
    assert groups[-1].symbol == "mine"
    assert sum(g.in_window for g in groups) == 36  # all but the known form
