"""Sizes of molecules."""

import numpy as np
import pytest

from polyscape.crystal.volume import smallest_extent_A, van_der_waals_volume_A3
from tests import builders


def test_volume_of_two_far_atoms_is_two_spheres():
    molecule = builders.conformer([6, 8], [(0, 0, 0), (9, 0, 0)], ["C", "O"], [0, 0], [])
    # Bondi radii 1.70 and 1.52 A; the grid of 0.1 A is good to 1 %
    assert van_der_waals_volume_A3(molecule) == pytest.approx(4 / 3 * np.pi * (1.70**3 + 1.52**3), rel=1e-2)


def test_planar_molecule_is_as_thick_as_its_largest_atom():
    assert smallest_extent_A(builders.oxalic_acid()) == pytest.approx(2 * 1.70)
