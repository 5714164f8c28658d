"""The stages of learning from tables to tables, on an invented landscape."""

import numpy as np
import pandas as pd
import pytest

from polyscape.schemas import CALIBRATION, FEATURES, POINTS, POSTERIOR, RANKING, SELECTION
from polyscape.stages.lattice_energies import (
    LearningTables,
    assemble,
    merge_points,
)
from polyscape.stages.learn import learn
from polyscape.stages.rank import rank
from polyscape.stages.rows import reduced_atoms
from polyscape.stages.selection import SelectionPlan, select
from polyscape.tables import TableError
from tests.unit.learn import landscapes

SETTINGS = landscapes.settings()
PLAN = landscapes.plan(SETTINGS)


@pytest.fixture(scope="module")
def world():
    table = landscapes.landscape(24)
    return table, landscapes.features_of(table), landscapes.truth(table, reduced_atoms)


def _plan(**selection):
    settings = landscapes.settings(selection={"rounds": 2, "batch": 6} | selection)
    return SelectionPlan(PLAN, settings.selection, 1)


def _climbed(table):
    return {row.structure_id: row.level for row in table.itertuples() if isinstance(row.structure_id, str)}


def _rounds(world, plan, count, failed=()):
    """Selections of some rounds, and the points that follow."""
    table, vectors, energies = world
    selections, points = [], []
    for number in range(count):
        selections.append(select(number, landscapes.tables(table, vectors, points), plan))
        points.append(landscapes.points(table, energies, _climbed(selections[-1]), failed))
    return selections, points


def _rank(world, points, **learning):
    table, vectors, _ = world
    plan = landscapes.plan(landscapes.settings(learning=learning))
    return rank(landscapes.tables(table, vectors, points), plan, 1)


def test_features_have_a_row_for_every_distinct_structure(world, tmp_path):
    table, vectors, _ = world
    FEATURES.write(vectors, tmp_path / "features.parquet")
    found_in_order = sorted(table.structure_id[:24], key=lambda name: name[4:])
    assert set(vectors.block) == {"soap", "terms", "linear"}
    for _, rows in vectors.groupby("block"):
        assert list(rows.structure_id) == found_in_order
        assert len({len(vector) for vector in rows.features}) == 1


def test_a_campaign_chooses_its_descriptor_by_the_points_it_has(world, capsys):
    table, _, energies = world
    auto = landscapes.plan(landscapes.settings(features={"descriptor": "auto"}))
    vectors = landscapes.features_of(table, features={"descriptor": "auto"})
    assert set(vectors.block) == {"soap", "acsf", "amd", "terms", "pairs", "linear"}
    points = [landscapes.points(table, energies, dict.fromkeys(table.structure_id[:9], "pbe-d3"))]
    data = assemble(landscapes.tables(table, vectors, points), auto)
    tried = [line for line in capsys.readouterr().err.splitlines() if line.startswith("descriptor ")]
    assert len(tried) == 4
    assert any(line.startswith(f"descriptor {data.descriptor}: ") for line in tried)
    blind = assemble(landscapes.tables(table, vectors), auto)
    assert blind.descriptor == "soap+pairs"


def test_lattice_energies_are_per_formula_unit_and_relative_to_the_molecules(world):
    table, vectors, energies = world
    climbed = dict.fromkeys(table.structure_id[:4], "pbe0-d3")
    tables = landscapes.tables(table, vectors, [landscapes.points(table, energies, climbed)])
    data = assemble(tables, PLAN)
    value_ls = data.training.value_ls + data.added_ls
    for s, name in enumerate(data.landscape.structure_id[:4]):
        assert value_ls[1, s] == pytest.approx(energies[name, "pbe-d3"], abs=1e-6)
        assert value_ls[2, s] == pytest.approx(energies[name, "pbe0-d3"], abs=1e-6)
    np.testing.assert_allclose(value_ls[0], data.landscape.lattice_energy_kJ_per_mol)
    assert data.training.computed_ls.sum(axis=1).tolist() == [24, 4, 4]


def test_under_pressure_the_same_work_is_added_at_every_level(world):
    table, vectors, energies = world
    work_s = np.linspace(0.0, 30.0, len(table))
    pressed = table.assign(pressure_volume_kJ_per_mol=work_s)
    points = [landscapes.points(table, energies, dict.fromkeys(table.structure_id[:4], "pbe0-d3"))]
    plain, data = (assemble(landscapes.tables(t, vectors, points), PLAN) for t in (table, pressed))
    np.testing.assert_array_equal(data.training.value_ls, plain.training.value_ls)  # nothing to be learned
    added_ls = np.tile(data.landscape.pressure_volume_kJ_per_mol, (3, 1))
    assert np.ptp(added_ls) > 20.0
    np.testing.assert_allclose(data.added_ls - plain.added_ls, added_ls)


def test_an_untrusted_point_and_a_failed_molecule_are_not_learned_from(world, capsys):
    table, vectors, energies = world
    names = list(table.structure_id[:3])
    points = landscapes.points(table, energies, dict.fromkeys(names, "pbe0-d3"))
    points.loc[(points.structure_id == names[0]) & (points.level == "pbe-d3"), "status"] = "untrusted"
    molecules = landscapes.molecules()
    molecules.loc[molecules.level == "pbe0-d3", "status"] = "scf_failed"
    tables = LearningTables(table, vectors, landscapes.dispersion(table), molecules, (points,))
    data = assemble(tables, PLAN)
    assert data.training.computed_ls.sum(axis=1).tolist() == [24, 2, 0]
    assert data.failed_ls[1].sum() == 1
    assert "isolated molecule oxalic_acid at pbe0-d3" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("failed", "levels"), [("pbe0-d3", {"pbe-d3"}), ("pbe-d3", {"pbe0-d3"}), ("both", set())]
)
def test_nothing_is_bought_at_a_level_whose_isolated_molecule_failed(world, failed, levels):
    """In the first round and in later ones: its crystals' energies would be no lattice energies."""
    table, vectors, energies = world
    molecules = landscapes.molecules()
    molecules.loc[(molecules.level == failed) | (failed == "both"), "status"] = "scf_failed"
    points = landscapes.points(table, energies, dict.fromkeys(table.structure_id[:9], "pbe0-d3"))
    for known in ((), (points,)):
        tables = LearningTables(table, vectors, landscapes.dispersion(table), molecules, known)
        chosen = select(len(known), tables, _plan())
        assert set(chosen.level.dropna()) == levels
        assert chosen.structure_id.notna().all() == bool(levels)
        if not levels:
            assert set(chosen.reason.str.contains("isolated molecules have no energy")) == {True}


def test_points_made_twice_count_once_and_the_good_one_wins(world):
    table, _, energies = world
    name = table.structure_id[0]
    failed = landscapes.points(table, energies, {name: "pbe-d3"}, failed=[(name, "pbe-d3")])
    good = landscapes.points(table, energies, {name: "pbe0-d3"})
    merged = merge_points([failed, good, good, POINTS.from_rows([])])
    assert list(merged.level) == ["pbe-d3", "pbe0-d3"]
    assert set(merged.status) == {"ok"}
    assert merge_points([]).empty


def test_a_landscape_without_its_features_or_dispersion_is_refused(world):
    table, vectors, _ = world
    with pytest.raises(TableError, match="missing"):
        assemble(landscapes.tables(table, vectors.iloc[1:]), PLAN)
    short = LearningTables(table, vectors, landscapes.dispersion(table).iloc[:-1])
    with pytest.raises(TableError, match="lack level pbe0-d3"):
        assemble(short, PLAN)


def test_two_rounds_choose_enough_points_nested_small_and_never_twice(world, tmp_path):
    table, _, _ = world
    selections, points = _rounds(world, _plan(max_atoms=16), 2)
    SELECTION.write(selections[1], tmp_path / "round1.parquet")
    atoms = table.set_index("structure_id").atoms_in_reduced_cell
    chosen = [name for selection in selections for name in _climbed(selection)]
    assert all(atoms[name] <= 16 for name in chosen)
    everything = merge_points(points)
    assert (everything.level == "pbe-d3").sum() >= 8
    assert (everything.level == "pbe0-d3").sum() >= 4
    assert set(everything[everything.level == "pbe0-d3"].structure_id) <= set(
        everything[everything.level == "pbe-d3"].structure_id
    )
    pairs = [pair for selection in selections for pair in _climbed(selection).items()]
    assert len(pairs) == len(set(pairs)) == 12
    assert (selections[0].level == "pbe0-d3").sum() == 3


def test_the_smallest_campaign_has_eight_structures_and_four_at_the_top(world):
    _, points = _rounds(world, _plan(batch=4), 2)
    made = merge_points(points).level.value_counts()
    assert made["pbe-d3"] == 8
    assert made["pbe0-d3"] >= 4


def test_all_structures_in_the_window_are_chosen_round_after_round_the_lowest_first(world):
    table = world[0]
    selections, points = _rounds(world, _plan(strategy="all", batch=10, max_atoms=16), 3)
    small = table[table.duplicate_of.isna() & (table.atoms_in_reduced_cell <= 16)]
    lowest_first = small.sort_values("lattice_energy_kJ_per_mol").structure_id
    chosen = [name for selection in selections for name in _climbed(selection)]
    assert chosen == list(lowest_first)
    assert set(merge_points(points).level.value_counts()) == {len(small)}
    assert "structure that may be computed" in selections[2].reason.tolist()[-1]


@pytest.mark.parametrize("strategy", ["random", "lowest_energy", "farthest_points"])
def test_simple_strategies_fill_their_slots_and_share_the_highest_level(world, strategy):
    selections, _ = _rounds(world, _plan(strategy=strategy), 2)
    for selection in selections:
        assert selection.structure_id.is_unique
        assert selection.level.value_counts().to_dict() == {"pbe-d3": 3, "pbe0-d3": 3}


def test_a_known_structure_climbs_when_nothing_new_is_left(world):
    table, vectors, energies = world
    points = [landscapes.points(table, energies, dict.fromkeys(table.structure_id[:24], "pbe-d3"))]
    selection = select(1, landscapes.tables(table, vectors, points), _plan())
    assert _climbed(selection)
    assert set(_climbed(selection).values()) == {"pbe0-d3"}
    assert selection.structure_id.notna().all()


def test_selection_is_deterministic_and_blind_to_known_forms(world):
    table, vectors, energies = world
    named = table.copy()
    named["known_form"] = "alpha"
    plain, _ = _rounds(world, _plan(), 2)
    marked, _ = _rounds((named, vectors, energies), _plan(), 2)
    for here, there in zip(plain, marked, strict=True):
        pd.testing.assert_frame_equal(here, there)


def test_a_structure_that_failed_is_not_tried_again(world):
    table = world[0]
    first = select(0, landscapes.tables(*world[:2]), _plan())
    name = first.structure_id[0]
    selections, points = _rounds(world, _plan(), 3, failed=[(name, "pbe-d3")])
    assert name not in set(selections[1].structure_id) | set(selections[2].structure_id)
    posterior = learn(landscapes.tables(table, world[1], points), PLAN)
    assert not posterior[(posterior.structure_id == name) & (posterior.level != "ff")].computed.any()


@pytest.mark.parametrize(("max_atoms", "reason"), [(4, "at most max_atoms = 4 atoms"), (200, "has been")])
def test_empty_slots_say_why(world, max_atoms, reason):
    table, vectors, energies = world
    everything = landscapes.points(table, energies, dict.fromkeys(table.structure_id[:24], "pbe0-d3"))
    points = [everything] if max_atoms == 200 else []
    selection = select(1, landscapes.tables(table, vectors, points), _plan(max_atoms=max_atoms))
    assert selection.structure_id.isna().all()
    assert len(selection) == 6
    assert selection.reason.str.contains(reason).all()


def test_a_settled_ranking_needs_no_more_slots(world):
    """All but the highest structures computed at the highest level: nothing left to learn about the lowest
    five.
    """
    table, vectors, energies = world
    clear = {key: 10.0 * value for key, value in energies.items()}
    base = np.mean(list(clear.values()))
    clear = {key: value - base - 100.0 for key, value in clear.items()}
    ordered = sorted(table.structure_id[:24], key=lambda name: clear[name, "pbe0-d3"])
    points = landscapes.points(table, clear, dict.fromkeys(ordered[:20], "pbe0-d3"))
    stretched = table.copy()
    stretched["lattice_energy_kJ_per_mol"] = [
        clear.get((name, "pbe0-d3"), clear[ordered[-1], "pbe0-d3"]) for name in table.structure_id
    ]
    selection = select(1, landscapes.tables(stretched, vectors, [points]), _plan())
    assert selection.reason.str.startswith("settled").all()


def test_posterior_has_every_structure_at_every_level(world, tmp_path):
    table, vectors, energies = world
    _, points = _rounds(world, _plan(), 1)
    tables = landscapes.tables(table, vectors, points)
    posterior = learn(tables, PLAN)
    POSTERIOR.write(posterior, tmp_path / "posterior.parquet")
    assert len(posterior) == 24 * 3
    force_field = posterior[posterior.level == "ff"].set_index("structure_id")
    np.testing.assert_allclose(
        force_field["mean_kJ_per_mol"],
        table.set_index("structure_id").lattice_energy_kJ_per_mol[force_field.index],
    )
    assert (force_field.sd_kJ_per_mol == 0).all()
    for row in posterior[posterior.computed & (posterior.level != "ff")].to_dict("records"):
        # three times the numerical noise of a point
        assert row["mean_kJ_per_mol"] == pytest.approx(energies[row["structure_id"], row["level"]], abs=0.6)


def test_ranking_is_complete_ordered_and_reproducible(world, tmp_path):
    _, points = _rounds(world, _plan(), 2)
    ranking, calibration = _rank(world, points)
    RANKING.write(ranking, tmp_path / "ranking.parquet")
    CALIBRATION.write(calibration, tmp_path / "calibration.parquet")
    assert ranking["rank"].tolist() == list(range(1, 25))
    assert ranking.lattice_energy_kJ_per_mol.is_monotonic_increasing
    assert ranking.p_rank_1.sum() == pytest.approx(1.0)
    assert ranking.p_lowest_5.sum() == pytest.approx(5.0)
    assert ((ranking.rank_low <= ranking["rank"]) & (ranking["rank"] <= ranking.rank_high)).all()
    assert [level["level"] for level in ranking.levels[0]] == ["ff", "pbe-d3", "pbe0-d3"]
    for index in range(3):
        assert sorted(levels[index]["rank"] for levels in ranking.levels) == list(range(1, 25))
    assert sorted(calibration.level.unique()) == ["pbe-d3", "pbe0-d3"]
    assert sorted(calibration.method.unique()) == ["k_fold", "leave_one_out"]
    assert set(calibration.descriptor) == {"soap+terms"}
    assert ranking.p_lowest_10.sum() == pytest.approx(10.0)
    again, _ = _rank(world, points)
    pd.testing.assert_frame_equal(ranking, again)


def test_every_structure_has_its_probability_of_lying_below_the_known_forms(world):
    table, vectors, energies = world
    named = table.copy()
    named.loc[3, "known_form"] = "beta"
    points = [landscapes.points(table, energies, dict.fromkeys(table.structure_id[:6], "pbe0-d3"))]
    ranking, _ = _rank((named, vectors, energies), points)
    below = {row.structure_id: row.p_below_known_forms for row in ranking.itertuples()}
    form = named.structure_id[3]
    assert [entry["known_form"] for entry in below[form]] == ["beta"]
    assert below[form][0]["probability"] == 0.0
    place = list(ranking.structure_id).index(form)
    assert all(below[name][0]["probability"] > 0.5 for name in ranking.structure_id[: max(place - 3, 0)])
    assert all(below[name][0]["probability"] < 0.5 for name in ranking.structure_id[place + 3 :])


def test_two_points_rank_without_calibration(world):
    table, _, energies = world
    points = [landscapes.points(table, energies, dict.fromkeys(table.structure_id[:2], "pbe0-d3"))]
    ranking, calibration = _rank(world, points)
    assert len(ranking) == 24
    assert calibration.empty


def test_a_landscape_of_one_structure_and_of_none(world):
    table = landscapes.landscape(1).iloc[:1].reset_index(drop=True)
    vectors = landscapes.features_of(table)
    ranking, _ = _rank((table, vectors, {}), [])
    assert ranking.p_rank_1.tolist() == [1.0]
    selection = select(0, landscapes.tables(table, vectors), _plan())
    assert selection.structure_id.notna().sum() == 1
    nothing = table.iloc[:0]
    assert landscapes.features_of(nothing).empty


def test_a_computed_level_shows_the_computed_energy_and_differences_have_their_own_sd(world):
    energies = world[2]
    _, points = _rounds(world, _plan(), 2)
    ranking, _ = _rank(world, points)
    noise = SETTINGS.learning.min_noise_kJ_per_mol
    for index, level in enumerate(("pbe-d3", "pbe0-d3"), start=1):
        shown = {row.structure_id: row.levels[index] for row in ranking.itertuples()}
        first = next(energy for energy in shown.values() if energy["rank"] == 1)
        assert (first["relative_energy_kJ_per_mol"], first["sd_relative_kJ_per_mol"]) == (0.0, 0.0)
        for name, energy in shown.items():
            difference = energy["lattice_energy_kJ_per_mol"] - first["lattice_energy_kJ_per_mol"]
            assert energy["relative_energy_kJ_per_mol"] == pytest.approx(difference)
            if energy["computed"]:
                # rounding of a total energy of thousands of eV
                assert energy["lattice_energy_kJ_per_mol"] == pytest.approx(energies[name, level], abs=1e-6)
                assert energy["sd_kJ_per_mol"] == pytest.approx(noise)
            if energy["computed"] and first["computed"] and energy is not first:
                assert energy["sd_relative_kJ_per_mol"] == pytest.approx(noise * np.sqrt(2))
    top = ranking.levels.str[-1]
    predicted = ~top.str["computed"].astype(bool)
    np.testing.assert_allclose(
        top[predicted].str["sd_relative_kJ_per_mol"].astype(float),
        ranking.sd_relative_kJ_per_mol[predicted],
        atol=1e-6,
    )


def test_an_offset_common_to_a_level_is_in_the_sd_and_not_in_the_relative_one(world):
    """One point says little about the offset between the levels, which no difference contains."""
    table, vectors, energies = world
    points = [landscapes.points(table, energies, {table.structure_id[0]: "pbe-d3"})]
    posterior = learn(landscapes.tables(table, vectors, points), PLAN)
    top = posterior[posterior.level == "pbe0-d3"]
    assert top.sd_kJ_per_mol.min() > 25.0
    assert top.sd_relative_kJ_per_mol.max() < 25.0
