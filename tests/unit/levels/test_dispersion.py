"""Dispersion: invariances, derivatives, and numbers of others."""

import numpy as np
import pytest
from ase import Atoms
from dftd4.interface import DampingParam, DispersionModel

from polyscape.levels.box import in_box
from polyscape.levels.dispersion import dispersion_energy_eV, dispersion_of
from polyscape.settings.levels import Level
from polyscape.units import ANGSTROM_PER_BOHR, EV_PER_HARTREE
from tests.builders import conformers, oxalic_packing

LEVEL = Level(name="pbe")
KINDS = ("d3bj", "d3bj-atm", "d4")


@pytest.fixture(scope="module")
def crystal():
    return oxalic_packing().to_atoms(conformers())


@pytest.fixture(scope="module")
def small():
    """Water alone in a small cell, in no symmetric position."""
    position_av = [[0.1, 0.2, 0.3], [1.0, 0.3, 0.5], [-0.2, 1.1, 0.4]]
    cell_cv = np.array([[3.6, 0.1, 0.0], [-0.4, 3.9, 0.2], [0.3, 0.0, 4.1]])
    return Atoms("OHH", position_av, cell=cell_cv, pbc=True)


def test_supercell_translation_and_permutation_change_nothing(crystal):
    energy_eV = dispersion_energy_eV(crystal, LEVEL)
    assert energy_eV < -1.0
    doubled = dispersion_energy_eV(crystal.repeat((1, 2, 1)), LEVEL) / 2
    moved = crystal[np.random.default_rng(1).permutation(len(crystal))]
    moved.positions += [0.7, -0.3, 0.2]
    # sums over 60 bohr in another order: rounding only
    assert doubled == pytest.approx(energy_eV, abs=1e-8)
    assert dispersion_energy_eV(moved, LEVEL) == pytest.approx(energy_eV, abs=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_two_cells_have_twice_the_energy_of_one(small, kind):
    level = Level(name="a", dispersion=kind)
    one, two = dispersion_energy_eV(small, level), dispersion_energy_eV(small.repeat((1, 1, 2)), level)
    assert one < -0.03
    assert two / 2 == pytest.approx(
        one, abs=1e-7
    )  # sums in another order; charges of D4 to its solver's threshold


@pytest.mark.parametrize("kind", KINDS)
def test_forces_and_stress_are_derivatives(small, kind):
    level, step = Level(name="a", dispersion=kind), 1e-3
    found = dispersion_of(small, level, derivatives=True)
    scale = np.abs(found.forces_av).max()
    assert scale > 1e-3
    moved = [small.copy() for _ in range(2)]
    for sign, atoms in zip((1, -1), moved, strict=True):
        atoms.positions[0, 2] += sign * step
    up_eV, down_eV = (dispersion_energy_eV(atoms, level) for atoms in moved)
    # pairs cross the programs' sharp cutoff of 60 bohr: about 1e-5 eV/A
    assert found.forces_av[0, 2] == pytest.approx(-(up_eV - down_eV) / (2 * step), abs=0.02 * scale)
    strain_vv = np.array([[0.4, 0.2, 0.0], [0.2, -0.3, 0.1], [0.0, 0.1, 1.0]])
    strained = [small.copy() for _ in range(2)]
    for sign, atoms in zip((1, -1), strained, strict=True):
        atoms.set_cell(np.asarray(small.cell) @ (np.eye(3) + sign * step * strain_vv), scale_atoms=True)
    up_eV, down_eV = (dispersion_energy_eV(atoms, level) for atoms in strained)
    difference = (up_eV - down_eV) / (2 * step * small.get_volume())
    assert np.sum(found.stress_vv * strain_vv) == pytest.approx(difference, rel=0.01)


def test_a_far_dimer_of_argon_is_attracted_by_c6():
    """C6 = 64.3 a.u., from dipole oscillator strengths: A. Kumar, W. J. Meath, Mol. Phys. 54, 823 (1985)."""
    distance_bohr = 40.0
    atoms = Atoms("Ar2", [[0, 0, 0], [0, 0, distance_bohr * ANGSTROM_PER_BOHR]])
    expected_eV = -64.3 / distance_bohr**6 * EV_PER_HARTREE
    # the C8 term adds 1 to 2 % at this distance; the coefficients of D3 and D4 are 0.5 and 1.5 % from the measured one
    assert dispersion_energy_eV(atoms, LEVEL) == pytest.approx(expected_eV, rel=0.04)
    assert dispersion_energy_eV(atoms, Level(name="a", dispersion="d4")) == pytest.approx(
        expected_eV, rel=0.05
    )


def test_the_three_body_term_of_a_triangle_of_argon_repels():
    """``C9 (1 + 3 cos^3 60) / r^9`` with C9 = sqrt(C6^3): B. M. Axilrod, E. Teller, J. Chem. Phys. 11, 299 (1943)."""
    side_bohr = 14.0
    corners_av = [[0, 0, 0], [1, 0, 0], [0.5, np.sqrt(0.75), 0]]
    atoms = Atoms("Ar3", np.array(corners_av) * side_bohr * ANGSTROM_PER_BOHR)
    three_eV = dispersion_energy_eV(atoms, Level(name="a", dispersion="d3bj-atm"))
    three_eV -= dispersion_energy_eV(atoms, Level(name="a", dispersion="d3bj"))
    expected_eV = 64.3**1.5 * (1 + 3 / 8) / side_bohr**9 * EV_PER_HARTREE
    # the damping takes a little at this distance; C6 enters by its power of 1.5
    assert three_eV == pytest.approx(expected_eV, rel=0.05)


def test_d4_gives_the_number_of_its_documentation():
    """The example of `dftd4.interface.DispersionModel.get_dispersion`: SCAN-D4 of 16 atoms, in hartree."""
    numbers = [1, 1, 6, 5, 1, 15, 8, 17, 13, 15, 5, 1, 9, 15, 1, 15]
    position_bohr = [
        [2.79274810283778, 3.82998228828316, -2.79287054959216],
        [-1.43447454186833, 0.43418729987882, 5.53854345129809],
        [-3.26268343665218, -2.50644032426151, -1.56631149351046],
        [2.14548759959147, -0.88798018953965, -2.24592534506187],
        [-4.30233097423181, -3.93631518670031, -0.48930754109119],
        [0.06107643564880, -3.82467931731366, -2.22333344469482],
        [0.41168550401858, 0.58105573172764, 5.56854609916143],
        [4.41363836635653, 3.92515871809283, 2.57961724984000],
        [1.33707758998700, 1.40194471661647, 1.97530004949523],
        [3.08342709834868, 1.72520024666801, -4.42666116106828],
        [-3.02346932078505, 0.04438199934191, -0.27636197425010],
        [1.11508390868455, -0.97617434809198, 6.25462847718180],
        [0.61938955433011, 2.17903547389232, -6.21279842416963],
        [-2.67491681346835, 3.00175899761859, 1.05038813614845],
        [-4.13181080289514, -2.34226739863660, -3.44356159392859],
        [2.85007173009739, -2.64884892757600, 0.71010806424206],
    ]
    atoms = Atoms(numbers, np.array(position_bohr) * ANGSTROM_PER_BOHR)
    level = Level(name="a", dispersion="d4", dispersion_functional="SCAN")
    # digits of the example; all distances are below every cutoff
    assert dispersion_energy_eV(atoms, level) / EV_PER_HARTREE == pytest.approx(
        -0.005328888532435093, abs=1e-9
    )


def test_a_molecule_has_no_stress_and_none_is_zero(crystal):
    alone = crystal.copy()
    alone.pbc = False
    assert dispersion_of(alone, LEVEL, derivatives=True).stress_vv is None
    nothing = dispersion_of(crystal, Level(name="a", dispersion="none"), derivatives=True)
    assert nothing.energy_eV == 0.0
    assert not nothing.forces_av.any()
    assert not nothing.stress_vv.any()


def test_d4_depends_on_the_charge_of_an_ion():
    """Fewer electrons polarise less; the numbers of dftd4 for the same charges."""
    place = np.array([8, 1]), np.array([[0, 0, 0], [0, 0, 0.97]]), 10.0
    level = Level(name="a", dispersion="d4")
    for charge in (-1, 0, 1):
        model = DispersionModel(place[0], place[1] / ANGSTROM_PER_BOHR, charge=charge)
        expected = model.get_dispersion(DampingParam(method="pbe"), grad=False)["energy"] * EV_PER_HARTREE
        # two atoms have no three-body term: no cutoff counts
        assert dispersion_energy_eV(in_box(*place, charge), level) == pytest.approx(expected, rel=1e-9)
    anion, cation = (dispersion_energy_eV(in_box(*place, charge), level) for charge in (-1, 1))
    assert anion < 1.1 * cation < 0


def test_functionals_differ(crystal):
    other = Level(name="b", dispersion_functional="PBE0")
    assert dispersion_energy_eV(crystal, other) != dispersion_energy_eV(crystal, LEVEL)
