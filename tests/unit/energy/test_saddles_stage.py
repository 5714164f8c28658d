"""Saddles among the distinct structures: a true minimum takes their place, their duplicates follow."""

from dataclasses import replace

import numpy as np
import pytest

from polyscape.energy.rigid import build_minimiser
from polyscape.schemas import TRIALS
from polyscape.settings.search import EnergySettings, LandscapeSettings, MinimiserSettings
from polyscape.stages.landscape import make_landscape
from polyscape.stages.minimise import minimise_trials
from polyscape.stages.rows import conformers_of, packing_values
from polyscape.stages.saddles import below_saddles
from tests import builders
from tests.unit.search.crystals import molecule_tables, no_forms

TABLES = molecule_tables(builders.oxalic_acid())
SADDLE = ((0.4046, 0.1985, 0.0908), (0.2714, 0.4394, -0.7475, -0.4177))
"""A trial in P2_1/c that ends where the two molecules beside each other want to turn unlike."""


@pytest.fixture(scope="module")
def minima():
    """A saddle twice, and a minimum that is none."""
    start = builders.oxalic_packing()
    pose = replace(start.poses[0], translation_c=SADDLE[0], quaternion=SADDLE[1])
    saddle = replace(start, poses=(pose,))
    rows = [
        {"trial_id": f"014-000000{index}", "sobol_index": index, "volume_A3": 471.0, "expansion": 1.0}
        | packing_values(packing, 14, "search")
        | {"status": "ok"}
        for index, packing in enumerate([start, saddle, saddle])
    ]
    return minimise_trials(*TABLES, TRIALS.from_rows(rows), EnergySettings(), MinimiserSettings(), 1)


def landscape(minima):
    return make_landscape(*TABLES, no_forms(), minima, LandscapeSettings(), 1)


def lowered(minima, cores=1):
    rigid = conformers_of(*TABLES)
    minimiser = build_minimiser(rigid, EnergySettings(), MinimiserSettings())
    return below_saddles(landscape(minima), minima, rigid, minimiser, cores)


def test_a_saddle_and_its_duplicate_are_replaced_by_the_minimum_below(minima, capsys):
    below = lowered(minima)
    assert "2 distinct structures, 1 of them saddles" in capsys.readouterr().err
    assert list(below.trial_id) == list(minima.trial_id)
    assert below.iloc[0].lattice_energy_kJ_per_mol == minima.iloc[0].lattice_energy_kJ_per_mol
    for row in (1, 2):
        # measured -1.48: far more than the convergence of either
        assert below.lattice_energy_kJ_per_mol[row] < minima.lattice_energy_kJ_per_mol[row] - 1.0
        assert below.space_group[row] < 14
        assert len(below.poses[row]) == 2
    final = landscape(below)
    assert list(final.hits) == [1, 2, 0] or list(final.hits) == [2, 0, 1]
    assert lowered(below) is below  # what is left are minima


def test_cores_change_nothing(minima):
    one, two = lowered(minima, 1), lowered(minima, 2)
    np.testing.assert_array_equal(one.lattice_energy_kJ_per_mol, two.lattice_energy_kJ_per_mol)
