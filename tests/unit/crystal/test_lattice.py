"""Random lattices fit their space group in any setting."""

import numpy as np
import pytest

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.lattice import draw_lattice, tied_axes
from polyscape.crystal.packing import Packing

SETTINGS = ["P 1", "P 1 1 21/b", "I2/a", "Fdd2", "I41/a", "R 3 :H", "R -3 c :R", "P 61 2 2", "Pa-3", "C -1"]


@pytest.mark.parametrize("name", SETTINGS)
def test_drawn_lattice_is_invariant_and_has_the_volume(name):
    group = SpaceGroup.find(name)
    for point in np.random.default_rng(3).random((20, 5)):
        packing = Packing(group.hall_symbol, draw_lattice(point, group, 800.0, 3.4), ())
        metric_cc = packing.cell_cv @ packing.cell_cv.T
        for rotation_cc, _ in group.operations:
            # degrees and back cost eight digits of the metric
            np.testing.assert_allclose(rotation_cc.T @ metric_cc @ rotation_cc, metric_cc, atol=1e-9 * 800)
        assert packing.volume_A3 == pytest.approx(800.0, rel=1e-9)


def test_tied_axes():
    assert tied_axes(SpaceGroup.find("P 1 21/c 1")) == [[0], [1], [2]]
    assert tied_axes(SpaceGroup.find("P 61 2 2")) == [[0, 1], [2]]
    assert tied_axes(SpaceGroup.find("Pa-3")) == [[0, 1, 2]]


def test_shapes_reach_from_cubes_to_plates():
    group = SpaceGroup.find("P212121")
    cells = [
        draw_lattice(point, group, 400.0, 3.4)[:3] for point in np.random.default_rng(1).random((300, 5))
    ]
    ratio = np.array([max(cell) / min(cell) for cell in cells])
    assert ratio.min() < 1.3
    assert ratio.max() > 4
    assert np.min(cells) >= 3.4 - 1e-9
