"""Every term alone: analytic derivatives against central differences at two steps, off symmetry."""

import numpy as np
import pytest

from polyscape.energy.coordinates import chart_at, moved, pulled_back
from polyscape.energy.crystal_sum import _rigid_gradient, crystal_energy, crystal_geometry
from polyscape.energy.direct import direct_sums
from polyscape.energy.reciprocal import reciprocal_sums
from tests.physics.energy_cases import PACKINGS, problem


def only(sites, term):
    """The sites with all but one interaction switched off."""
    off = {"repulsion": "prefactor_aa", "charges": "charge_a", "dispersion": "dispersion_a"}
    return sites._replace(**{name: 0.0 * getattr(sites, name) for key, name in off.items() if key != term})


def part(sum_function, sites, sums, pose, chart):
    """Energy and gradient of one lattice sum."""
    geometry = crystal_geometry(sites, pose)
    energy_t, force_av, virial_vv = np.zeros(3), np.zeros(sites.body_av.shape), np.zeros((3, 3))
    sum_function(sites, sums, geometry, energy_t, force_av, virial_vv)
    gradient = _rigid_gradient(sites, geometry[2][0], force_av, virial_vv)
    return energy_t.sum(), pulled_back(pose, chart, gradient)


def check(function, pose, chart, floor):
    """Central differences approach the gradient as the square of the step."""
    _, gradient = function(pose)
    errors = []
    for h in (4e-3, 1e-3):
        numeric = np.empty_like(gradient)
        for i, axis in enumerate(np.eye(len(gradient))):
            ahead, back = (
                function(moved(pose, chart, h * axis))[0],
                function(moved(pose, chart, -h * axis))[0],
            )
            numeric[i] = (ahead - back) / (2.0 * h)
        errors.append(np.abs(numeric - gradient).max())
    assert np.abs(gradient).max() > 1e3 * floor  # not vacuous
    assert errors[1] < errors[0] / 8.0 + floor  # 16 for the square law
    assert errors[1] < 1e-4 * np.abs(gradient).max() + floor


@pytest.mark.parametrize("name", PACKINGS)
@pytest.mark.parametrize("term", ["repulsion", "charges", "dispersion"])
def test_direct_sums(name, term):
    sites, sums, pose = problem(PACKINGS[name])
    sites, chart = only(sites, term), chart_at(sites, pose)
    # atoms crossing the cutoff step the energy by 1e-10 eV, over 2 h = 2e-3
    check(lambda at: part(direct_sums, sites, sums, at, chart), pose, chart, floor=1e-6)


@pytest.mark.parametrize("name", PACKINGS)
@pytest.mark.parametrize("term", ["charges", "dispersion"])
def test_reciprocal_sums(name, term):
    sites, sums, pose = problem(PACKINGS[name])
    sites, chart = only(sites, term), chart_at(sites, pose)
    check(lambda at: part(reciprocal_sums, sites, sums, at, chart), pose, chart, floor=1e-6)


@pytest.mark.parametrize("name", PACKINGS)
def test_total(name):
    sites, sums, pose = problem(PACKINGS[name])
    chart = chart_at(sites, pose)

    def total(at):
        energy_t, gradient, _ = crystal_energy(sites, sums, at)
        return energy_t.sum(), pulled_back(at, chart, gradient)

    check(total, pose, chart, floor=1e-6)


def test_inside_the_wall():
    packing = PACKINGS["two molecules, triclinic"]
    sites, sums, pose = problem(packing)
    sites = sites._replace(wall_aa=sites.wall_aa + 2.5)  # contacts of this crystal lie inside such a wall
    chart = chart_at(sites, pose)

    def total(at):
        energy_t, gradient, _ = crystal_energy(sites, sums, at)
        return energy_t.sum(), pulled_back(at, chart, gradient)

    assert crystal_energy(sites, sums, pose)[2] < 1.0
    check(total, pose, chart, floor=1e-6)


def test_turning_a_linear_molecule_about_its_axis_does_nothing():
    sites, sums, pose = problem(PACKINGS["cubic, linear molecule"])
    chart = chart_at(sites, pose)
    axis = np.argmax(np.abs(sites.body_av).max(axis=0))
    _, gradient, _ = crystal_energy(sites, sums, pose)
    gradient = pulled_back(pose, chart, gradient)
    assert abs(gradient[-3 + axis]) < 1e-12 < np.abs(gradient[-3:]).max()
