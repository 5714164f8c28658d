"""The committed landscapes: read as they are, and continued from what they hold."""

import shutil

import numpy as np
import pandas as pd
import pytest

from polyscape.levels.store import Store
from polyscape.settings import load_settings
from tests.benchmarks.learning_curve import described
from tests.benchmarks.peers import ours
from tests.data.landscapes.compute import compute
from tests.data.landscapes.load import FOLDER, TABLES, read, truth
from tests.data.landscapes.make import points_of

NAMES = sorted(path.parent.name for path in FOLDER.glob("*/config.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_points_of_a_landscape_are_known_to_a_new_store_and_not_computed_again(name, tmp_path):
    folder = tmp_path / name
    shutil.copytree(FOLDER / name, folder)
    store = Store(tmp_path / "store")
    compute(folder, store.folder, hours=0.0, processes=1)
    settings = load_settings(folder / "config.yaml")
    found = {table: read(TABLES[table], folder / f"{table}.parquet") for table in TABLES}
    again = points_of(found, settings, store)
    keys, energy = ["structure_id", "level"], "total_energy_eV"
    for table in ("molecules", "points"):
        before, after = (one[table].set_index(keys).sort_index() for one in (found, again))
        assert len(before) > 0
        pd.testing.assert_index_equal(before.index, after.index)
        np.testing.assert_allclose(before[energy], after[energy], rtol=0, atol=1e-6)
        assert (after.source == "store").all()


@pytest.mark.parametrize("name", NAMES)
def test_two_dozen_random_points_take_a_third_off_the_error_of_the_force_field(name):
    """PBE0-D3 energies of the smaller cells, relative to their mean; what was not computed, over four random choices."""
    settings = load_settings(FOLDER / name / "config.yaml")
    found = {table: read(TABLES[table], FOLDER / name / f"{table}.parquet") for table in TABLES}
    known = found["points"].structure_id[found["points"].level == settings.levels[-1].name]
    table = found["landscape"]
    found["landscape"] = table[table.structure_id.isin(known) & (table.atoms_in_reduced_cell <= 16)]
    whole = truth(found, settings)
    true_s = whole.value_ls[-1] + whole.added_ls[-1]
    before_s, learned, coverage = whole.energy_s - true_s, [], []
    for seed in range(4):
        unknown = np.random.default_rng(seed).permutation(len(true_s))[24:]
        value_ls = whole.value_ls.copy()
        value_ls[1:, unknown] = np.nan
        prediction = ours(described(value_ls, whole))
        error_s = prediction.mean_s + whole.added_ls[-1] - true_s
        error_s = (error_s - error_s.mean())[unknown]
        learned.append(np.abs(error_s).mean())
        coverage.append(np.mean(np.abs(error_s) < 1.96 * prediction.sd_s[unknown]))
    assert len(true_s) > 48
    assert np.mean(learned) < 0.67 * np.abs(before_s - before_s.mean()).mean()
    assert 0.88 < np.mean(coverage) <= 1.0
