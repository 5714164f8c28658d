"""What must not change the lattice energy of multipoles, and how its derivatives turn."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from ase.cell import Cell
from ase.geometry import cell_to_cellpar
from scipy.spatial.transform import Rotation

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Packing
from polyscape.energy.crystal_sum import crystal_energy
from polyscape.molecule.multipoles import rotate_multipoles
from tests.physics.multipole_cases import CONFORMERS, PACKINGS, SPECIAL, Case, ewald
from tests.physics.slow_multipoles import cartesian

ALL = PACKINGS | SPECIAL

SAME = {"rel": 1e-9, "abs": 1e-8}  # eV of the cell: the sums end at 1e-12 of their terms
EXACT = {"decades": 12.0, "cutoff": 12.0}


@pytest.fixture(params=ALL)
def packing(request):
    return ALL[request.param]


def terms(packing, conformers=CONFORMERS, **options):
    """Electrostatics, repulsion, dispersion of the cell, eV."""
    return Case(packing, conformers, ewald(**(EXACT | options))).terms()[:3]


def in_p1(packing, basis=((1, 0, 0), (0, 1, 0), (0, 0, 1))):
    """The same crystal in P1: lattice vectors `basis` (integers, rows) times the cell's, every molecule independent."""
    lattice_cv = np.array(basis) @ packing.cell_cv
    standard = cell_to_cellpar(lattice_cv)
    frame_vv = (np.linalg.inv(lattice_cv) @ np.asarray(Cell.fromcellpar(standard))).T
    poses = []
    for centre_v, matrix_vv, old in _molecules(packing, lattice_cv):
        parity = int(np.sign(np.linalg.det(matrix_vv)))
        x, y, z, w = Rotation.from_matrix(parity * frame_vv @ matrix_vv).as_quat()
        centre = tuple(float(c) for c in centre_v @ np.linalg.inv(lattice_cv))
        new = replace(old, translation_c=centre, quaternion=(w, x, y, z), parity=parity, site_symmetry="1")
        poses.append(new)
    return Packing("P 1", tuple(float(value) for value in standard), tuple(poses))


def _molecules(packing, lattice_cv):
    """Centre, matrix and pose of each molecule in the cell of a lattice; those on one place count once."""
    reach = range(-8, 9)
    shift_nv = np.array(list(itertools.product(reach, repeat=3))) @ packing.cell_cv
    for old in packing.poses:
        seen = []
        for rotation_cc, shift_c in SpaceGroup.from_hall(packing.hall_symbol).operations:
            matrix_vv = cartesian(rotation_cc, packing.cell_cv) @ old.rotation_vv()
            centre_v = (rotation_cc @ old.translation_c + shift_c) @ packing.cell_cv
            for place_v in centre_v + shift_nv:
                inside_c = place_v @ np.linalg.inv(lattice_cv) % 1.0
                if all(np.linalg.norm((inside_c - c + 0.5) % 1.0 - 0.5) > 1e-6 for c in seen):
                    seen.append(inside_c)
                    yield inside_c @ lattice_cv, matrix_vv, old


@pytest.mark.parametrize("cutoff", [10.5, 16.0])
def test_ewald_parameter(packing, cutoff):
    # repulsion is switched off over the last 2 A before the cutoff, where 1e3 pairs have 1e-11 eV each
    assert terms(packing, cutoff=cutoff) == pytest.approx(terms(packing), rel=1e-9, abs=1e-7)


def test_expansion_to_p1(packing):
    assert terms(in_p1(packing)) == pytest.approx(terms(packing), **SAME)


@pytest.mark.parametrize(
    "basis",
    [
        ((2, 0, 0), (0, 1, 0), (0, 0, 1)),
        ((1, 0, 0), (1, 1, 0), (0, -1, 1)),
        ((1, 1, 0), (-1, 1, 0), (0, 1, 1)),
    ],
    ids=["supercell", "another basis", "another basis of a supercell"],
)
@pytest.mark.parametrize("name", ["P1, Z' = 2, one mirrored", "Pna2_1, mirrored", "P2_1/c, Z' = 1/2"])
def test_choice_of_cell(name, basis):
    cells = round(np.linalg.det(basis))
    assert terms(in_p1(ALL[name], basis)) == pytest.approx(cells * terms(ALL[name]), **SAME)


def test_translation():
    packing = in_p1(PACKINGS["Pna2_1, mirrored"])
    shift = np.array((0.17, -0.4, 2.31))
    poses = tuple(replace(pose, translation_c=tuple(pose.translation_c + shift)) for pose in packing.poses)
    assert terms(replace(packing, poses=poses)) == pytest.approx(terms(packing), **SAME)


@pytest.mark.parametrize(
    ("name", "shift"),
    [
        ("P2_1/c", (0.5, 0.0, 0.5)),
        ("P2_1/c, Z' = 2", (0.0, 0.5, 0.0)),
        ("P2_1/c, Z' = 1/2 + 1", (0.5, 0.5, 0.5)),
        ("Pna2_1, mirrored", (0.5, 0.0, 0.123)),
        ("R-3", (1 / 3, 2 / 3, 1 / 6)),
    ],
)
def test_equivalent_origin(name, shift):
    """Shifts of the group's Euclidean normaliser; along the polar axis any."""
    packing = ALL[name]
    poses = tuple(
        replace(pose, translation_c=tuple(np.add(pose.translation_c, shift))) for pose in packing.poses
    )
    assert terms(replace(packing, poses=poses)) == pytest.approx(terms(packing), **SAME)


def test_other_asymmetric_unit(packing):
    """Each molecule replaced by its image under the last operation."""
    rotation_cc, shift_c = SpaceGroup.from_hall(packing.hall_symbol).operations[-1]
    poses = []
    for pose in packing.poses:
        matrix_vv = cartesian(rotation_cc, packing.cell_cv) @ pose.rotation_vv()
        parity = int(np.sign(np.linalg.det(matrix_vv)))
        x, y, z, w = Rotation.from_matrix(parity * matrix_vv).as_quat()
        centre = tuple(rotation_cc @ pose.translation_c + shift_c)
        poses.append(replace(pose, translation_c=centre, quaternion=(w, x, y, z), parity=parity))
    assert terms(replace(packing, poses=tuple(poses))) == pytest.approx(terms(packing), **SAME)


def test_mirror_image():
    packing = PACKINGS["P1, Z' = 2, one mirrored"]
    poses = tuple(
        replace(pose, translation_c=tuple(-c for c in pose.translation_c), parity=-pose.parity)
        for pose in packing.poses
    )
    assert terms(replace(packing, poses=poses)) == pytest.approx(terms(packing), **SAME)
    half = (replace(packing.poses[0], parity=-packing.poses[0].parity), packing.poses[1])
    assert abs(terms(replace(packing, poses=half))[0] - terms(packing)[0]) > 1e-3  # parity does matter


def test_order_of_molecules():
    for name in ("P1, Z' = 2, one mirrored", "P2_1/c, Z' = 2", "P2_1/c, Z' = 1/2 + 1"):
        packing = ALL[name]
        assert terms(replace(packing, poses=packing.poses[::-1])) == pytest.approx(terms(packing), **SAME)


def test_order_of_sites(packing):
    assert terms(
        packing, {key: _reordered(molecule) for key, molecule in CONFORMERS.items()}
    ) == pytest.approx(terms(packing), **SAME)


def _reordered(molecule):
    """The same molecule, its atoms in another order."""
    order = np.random.default_rng(6).permutation(len(molecule.mass_a))
    arrays = ("atomic_number_a", "position_av", "mass_a", "charge_a", "multipole_aq")
    place = np.argsort(order)
    return replace(
        molecule,
        **{name: getattr(molecule, name)[order] for name in arrays},
        potential_type_a=tuple(molecule.potential_type_a[a] for a in order),
        bonds=tuple((int(place[a]), int(place[b])) for a, b in molecule.bonds),
    )


def test_choice_of_the_body_frame(packing):
    """A molecule described in a turned frame, and its poses turned back."""
    turn = Rotation.from_euler("xyz", (40, -25, 80), degrees=True)
    turn_vv = turn.as_matrix()
    turned = {
        key: replace(
            molecule,
            position_av=molecule.position_av @ turn_vv.T,
            multipole_aq=rotate_multipoles(molecule.multipole_aq, turn_vv),
        )
        for key, molecule in CONFORMERS.items()
    }
    poses = []
    for pose in packing.poses:
        x, y, z, w = Rotation.from_matrix(pose.parity * pose.rotation_vv() @ turn_vv.T).as_quat()
        poses.append(replace(pose, quaternion=(w, x, y, z)))
    assert terms(replace(packing, poses=tuple(poses)), turned) == pytest.approx(terms(packing), **SAME)


def test_rotation_of_the_whole_crystal(packing):
    case = Case(packing, CONFORMERS, ewald())
    turn_vv = Rotation.from_euler("xyz", (20, -50, 110), degrees=True).as_matrix()
    cell_cv, centre_mc, rotation_mvv = case.pose
    turned = type(case.pose)(np.ascontiguousarray(cell_cv @ turn_vv.T), centre_mc, turn_vv @ rotation_mvv)
    first_t, (strain_vv, centre_mv, torque_mv), _ = crystal_energy(case.sites, case.sums, case.pose)
    second_t, (turned_vv, turned_mv, turned_torque_mv), _ = crystal_energy(case.sites, case.sums, turned)
    assert second_t == pytest.approx(first_t, **SAME)
    size = max(np.abs(part).max() for part in (strain_vv, centre_mv, torque_mv))
    same = {"atol": 1e-9 * size + 1e-8}  # rounding of the largest derivative
    np.testing.assert_allclose(turned_vv, turn_vv @ strain_vv @ turn_vv.T, **same)
    np.testing.assert_allclose(turned_mv, centre_mv @ turn_vv.T, **same)
    np.testing.assert_allclose(turned_torque_mv, torque_mv @ turn_vv.T, **same)


def test_turning_a_linear_molecule_about_its_axis_does_nothing():
    case = Case(PACKINGS["P2_13, linear molecule"], CONFORMERS, ewald())
    _, (_, _, torque_mv), _ = crystal_energy(case.sites, case.sums, case.pose)
    along = case.pose.rotation_mvv[0] @ [1.0, 0.0, 0.0] @ torque_mv[0]
    assert abs(along) < 1e-10 * np.abs(torque_mv).max()  # rounding
    assert len(case.gradient()) == 1 + 3 + 2  # one strain, three shifts, two rotations


def test_forces_on_all_molecules_vanish():
    """Newton's third law: in P1 the derivatives by the centres add up to nothing."""
    case = Case(in_p1(PACKINGS["P2_1/c, Z' = 2"]), CONFORMERS, ewald(**EXACT))
    _, (_, centre_mv, _), _ = crystal_energy(case.sites, case.sums, case.pose)
    assert np.abs(centre_mv.sum(axis=0)).max() < 1e-9 < 1e-3 < np.abs(centre_mv).max()  # rounding


def test_pressure_adds_the_volume():
    packing = PACKINGS["P2_1/c"]
    squeezed = Case(packing, CONFORMERS, replace(ewald(), pressure=0.01))
    assert squeezed.terms()[3] == pytest.approx(0.01 * packing.volume_A3, rel=1e-12)
    assert squeezed.terms()[:3] == pytest.approx(Case(packing, CONFORMERS, ewald()).terms()[:3], rel=1e-12)
