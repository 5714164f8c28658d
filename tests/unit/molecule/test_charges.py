"""Charges fitted to a potential."""

import numpy as np
import pytest
from ase.build import molecule as ase_molecule

from polyscape.molecule.charges import fit_charges, potential_points
from polyscape.units import ANGSTROM_PER_BOHR


@pytest.mark.parametrize("name", ["H2O", "CH3CH2OH", "C6H6"])
def test_charges_are_found_again_from_their_own_potential(name):
    atoms = ase_molecule(name)
    true_a = np.random.default_rng(1).normal(size=len(atoms))
    point_pv = potential_points(atoms.numbers, atoms.positions)
    distance_pa = np.linalg.norm(point_pv[:, None] - atoms.positions, axis=2)
    potential_p = ANGSTROM_PER_BOHR * (true_a / distance_pa).sum(axis=1)
    charge_a, misfit = fit_charges(potential_p, atoms.positions, point_pv, true_a.sum())
    np.testing.assert_allclose(
        charge_a, true_a, atol=1e-7
    )  # the normal matrix is ill-conditioned: 1e-16 * 1e8
    assert misfit < 1e-4


def test_the_total_charge_is_kept_even_against_the_potential():
    atoms = ase_molecule("H2O")
    point_pv = potential_points(atoms.numbers, atoms.positions)
    charge_a, misfit = fit_charges(np.zeros(len(point_pv)), atoms.positions, point_pv, -1.0)
    assert charge_a.sum() == pytest.approx(-1.0, abs=1e-10)
    assert misfit > 100


def test_points_lie_outside_every_atom_and_depend_on_nothing_random():
    atoms = ase_molecule("CH3CH2OH")
    point_pv = potential_points(atoms.numbers, atoms.positions)
    distance_pa = np.linalg.norm(point_pv[:, None] - atoms.positions, axis=2)
    assert (distance_pa[:, atoms.numbers == 6] > 1.4 * 1.7 - 1e-5).all()
    assert (distance_pa[:, atoms.numbers == 1] > 1.4 * 1.1 - 1e-5).all()
    np.testing.assert_array_equal(point_pv, potential_points(atoms.numbers, atoms.positions))
    assert len(point_pv) > 20 * len(atoms)
