"""The committed landscapes: read as they are, and continued from what they hold."""

import shutil

import numpy as np
import pandas as pd
import pytest

from polyscape.levels.store import Store
from polyscape.settings import load_settings
from tests.data.landscapes.compute import compute
from tests.data.landscapes.load import FOLDER, TABLES, read
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
