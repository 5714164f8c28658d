"""Pointwise distances against slow sums, and their distance against linear programming."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import make_supercell
from scipy.optimize import linprog

from polyscape.crystal import pointwise
from polyscape.crystal.invariants import average_minimum_distances
from polyscape.crystal.pointwise import PointwiseDistances, pdd_distance_A, same_hand
from tests import builders
from tests.unit.search.crystals import other_packing

CONFORMERS = builders.conformers()
SINGLE = 2e-6
"""Distances of 10 A in single precision."""


def pdd(numbers, weights, distance_rk):
    return PointwiseDistances(
        np.array(numbers), np.array(weights), np.array(distance_rk, np.float32), np.zeros(len(numbers))
    )


def test_shells_of_the_simple_cubic_lattice():
    """6 neighbours at a, 12 at sqrt(2) a, 8 at sqrt(3) a."""
    found = pointwise.of_atoms(Atoms("He", cell=[2.0] * 3, pbc=True), 26)
    shells = np.repeat([2.0, 2 * np.sqrt(2), 2 * np.sqrt(3)], [6, 12, 8])
    assert found.distance_rk[0] == pytest.approx(shells, abs=SINGLE)


def test_sheared_thin_cells():
    """All images within reach are counted, however long the cell vectors."""
    atoms = Atoms(
        "HeNe", [[0, 0, 0], [0.3, 0.4, 0.9]], cell=[[1.5, 0, 0], [6.1, 2.0, 0], [0.4, 7.7, 9.0]], pbc=True
    )
    wanted = average_minimum_distances(atoms)  # a KD-tree
    assert pointwise.of_atoms(atoms).amd_k == pytest.approx(wanted, abs=SINGLE)


@pytest.mark.parametrize("name", builders.special_packings())
def test_independent_atoms_stand_for_all(name):
    """Weights count the molecules of special positions once."""
    packing, rigid = builders.special_packings()[name], builders.multipole_conformers()
    atoms = packing.to_atoms(rigid)
    independent, every = pointwise.of_packing(packing, rigid), pointwise.of_atoms(atoms)
    assert pdd_distance_A(independent, every) < SINGLE
    assert independent.amd_k == pytest.approx(average_minimum_distances(atoms), abs=SINGLE)


def test_distance_is_that_of_the_transport_problem():
    """The same by linear programming, with unequal weights."""
    rng = np.random.default_rng(2)
    one = pdd([6, 6, 6], [1, 2, 3], rng.uniform(1, 4, (3, 5)))
    other = pdd([6, 6, 6, 6], [4, 1, 1, 2], rng.uniform(1, 4, (4, 5)))
    cost = np.abs(one.distance_rk[:, None] - other.distance_rk[None]).max(axis=2)
    rows = np.kron(np.eye(3), np.ones(4))
    columns = np.kron(np.ones(3), np.eye(4))
    shares = np.concatenate([one.weight_r / 6, other.weight_r / 8])
    solved = linprog(cost.ravel(), A_eq=np.vstack([rows, columns]), b_eq=shares)
    assert pdd_distance_A(one, other) == pytest.approx(solved.fun, rel=1e-6)  # HiGHS to 1e-7


def test_elements_are_not_exchanged():
    one = pdd([6, 8], [1, 1], [[1.0, 2.0], [3.0, 4.0]])
    other = pdd([8, 6], [1, 1], [[1.0, 2.0], [3.0, 4.0]])
    assert pdd_distance_A(one, other) == pytest.approx(2.0)
    assert pdd_distance_A(one, pdd([6, 6], [1, 1], [[1.0, 2.0], [3.0, 4.0]])) == float("inf")


def test_cell_and_setting_change_nothing():
    atoms = other_packing().to_atoms(CONFORMERS)
    other = make_supercell(atoms, [[1, 1, 0], [0, 1, 0], [0, 0, 2]])
    other.rotate(71, (1, 2, 3), rotate_cell=True)
    one, two = pointwise.of_atoms(atoms), pointwise.of_atoms(other)
    assert pdd_distance_A(one, two) < SINGLE
    assert one.hand_e == pytest.approx(two.hand_e, abs=1e-6)  # neighbours at the edge of the sphere
    assert same_hand(one, two)


def test_inversion_changes_the_hand_and_no_distance():
    atoms = other_packing().to_atoms(CONFORMERS)
    image = atoms.copy()
    image.set_cell(-np.asarray(atoms.cell), scale_atoms=True)
    one, two = pointwise.of_atoms(atoms), pointwise.of_atoms(image)
    assert pdd_distance_A(one, two) < SINGLE
    assert one.hand_e == pytest.approx(-two.hand_e, abs=1e-9)
    assert np.abs(one.hand_e).max() > 0.1
    assert same_hand(one, two) is False
    centric = pointwise.of_atoms(builders.oxalic_packing().to_atoms(CONFORMERS))
    assert same_hand(centric, centric) is None
