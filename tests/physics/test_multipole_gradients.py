"""Every electrostatic term alone, by Ewald's method and directly: derivatives against central differences, two steps.

Positions, rotations and strains of crystals off symmetry: Z' = 1/2, 1, 2, mirrored molecules, a linear one.
"""

from dataclasses import replace

import numpy as np
import pytest

from tests.builders import chlorine_packing
from tests.physics.multipole_cases import CONFORMERS, PACKINGS, PAIRS, SPECIAL, Case, direct, ewald, mask

STEPS = (4e-3, 1e-3)
NAMES = [f"{i}-{j}" for i, j in PAIRS]

JUMP = 2e-6
"""eV/Angstrom: sites that cross the cutoff step the energy by 1e-9 of a term, over 2 h = 2e-3."""


def check(case, floor=JUMP):
    """Central differences approach the gradient as the square of the step."""
    gradient = case.gradient()
    errors = []
    for h in STEPS:
        numeric = [
            (case.energy_along(h * axis) - case.energy_along(-h * axis)) / (2.0 * h)
            for axis in np.eye(len(gradient))
        ]
        errors.append(np.abs(np.array(numeric) - gradient).max())
    largest = np.abs(gradient).max()
    assert largest > 100.0 * floor  # not vacuous
    assert errors[1] < errors[0] / 8.0 + floor  # 16 for the square law
    assert (
        errors[1] < 5e-4 * largest + floor
    )  # the next order: (h / length)^2, steepest terms turn over 0.05 A


@pytest.mark.parametrize("ranks", PAIRS, ids=NAMES)
@pytest.mark.parametrize("name", PACKINGS)
def test_ewald_terms(name, ranks):
    check(Case(PACKINGS[name], CONFORMERS, ewald(mask(ranks)), exp6=False))


@pytest.mark.parametrize("ranks", [(0, 0), (1, 1), (0, 2), (2, 2), (0, 4)], ids=str)
@pytest.mark.parametrize("name", SPECIAL)
def test_ewald_terms_on_special_positions(name, ranks):
    check(Case(SPECIAL[name], CONFORMERS, ewald(mask(ranks)), exp6=False))


@pytest.mark.parametrize("ranks", PAIRS[1:], ids=NAMES[1:])  # charges are always summed by Ewald's method
@pytest.mark.parametrize("name", ["P1, Z' = 2, one mirrored", "Pna2_1, mirrored", "P2_13, linear molecule"])
def test_direct_terms_with_a_spline(name, ranks):
    # a cubic has a jump of its second derivative at both ends, which errors of order h show
    check(
        Case(PACKINGS[name], CONFORMERS, direct(mask(ranks), cutoff=7.0, spline=2.0), exp6=False), floor=2e-5
    )


@pytest.mark.parametrize("ranks", PAIRS[1:], ids=NAMES[1:])
def test_direct_terms_by_whole_molecules(ranks):
    # no two centres of this crystal lie 8.9 to 9.5 A apart, so that none crosses the cutoff
    check(Case(PACKINGS["Pna2_1, mirrored"], CONFORMERS, direct(mask(ranks), cutoff=9.2), exp6=False))


@pytest.mark.parametrize("name", [*PACKINGS, *SPECIAL])
def test_all_terms_together(name):
    check(Case((PACKINGS | SPECIAL)[name], CONFORMERS, ewald()), floor=1e-5)


@pytest.mark.parametrize("name", ["P1, Z' = 2, one mirrored", "R-3"])
@pytest.mark.parametrize("potential", ["fit", "w99rev"])
def test_repulsion_and_dispersion(name, potential):
    check(Case(PACKINGS[name], CONFORMERS, ewald(mask()), potential=potential), floor=1e-5)


def test_anisotropic_repulsion():
    case = Case(chlorine_packing(), CONFORMERS, ewald(), potential="w99rev")
    assert np.any(case.sites.stretch_a != 0.0)
    check(case, floor=1e-5)


def test_pressure():
    check(Case(PACKINGS["R-3"], CONFORMERS, replace(ewald(), pressure=0.02)), floor=1e-5)
