"""Reduced cells: the finest lattice, whole molecules, the symmetry that is there."""

from dataclasses import replace

import numpy as np
import pytest
from ase.build import make_supercell

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.invariants import average_minimum_distances
from polyscape.crystal.packing import Packing, Pose
from polyscape.crystal.reduction import niggli_cell, primitive_lattice, reduce_atoms, reduce_packing
from tests import builders

CONFORMERS = builders.conformers()
SIZE = 8


def test_centred_lattices():
    for name in ("C2/c", "I41/a", "Fdd2", "R 3 :H"):
        operations = SpaceGroup.find(name).operations
        shifts = np.array([shift for rotation, shift in operations if np.array_equal(rotation, np.eye(3))])
        basis = primitive_lattice(shifts)
        assert abs(np.linalg.det(basis)) == pytest.approx(1 / len(shifts))
        multiples = shifts @ np.linalg.inv(basis)
        np.testing.assert_allclose(multiples, np.rint(multiples), atol=1e-9)


def test_general_packing_keeps_its_group():
    reduced = reduce_packing(builders.oxalic_packing(), CONFORMERS)
    assert (reduced.space_group, reduced.symbol, reduced.molecules, reduced.order) == (14, "P2_1/c", 4, 4)


def test_molecules_stay_whole_and_in_order():
    reduced = reduce_packing(builders.oxalic_packing(), CONFORMERS)
    molecule = builders.oxalic_acid()
    expected = np.linalg.norm(molecule.position_av[:, None] - molecule.position_av, axis=2)
    for first, last in zip(reduced.first_m[:-1], reduced.first_m[1:], strict=True):
        xyz = reduced.atoms.positions[first:last]
        np.testing.assert_allclose(np.linalg.norm(xyz[:, None] - xyz, axis=2), expected, atol=1e-9)
        np.testing.assert_array_equal(reduced.atoms.numbers[first:last], molecule.atomic_number_a)
        centre_c = reduced.atoms.get_scaled_positions(wrap=False)[first:last].mean(axis=0)
        assert np.all((centre_c > -1e-8) & (centre_c < 1))


def test_supercell_comes_back_to_the_same_cell():
    packing = builders.oxalic_packing()
    reduced = reduce_packing(packing, CONFORMERS)
    images = make_supercell(packing.to_atoms(CONFORMERS), np.diag([2, 1, 2]))
    again = reduce_atoms(images, np.arange(0, len(images) + 1, SIZE))
    assert again.molecules == reduced.molecules
    np.testing.assert_allclose(again.atoms.cell.cellpar(), reduced.atoms.cell.cellpar(), atol=1e-6)
    np.testing.assert_allclose(
        average_minimum_distances(again.atoms), average_minimum_distances(reduced.atoms), atol=1e-7
    )


def test_molecule_on_an_inversion_centre_found_in_a_subgroup():
    """P2_1 with the molecule's own centre where P2_1/c has one: Z' = 1 becomes Z' = 1/2."""
    pose = replace(builders.oxalic_packing().poses[0], translation_c=(0.0, 0.25, 0.25))
    packing = Packing("P 2yb", (5.9, 7.6, 6.1, 90.0, 110.0, 90.0), (pose,))
    reduced = reduce_packing(packing, CONFORMERS)
    assert reduced.space_group == 14
    assert (reduced.molecules, reduced.order) == (2, 4)


def test_centred_cell_of_p1_is_made_primitive():
    pose = Pose(0, "ttt", "1", (0.1, 0.2, 0.3), builders.oxalic_packing().poses[0].quaternion)
    reduced = reduce_packing(Packing("C 1", (11.0, 12.0, 7.0, 85.0, 99.0, 93.0), (pose,)), CONFORMERS)
    assert reduced.molecules == 1


def test_niggli_cell_of_tied_lengths():
    cubic_f = np.array([[0, 2.0, 2.0], [2.0, 0, 2.0], [2.0, 2.0, 1e-7]])
    lengths = np.linalg.norm(niggli_cell(np.array([[1, 5, 0], [0, 1, 0], [3, 0, 1]]) @ cubic_f), axis=1)
    np.testing.assert_allclose(lengths, np.sqrt(8), atol=1e-6)
