"""Average minimum distances: known lattices, and what must not change them."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import make_supercell

from polyscape.crystal.invariants import average_minimum_distances
from tests import builders


def test_simple_cubic_lattice():
    amd_k = average_minimum_distances(Atoms("H", cell=np.eye(3) * 2.0, pbc=True), 26)
    shells = np.concatenate([[1.0] * 6, [np.sqrt(2)] * 12, [np.sqrt(3)] * 8])
    np.testing.assert_allclose(amd_k, 2.0 * shells, atol=1e-8)  # rounded to 1e-8


def test_needle_shaped_cell_sees_all_its_images():
    flat = Atoms("H", cell=[1.0, 30.0, 30.0], pbc=True)
    np.testing.assert_allclose(average_minimum_distances(flat, 10), [1, 1, 2, 2, 3, 3, 4, 4, 5, 5], atol=1e-8)


@pytest.mark.parametrize("matrix", [np.diag([2, 1, 3]), [[1, 1, 0], [0, 1, 0], [0, -1, 1]]])
def test_cell_origin_and_handedness_do_not_matter(matrix):
    atoms = builders.oxalic_packing().to_atoms(builders.conformers())
    expected = average_minimum_distances(atoms)
    other = make_supercell(atoms, matrix)
    other.rotate(33, (1, 2, 3), rotate_cell=True)
    other.translate((0.3, -4.0, 1.7))
    np.testing.assert_allclose(average_minimum_distances(other), expected, atol=2e-8)  # two roundings
    other.set_cell(-np.asarray(other.cell), scale_atoms=True)
    np.testing.assert_allclose(average_minimum_distances(other), expected, atol=2e-8)


def test_a_moved_molecule_changes_them():
    atoms = builders.oxalic_packing().to_atoms(builders.conformers())
    moved = atoms.copy()
    moved.positions[:8] += (0.1, 0, 0)
    assert np.abs(average_minimum_distances(atoms) - average_minimum_distances(moved)).max() > 1e-3
