"""Molecules cut out of cells of any shape."""

from dataclasses import replace

import numpy as np
import pytest

from polyscape.molecule.cut import whole_molecules
from tests.builders import conformers, oxalic_packing


@pytest.mark.parametrize("skew", [np.eye(3), [[1, 0, 0], [5, 1, 0], [-3, 7, 1]]], ids=["compact", "skew"])
def test_molecules_are_whole_in_cells_of_any_shape(skew):
    roomy = replace(oxalic_packing(), cell=(11.0, 10.0, 11.0, 90.0, 104.0, 90.0))
    atoms = roomy.to_atoms(conformers())
    cell_cv = np.asarray(skew) @ np.asarray(atoms.cell)
    fractional_ac = atoms.positions @ np.linalg.inv(cell_cv) % 1.0
    found = whole_molecules(atoms.numbers, fractional_ac, cell_cv)
    whole_av = conformers()[0, "ttt"].position_av
    largest = np.linalg.norm(whole_av[:, None] - whole_av, axis=2).max()
    assert len(found) == 4
    for numbers_a, position_av in found:
        assert sorted(numbers_a) == [1, 1, 6, 6, 8, 8, 8, 8]
        distance_aa = np.linalg.norm(position_av[:, None] - position_av, axis=2)
        assert distance_aa.max() == pytest.approx(largest, abs=1e-9)


def test_a_chain_through_the_crystal_is_no_molecule():
    with pytest.raises(ValueError, match="not a molecular crystal"):
        whole_molecules(np.array([6, 6]), np.array([[0.0, 0, 0], [0.5, 0, 0]]), np.diag([2.9, 9.0, 9.0]))
