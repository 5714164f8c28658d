"""Sobol' trials: the same whatever the chunk, and uniform where they should be."""

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation
from scipy.stats import kstest

from polyscape.crystal.groups import SpaceGroup
from polyscape.search.sampling import draw_packing, make_recipe, sobol_points, uniform_quaternion
from polyscape.settings.search import Sampling
from tests import builders


def test_chunks_are_pieces_of_one_sequence():
    whole = sobol_points(1, 14, 13, 0, 100)
    pieces = [sobol_points(1, 14, 13, start, count) for start, count in ((0, 1), (1, 32), (33, 67))]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


def test_groups_and_seeds_are_drawn_independently():
    first = sobol_points(1, 14, 13, 0, 8)
    assert not np.allclose(first, sobol_points(1, 19, 13, 0, 8))
    assert not np.allclose(first, sobol_points(2, 14, 13, 0, 8))


def test_orientations_are_uniform():
    """The angle of uniform rotations has the density (1 - cos angle) / pi; an axis lands anywhere on the sphere."""
    points = np.random.default_rng(5).random((4000, 3))
    quaternions = np.array([uniform_quaternion(point) for point in points])
    np.testing.assert_allclose(np.linalg.norm(quaternions, axis=1), 1.0, atol=1e-12)
    rotations = Rotation.from_quat(np.roll(quaternions, -1, axis=1))
    angle = rotations.magnitude()
    # 4000 points: a p-value below 1e-3 would be a wrong distribution, and the seed is fixed
    assert kstest(angle, lambda x: (x - np.sin(x)) / np.pi).pvalue > 1e-3
    for axis in np.eye(3):
        assert kstest(rotations.apply(axis)[:, 2], "uniform", args=(-1, 2)).pvalue > 1e-3


def test_volume_lies_between_the_factors():
    recipe = make_recipe(builders.conformers(), Sampling())
    group = SpaceGroup.find(19)
    ratio = [
        draw_packing(point, group, recipe).volume_A3 / (4 * recipe.volume_A3)
        for point in sobol_points(1, 19, recipe.dimensions, 0, 64)
    ]
    assert 0.9 <= min(ratio) < 0.95
    assert 1.55 < max(ratio) <= 1.6


def test_several_components_and_conformers_make_one_formula_unit():
    acid = builders.oxalic_acid()
    conformers = {
        (0, "ttt"): replace(acid, stoichiometry=2),
        (1, "a"): replace(acid, component=1, name="a"),
        (1, "b"): replace(acid, component=1, name="b", intramolecular_kJ_per_mol=3.0),
    }
    recipe = make_recipe(conformers, Sampling())
    drawn = [
        draw_packing(point, SpaceGroup.find(14), recipe)
        for point in sobol_points(1, 14, recipe.dimensions, 0, 64)
    ]
    assert all([pose.component for pose in packing.poses] == [0, 0, 1] for packing in drawn)
    counts = [sum(packing.poses[2].conformer == name for packing in drawn) for name in "ab"]
    assert counts == [32, 32]  # 64 points of a Sobol' sequence are balanced in every axis
