"""What every potential that comes with the library must hold."""

from importlib import resources

import numpy as np
import pytest

from polyscape.energy.potentials import load_potential

NAMES = sorted(
    entry.name.removesuffix(".yaml")
    for entry in (resources.files("polyscape.energy") / "potentials").iterdir()
    if entry.name.endswith(".yaml")
)


@pytest.fixture(params=NAMES)
def potential(request):
    return load_potential(request.param)


def test_parameters_are_physical(potential):
    for kind in potential.types.values():
        assert kind.A_eV > 0.0
        assert 0.1 < kind.rho_A < 0.5
        assert kind.C6_eV_A6 >= 0.0


def test_pairs_are_symmetric(potential):
    pairs = potential.pair_parameters(list(potential.types))
    for matrix in (pairs.prefactor_aa, pairs.decay_aa, pairs.wall_aa):
        np.testing.assert_array_equal(matrix, matrix.T)


def test_every_pair_repels_at_short_range_and_attracts_at_contact(potential):
    types = list(potential.types)
    pairs = potential.pair_parameters(types)
    for i in range(len(types)):
        for j in range(len(types)):
            A, decay, wall = pairs.prefactor_aa[i, j], pairs.decay_aa[i, j], pairs.wall_aa[i, j]
            c6 = pairs.sqrt_c6_a[i] * pairs.sqrt_c6_a[j]
            inside = np.linspace(0.0, wall, 200)
            y = (wall - inside) / wall if wall else inside
            energy = A * np.exp(-decay * inside) - (c6 / wall**6 * (1 + 6 * y + 21 * y**2) if wall else 0.0)
            assert np.all(np.diff(energy) < 0.0) or wall == 0.0, (types[i], types[j])
            far = np.linspace(3.0, 8.0, 200)
            assert np.min(A * np.exp(-decay * far) - c6 / far**6) < 0.0 or c6 == 0.0
            assert wall < 1.7  # far below any contact between molecules


def test_types_cover_a_molecule(potential):
    formic_acid = potential.assign_types([6, 8, 8, 1, 1], [(0, 1), (0, 2), (2, 3), (0, 4)])
    assert len(formic_acid) == 5
    assert set(formic_acid) <= set(potential.types)
