"""Rigid bodies: moved sites keep the molecule's moments, and bond axes point to the halogen."""

from dataclasses import replace

import numpy as np
import pytest

from polyscape.energy.bodies import body_of
from polyscape.energy.exp6 import AtomType, Potential
from polyscape.energy.potentials import load_potential
from polyscape.molecule.multipoles import potential as electrostatic_potential
from polyscape.molecule.multipoles import total_moments
from polyscape.units import ANGSTROM_PER_BOHR
from tests.builders import oxalic_acid


@pytest.fixture
def acid():
    """Oxalic acid with random multipoles, typed by W99rev."""
    molecule = oxalic_acid()
    types = load_potential("w99rev").assign_types(molecule.atomic_number_a, molecule.bonds)
    multipole_aq = np.random.default_rng(2).normal(size=(len(types), 25))
    return replace(molecule, potential_type_a=types, multipole_aq=multipole_aq)


@pytest.fixture
def body(acid):
    return body_of(acid, load_potential("w99rev"))


def bohr(position_av):
    return position_av / ANGSTROM_PER_BOHR


def test_without_moved_sites_nothing_changes():
    molecule = oxalic_acid()
    body = body_of(molecule, load_potential("fit"))
    for name in ("position_av", "multipole_aq", "charge_a"):
        np.testing.assert_array_equal(getattr(body, name), getattr(molecule, name))
    assert body.type_a == molecule.potential_type_a
    assert not body.axis_av.any()


def test_hydrogens_are_moved_towards_their_oxygens(acid, body):
    hydrogens = [3, 7]
    others = [0, 1, 2, 4, 5, 6]
    np.testing.assert_array_equal(body.position_av[others], acid.position_av[others])
    for h, o in ((3, 2), (7, 6)):
        before, after = acid.position_av[h] - acid.position_av[o], body.position_av[h] - body.position_av[o]
        assert np.linalg.norm(before) - np.linalg.norm(after) == pytest.approx(0.1, abs=1e-14)
        np.testing.assert_allclose(np.cross(before, after), 0.0, atol=1e-15)
    assert np.all(
        body.multipole_aq[hydrogens, 0] == pytest.approx(acid.multipole_aq[hydrogens, 0], abs=1e-14)
    )
    assert not np.allclose(body.multipole_aq[hydrogens], acid.multipole_aq[hydrogens], atol=1e-2)
    np.testing.assert_array_equal(body.multipole_aq[others], acid.multipole_aq[others])


def test_total_moments_stay(acid, body):
    before = total_moments(acid.multipole_aq, bohr(acid.position_av))
    after = total_moments(body.multipole_aq, bohr(body.position_av))
    for old, new in zip(before, after, strict=True):
        np.testing.assert_allclose(new, old, atol=1e-12)  # rounding of moments of the order of 10


def test_the_potential_far_away_stays_to_rank_5(acid, body):
    """What differs is of rank 5 and more: it falls as r^-6, a factor 64 for twice the distance."""
    direction_pv = np.random.default_rng(3).normal(size=(40, 3))
    direction_pv /= np.linalg.norm(direction_pv, axis=1)[:, None]
    differences = []
    for distance in (30.0, 60.0):
        old, new = (
            electrostatic_potential(m.multipole_aq, bohr(m.position_av), distance * direction_pv)
            for m in (acid, body)
        )
        differences.append(np.abs(new - old).max())
    assert differences[1] < differences[0] / 40.0  # 64, less the rank-6 part
    assert differences[0] < 1e-5
    assert np.abs(old).max() > 1e-3


def test_charges_keep_charge_and_dipole(acid, body):
    assert body.charge_a.sum() == pytest.approx(acid.charge_a.sum(), abs=1e-15)
    np.testing.assert_allclose(body.charge_a @ body.position_av, acid.charge_a @ acid.position_av, atol=1e-14)
    assert body.charge_a[3] > acid.charge_a[3]


def test_axes_point_to_the_halogens_only(acid):
    """An acid whose hydroxyl oxygens are called chlorine."""
    types = tuple("Cl" if kind == "H3" else kind for kind in acid.potential_type_a)
    body = body_of(replace(acid, potential_type_a=types), load_potential("w99rev"))
    for h, o in ((3, 2), (7, 6)):
        bond_v = acid.position_av[h] - acid.position_av[o]
        np.testing.assert_allclose(body.axis_av[h], bond_v / np.linalg.norm(bond_v), atol=1e-15)
    assert not body.axis_av[[0, 1, 2, 4, 5, 6]].any()
    np.testing.assert_array_equal(body.position_av, acid.position_av)


def test_a_site_on_a_bond_needs_exactly_one(acid):
    moved = Potential("p", {"Z": AtomType(1.0, 0.3, 0.0, moved_A=0.1)})
    with pytest.raises(ValueError, match="atom 1 of ttt has 3 bonds; type Z needs exactly one"):
        body_of(replace(acid, potential_type_a=("Z",) * 8), moved)


def test_an_unknown_type_is_named(acid):
    with pytest.raises(ValueError, match="potential 'fit' has no type 'C3'"):
        body_of(acid, load_potential("fit"))
