"""The field at the sites: the slope of the lattice energy with a dipole there, Coulomb's law, and what must not change it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Packing, Pose
from polyscape.crystal.sites import site_operations, symmetrised
from polyscape.energy.crystal_sum import crystal_energy
from polyscape.energy.kinds import all_kinds, kinds_of
from polyscape.energy.model import FINE_DECADES, RigidLatticeEnergy
from polyscape.energy.polarisation import polarisation, site_fields
from polyscape.energy.potentials import load_potential
from polyscape.energy.sites import pose_of
from polyscape.energy.splitting import CHARGES, Splitting, sums_of
from polyscape.units import COULOMB_EV_A, KJ_PER_MOL_PER_EV
from tests.builders import conformers, oxalic_acid
from tests.physics.multipole_cases import CONFORMERS, PACKINGS, SPECIAL
from tests.physics.test_multipole_invariance import in_p1

ALL_CASES = PACKINGS | SPECIAL
FULL = Splitting.full(12.0, FINE_DECADES)
STEP = 0.05
EDGE_A = 40.0


def model_of(molecules, splitting=FULL):
    return RigidLatticeEnergy(molecules, load_potential("fit"), splitting)


@pytest.mark.parametrize("name", PACKINGS)
def test_the_field_is_the_slope_of_the_lattice_energy_with_a_dipole(name):
    """Every image of the site gets the dipole: half of each pair's energy, twice.  The energy is quadratic in it."""
    model, packing = model_of(CONFORMERS), ALL_CASES[name]
    sites, pose = model.sites(packing), pose_of(packing, CONFORMERS)
    field_av = site_fields(model, packing)

    def energy(site, v, size):
        moment_qa = sites.moment_qa.copy()
        moment_qa[1:4, site] += size * pose.rotation_mvv[sites.molecule_a[site]][v]  # in the molecule's axes
        changed = sites._replace(moment_qa=moment_qa)
        share = sites.weight_m[sites.molecule_a[site]]
        return float(crystal_energy(changed, sums_of(changed, FULL), pose)[0][0]) / share

    for site in (0, len(field_av) - 1):
        slope_v = [(energy(site, v, STEP) - energy(site, v, -STEP)) / (2 * STEP) for v in range(3)]
        np.testing.assert_allclose(-field_av[site], slope_v, rtol=1e-6, atol=1e-8)


def test_two_molecules_far_from_all_others_feel_coulombs_law():
    """Charges in a cell of 40 A: the images of molecules without a dipole add less than 1e-3 of the field."""
    molecule = oxalic_acid()
    poses = (
        Pose(0, "ttt", "1", (0.1, 0.1, 0.1), (1.0, 0.0, 0.0, 0.0)),
        Pose(0, "ttt", "1", (0.1, 0.2, 0.15), (0.8, 0.0, 0.6, 0.0)),
    )
    packing = Packing("P 1", (*3 * [EDGE_A], 90.0, 90.0, 90.0), poses)
    at_av, from_av = (
        EDGE_A * np.array(pose.translation_c) + molecule.position_av @ pose.rotation_vv().T for pose in poses
    )
    vector_abv = at_av[:, None] - from_av[None]
    coulomb_abv = vector_abv / np.linalg.norm(vector_abv, axis=2, keepdims=True) ** 3
    expected_av = np.sqrt(COULOMB_EV_A) * np.einsum("b,abv->av", molecule.charge_a, coulomb_abv)
    found_av = site_fields(model_of(conformers()), packing)[: len(at_av)]
    np.testing.assert_allclose(found_av, expected_av, atol=1e-3 * np.abs(expected_av).max())


def test_a_charge_a_distance_from_an_atom_polarises_it_as_textbooks_say():
    """-alpha q^2 / (8 pi epsilon_0 r^4): 1 Angstrom^3 and a unit charge at 4 Angstrom, -2.714 kJ/mol; the images of
    the two oppositely charged ions, 40 A away, take off Lorentz's field, 4 pi / 3 of their dipole's density: 0.4 %.
    """
    ions = {
        (c, "ion"): replace(
            oxalic_acid(), component=c, name="ion", atomic_number_a=np.array([17]), position_av=np.zeros((1, 3)),
            mass_a=np.array([35.453]), potential_type_a=("Cl",), charge_a=np.array([charge]),
            multipole_aq=charge * np.eye(25)[:1], bonds=(),
        )
        for c, charge in ((0, 1.0), (1, -1.0))
    }  # fmt: skip
    poses = tuple(
        Pose(c, "ion", "1", (0.1 + 4.0 / EDGE_A * c, 0.1, 0.1), (1.0, 0.0, 0.0, 0.0)) for c in (0, 1)
    )
    found = polarisation(model_of(ions), Packing("P 1", (*3 * [EDGE_A], 90.0, 90.0, 90.0), poses))
    images = 4 * np.pi / 3 * 4.0**3 / EDGE_A**3
    one = -0.5 * COULOMB_EV_A / 4.0**4 * KJ_PER_MOL_PER_EV
    assert one == pytest.approx(-2.7136, abs=1e-3)
    assert found == pytest.approx({"Cl()": 2 * one * (1 - images) ** 2}, rel=1e-3)


@pytest.mark.parametrize("name", ALL_CASES)
def test_a_crystal_written_without_its_symmetry_is_polarised_alike(name):
    packing = ALL_CASES[name]
    model = model_of(CONFORMERS)
    assert polarisation(model, in_p1(packing)) == pytest.approx(polarisation(model, packing), rel=1e-6)


def pyramid():
    """Ammonia on a threefold axis along z, with random multipoles that share it."""
    turn_vv = Rotation.from_rotvec([0, 0, 2 * np.pi / 3]).as_matrix()
    hydrogen_v = np.array([0.94, 0.1, -0.3])
    position_av = np.array([[0, 0, 0.1], hydrogen_v, turn_vv @ hydrogen_v, turn_vv @ turn_vv @ hydrogen_v])
    charge_a = np.array([-0.9, 0.3, 0.3, 0.3])
    multipole_aq = np.zeros((4, 25))
    multipole_aq[:, 1:9] = 0.3 * np.random.default_rng(0).normal(size=(4, 8))
    multipole_aq[:, 0] = charge_a
    bonds = ((0, 1), (0, 2), (0, 3))
    molecule = replace(
        oxalic_acid(), name="pyramid", atomic_number_a=np.array([7, 1, 1, 1]), position_av=position_av,
        mass_a=np.array([14.0, 1.0, 1.0, 1.0]), charge_a=charge_a, multipole_aq=multipole_aq, bonds=bonds,
        potential_type_a=load_potential("fit").assign_types(np.array([7, 1, 1, 1]), bonds),
    )  # fmt: skip
    packing = Packing("P 3", (8.1, 8.1, 7.0, 90.0, 90.0, 120.0), (ON_AXIS,))
    site = site_operations(packing, 0, {(0, "pyramid"): molecule})
    return symmetrised(molecule, ON_AXIS, site, SpaceGroup.from_hall("P 3"), packing.cell_cv)[0]


ON_AXIS = Pose(0, "pyramid", "3", (0.0, 0.0, 0.1), (1.0, 0.0, 0.0, 0.0))
BESIDE = Pose(0, "pyramid", "1", (0.45, 0.1, 0.5), (0.8, 0.36, 0.48, 0.0))


@pytest.mark.parametrize("hall", ["P 3", "-P 3"])
@pytest.mark.parametrize("poses", [(ON_AXIS,), (ON_AXIS, BESIDE)], ids=["alone", "beside another"])
def test_a_molecule_on_a_threefold_axis_is_polarised_as_without_the_group(hall, poses):
    """Operations that are not their own inverses: a mean over the site in the wrong direction would show."""
    edge = 5.1 if len(poses) == 1 else 8.1
    packing = Packing(hall, (edge, edge, 7.0, 90.0, 90.0, 120.0), poses)
    model = model_of({(0, "pyramid"): pyramid()})
    found = polarisation(model, packing)
    assert found == pytest.approx(polarisation(model, in_p1(packing)), rel=1e-6)
    assert found["H(N)"] < -0.01


def test_every_kind_has_its_place_and_charges_polarise_as_multipoles_of_rank_0():
    molecules, packing = conformers(), PACKINGS[next(iter(PACKINGS))]
    kinds = all_kinds(molecules)
    assert kinds == ["C(C,O,O)", "H(O)", "O(C)", "O(C,H)"]
    assert kinds_of(molecules[0, "ttt"])[:4] == ("C(C,O,O)", "O(C)", "O(C,H)", "H(O)")
    packing = Packing(packing.hall_symbol, packing.cell, (replace(packing.poses[0], conformer="ttt"),))
    by_multipoles = polarisation(model_of(molecules), packing)
    assert list(by_multipoles) == kinds
    by_charges = replace(model_of(molecules, Splitting.full(12.0, FINE_DECADES, CHARGES)), charges=True)
    assert polarisation(by_charges, packing) == pytest.approx(by_multipoles, rel=1e-6)
    assert all(value < 0 for value in by_multipoles.values())
