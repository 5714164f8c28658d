"""The ASE calculator: energy of the engine, forces and stress as derivatives of that energy by rigid motions."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from scipy.spatial.transform import Rotation

from polyscape.energy.ase_calculator import RigidMoleculeCalculator
from polyscape.energy.model import build_model
from polyscape.settings.search import EnergySettings
from polyscape.units import KJ_PER_MOL_PER_EV
from tests import builders

SIZE, MOLECULES = 8, 4
STEP = 1e-4
SLACK = 1e-6
"""Central differences of step 1e-4 in an energy summed to 1e-8 eV: noise 1e-8 / 1e-4 is the larger part, times 1e-2."""


@pytest.fixture(scope="module")
def crystal():
    """An off-symmetry crystal of four oxalic acids with multipoles of all ranks, in an unusual orientation."""
    molecule = builders.oxalic_acid()
    generator = np.random.default_rng(7)
    multipoles = molecule.multipole_aq + generator.normal(scale=0.1, size=molecule.multipole_aq.shape)
    multipoles[:, 0] -= multipoles[:, 0].mean()
    conformers = {(0, "ttt"): replace(molecule, multipole_aq=multipoles)}
    packing = builders.oxalic_packing()
    model = build_model(conformers, EnergySettings())
    atoms = packing.to_atoms(conformers)
    atoms.rotate(35.0, (1, 2, 3), rotate_cell=True)
    atoms.calc = RigidMoleculeCalculator(model, packing)
    return atoms, model, packing


def displaced(atoms: Atoms, molecule: int, shift=(0, 0, 0), turn=(0, 0, 0)) -> Atoms:
    """A molecule moved and turned about its centre of mass."""
    moved = atoms.copy()
    moved.calc = atoms.calc
    span = slice(molecule * SIZE, (molecule + 1) * SIZE)
    mass = moved[span].get_masses()
    centre = mass @ moved.positions[span] / mass.sum()
    matrix = Rotation.from_rotvec(turn).as_matrix()
    moved.positions[span] = (moved.positions[span] - centre) @ matrix.T + centre + shift
    return moved


def test_energy_is_the_engines(crystal):
    atoms, model, packing = crystal
    terms, _ = model.evaluate(packing)
    wanted = MOLECULES * terms.total / KJ_PER_MOL_PER_EV
    np.testing.assert_allclose(atoms.get_potential_energy(), wanted, atol=1e-7)  # Ewald sums end at 1e-8 eV


@pytest.mark.parametrize("molecule", [0, 3])
def test_forces_and_torques(crystal, molecule):
    atoms, _, _ = crystal
    start = displaced(atoms, 1, (0.05, -0.02, 0.03), (0.02, 0.03, -0.04))  # off symmetry
    forces = start.get_forces()
    span = slice(molecule * SIZE, (molecule + 1) * SIZE)
    mass = start[span].get_masses()
    arms = start.positions[span] - mass @ start.positions[span] / mass.sum()
    torque = np.cross(arms, forces[span]).sum(axis=0)
    for axis in np.eye(3):
        up, down = (displaced(start, molecule, s * STEP * axis).get_potential_energy() for s in (1, -1))
        np.testing.assert_allclose(forces[span].sum(axis=0) @ axis, -(up - down) / (2 * STEP), atol=SLACK)
        up, down = (displaced(start, molecule, turn=s * STEP * axis).get_potential_energy() for s in (1, -1))
        np.testing.assert_allclose(torque @ axis, -(up - down) / (2 * STEP), atol=SLACK)
    assert np.abs(forces).max() > 1e-2  # the test cannot pass on zeros


def test_stress(crystal):
    """Molecules keep their shapes while centres follow the strain."""
    atoms, _, _ = crystal
    stress = atoms.get_stress(voigt=False)
    generator = np.random.default_rng(2)
    strain = generator.normal(size=(3, 3))
    strain = 0.5 * (strain + strain.T)

    def energy(step):
        strained = atoms.copy()
        strained.calc = atoms.calc
        strained.set_cell(atoms.cell @ (np.eye(3) + step * strain), scale_atoms=False)
        for m in range(MOLECULES):
            span = slice(m * SIZE, (m + 1) * SIZE)
            mass = atoms[span].get_masses()
            centre = mass @ atoms.positions[span] / mass.sum()
            strained.positions[span] += step * centre @ strain
        return strained.get_potential_energy()

    slope = (energy(STEP) - energy(-STEP)) / (2 * STEP)
    np.testing.assert_allclose(np.sum(stress * strain) * atoms.get_volume(), slope, atol=1e-5)
    assert abs(slope) > 0.1


def test_deformed_molecules_are_refused(crystal):
    atoms, _, _ = crystal
    bent = atoms.copy()
    bent.calc = atoms.calc
    bent.positions[3] += 0.5
    with pytest.raises(ValueError, match="is deformed"):
        bent.get_potential_energy()
