"""Geometries of higher symmetry near a conformer, and how they are offered to the search."""

from dataclasses import replace

import numpy as np
import pytest
from ase.build import molecule as ase_molecule

from polyscape.molecule.conformers import GasConformer, Plan, find_conformers, graph_of
from polyscape.molecule.pseudosymmetry import NEAR_A, near_geometries
from polyscape.molecule.read import from_coordinates, read_smiles
from polyscape.molecule.symmetric import SymmetricSurface, choose_symmetric, symmetric_hessian, with_symmetric
from polyscape.molecule.symmetry import automorphisms, schoenflies, superpose
from polyscape.molecule.torsions import same_name, split_name
from polyscape.molecule.wavefunction import GasPhaseLevel
from polyscape.stages.conformer_choice import selected_names
from polyscape.status import Status
from polyscape.units import KJ_PER_MOL_PER_HARTREE
from tests.unit.molecule.test_choice import component

HF = GasPhaseLevel("hf", "sto-3g")


def near(name):
    atoms = ase_molecule(name)
    permutation_pa = automorphisms(from_coordinates(atoms.numbers, atoms.positions, 0))
    return atoms.positions, near_geometries(atoms.positions, permutation_pa, True)


def flat_ammonia():
    _, ((position_av, group),) = near("NH3")
    return position_av, group


@pytest.mark.parametrize(("name", "group"), [("NH3", "D3h"), ("cyclobutane", "D4h")])
def test_pyramids_and_puckered_rings_are_near_flat_ones(name, group):
    position_av, found = near(name)
    flat_av, operations_found = found[0]
    assert schoenflies(operations_found, False) == group
    heavy_av = flat_av[ase_molecule(name).numbers > 1]
    # a flat ring, or one atom: no thickness; 1e-6 A is far above the averages' rounding
    assert np.linalg.svd(heavy_av - heavy_av.mean(axis=0))[1][-1] < 1e-6 or len(heavy_av) == 1
    _, rmsd = superpose(position_av - position_av.mean(axis=0), flat_av)
    assert 0.05 < rmsd < NEAR_A


@pytest.mark.parametrize("name", ["H2O", "C6H6", "CO2", "CH4", "CH3CH2OH"])
def test_molecules_with_all_the_symmetry_of_their_neighbourhood_have_none_near(name):
    assert near(name)[1] == []


def test_gradient_of_the_symmetric_surface():
    position_av, group = flat_ammonia()
    shape = position_av.shape
    noise = np.random.default_rng(4)
    stiff_ii = noise.normal(size=(position_av.size, position_av.size))
    stiff_ii = stiff_ii @ stiff_ii.T

    def surface(x_av):
        x_i = x_av.ravel()
        return 0.5 * x_i @ stiff_ii @ x_i, (stiff_ii @ x_i).reshape(shape)

    symmetric = SymmetricSurface(surface, group)
    x_av, step_av = noise.normal(size=shape), noise.normal(size=shape)
    x_av, step_av = x_av - x_av.mean(axis=0), step_av - step_av.mean(axis=0)
    up, down = (symmetric(x_av + sign * 1e-4 * step_av)[0] for sign in (1, -1))
    slope = (symmetric(x_av)[1] * step_av).sum()
    assert abs(slope) > 0.1
    # a quadratic form: central differences are exact but for rounding
    assert (up - down) / 2e-4 == pytest.approx(slope, rel=1e-6)


def test_hessian_without_descent_into_lower_symmetry():
    position_av, group = flat_ammonia()
    _, _, axis_kv = np.linalg.svd(position_av)
    out_of_plane_i = np.tile(axis_kv[2], 4)
    out_of_plane_i[:3] *= -3
    breathing_i = (position_av - position_av[0]).ravel()
    hessian_ii = 0.4 * np.outer(breathing_i, breathing_i) - np.outer(out_of_plane_i, out_of_plane_i)
    kept_ii = symmetric_hessian(hessian_ii, group)
    assert np.linalg.eigvalsh(kept_ii).min() > -1e-12
    assert breathing_i @ kept_ii @ breathing_i == pytest.approx(
        breathing_i @ hessian_ii @ breathing_i, rel=1e-9
    )


@pytest.fixture(scope="module")
def ammonia():
    plan = Plan(HF, 30.0, 4, 4.0, 1, 1)
    molecule = read_smiles("N")
    return molecule, plan, find_conformers(molecule, plan)


def test_flat_ammonia_is_a_saddle_beside_the_pyramid(ammonia):
    molecule, plan, found = ammonia
    # Hartree-Fock in a minimal basis puts the barrier at 46 kJ/mol (experiment 24), hence the wide window
    minimum, flat = with_symmetric(molecule, replace(plan, symmetric_window_kJ_per_mol=60.0), found)
    assert minimum == found[0]
    assert (flat.name, flat.point_group, flat.beside) == ("rigid-D3h", "D3h", "rigid")
    assert 30 < flat.above_minimum_kJ_per_mol < 60
    assert np.abs(flat.position_av[:, 2]).max() < 1e-6
    above = (flat.energy_hartree - minimum.energy_hartree) * KJ_PER_MOL_PER_HARTREE
    assert above == pytest.approx(flat.above_minimum_kJ_per_mol)


def test_a_saddle_above_the_window_is_not_offered(ammonia):
    molecule, plan, found = ammonia
    assert with_symmetric(molecule, replace(plan, symmetric_window_kJ_per_mol=10.0), found) == found
    assert with_symmetric(molecule, plan, found) == found


def offered(above, window=10.0):
    flat_av, _ = flat_ammonia()
    graph = graph_of(read_smiles("N"))
    minimum = GasConformer("rigid", [], flat_av + np.eye(4, 3) * 0.3, -1.0, "Cs", Status.OK, None)
    flat = replace(minimum, position_av=flat_av, energy_hartree=-1.0 + above / KJ_PER_MOL_PER_HARTREE)
    flat = replace(flat, point_group="D3h")
    plan = Plan(HF, 30.0, 4, 4.0, 1, 1, window)
    return choose_symmetric(graph, plan, minimum, [flat])


def test_below_kT_it_stands_in_the_minimums_place_under_its_name():
    (only,) = offered(1.0)
    assert (only.name, only.point_group, only.beside) == ("rigid", "D3h", None)
    assert only.above_minimum_kJ_per_mol == pytest.approx(1.0)


def test_lowest_means_the_lowest_minimum_and_what_stands_beside_it():
    pair = offered(6.0)
    assert [c.name for c in pair] == ["rigid", "rigid-D3h"]
    molecule = read_smiles("N")
    other = replace(pair[0], name="rigid-2", energy_hartree=pair[0].energy_hartree + 0.01)
    found = [*pair, other]
    assert selected_names(component("lowest", "N"), 0, molecule, found, [], "c") == {"rigid", "rigid-D3h"}
    named = component(["RIGID-d3h"], "N")
    assert selected_names(named, 0, molecule, found, [], "c") == {"rigid-D3h"}
    (flattened,) = offered(2.0)
    between = replace(other, energy_hartree=pair[0].energy_hartree + 1.0 / KJ_PER_MOL_PER_HARTREE)
    chosen = selected_names(component("lowest", "N"), 0, molecule, [between, flattened], [], "c")
    assert chosen == {"rigid"}


@pytest.mark.parametrize(
    ("name", "letters"),
    [("ctt-C2v", 3), ("cg--2-Cs", 2), ("cg--c", 3), ("rigid-D2h", 0), ("ta+-Ci", 2), ("cc-Cq", -1)],
)
def test_names_with_point_groups(name, letters):
    # of "cg--c" the letters are c, g-, and nothing: no name
    assert split_name(name) == (-1 if name == "cg--c" else letters)


def test_names_with_point_groups_are_read_in_both_directions():
    assert same_name("TTC-c2V", "ctt-C2v")
    assert not same_name("ttc", "ctt-C2v")
