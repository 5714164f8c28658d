"""Duplicates: one crystal in any description is one structure, two crystals are two."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import make_supercell

from polyscape.crystal.packing import Packing
from polyscape.crystal.reduction import reduce_atoms, reduce_packing
from polyscape.search.duplicates import Minimum, representatives
from polyscape.search.similarity import Fingerprint, overlay
from polyscape.settings.search import LandscapeSettings
from tests import builders
from tests.unit.search.crystals import other_packing

CONFORMERS = builders.conformers()
SETTINGS = LandscapeSettings()


def fingerprint(atoms, size=8):
    return Fingerprint(atoms, np.arange(0, len(atoms) + 1, size))


def minimum(atoms, energy=-90.0):
    reduced = reduce_atoms(atoms, np.arange(0, len(atoms) + 1, 8))
    return Minimum(energy, 1.8, fingerprint(reduced.atoms))


def descriptions():
    """One crystal: as it is, rotated, inverted, in another setting, as a supercell, with atoms off by 0.002 A."""
    atoms = builders.oxalic_packing().to_atoms(CONFORMERS)
    rotated = atoms.copy()
    rotated.rotate(71, (1, 2, 3), rotate_cell=True)
    inverted = atoms.copy()
    inverted.set_cell(-np.asarray(atoms.cell), scale_atoms=True)
    setting = make_supercell(atoms, [[1, 0, 1], [0, 1, 0], [0, 0, 1]])  # P2_1/n of a P2_1/c cell
    moved = atoms.copy()
    moved.positions[:8] += 0.002
    return [atoms, rotated, inverted, setting, make_supercell(atoms, np.diag([1, 2, 1])), moved]


def test_one_crystal_in_six_descriptions():
    minima = [minimum(atoms) for atoms in descriptions()]
    assert representatives(minima, SETTINGS) == [0] * 6


def test_grey_zone_is_decided_by_the_overlay():
    """A cell 0.7 % larger: the invariants differ by more than 0.01 A, the clusters overlay."""
    packing = builders.oxalic_packing()
    a, b, c, *angles = packing.cell
    larger = Packing(packing.hall_symbol, (1.007 * a, 1.007 * b, 1.007 * c, *angles), packing.poses)
    first, second = (fingerprint(reduce_packing(p, CONFORMERS).atoms) for p in (packing, larger))
    assert first.amd_distance_A(second) > 0.01
    pair = [Minimum(-90.0, 1.80, first), Minimum(-90.1, 1.79, second)]
    assert representatives(pair, SETTINGS) == [0, 0]
    strict = SETTINGS.model_copy(update={"duplicate_rmsd_A": 0.01})
    assert representatives(pair, strict) == [0, 1]


def test_different_crystals_stay_apart():
    pair = [minimum(p.to_atoms(CONFORMERS)) for p in (builders.oxalic_packing(), other_packing())]
    assert representatives(pair, SETTINGS) == [0, 1]


@pytest.mark.parametrize(("energy", "expected"), [(-90.4, [0, 0]), (-90.6, [0, 1])])
def test_energy_window(energy, expected):
    atoms = builders.oxalic_packing().to_atoms(CONFORMERS)
    assert representatives([minimum(atoms), minimum(atoms, energy)], SETTINGS) == expected


def test_what_comes_later_changes_nothing_before():
    minima = [minimum(atoms) for atoms in (*descriptions()[:3], other_packing().to_atoms(CONFORMERS))]
    longer = representatives(minima, SETTINGS)
    assert all(representatives(minima[:n], SETTINGS) == longer[:n] for n in range(1, 5))


def test_hydrogens_count():
    """Another hydrogen position, the same heavy atoms: another crystal."""
    atoms = builders.oxalic_packing().to_atoms(CONFORMERS)
    turned = atoms.copy()
    for first in range(0, len(atoms), 8):
        # the acid protons of the two ends: from the one oxygen to the far side of it
        for oxygen, hydrogen, carbon in ((2, 3, 0), (6, 7, 4)):
            axis = atoms.positions[first + carbon] - atoms.positions[first + oxygen]
            axis /= np.linalg.norm(axis)
            arm = atoms.positions[first + hydrogen] - atoms.positions[first + oxygen]
            turned.positions[first + hydrogen] = (
                atoms.positions[first + oxygen] + 2 * (arm @ axis) * axis - arm
            )
    one, other = (fingerprint(reduce_atoms(a, np.arange(0, 33, 8)).atoms) for a in (atoms, turned))
    assert not overlay(one, other, 15).same(15, 0.15)


def carbon_dioxide(axis):
    """Solid CO2, Pa-3, x(O) = 0.1185."""
    centres = ((0, 0, 0), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5))
    directions = ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))
    fractional = [
        np.array(centre) + sign * 0.1185 * np.array(direction)
        for centre, direction in zip(centres, directions, strict=True)
        for sign in (0, 1, -1)
    ]
    return Atoms("COO" * 4, scaled_positions=fractional, cell=[axis] * 3, pbc=True)


def test_linear_molecules_are_compared_by_invariants():
    crystal = carbon_dioxide(5.624)
    same = make_supercell(crystal, np.diag([2, 1, 1]))
    same.rotate(40, (1, 2, 3), rotate_cell=True)
    one, same, different = (fingerprint(atoms, 3) for atoms in (crystal, same, carbon_dioxide(6.2)))
    assert one.has_linear_molecules
    assert not fingerprint(builders.oxalic_packing().to_atoms(CONFORMERS)).has_linear_molecules
    assert overlay(one, same, 15).same(15, 0.15)
    assert not overlay(one, different, 15).same(15, 0.15)


def test_a_crystal_of_shuffled_wrapped_atoms_is_itself():
    """Its molecules, cut by the cell's faces and mixed, are found from the bonds."""
    packing = builders.oxalic_packing()
    a, b, c, *angles = packing.cell  # widened: no contact as short as a bond
    atoms = Packing(packing.hall_symbol, (1.4 * a, 1.4 * b, 1.4 * c, *angles), packing.poses).to_atoms(
        CONFORMERS
    )
    mixed = atoms[np.random.default_rng(1).permutation(len(atoms))]
    mixed.wrap()
    found = overlay(fingerprint(atoms), Fingerprint.of_crystal(mixed), 15)
    assert found.same(15, 1e-4)  # the same atoms but for rounding
