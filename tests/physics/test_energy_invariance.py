"""What must not change the lattice energy, and what symmetry does to strains."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Packing
from polyscape.energy.coordinates import strain_basis
from polyscape.energy.crystal_sum import crystal_energy
from polyscape.energy.rigid import build_lattice_energy
from polyscape.energy.sites import Pose as State
from polyscape.settings.search import EnergySettings
from tests.physics.energy_cases import CONFORMERS, PACKINGS, expand_to_p1, problem

SAME = {"abs": 1e-8, "rel": 1e-9}  # eV: the sums' own convergence, FINE_DECADES = 9


def energy(packing, **options):
    return crystal_energy(*problem(packing, **options))[0]


@pytest.fixture(params=PACKINGS)
def packing(request):
    return PACKINGS[request.param]


@pytest.mark.parametrize("cutoff", [8.0, 12.0, 15.0])
def test_ewald_parameter(packing, cutoff):
    # repulsion beyond 8 A is 1e-8 eV, the charges and dispersion converge to 1e-11 of their terms
    assert energy(packing, cutoff=cutoff, decades=11.0) == pytest.approx(
        energy(packing, decades=11.0), abs=3e-8
    )


def test_expansion_to_p1(packing):
    expanded = expand_to_p1(packing)
    operations = len(SpaceGroup.from_hall(packing.hall_symbol).operations)
    assert energy(expanded) / operations == pytest.approx(energy(packing), **SAME)


def test_supercell():
    packing = PACKINGS["cubic, linear molecule"]
    large = expand_to_p1(packing, (2, 1, 1))
    assert energy(large) / 24 == pytest.approx(energy(packing), **SAME)


def test_translation_in_p1():
    packing = expand_to_p1(PACKINGS["monoclinic"])
    moved = [
        replace(pose, translation_c=tuple(np.add(pose.translation_c, (0.17, -0.4, 2.31))))
        for pose in packing.poses
    ]
    assert energy(replace(packing, poses=tuple(moved))) == pytest.approx(energy(packing), **SAME)


def test_permutation_of_molecules():
    packing = PACKINGS["two molecules, triclinic"]
    assert energy(replace(packing, poses=packing.poses[::-1])) == pytest.approx(energy(packing), **SAME)


def test_rotation_of_the_whole_crystal(packing):
    sites, sums, state = problem(packing)
    turn_vv = Rotation.from_euler("xyz", (20, -50, 110), degrees=True).as_matrix()
    turned = State(state.cell_cv @ turn_vv.T, state.centre_mc, turn_vv @ state.rotation_mvv)
    first_t, (strain_vv, centre_mv, torque_mv), _ = crystal_energy(sites, sums, state)
    second_t, (turned_vv, turned_mv, turned_torque_mv), _ = crystal_energy(sites, sums, turned)
    assert second_t == pytest.approx(first_t, **SAME)
    np.testing.assert_allclose(turned_vv, turn_vv @ strain_vv @ turn_vv.T, atol=1e-7)
    np.testing.assert_allclose(
        turned_mv, centre_mv @ turn_vv.T, atol=1e-7
    )  # gradients: 1 / A of the energies'
    np.testing.assert_allclose(turned_torque_mv, torque_mv @ turn_vv.T, atol=1e-7)


def test_equivalent_origin():
    packing = PACKINGS["monoclinic"]
    moved = replace(packing.poses[0], translation_c=tuple(np.add(packing.poses[0].translation_c, 0.5)))
    assert energy(replace(packing, poses=(moved,))) == pytest.approx(energy(packing), **SAME)


def test_mirror_image_of_the_crystal():
    packing = PACKINGS["two molecules, triclinic"]
    centre = [
        replace(pose, translation_c=tuple(-value for value in pose.translation_c), parity=-pose.parity)
        for pose in packing.poses
    ]
    assert energy(replace(packing, poses=tuple(centre))) == pytest.approx(energy(packing), **SAME)


@pytest.mark.parametrize(
    ("hall", "cell", "strains"),
    [
        ("P 1", (5.0, 6.0, 7.0, 80.0, 95.0, 100.0), 6),
        ("-P 2ybc", (5.0, 6.0, 7.0, 90.0, 105.0, 90.0), 4),
        ("-P 2ac 2ab", (5.0, 6.0, 7.0, 90.0, 90.0, 90.0), 3),
        ("-P 4", (5.0, 5.0, 7.0, 90.0, 90.0, 90.0), 2),
        ("-R 3", (5.0, 5.0, 7.0, 90.0, 90.0, 120.0), 2),
        ("P 2ac 2ab 3", (5.0, 5.0, 5.0, 90.0, 90.0, 90.0), 1),
    ],
)
def test_symmetric_strains(hall, cell, strains):
    operation_scc = np.array([rotation for rotation, _ in SpaceGroup.from_hall(hall).operations])
    cell_cv = Packing(hall, cell, ()).cell_cv
    basis = strain_basis(operation_scc, cell_cv)
    assert len(basis) == strains
    np.testing.assert_allclose(np.einsum("kvw,lvw->kl", basis, basis), np.eye(strains), atol=1e-12)
    if strains == 1:
        np.testing.assert_allclose(basis[0], np.eye(3) / np.sqrt(3), atol=1e-12)
    for strain_vv in basis:
        strained_cv = cell_cv @ (np.eye(3) + 0.01 * strain_vv)
        metric = strained_cv @ strained_cv.T
        for rotation_cc in operation_scc:
            np.testing.assert_allclose(rotation_cc.T @ metric @ rotation_cc, metric, atol=1e-10)


def test_energy_is_per_formula_unit():
    model = build_lattice_energy(CONFORMERS, EnergySettings())
    packing = PACKINGS["monoclinic"]
    terms, gradient = model.evaluate(packing)
    expanded, expanded_gradient = model.evaluate(expand_to_p1(packing))
    assert expanded.total == pytest.approx(terms.total, rel=1e-9)
    np.testing.assert_allclose(expanded_gradient.strain_vv, gradient.strain_vv, atol=1e-5)
    np.testing.assert_allclose(4.0 * expanded_gradient.centre_mv[0], gradient.centre_mv[0], atol=1e-5)
