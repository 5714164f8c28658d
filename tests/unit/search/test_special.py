"""Trials on special positions: every molecule lies on its site, with every orientation that its symmetry allows."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Packing, Pose
from polyscape.crystal.sites import find_site, site_symbol
from polyscape.search.orientation import embeddings, fitted, molecular_operations
from polyscape.search.overlap import relieve
from polyscape.search.sampling import make_recipe, scramble_key, sobol_points
from polyscape.search.special import make_special
from polyscape.settings.search import Sampling
from tests import builders

WATER = builders.conformer(
    [8, 1, 1], [(0, 0, 0), (0.76, 0.59, 0), (-0.76, 0.59, 0)], "OHH", [0] * 3, [(0, 1), (0, 2)], "water"
)
ION = builders.conformer([17], [(0, 0, 0)], ["Cl"], [-1.0], [], "chloride")
MOLECULES = {
    "acid": {(0, "ttt"): builders.oxalic_acid()},
    "linear": {(0, "linear"): builders.linear_triatomic()},
    "formamide": {(0, "formamide"): builders.formamide()},
    "water": {(0, "water"): WATER},
    "hydrate": {
        (0, "ttt"): builders.oxalic_acid(),
        (1, "water"): replace(WATER, component=1, stoichiometry=2),
    },
    "salt": {(0, "linear"): builders.linear_triatomic(), (1, "chloride"): replace(ION, component=1)},
}


def trials_of(conformers, name, enantiopure=False):
    return make_special(
        conformers, SpaceGroup.find(name), make_recipe(conformers, Sampling(), 1, enantiopure)
    )


def drawn(trials, count=16):
    points = sobol_points(1, scramble_key(trials.group.number, "special"), trials.dimensions, 0, count)
    return [trials.draw(point) for point in points]


def sites_of(packing, conformers):
    """Symbols of the sites on which the molecules lie within 0.001 A."""
    group = SpaceGroup.from_hall(packing.hall_symbol)
    return [
        site_symbol(find_site(p, conformers[p.component, p.conformer], group, packing.cell_cv, 1e-3), group)
        for p in packing.poses
    ]


CASES = [
    ("acid", "P-1", {"-1"}),
    ("acid", "P21/c", {"-1"}),
    ("acid", "Pbca", {"-1"}),
    ("acid", "C2/c", {"-1", "2"}),
    ("acid", "C2/m", {"-1", "2", "m", "2/m"}),
    ("linear", "Pa-3", {"3", "-3"}),
    ("linear", "P-421m", {"m", "2", "mm2", "-4"}),
    ("formamide", "Pnma", {"m"}),
    ("water", "P-421m", {"m", "2", "mm2"}),
    ("water", "Fdd2", {"2"}),
    ("hydrate", "P21/c", {"-1"}),
    ("salt", "R-3m :H", {"m", "2", "3m", "2/m", "-3m"}),
]


@pytest.mark.parametrize(("molecule", "group", "symbols"), CASES)
def test_molecules_lie_on_the_sites_that_they_name(molecule, group, symbols):
    conformers, seen = MOLECULES[molecule], Counter()
    for packing in drawn(trials_of(conformers, group), 48):
        named = [pose.site_symmetry for pose in packing.poses]
        assert sites_of(packing, conformers) == named
        seen.update(named)
        assert any(name != "1" for name in named)
    assert set(seen) - {"1"} == symbols


@pytest.mark.parametrize(("molecule", "group"), [("acid", "Pbca"), ("linear", "Pa-3"), ("hydrate", "P21/c")])
def test_they_stay_there_while_overlap_is_removed(molecule, group):
    conformers, kept = MOLECULES[molecule], 0
    for packing in drawn(trials_of(conformers, group)):
        done = relieve(packing, conformers, 0.75, 3.0)
        assert sites_of(done.packing, conformers) == [pose.site_symmetry for pose in packing.poses]
        kept += done.status == "ok"
    assert kept >= 8


def test_a_molecule_beside_a_site_of_higher_symmetry_is_parted_from_its_image_or_rejected():
    """On the threefold axis of Pa-3, 0.05 A from the inversion centre: nearer than what counts as on it."""
    conformers = MOLECULES["linear"]
    matrix_vv = Rotation.align_vectors([[1, 1, 1]], [[1, 0, 0]])[0].as_matrix()
    beside_c = np.full(3, 0.5 + 0.05 / (8.0 * np.sqrt(3.0)))
    pose = Pose.of(matrix_vv, beside_c, (0, "linear"), "3")
    done = relieve(Packing("-P 2ac 2ab 3", (8.0, 8.0, 8.0, 90.0, 90.0, 90.0), (pose,)), conformers, 0.75, 5.0)
    assert done.status == ("ok" if done.packing.poses[0] != pose else "overlap")
    beside = find_site(pose, conformers[0, "linear"], SpaceGroup.find("Pa-3"), 8.0 * np.eye(3))
    assert site_symbol(beside, SpaceGroup.find("Pa-3")) == "-3"  # what it must not be taken for


def test_stoichiometry_holds_in_every_crystal():
    conformers = MOLECULES["hydrate"]
    for packing in drawn(trials_of(conformers, "P21/c")):
        images = packing.molecules(conformers)
        made = Counter()
        for pose, operations in zip(packing.poses, images, strict=True):
            made[pose.component] += len(operations)
        assert made[1] == 2 * made[0]


def test_half_molecules_and_pairs_of_them():
    """In P-1 a centric molecule: one half (Z' = 1/2), or two halves on different inversion centres."""
    packings = drawn(trials_of(MOLECULES["acid"], "P-1"), 64)
    numbers = Counter(len(packing.poses) for packing in packings)
    assert numbers == {1: 48, 2: 16}  # a quarter are pairs; Sobol' points are balanced
    for packing in packings:
        centres = {tuple(np.round(np.array(p.translation_c) % 1.0, 6)) for p in packing.poses}
        assert len(centres) == len(packing.poses)


@pytest.mark.parametrize(
    ("molecule", "group"),
    [("formamide", "P-1"), ("formamide", "P21/c"), ("acid", "P212121"), ("acid", "Pa-3")],
)
def test_no_trials_where_no_molecule_fits(molecule, group):
    assert trials_of(MOLECULES[molecule], group).dimensions == 0


def test_orientations_on_an_inversion_centre_are_all_of_them():
    quaternions = [p.poses[0].quaternion for p in drawn(trials_of(MOLECULES["acid"], "P-1"), 64)]
    spread = np.linalg.eigvalsh(np.mean([np.outer(q, q) for q in quaternions], axis=0))
    assert spread.min() > 0.15  # 1/4 each for uniform ones; 0 when a freedom is missing


def test_both_ways_along_a_polar_axis():
    """Water on the twofold axis of Fdd2 points up as often as down."""
    axis = [p.poses[0].rotation_vv()[2, 1] for p in drawn(trials_of(MOLECULES["water"], "Fdd2"), 64)]
    assert 16 < np.count_nonzero(np.array(axis) > 0) < 48
    np.testing.assert_allclose(np.abs(axis), 1.0, atol=1e-6)


def test_enantiopure_crystals_keep_the_hand():
    acid = {(0, "ttt"): builders.oxalic_acid()}
    assert {pose.parity for p in drawn(trials_of(acid, "C2", True)) for pose in p.poses} == {1}
    assert {pose.parity for p in drawn(trials_of(acid, "C2", False), 64) for pose in p.poses} == {1, -1}


def test_fitted_orientations_intertwine_site_and_molecule():
    molecule_gvv = molecular_operations(builders.linear_triatomic())
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    site_svv = np.array([np.linalg.matrix_power(turn, k) for k in range(4)])
    (way_s,) = embeddings(site_svv, molecule_gvv)
    matrix_vv = fitted(np.eye(3), site_svv, molecule_gvv[way_s])
    assert np.linalg.det(matrix_vv) == pytest.approx(1.0)
    np.testing.assert_allclose(site_svv @ matrix_vv, matrix_vv @ molecule_gvv[way_s], atol=1e-12)


def test_point_groups_of_the_molecules():
    orders = {name: len(molecular_operations(next(iter(m.values())))) for name, m in MOLECULES.items()}
    assert orders == {"acid": 4, "linear": 48, "formamide": 2, "water": 4, "hydrate": 4, "salt": 48}
