"""Duplicates: one crystal in any description is one structure, two crystals are two."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import make_supercell

from polyscape.crystal import pointwise
from polyscape.crystal.packing import Packing
from polyscape.search.duplicates import Comparison, Minimum, representatives
from polyscape.search.similarity import Fingerprint, overlay
from polyscape.settings.search import LandscapeSettings
from tests import builders
from tests.unit.search.crystals import other_packing

CONFORMERS = builders.conformers()
SETTINGS = LandscapeSettings()


def fingerprint(atoms, size=8):
    return Fingerprint(atoms, np.arange(0, len(atoms) + 1, size))


def represented(crystals, settings=SETTINGS, energies=None, names=None, size=8, **options):
    """Which crystal represents each; found one after another in one series, of one energy and density by default."""
    energies = [-90.0] * len(crystals) if energies is None else energies
    names = [f"014-{i:07d}" for i in range(len(crystals))] if names is None else names
    minima = [
        Minimum(name, energy, 1.8, pointwise.of_atoms(atoms))
        for name, energy, atoms in zip(names, energies, crystals, strict=True)
    ]
    compared = Comparison(settings, **options)
    return representatives(minima, lambda i: fingerprint(crystals[i], size), compared)


def inverted(atoms):
    image = atoms.copy()
    image.set_cell(-np.asarray(atoms.cell), scale_atoms=True)
    return image


def oxalic():
    return builders.oxalic_packing().to_atoms(CONFORMERS)


def descriptions():
    """One crystal: as it is, rotated, inverted, in another setting, as a supercell, with atoms off by 0.002 A."""
    atoms = oxalic()
    rotated = atoms.copy()
    rotated.rotate(71, (1, 2, 3), rotate_cell=True)
    setting = make_supercell(atoms, [[1, 0, 1], [0, 1, 0], [0, 0, 1]], wrap=False)  # P2_1/n of a P2_1/c cell
    moved = atoms.copy()
    moved.positions[:8] += 0.002
    return [
        atoms,
        rotated,
        inverted(atoms),
        setting,
        make_supercell(atoms, np.diag([1, 2, 1]), wrap=False),
        moved,
    ]


def larger(factor):
    """A cell larger by a factor along each axis; the molecules stay as they are."""
    packing = builders.oxalic_packing()
    a, b, c, *angles = packing.cell
    return replace(packing, cell=(factor * a, factor * b, factor * c, *angles)).to_atoms(CONFORMERS)


def test_one_crystal_in_six_descriptions():
    assert represented(descriptions()) == [0] * 6


def test_grey_zone_is_decided_by_the_overlay():
    """A cell 0.7 % larger: the invariants differ by more than 0.01 A, the clusters overlay."""
    pair = [oxalic(), larger(1.007)]
    assert fingerprint(pair[0]).amd_distance_A(fingerprint(pair[1])) > 0.01
    assert represented(pair) == [0, 0]
    strict = SETTINGS.model_copy(update={"duplicate_rmsd_A": 0.01})
    assert represented(pair, strict) == [0, 1]


def test_different_crystals_stay_apart():
    assert represented([oxalic(), other_packing().to_atoms(CONFORMERS)]) == [0, 1]


@pytest.mark.parametrize(("energy", "expected"), [(-90.4, [0, 0]), (-90.6, [0, 1])])
def test_energy_window(energy, expected):
    """The same crystal at another energy is overlaid within the window, and apart beyond it."""
    assert represented([oxalic()] * 2, energies=[-90.0, energy]) == expected


def test_what_comes_later_changes_nothing_before():
    crystals = [*descriptions()[:3], other_packing().to_atoms(CONFORMERS), larger(1.007), larger(1.012)]
    longer = represented(crystals)
    assert all(represented(crystals[:n]) == longer[:n] for n in range(1, len(crystals)))


def test_the_order_in_which_minima_are_given_does_not_matter():
    crystals = [*descriptions(), other_packing().to_atoms(CONFORMERS), larger(1.007), larger(1.012)]
    names = np.array([f"014-{i:07d}" for i in range(len(crystals))])
    expected = dict(zip(names, names[represented(crystals)], strict=True))
    for seed in range(5):
        mixed = np.random.default_rng(seed).permutation(len(crystals))
        found = represented([crystals[i] for i in mixed], names=names[mixed])
        assert dict(zip(names[mixed], names[mixed][found], strict=True)) == expected


def test_processes_change_nothing():
    crystals = [larger(1 + 0.001 * n) for n in range(14)]  # 91 grey pairs: several blocks
    assert represented(crystals, cores=2) == represented(crystals)


def test_the_mirror_image_is_another_crystal_in_an_enantiopure_search():
    """P2_12_12_1 has no improper operation; P2_1/c is its own mirror image in any search."""
    chiral = other_packing().to_atoms(CONFORMERS)
    assert represented([chiral, inverted(chiral)]) == [0, 0]
    assert represented([chiral, inverted(chiral)], chirality="enantiopure") == [0, 1]
    turned = chiral.copy()
    turned.rotate(71, (1, 2, 3), rotate_cell=True)
    assert represented([chiral, turned], chirality="enantiopure") == [0, 0]
    assert represented([oxalic(), inverted(oxalic())], chirality="enantiopure") == [0, 0]


def test_agrees_with_overlays_of_all_pairs():
    """Perturbed copies of two crystals: what the funnel merges is what overlays within the tolerance merge."""
    rng = np.random.default_rng(4)
    crystals = []
    for source in (oxalic(), other_packing().to_atoms(CONFORMERS)):
        for size in (0.0, 0.003, 0.03, 0.1, 0.25):
            moved = source.copy()
            strain = np.eye(3) + 0.01 * (size > 0) * rng.uniform(-1, 1, (3, 3))
            moved.set_cell(np.asarray(moved.cell) @ strain, scale_atoms=True)
            moved.positions += np.repeat(size * rng.normal(size=(len(moved) // 8, 3)), 8, axis=0)
            crystals.append(moved)
    brute = []
    for late, crystal in enumerate(crystals):
        before = [i for i in range(late) if brute[i] == i]
        overlays = [overlay(fingerprint(crystals[i]), fingerprint(crystal), 15) for i in before]
        same = [i for i, found in zip(before, overlays, strict=True) if found.same(15, 0.15)]
        brute.append(same[0] if same else late)
    assert represented(crystals) == brute
    assert 2 < len(set(brute)) < len(crystals)


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
    one, other = (fingerprint(a) for a in (atoms, turned))
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


def test_linear_molecules_are_overlaid_by_their_axes():
    """oxtalign does not lay solid CO2 on itself; the same crystal, the same stretched by 1 %, and another are told apart."""
    crystal = carbon_dioxide(5.624)
    same = make_supercell(crystal, np.diag([2, 1, 1]), wrap=False)
    same.rotate(40, (1, 2, 3), rotate_cell=True)
    one = fingerprint(crystal, 3)
    assert overlay(one, fingerprint(same, 3), 15).same(15, 1e-3)  # the same atoms but for rounding
    near = overlay(one, fingerprint(carbon_dioxide(5.68), 3), 15)
    assert near.molecules == 15
    assert 0.02 < near.rmsd_A < 0.1  # 1 % of the 4-6 A from the centre of the cluster
    turned = crystal.copy()
    for first in range(0, 12, 3):  # all molecules along one axis: the same centres
        turned.positions[first + 1 : first + 3] = turned.positions[first] + np.array(
            [[0, 0, 1.16], [0, 0, -1.16]]
        )
    assert not overlay(one, fingerprint(turned, 3), 15).same(15, 0.5)
    assert represented([crystal, same, carbon_dioxide(5.66), turned], size=3) == [0, 0, 0, 3]


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
