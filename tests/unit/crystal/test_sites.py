"""Site symmetry: operations, distinct molecules, symbols, allowed motions, exact symmetry of a noisy molecule."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Packing, Pose
from polyscape.crystal.reduction import reduce_packing
from polyscape.crystal.sites import (
    allowed_rotations,
    allowed_translations,
    coset_operations,
    find_site,
    site_matrices,
    site_operations,
    site_symbol,
    symmetrised,
)
from polyscape.molecule.multipoles import rotate_multipoles
from tests import builders

WATER = builders.conformer(
    [8, 1, 1],
    [[0.0, 0.0, 0.0], [0.76, 0.59, 0.0], [-0.76, 0.59, 0.0]],
    ["O", "H", "H"],
    [-0.8, 0.4, 0.4],
    [(0, 1), (0, 2)],
)
CARBON_DIOXIDE = builders.conformer(
    [6, 8, 8], [[0, 0, 0], [1.16, 0, 0], [-1.16, 0, 0]], ["C", "O", "O"], [0.7, -0.35, -0.35], []
)
ION = builders.conformer([8], [[0.0, 0.0, 0.0]], ["O"], [-1.0], [])
DIAGONAL = Rotation.align_vectors([[1.0, 1.0, 1.0]], [[1.0, 0.0, 0.0]])[0].as_matrix()


def turned(matrix_vv):
    """The quaternion of a proper rotation."""
    x, y, z, w = map(float, Rotation.from_matrix(matrix_vv).as_quat())
    return (w, x, y, z)


def axes(conformer, first, second):
    """A rotation that lays the line from the molecule's centre to atom 0, and its mirror plane, along given axes."""
    start = np.array([conformer.position_av[0], conformer.position_av[1] - conformer.position_av[2]])
    start /= np.linalg.norm(start, axis=1)[:, None]
    return Rotation.align_vectors(np.array([first, second], float), start)[0].as_matrix()


MONOCLINIC = (8.1, 7.6, 7.9, 90.0, 104.0, 90.0)
CUBIC = (5.6, 5.6, 5.6, 90.0, 90.0, 90.0)
TETRAGONAL = (5.6, 5.6, 4.7, 90.0, 90.0, 90.0)
OBLIQUE = (0.8, 0.3, -0.4, float(np.sqrt(1 - 0.89)))

CASES = {
    # name: conformer, Hall symbol, cell, centre, quaternion, symbol, molecules in the cell, free motions
    "general": (builders.oxalic_acid(), "-P 2ybc", MONOCLINIC, (0.27, 0.31, 0.22), OBLIQUE, "1", 4, 3, 3),
    "centre": (builders.oxalic_acid(), "-P 2ybc", MONOCLINIC, (0.5, 0.0, 0.5), OBLIQUE, "-1", 2, 0, 3),
    "centre of C2/c": (
        builders.oxalic_acid(),
        "-C 2yc",
        (13.1, 9.6, 11.9, 90.0, 104.0, 90.0),
        (0.25, 0.75, 0.0),
        OBLIQUE,
        "-1",
        4,
        0,
        3,
    ),
    "axis": (
        WATER,
        "P 2y",
        MONOCLINIC,
        (0.5, 0.13, 0.5),
        turned(axes(WATER, [0, 1, 0], [1, 0, 0])),
        "2",
        1,
        1,
        1,
    ),
    "mirror": (
        WATER,
        "P -2y",
        MONOCLINIC,
        (0.1, 0.5, 0.3),
        turned(axes(WATER, [1, 0, 1], [0, 1, 0])),
        "m",
        1,
        2,
        1,
    ),
    "mm2 of P-42_1m": (
        WATER,
        "P -4 2ab",
        TETRAGONAL,
        (0.0, 0.5, 0.2),
        turned(axes(WATER, [0, 0, 1], [1, 1, 0])),
        "mm2",
        2,
        1,
        0,
    ),
    "-3 of Pa-3": (CARBON_DIOXIDE, "-P 2ac 2ab 3", CUBIC, (0.0, 0.0, 0.0), turned(DIAGONAL), "-3", 4, 0, 1),
    "ion of Fm-3m": (ION, "-F 4 2 3", CUBIC, (0.5, 0.5, 0.5), (1.0, 0.0, 0.0, 0.0), "m-3m", 4, 0, 0),
}


def case(name):
    """A packing of one molecule, its conformer, and what is known of it."""
    conformer, hall, cell, centre, quaternion, symbol, *known = CASES[name]
    packing = Packing(hall, cell, (Pose(0, "rigid", symbol, centre, quaternion),))
    return packing, {(0, "rigid"): conformer}, symbol, known


@pytest.mark.parametrize("name", CASES)
def test_site_and_its_molecules(name):
    packing, conformers, symbol, (molecules, translations, rotations) = case(name)
    group = SpaceGroup.from_hall(packing.hall_symbol)
    site = site_operations(packing, 0, conformers)
    atoms = len(conformers[0, "rigid"].atomic_number_a)
    assert site[0].operation == 0
    assert site[0].permutation_a == tuple(range(atoms))
    assert site_symbol(site, group) == symbol
    cosets = coset_operations(site, group)
    assert cosets[0] == 0
    assert len(cosets) == molecules == len(group.operations) // len(site)
    assert len(allowed_translations(site, group, packing.cell_cv)) == translations
    assert len(allowed_rotations(site, group, packing.cell_cv)) == rotations
    crystal = packing.to_atoms(conformers)
    assert len(crystal) == molecules * atoms
    distance = crystal.get_all_distances(mic=True) + 9 * np.eye(len(crystal))
    assert distance.min() > 0.5  # no atom twice; O-H is 0.96 A
    mass = molecules * conformers[0, "rigid"].mass_amu
    np.testing.assert_allclose(
        packing.density_g_per_cm3(conformers), 1.66053906660 * mass / packing.volume_A3
    )


@pytest.mark.parametrize("name", CASES)
def test_images_form_the_same_crystal(name):
    """Every operation of the group maps the atoms of the cell on themselves."""
    packing, conformers, _, _ = case(name)
    crystal = packing.to_atoms(conformers)
    fraction = crystal.get_scaled_positions()
    for rotation_cc, translation_c in SpaceGroup.from_hall(packing.hall_symbol).operations:
        offset = (fraction @ rotation_cc.T + translation_c)[:, None] - fraction[None]
        offset -= np.round(offset)
        distance = np.linalg.norm(offset @ packing.cell_cv, axis=2)
        assert distance.min(axis=1).max() < 1e-6  # rounding of the quaternion


def test_a_pose_that_claims_a_symmetry_it_has_not_is_refused():
    packing, conformers, _, _ = case("centre")
    pose = replace(packing.poses[0], translation_c=(0.5, 0.1, 0.5))
    with pytest.raises(ValueError, match="site of symmetry 1, not -1"):
        site_operations(replace(packing, poses=(pose,)), 0, conformers)


def test_found_without_being_told():
    packing, conformers, symbol, _ = case("mm2 of P-42_1m")
    pose = replace(packing.poses[0], site_symmetry="1")
    group = SpaceGroup.from_hall(packing.hall_symbol)
    assert site_symbol(find_site(pose, WATER, group, packing.cell_cv), group) == symbol
    assert len(site_operations(replace(packing, poses=(pose,)), 0, conformers)) == 1


@pytest.mark.parametrize("name", [name for name in CASES if name != "general"])
def test_symmetrised_molecule_has_its_site_exactly(name):
    packing, conformers, _, _ = case(name)
    group = SpaceGroup.from_hall(packing.hall_symbol)
    generator = np.random.default_rng(3)
    clean = conformers[0, "rigid"]
    noise = generator.normal(scale=0.005, size=clean.position_av.shape)
    multipoles = generator.normal(size=clean.multipole_aq.shape)
    noisy = replace(clean, position_av=clean.position_av + noise, multipole_aq=multipoles)
    crooked = Rotation.from_rotvec([0.01, -0.005, 0.01]).as_matrix() @ packing.poses[0].rotation_vv()
    centre = tuple(np.array(packing.poses[0].translation_c) + 0.001)
    pose = replace(packing.poses[0], quaternion=turned(crooked), translation_c=centre)
    site = find_site(pose, noisy, group, packing.cell_cv)
    assert site_symbol(site, group) == pose.site_symmetry
    exact, placed = symmetrised(noisy, pose, site, group, packing.cell_cv)
    atoms = exact.position_av @ placed.rotation_vv().T
    turned_aq = rotate_multipoles(exact.multipole_aq, placed.rotation_vv())
    for Q_vv, member in zip(site_matrices(site, group, packing.cell_cv), site, strict=True):
        order = list(member.permutation_a)
        np.testing.assert_allclose(atoms @ Q_vv.T, atoms[order], atol=1e-9)  # rounding of the quaternion
        np.testing.assert_allclose(rotate_multipoles(turned_aq, Q_vv), turned_aq[order], atol=1e-9)
        rotation_cc, translation_c = group.operations[member.operation]
        back = rotation_cc @ placed.translation_c + translation_c + member.translation_c
        np.testing.assert_allclose(back, placed.translation_c, atol=1e-12)
    # no bond changes by more than the noise that was put in
    assert (
        np.abs(
            cdist(exact.position_av, exact.position_av) - cdist(clean.position_av, clean.position_av)
        ).max()
        < 0.03
    )
    assert len(find_site(placed, exact, group, packing.cell_cv, 1e-6)) == len(site)


def test_symmetrised_multipoles_are_the_mean_that_a_centre_allows():
    """On a centre of symmetry odd ranks of an atom and its partner are opposite, even ranks equal."""
    packing, conformers, _, _ = case("centre")
    generator = np.random.default_rng(5)
    clean = conformers[0, "rigid"]
    noisy = replace(clean, multipole_aq=generator.normal(size=clean.multipole_aq.shape))
    group = SpaceGroup.from_hall(packing.hall_symbol)
    site = site_operations(packing, 0, conformers)
    exact, _ = symmetrised(noisy, packing.poses[0], site, group, packing.cell_cv)
    partner = list(site[1].permutation_a)
    assert partner == [4, 5, 6, 7, 0, 1, 2, 3]
    sign_q = (-1.0) ** np.floor(np.sqrt(np.arange(25)))
    wanted = 0.5 * (noisy.multipole_aq + sign_q * noisy.multipole_aq[partner])
    np.testing.assert_allclose(exact.multipole_aq, wanted, atol=1e-10)


def test_reduction_of_molecules_on_special_positions():
    packing, conformers, _, _ = case("centre of C2/c")
    reduced = reduce_packing(packing, conformers)
    assert reduced.molecules == 2  # half the centred cell's four
    assert reduced.space_group == 15
