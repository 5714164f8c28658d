"""The landscape as a table: window, hits, order, known forms."""

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from polyscape.crystal.packing import Packing
from polyscape.crystal.reduction import reduce_packing
from polyscape.schemas import KNOWN_FORMS, LANDSCAPE
from polyscape.settings.search import LandscapeSettings
from polyscape.stages.landscape import make_landscape
from polyscape.stages.rows import reduced_values
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


def form_table(name, packing):
    """A known form that is exactly a packing; it has no force-field minimum."""
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
    }
    return KNOWN_FORMS.from_rows([row | reduced_values(reduced.atoms, 4)])


def test_known_form_is_found_or_missed(capsys):
    a, b, c, *angles = builders.oxalic_packing().cell
    near = Packing("-P 2ybc", (1.02 * a, b, 0.99 * c, *angles), builders.oxalic_packing().poses)
    frame = landscape(rows(), form_table("known", near))
    found = frame[frame.known_form.notna()]
    assert list(found.structure_id) == ["014-0000002"]
    assert 0.01 < found.known_form_rmsd_A.iloc[0] < 0.5
    assert found.known_form_molecules.iloc[0] == 15
    assert "rank 2" in capsys.readouterr().err
    missing = landscape(
        [row for row in rows() if row["trial_id"].startswith("019")], form_table("known", near)
    )
    assert missing.known_form.isna().all()
    assert "known form known: not found" in capsys.readouterr().err
