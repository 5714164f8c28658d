"""Independent molecules of crystals given by all molecules of a cell."""

import itertools

import numpy as np
import pytest

from polyscape.crystal.asymmetric import asymmetric_unit, in_standard_setting, inverted, symmetry_of
from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.invariants import average_minimum_distances
from polyscape.crystal.packing import Packing, Pose
from tests import builders
from tests.unit.crystal.test_sites import CASES, OBLIQUE, case, turned

CONFORMERS = builders.conformers()
TURNED = (0.2, -0.7, 0.5, float(np.sqrt(1 - 0.78)))


def pose(centre, quaternion=OBLIQUE, parity=1):
    """A molecule of oxalic acid."""
    return Pose(0, "ttt", "1", centre, quaternion, parity)


PACKINGS = {
    "monoclinic": builders.oxalic_packing(),
    "two molecules, triclinic": Packing(
        "-P 1",
        (7.1, 8.3, 9.7, 82.0, 101.0, 77.0),
        (pose((0.21, 0.34, 0.13)), pose((0.68, 0.79, 0.31), TURNED, -1)),
    ),
    "cubic": Packing("P 2ac 2ab 3", (12.3, 12.3, 12.3, 90.0, 90.0, 90.0), (pose((0.12, 0.31, 0.07)),)),
    "rhombohedral": Packing("-R 3", (16.0, 16.0, 8.1, 90.0, 90.0, 120.0), (pose((0.21, 0.05, 0.37)),)),
}


def expand_to_p1(packing, multiples=(1, 1, 1)):
    """The same crystal with every molecule of a (multiplied) cell independent, in P 1."""
    to_cartesian = packing.cell_cv.T
    poses = []
    for old in packing.poses:
        for rotation_cc, translation_c in SpaceGroup.from_hall(packing.hall_symbol).operations:
            matrix_vv = to_cartesian @ rotation_cc @ np.linalg.inv(to_cartesian) @ old.rotation_vv()
            parity = int(np.sign(np.linalg.det(matrix_vv)))
            centre_c = rotation_cc @ old.translation_c + translation_c
            for shift in itertools.product(*(range(n) for n in multiples)):
                centre = tuple(float(value) for value in (centre_c + shift) / multiples)
                poses.append(
                    Pose(old.component, old.conformer, "1", centre, turned(parity * matrix_vv), parity)
                )
    a, b, c, *angles = packing.cell
    cell = (a * multiples[0], b * multiples[1], c * multiples[2], *angles)
    return Packing("P 1", cell, tuple(poses))


def same_crystal(first, second, conformers):
    """Equal invariants: no change of cell, origin or setting alters them."""
    a, b = (average_minimum_distances(p.to_atoms(conformers), 60) for p in (first, second))
    np.testing.assert_allclose(a, b, atol=1e-5)  # quaternions and angles rounded at 1e-16, cells of 10 A


@pytest.mark.parametrize("name", PACKINGS)
@pytest.mark.parametrize("multiples", [(1, 1, 1), (2, 2, 2)])
def test_general_positions(name, multiples):
    packing = PACKINGS[name]
    found = asymmetric_unit(expand_to_p1(packing, multiples), CONFORMERS)
    assert len(found.poses) == len(packing.poses)
    assert {pose.site_symmetry for pose in found.poses} == {"1"}
    standard = in_standard_setting(found)
    assert (
        SpaceGroup.from_hall(standard.hall_symbol).number == SpaceGroup.from_hall(packing.hall_symbol).number
    )
    np.testing.assert_allclose(
        standard.volume_A3, packing.volume_A3, rtol=1e-9
    )  # a supercell is made small again
    same_crystal(standard, packing, CONFORMERS)
    same_crystal(found, packing, CONFORMERS)


@pytest.mark.parametrize("name", CASES)
def test_special_positions(name):
    packing, conformers, symbol, (molecules, *_) = case(name)
    group = SpaceGroup.from_hall(packing.hall_symbol)
    every = expand_to_p1(packing)
    poses = tuple(every.poses[n] for n in packing.molecules(conformers)[0])
    assert len(poses) == molecules
    found = asymmetric_unit(Packing("P 1", packing.cell, poses), conformers, group)
    assert len(found.poses) == 1
    assert found.poses[0].site_symmetry == symbol
    same_crystal(found, packing, conformers)
    same_crystal(in_standard_setting(found), packing, conformers)


@pytest.mark.parametrize("hall", ["P 2ac 2ab", "P 4w", "P 61", "I 4bw 2bw", "F 4d 2 3", "-P 2ybc"])
def test_the_mirror_image_of_a_crystal(hall):
    """Enantiomorphic groups change into each other; every atom comes to lie opposite."""
    packing = Packing(hall, CELL_OF[hall], builders.oxalic_packing().poses)
    image = inverted(packing)
    assert [pose.parity for pose in image.poses] == [-pose.parity for pose in packing.poses]
    positions = [p.to_atoms(CONFORMERS).get_scaled_positions() for p in (packing, image)]
    offsets = positions[0][:, None] + positions[1][None]
    assert np.abs(offsets - np.round(offsets)).max(axis=2).min(axis=1).max() < 1e-9
    assert inverted(image).hall_symbol == packing.hall_symbol
    same_crystal(in_standard_setting(image), packing, CONFORMERS)


CELL_OF = {
    "P 2ac 2ab": (13.0, 14.0, 15.0, 90.0, 90.0, 90.0),
    "P 4w": (15.0, 15.0, 18.0, 90.0, 90.0, 90.0),
    "P 61": (16.0, 16.0, 18.0, 90.0, 90.0, 120.0),
    "I 4bw 2bw": (20.0, 20.0, 22.0, 90.0, 90.0, 90.0),
    "F 4d 2 3": (40.0, 40.0, 40.0, 90.0, 90.0, 90.0),
    "-P 2ybc": (13.0, 14.0, 15.0, 90.0, 100.0, 90.0),
}


def test_symmetry_that_the_molecules_do_not_have_is_refused():
    packing = expand_to_p1(builders.oxalic_packing())
    with pytest.raises(ValueError, match="images of a molecule"):
        asymmetric_unit(packing, CONFORMERS, SpaceGroup.from_hall("P 2y"))


def test_own_setting_of_a_primitive_cell():
    """A C-centred crystal in its primitive cell: the group is found there, without a conventional cell."""
    packing = Packing("-C 2yc", (15.1, 9.6, 11.9, 90.0, 104.0, 90.0), (pose((0.21, 0.33, 0.11)),))
    atoms = packing.to_atoms(CONFORMERS)
    primitive = np.array([[0.5, 0.5, 0.0], [-0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]) @ np.asarray(atoms.cell)
    half = atoms[: len(atoms) // 2]  # the operations with centring stand in the second half
    half.set_cell(primitive)
    group = symmetry_of(half)
    assert (group.number, len(group.operations)) == (15, 4)
