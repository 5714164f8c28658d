"""Every descriptor of a crystal must not see how the crystal is written down, and must see the crystal."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import make_supercell
from ase.neighborlist import neighbor_list
from scipy.spatial.transform import Rotation

from polyscape.learn.protocol import Structure
from polyscape.learn.registry import DESCRIPTORS, build_descriptor
from polyscape.settings.learning import FeaturesSettings
from tests.builders import conformers, oxalic_packing
from tests.unit.learn.landscapes import packing

TOLERANCE = 1e-6
"""Vectors have a spread of about 1 over a landscape; sums over the atoms in another order differ by 1e-10."""


def _crystal() -> Atoms:
    return oxalic_packing().to_atoms(conformers())


def _structure(atoms: Atoms) -> Structure:
    """The crystal with sums over its contacts, per atom, in the place of the force field's."""
    i, j, d = neighbor_list("ijd", atoms, 6.0)
    low, high = np.minimum(atoms.numbers[i], atoms.numbers[j]), np.maximum(atoms.numbers[i], atoms.numbers[j])
    pairs = [(low == a) & (high == b) & (d > 1.6) for a in (1, 6, 8) for b in (1, 6, 8) if a <= b]
    repulsion = [300.0 * np.exp(-3.0 * d[kept]).sum() / len(atoms) for kept in pairs]
    dispersion = [-100.0 * np.sum(d[kept] ** -6.0) / len(atoms) for kept in pairs]
    return Structure(atoms, (sum(repulsion), sum(dispersion)), (*repulsion, *dispersion))


def _others() -> list[Atoms]:
    """A landscape around the crystal, so that data-driven descriptors have directions to work with."""
    generator = np.random.default_rng(3)
    return [packing(generator, "-P 1", 2).to_atoms(conformers()) for _ in range(6)]


def _translated(atoms: Atoms) -> Atoms:
    moved = atoms.copy()
    moved.translate([0.7, -1.9, 3.1])
    moved.wrap()
    return moved


def _rotated(atoms: Atoms) -> Atoms:
    rotation = Rotation.from_rotvec([0.3, 1.1, -0.4]).as_matrix()
    return Atoms(
        atoms.numbers, atoms.positions @ rotation.T, cell=np.asarray(atoms.cell) @ rotation.T, pbc=True
    )


def _permuted(atoms: Atoms) -> Atoms:
    return atoms[np.random.default_rng(1).permutation(len(atoms))]


def _other_cell(atoms: Atoms) -> Atoms:
    return make_supercell(atoms, [[1, 0, 0], [1, 1, 0], [0, -1, 1]])


def _supercell(atoms: Atoms) -> Atoms:
    return make_supercell(atoms, [[2, 0, 0], [0, 1, 0], [0, 0, 1]])


def _mirrored(atoms: Atoms) -> Atoms:
    return Atoms(atoms.numbers, -atoms.positions, cell=atoms.cell, pbc=True)


SAME = [_translated, _rotated, _permuted, _other_cell, _supercell, _mirrored]


@pytest.fixture(params=[*sorted(DESCRIPTORS), "soap+pairs"])
def descriptor(request):
    return build_descriptor(FeaturesSettings(descriptor=request.param))


@pytest.mark.parametrize("change", SAME, ids=lambda change: change.__name__.lstrip("_"))
def test_it_does_not_see_how_a_crystal_is_written_down(descriptor, change):
    crystal = _crystal()
    X_sf = descriptor.compute([_structure(a) for a in (crystal, change(crystal), *_others())])
    assert np.linalg.norm(X_sf[0] - X_sf[2]) > 0.1
    np.testing.assert_allclose(X_sf[1], X_sf[0], atol=TOLERANCE)


def test_it_sees_a_molecule_that_moves_and_turns(descriptor):
    crystal, shifted, strained = _crystal(), _crystal(), _crystal()
    shifted.positions[:8] += [0.1, 0.0, 0.0]
    strained.set_cell(strained.cell * 1.02, scale_atoms=True)
    X_sf = descriptor.compute([_structure(a) for a in (crystal, shifted, strained, *_others())])
    assert np.linalg.norm(X_sf[1] - X_sf[0]) > 1e-3
    assert np.linalg.norm(X_sf[2] - X_sf[0]) > 1e-3


def test_it_changes_smoothly(descriptor):
    """Half a displacement, about half the change: the learner's kernel wants no jumps."""
    near, far = _crystal(), _crystal()
    near.positions[:8] += [0.01, 0.0, 0.0]
    far.positions[:8] += [0.02, 0.0, 0.0]
    X_sf = descriptor.compute([_structure(a) for a in (_crystal(), near, far, *_others())])
    ratio = np.linalg.norm(X_sf[2] - X_sf[0]) / np.linalg.norm(X_sf[1] - X_sf[0])
    assert 1.7 < ratio < 2.4


def test_it_gives_one_vector_of_one_length_each(descriptor):
    crystals = [_crystal(), *_others()]
    X_sf = descriptor.compute([_structure(a) for a in crystals])
    assert X_sf.shape[0] == len(crystals)
    assert np.isfinite(X_sf).all()


def test_it_is_the_same_on_two_cores(descriptor):
    crystals = [_structure(a) for a in (_crystal(), *_others())]
    np.testing.assert_array_equal(
        descriptor.compute(crystals, cores=1), descriptor.compute(crystals, cores=2)
    )


def test_a_landscape_of_one_structure_has_a_vector(descriptor):
    X_sf = descriptor.compute([_structure(_crystal())])
    assert X_sf.shape[0] == 1
    assert np.isfinite(X_sf).all()


def test_the_id_names_the_settings(descriptor, request):
    name = request.node.callspec.params["descriptor"]
    assert descriptor.id != build_descriptor(FeaturesSettings(descriptor=name, components=3)).id
