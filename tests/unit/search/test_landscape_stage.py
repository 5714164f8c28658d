"""The landscape as a table: window, hits, order, known forms."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyscape.crystal.asymmetric import inverted, placed
from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Packing, Pose
from polyscape.crystal.reduction import reduce_packing
from polyscape.crystal.sites import cartesian
from polyscape.ids import known_form_id
from polyscape.schemas import KNOWN_FORMS, LANDSCAPE
from polyscape.search.hands import telling_hands
from polyscape.settings.search import LandscapeSettings
from polyscape.stages.completeness import make_completeness
from polyscape.stages.known_forms import with_known_forms
from polyscape.stages.landscape import make_landscape
from polyscape.stages.landscape_words import findings
from polyscape.stages.rows import formula_units_of, packing_values, reduced_values
from tests import builders
from tests.unit.search.crystals import minima_table, minimum_row, molecule_tables, no_forms, other_packing

MOLECULE, CONFORMERS = molecule_tables(builders.oxalic_acid())
SETTINGS = LandscapeSettings()


def rows():
    packing = builders.oxalic_packing()
    a, b, c, *angles = packing.cell
    third = Packing(packing.hall_symbol, (1.2 * a, 0.9 * b, c, *angles), packing.poses)
    return [
        minimum_row("014-0000007", packing, -90.0),
        minimum_row("014-0000002", packing, -90.01),
        minimum_row("004-0000011", packing, -89.99),
        minimum_row("019-0000001", other_packing(), -95.0),
        minimum_row("014-0000003", third, -80.0),
        minimum_row("014-0000004", third, -60.0),
        minimum_row("014-0000005", third, None, status="step_limit"),
    ]


def landscape(chosen, forms=None, cores=1):
    return make_landscape(
        MOLECULE, CONFORMERS, no_forms() if forms is None else forms, minima_table(chosen), SETTINGS, cores
    )


def said_of(frame, chosen, *forms):
    return "\n".join(findings(frame, minima_table(chosen), forms))


def test_under_pressure_enthalpy_orders_and_bounds_the_window():
    table = rows()
    table[3]["pressure_volume_kJ_per_mol"] = 40.0  # the lowest energy, the most roomy crystal
    table[4]["pressure_volume_kJ_per_mol"] = -5.0
    frame = landscape(table)
    assert list(frame.structure_id) == ["014-0000002", "014-0000007", "004-0000011", "014-0000003"]
    assert list(frame.lattice_energy_kJ_per_mol) == [-90.01, -90.0, -89.99, -80.0]
    assert frame.relative_energy_kJ_per_mol.iloc[-1] == pytest.approx(90.01 - 85.0)


def test_window_hits_and_representatives():
    frame = landscape(rows())
    assert list(frame.structure_id) == [
        "019-0000001",
        "014-0000002",
        "014-0000007",
        "004-0000011",
        "014-0000003",
    ]
    assert list(frame.hits) == [1, 3, 0, 0, 1]
    assert frame.hits.sum() == len(frame)
    assert list(frame.duplicate_of.fillna("")) == ["", "", "014-0000002", "014-0000002", ""]
    assert frame.relative_energy_kJ_per_mol.iloc[0] == 0.0
    representative = frame.iloc[1]
    assert (representative.symmetry_found, representative.z_prime_found) == ("P2_1/c", 1.0)
    assert representative.formula_units == 4


def test_imported_crystals_are_no_hits():
    """A structure that trials and an import led to, and one that was imported only."""
    imported = [
        minimum_row("019-0000001", other_packing(), -95.0) | {"trial_id": "import-theirs-0000000"},
        minimum_row("014-0000002", builders.oxalic_packing(), -90.0) | {"trial_id": "import-theirs-0000001"},
    ]
    own = [row for row in rows() if not row["trial_id"].startswith("019")]
    frame = landscape(own + [row | {"origin": "import:theirs"} for row in imported])
    distinct = frame[frame.duplicate_of.isna()]
    assert dict(zip(distinct.structure_id, distinct.hits, strict=True)) == {
        "import-theirs-0000000": 0,
        "014-0000002": 3,
        "014-0000003": 1,
    }
    together = make_completeness(frame, minima_table(own)).iloc[-1]
    assert (together.hits, together.distinct, together.found_once) == (4, 2, 1)


def test_the_highest_symmetry_of_a_crystal_is_reported():
    """Found first a little off the inversion centre, then on it."""
    cell = (5.7, 7.6, 6.2, 90.0, 104.0, 90.0)
    turn = (0.9, 0.3, -0.2, np.sqrt(1 - 0.94))
    special = Packing("-P 2ybc", cell, (Pose(0, "ttt", "-1", (0.0, 0.5, 0.0), turn),))
    shifted = Packing("P 1", cell, (Pose(0, "ttt", "1", (0.01, 0.5, 0.0), turn), images(special)[1]))
    chosen = [
        minimum_row("001-0000001", shifted, -90.0, images=2),
        minimum_row("014-0000002", special, -90.0, images=2),
    ]
    alone, both = landscape(chosen[:1]), landscape(chosen)
    assert (alone.symmetry_found[0], alone.z_prime_found[0]) == ("P2_1", 1.0)
    assert list(both.duplicate_of.fillna("")) == ["", "001-0000001"]
    assert (both.structure_id[0], both.symmetry_found[0], both.z_prime_found[0]) == (
        "001-0000001",
        "P2_1/c",
        0.5,
    )


def images(packing):
    """All molecules of a cell of Z' = 1/2, in P1."""
    (pose,), group = packing.poses, SpaceGroup.from_hall(packing.hall_symbol)
    kept = packing.molecules(builders.conformers())[0]
    return [
        replace(
            placed(
                pose,
                cartesian(group.operations[n][0], packing.cell_cv),
                group.operations[n][0] @ np.array(pose.translation_c) + group.operations[n][1],
            ),
            site_symmetry="1",
        )
        for n in kept
    ]


@settings(max_examples=8, deadline=None)
@given(st.permutations(range(7)))
def test_order_of_the_input_does_not_matter(order):
    chosen = rows()
    pd.testing.assert_frame_equal(landscape([chosen[i] for i in order]), landscape(chosen))


def test_bytes_do_not_depend_on_cores(tmp_path):
    LANDSCAPE.write(landscape(rows()), tmp_path / "one")
    LANDSCAPE.write(landscape(rows(), cores=2), tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_longer_search_renames_nothing():
    longer = [*rows(), minimum_row("014-0000500", builders.oxalic_packing(), -90.2)]
    assert set(landscape(rows()).dropna(subset="amd_A").structure_id) == set(
        landscape(longer).dropna(subset="amd_A").structure_id
    )


def form_table(name, packing, minimum=None, energy=-70.0):
    """A known form that is exactly a packing; its force-field minimum is another, or failed."""
    reduced = reduce_packing(packing, builders.conformers())
    density = 1.66053906660 * reduced.molecules * builders.oxalic_acid().mass_amu / reduced.atoms.get_volume()
    row = {
        "form": name,
        "source": "x.cif",
        "space_group": 14,
        "z": 4,
        "z_prime": 1.0,
        "conformers": "ttt",
        "conformer_rmsd_A": 0.0,
        "conformer_searched": True,
        "density_g_per_cm3": density,
        "status": "step_limit",
        "steps": 0,
        "evaluations": 0,
    }
    if minimum is not None:
        ended = minimum_row("014-0000000", minimum, energy)
        geometry = {
            f"minimised_{key}": ended[key] for key in (*packing_values(minimum, 14, ""), "density_g_per_cm3")
        }
        del geometry["minimised_origin"]
        row |= geometry | {key: ended[key] for key in ended.keys() & {c.name for c in KNOWN_FORMS.columns}}
        row["space_group"] = 14
        row["density_g_per_cm3"] = density
    return KNOWN_FORMS.from_rows([row | reduced_values(reduced.atoms, 4)])


def matches(frame):
    """The matches of all structures, by structure and form."""
    listed = frame.dropna(subset="known_forms")
    return {
        (structure, match["form"]): match
        for structure, row in zip(listed.structure_id, listed.known_forms, strict=True)
        for match in row
    }


def test_known_form_is_found_or_missed():
    a, b, c, *angles = builders.oxalic_packing().cell
    near = Packing("-P 2ybc", (1.02 * a, b, 0.99 * c, *angles), builders.oxalic_packing().poses)
    frame = landscape(rows(), form_table("known", near))
    found = frame[frame.known_form.notna()]
    assert list(found.structure_id) == ["014-0000002"]
    assert list(matches(frame)) == [("014-0000002", "known")]
    match = matches(frame)["014-0000002", "known"]
    assert match["found"]
    assert 0.01 < match["rmsd_A"] < 0.5
    assert match["molecules"] == 15
    assert match["minimised_rmsd_A"] is None
    assert "found as 014-0000002, rank 2" in said_of(frame, rows(), "known")
    others = [row for row in rows() if row["trial_id"].startswith("019")]
    missing = landscape(others, form_table("known", near))
    assert missing.known_form.isna().all()
    assert "known form known: not found" in said_of(missing, others, "known")


def test_a_form_that_the_search_missed_is_ranked_by_its_own_minimum():
    packing = builders.oxalic_packing()
    forms = form_table("known", packing, packing, energy=-89.0)
    missing = [row for row in rows() if row["trial_id"].startswith("019")]
    frame = make_landscape(
        MOLECULE, CONFORMERS, forms, with_known_forms(minima_table(missing), forms), SETTINGS, 1
    )
    assert list(frame.structure_id) == ["019-0000001", known_form_id("known")]
    own = frame.iloc[1]
    assert (own.origin, own.known_form, own.hits) == ("known_form", "known", 0)
    assert own.relative_energy_kJ_per_mol == pytest.approx(6.0)
    assert matches(frame)[known_form_id("known"), "known"]["powder_similarity"] == pytest.approx(1.0)
    said = said_of(frame, missing, "known")
    assert "1 minimisations, 1 converged, 2 in the window, 2 distinct" in said
    assert "missed by the search; its own minimum is known_form-known, rank 2" in said


def test_the_own_minimum_of_a_form_that_was_found_is_a_duplicate():
    packing = builders.oxalic_packing()
    forms = form_table("known", packing, packing, energy=-90.0)
    frame = make_landscape(
        MOLECULE, CONFORMERS, forms, with_known_forms(minima_table(rows()), forms), SETTINGS, 1
    )
    own = frame[frame.origin == "known_form"].iloc[0]
    assert own.duplicate_of == "014-0000002"
    found = frame[frame.known_form.notna()]
    assert list(found.structure_id) == ["014-0000002"]
    assert list(found.hits) == [3]  # trials only
    assert "missed" not in said_of(frame, rows(), "known")


def test_a_form_outside_the_window_is_kept():
    packing = builders.oxalic_packing()
    forms = form_table("known", packing, packing, energy=-50.0)
    missing = [row for row in rows() if row["trial_id"].startswith("019")]
    frame = make_landscape(
        MOLECULE, CONFORMERS, forms, with_known_forms(minima_table(missing), forms), SETTINGS, 1
    )
    assert known_form_id("known") in set(frame.structure_id)


def test_a_form_that_collapses_under_the_force_field_is_not_found():
    """Its minimum is another packing of the landscape, which is not the published crystal."""
    others = [row for row in rows() if row["trial_id"].startswith("019")]
    frame = landscape(others, form_table("known", builders.oxalic_packing(), other_packing()))
    assert frame.known_form.isna().all()
    match = matches(frame)["019-0000001", "known"]
    assert not match["found"]
    assert match["minimised_rmsd_A"] < 0.01  # the same packing but for rounding
    assert match["molecules"] < 15
    said = said_of(frame, others, "known")
    assert "known form known: not found by the search; its force-field minimum is 019-0000001, rank 1" in said
    assert "not counted as found" in said


def test_the_forms_own_minimum_is_preferred_among_structures_near_it():
    a, b, c, *angles = builders.oxalic_packing().cell
    one, other = (
        Packing("-P 2ybc", (f * a, b, c, *angles), builders.oxalic_packing().poses) for f in (1, 1.06)
    )
    chosen = [minimum_row("014-0000001", one, -90.0), minimum_row("014-0000002", other, -88.0)]
    frame = landscape(chosen, form_table("known", one, other))
    assert list(frame.known_form.fillna("")) == ["", "known"]
    assert list(matches(frame)) == [("014-0000002", "known")]


def test_two_forms_may_be_one_structure():
    """One polymorph at two temperatures: each CIF keeps its own comparison."""
    a, b, c, *angles = builders.oxalic_packing().cell
    forms = pd.concat(
        [
            form_table(name, Packing("-P 2ybc", (factor * a, b, c, *angles), builders.oxalic_packing().poses))
            for name, factor in (("cold", 1.01), ("warm", 1.03))
        ]
    )
    frame = landscape(rows(), forms)
    assert list(frame.known_form.dropna()) == ["cold, warm"]
    found = matches(frame)
    assert found["014-0000002", "cold"]["rmsd_A"] < found["014-0000002", "warm"]["rmsd_A"]
    said = said_of(frame, rows(), "cold", "warm")
    assert "known form cold: found as 014-0000002" in said
    assert "known form warm: found as 014-0000002" in said


def test_two_forms_that_the_search_missed_may_be_one_structure():
    """The second one's minimum is a duplicate of the first one's, and both are marked there."""
    packing = builders.oxalic_packing()
    forms = pd.concat([form_table(name, packing, packing, energy=-89.0) for name in ("cold", "warm")])
    others = [row for row in rows() if row["trial_id"].startswith("019")]
    minima = with_known_forms(minima_table(others), forms)
    frame = make_landscape(MOLECULE, CONFORMERS, forms, minima, SETTINGS, 1)
    assert list(frame.known_form.dropna()) == ["cold, warm"]
    assert set(matches(frame)) == {(known_form_id("cold"), "cold"), (known_form_id("cold"), "warm")}
    said = said_of(frame, others, "cold", "warm")
    assert "known form warm: missed by the search; its own minimum is known_form-cold, rank 2" in said


def test_a_form_of_the_other_hand_is_found_in_an_enantiopure_search():
    """The published crystal may be of either enantiomer: its mirror image, of the same energy, is the one searched."""
    forms = form_table("known", inverted(other_packing()), inverted(other_packing()), energy=-95.0)
    own = minima_table([row for row in rows() if row["trial_id"].startswith("019")])
    frame = make_landscape(
        MOLECULE,
        CONFORMERS,
        forms,
        with_known_forms(own, forms, telling_hands(builders.conformers())),
        SETTINGS,
        1,
        chirality="enantiopure",
    )
    assert list(frame.duplicate_of.fillna("")) == ["", "019-0000001"]
    assert list(frame.known_form.dropna()) == ["known"]


def test_matches_survive_the_file(tmp_path):
    frame = landscape(rows(), form_table("known", builders.oxalic_packing()))
    LANDSCAPE.write(frame, tmp_path / "landscape.parquet")
    assert matches(LANDSCAPE.read(tmp_path / "landscape.parquet")) == matches(frame)


def test_molecules_that_are_no_whole_formula_units_are_refused():
    assert formula_units_of(4, builders.conformers()) == 4
    double = {key: replace(one, stoichiometry=2) for key, one in builders.conformers().items()}
    assert formula_units_of(4, double) == 2
    for molecules in (1, 3):
        with pytest.raises(ValueError, match="no whole number of formula units of 2 molecules"):
            formula_units_of(molecules, double)
