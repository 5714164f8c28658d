import itertools

import numpy as np
import pytest

from polyscape.energy.images import lattice_points, triangular_frame

CELLS = {
    "ordinary": [[5.0, 0.0, 0.0], [1.0, 6.0, 0.0], [-2.0, 1.5, 7.0]],
    "skewed": [[7.0, 0.0, 0.0], [9.0, 4.0, 0.0], [-8.0, 5.0, 5.0]],
    "left-handed": [[0.0, 4.0, 0.0], [5.0, 0.0, 1.0], [0.3, 0.0, 6.0]],
}


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("skip_origin", [True, False])
def test_points_are_those_of_a_search_over_a_large_box(name, skip_origin):
    cell_cv = np.array(CELLS[name])
    offset_v, radius = np.array([0.3, -4.0, 13.0]), 9.0
    box = np.array(list(itertools.product(range(-25, 26), repeat=3)))
    slow_nv = offset_v + box @ cell_cv
    keep = np.linalg.norm(slow_nv, axis=1) < radius
    if skip_origin:
        keep &= np.any(box != 0, axis=1)
    out_nv = np.empty((5000, 3))
    count = lattice_points(offset_v, radius, triangular_frame(cell_cv), out_nv, 0, skip_origin)
    assert count == keep.sum() > 10
    key = np.lexsort(np.round(out_nv[:count], 6).T)
    slow_key = np.lexsort(np.round(slow_nv[keep], 6).T)
    np.testing.assert_allclose(out_nv[:count][key], slow_nv[keep][slow_key], atol=1e-12)


def test_too_many_points_are_given_up():
    out_nv = np.empty((10, 3))
    assert lattice_points(np.zeros(3), 9.0, triangular_frame(np.eye(3)), out_nv, 0, False) == -1
