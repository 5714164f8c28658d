"""Trials after the removal of overlap: the group's own symmetry, no close contact, no molecule turned."""

import numpy as np
import pytest
import spglib
from ase.neighborlist import neighbor_list

from polyscape.crystal.groups import COMMON10, SpaceGroup
from polyscape.crystal.packing import Packing, Pose
from polyscape.crystal.volume import van_der_waals_radii_A
from polyscape.search.overlap import relieve
from polyscape.search.sampling import draw_packing, make_recipe, sobol_points
from polyscape.settings.search import Sampling
from polyscape.status import Status
from tests import builders

UNUSUAL = [
    *("P 1", "C -1", "P 1 1 21/b", "I2/a", "Fdd2", "Cmce", "P-42c", "I41/a", "P 31", "R -3 :H", "R 3 c :R"),
    *("P 61 2 2", "P 2 3", "Pa-3", "I -4 3 d"),
]


def chiral_molecule():
    """Five different atoms in no common plane: no symmetry of its own that could raise a crystal's."""
    places = [(0, 0, 0), (1.4, 0.1, 0), (-0.4, 1.3, 0.2), (-0.3, -0.5, 1.2), (2.0, 0.9, 0.4)]
    bonds = [(0, 1), (0, 2), (0, 3), (1, 4)]
    molecule = builders.conformer([6, 8, 7, 1, 1], places, ["C", "O", "N", "H", "H"], [0] * 5, bonds)
    return {(0, "rigid"): molecule}


@pytest.mark.parametrize("name", [*COMMON10, *UNUSUAL])
def test_trials_are_valid_and_have_their_groups_symmetry(name):
    conformers, sampling, group = chiral_molecule(), Sampling(), SpaceGroup.find(name)
    recipe, size, kept = make_recipe(conformers, sampling), 5, 0
    for point in sobol_points(1, group.number, recipe.dimensions, 0, 8):
        done = relieve(draw_packing(point, group, recipe), conformers, 0.75, 3.0)
        if done.status != Status.OK:
            continue
        kept += 1
        atoms = done.packing.to_atoms(conformers)
        assert 1.0 <= done.expansion <= 3.0
        i, j, distance = neighbor_list("ijd", atoms, 3.2)
        radius_a = van_der_waals_radii_A(atoms.numbers)
        inside = (i // size == j // size) & (distance < 2.9)  # of one molecule; its images are further away
        threshold = 0.75 * (radius_a[i] + radius_a[j])
        shortfall = (threshold - distance)[~inside]
        assert shortfall.max(initial=-1.0) < 1e-9
        crystal = (np.asarray(atoms.cell), atoms.get_scaled_positions(), atoms.numbers)
        assert spglib.get_symmetry_dataset(crystal, symprec=1e-4).number == group.number
    assert kept >= 4


def test_separate_molecules_are_left_alone():
    packing = builders.oxalic_packing()
    loose = Packing(packing.hall_symbol, (16.0, 16.0, 16.0, 90.0, 95.0, 90.0), packing.poses)
    done = relieve(loose, builders.conformers(), 0.75, 3.0)
    assert done.status == Status.OK
    assert done.expansion == pytest.approx(1.0, abs=1e-12)
    assert done.packing.poses == loose.poses


def test_only_the_axis_of_the_contact_grows():
    """Molecules stacked too closely along their normal: the other two axes have no reason to grow."""
    pose = Pose(0, "ttt", "1", (0.5, 0.5, 0.5), (1.0, 0.0, 0.0, 0.0))
    done = relieve(
        Packing("P 1", (15.0, 15.0, 2.0, 90.0, 90.0, 90.0), (pose,)), builders.conformers(), 0.75, 3.0
    )
    assert done.status == Status.OK
    assert done.packing.cell[:2] == pytest.approx((15.0, 15.0), abs=1e-9)
    assert done.packing.cell[2] == pytest.approx(0.75 * 3.4, rel=0.02)  # oblique contacts overshoot


def test_hopeless_overlap_keeps_the_crystal_as_drawn():
    pose = Pose(0, "ttt", "1", (0.5, 0.5, 0.5), (1.0, 0.0, 0.0, 0.0))
    packing = Packing("P 1", (2.0, 2.0, 2.0, 90.0, 90.0, 90.0), (pose,))
    done = relieve(packing, builders.conformers(), 0.75, 1.5)
    assert (done.status, done.packing, done.expansion) == (Status.OVERLAP, packing, 1.0)


def test_orientation_is_kept():
    recipe = make_recipe(builders.conformers(), Sampling())
    for point in sobol_points(1, 61, recipe.dimensions, 0, 8):
        drawn = draw_packing(point, SpaceGroup.find(61), recipe)
        done = relieve(drawn, builders.conformers(), 0.75, 3.0)
        assert done.packing.poses[0].quaternion == drawn.poses[0].quaternion
