"""The stage `features` sees a crystal, not how it is written: its own sums, from packing to table."""

import numpy as np
import pandas as pd
import pytest

from polyscape.energy.model import build_model
from polyscape.stages.features import features
from polyscape.stages.rows import packing_values, reduced_values
from tests.builders import conformers, oxalic_packing
from tests.physics.test_multipole_invariance import in_p1
from tests.unit.learn import landscapes

SETTINGS = landscapes.settings(features={"descriptor": "auto"})


def _landscape(packings, model):
    """A table `landscape` of packings with the force field's own terms."""
    table = landscapes.landscape(len(packings))
    rows = []
    for row, (packing, molecules) in zip(table.to_dict("records"), packings, strict=False):
        terms, _ = model.evaluate(packing)
        energies = {
            f"{name}_kJ_per_mol": getattr(terms, name)
            for name in ("electrostatic", "repulsion", "dispersion")
        }
        written = packing_values(packing, 1, "search")
        rows.append(row | written | reduced_values(packing.to_atoms(conformers()), molecules) | energies)
    return pd.DataFrame(rows)


@pytest.mark.parametrize("basis", [np.eye(3, dtype=int), np.diag([2, 1, 1])], ids=["P1", "doubled cell"])
def test_a_crystal_and_its_rewriting_have_the_same_features(basis):
    packing, cells = oxalic_packing(), round(np.linalg.det(basis))
    other = landscapes.packing(np.random.default_rng(1), "-P 2ybc", 4)
    model = build_model(conformers(), SETTINGS.energy)
    written = [(packing, 4), (in_p1(packing, basis), 4 * cells), (other, 4)]
    found = features(_landscape(written, model), model, SETTINGS.features)
    assert set(found.block) == {"soap", "acsf", "amd", "terms", "pairs", "linear"}
    for block, rows in found.groupby("block"):
        first, rewritten, unlike = np.stack(rows.features)
        np.testing.assert_allclose(rewritten, first, atol=1e-5, err_msg=block)
        assert np.abs(unlike - first).max() > 0.1, block
