"""The cost model: what it must grow with."""

import numpy as np
import pytest
from ase import Atoms

from polyscape.levels.cost import predict, predict_climb, valence_electrons
from polyscape.settings.campaign import default_levels
from polyscape.settings.gpaw import GpawSettings
from polyscape.settings.levels import Level
from tests.builders import conformers, oxalic_packing


@pytest.fixture
def crystal():
    return oxalic_packing().to_atoms(conformers())


def test_the_ladder_costs_the_sum_of_its_levels(crystal):
    levels = default_levels()
    both = predict_climb(crystal, levels, levels[1].name)
    parts = [predict(crystal, levels, index) for index in range(2)]
    assert both.core_s == pytest.approx(sum(part.core_s for part in parts))
    assert both.memory_MB == max(part.memory_MB for part in parts)


def test_cost_grows_with_cell_cutoff_and_k_points(crystal):
    def cost(atoms, **settings):
        return predict(atoms, [Level(name="a", gpaw=GpawSettings(**settings))], 0).core_s

    assert cost(crystal.repeat((2, 1, 1))) > 1.5 * cost(crystal)
    assert cost(crystal, plane_wave_cutoff_eV=800.0) > cost(crystal)
    assert cost(crystal, k_spacing_per_A=0.3) > 2 * cost(crystal)


def test_a_molecule_has_one_k_point():
    box = Atoms("CO", [[5, 5, 5], [5, 5, 6.1]], cell=np.eye(3) * 10, pbc=False)
    periodic = box.copy()
    periodic.pbc = True
    assert predict(box, default_levels(), 1).core_s <= predict(periodic, default_levels(), 1).core_s


@pytest.mark.parametrize(
    ("number", "electrons"), [(1, 1), (2, 2), (6, 4), (8, 6), (10, 8), (17, 7), (35, 17)]
)
def test_valence_electrons(number, electrons):
    assert valence_electrons(number) == electrons
