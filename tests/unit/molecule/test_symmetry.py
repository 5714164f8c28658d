"""Symmetry of a molecule, its principal frame, and comparison of geometries."""

import numpy as np
import pytest
from ase.build import molecule as ase_molecule
from scipy.spatial.transform import Rotation

from polyscape.molecule.frame import principal_frame
from polyscape.molecule.read import from_coordinates
from polyscape.molecule.symmetry import (
    automorphisms,
    average_over,
    least_rmsd,
    operations,
    schoenflies,
    symmetrise,
)
from tests.builders import oxalic_acid


def symbol(name):
    atoms = ase_molecule(name)
    graph = from_coordinates(atoms.numbers, atoms.positions, 0)
    linear = name in {"CO2", "HCN"}
    position_av = principal_frame(atoms.positions, atoms.get_masses())
    return schoenflies(operations(position_av, automorphisms(graph)), linear)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("H2O", "C2v"),
        ("NH3", "C3v"),
        ("CH4", "Td"),
        ("C6H6", "D6h"),
        ("C2H4", "D2h"),
        ("C2H6", "D3d"),
        ("CO2", "Dinfh"),
        ("HCN", "Cinfv"),
        ("H2O2", "C2"),
        ("CH3CH2OH", "Cs"),
        ("C3H4_D2d", "D2d"),
        ("CH3SiH3", "C3v"),
        ("HCOOH", "Cs"),
        ("glyoxal", None),
    ],
)
def test_point_groups(name, expected):
    if expected is None:
        rigid = oxalic_acid()
        graph = from_coordinates(rigid.atomic_number_a, rigid.position_av, 0)
        assert schoenflies(operations(rigid.position_av, automorphisms(graph)), False) == "C2h"
    else:
        assert symbol(name) == expected


def test_symmetrise_removes_noise_and_keeps_the_molecule():
    rigid = oxalic_acid()
    graph = from_coordinates(rigid.atomic_number_a, rigid.position_av, 0)
    noisy_av = rigid.position_av + np.random.default_rng(2).normal(scale=0.002, size=rigid.position_av.shape)
    group = operations(noisy_av, automorphisms(graph), tolerance_A=0.02)
    clean_av = symmetrise(noisy_av, group)
    assert len(operations(noisy_av, automorphisms(graph), tolerance_A=1e-6)) == 1
    assert len(operations(clean_av, automorphisms(graph), tolerance_A=1e-6)) == 4
    assert np.abs(clean_av - noisy_av + noisy_av.mean(axis=0)).max() < 0.01


def test_equivalent_atoms_share_their_average():
    rigid = oxalic_acid()
    graph = from_coordinates(rigid.atomic_number_a, rigid.position_av, 0)
    group = operations(rigid.position_av, automorphisms(graph))
    values = average_over(np.arange(8.0), group)
    np.testing.assert_allclose(values[:4], values[4:])
    assert values.sum() == pytest.approx(28)


def test_least_rmsd_knows_permutations_and_mirror_images():
    atoms = ase_molecule("H2O2")
    graph = from_coordinates(atoms.numbers, atoms.positions, 0)
    permutation_pa = automorphisms(graph)
    turned_av = (atoms.positions @ Rotation.random(random_state=1).as_matrix().T)[permutation_pa[-1]]
    assert least_rmsd(atoms.positions, turned_av, permutation_pa, False) < 1e-10
    mirrored_av = turned_av * [1, 1, -1]
    assert least_rmsd(atoms.positions, mirrored_av, permutation_pa, True) < 1e-10
    assert least_rmsd(atoms.positions, mirrored_av, permutation_pa, False) > 0.1


@pytest.mark.parametrize("name", ["CH3CH2OH", "C6H6", "CH4", "CO2", "H2O"])
def test_the_frame_does_not_depend_on_where_the_molecule_lay(name):
    atoms = ase_molecule(name)
    masses = atoms.get_masses()
    rotation_vv = Rotation.random(random_state=5).as_matrix()
    first = principal_frame(atoms.positions, masses)
    second = principal_frame(atoms.positions @ rotation_vv.T + [3.0, -2.0, 1.0], masses)
    # degenerate axes are told apart by the input's own deviations from symmetry, about 1e-6 Angstrom
    np.testing.assert_allclose(first, second, atol=1e-5)
    np.testing.assert_allclose(masses @ first, 0, atol=1e-9)


def test_the_frame_keeps_handedness():
    atoms = ase_molecule("H2O2")
    graph = from_coordinates(atoms.numbers, atoms.positions, 0)
    framed = principal_frame(atoms.positions, atoms.get_masses())
    assert least_rmsd(atoms.positions, framed, automorphisms(graph), False) < 1e-9
