"""What every potential that comes with the library must hold."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from polyscape.energy.potentials import LIBRARY, load_potential, potential_names


@pytest.fixture(params=potential_names())
def potential(request):
    return load_potential(request.param)


def test_file_and_name_agree_and_the_numbers_have_sources(potential):
    content = yaml.safe_load((LIBRARY / f"{potential.name}.yaml").read_text(encoding="utf-8"))
    assert content["name"] == potential.name
    assert content["sources"]
    assert all(re.search(r"\b(19|20)\d\d\b|collected", source) for source in content["sources"].values())


def test_parameters_are_physical(potential):
    for kind in potential.types.values():
        assert kind.A_eV > 0.0
        assert 0.1 < kind.rho_A < 0.5
        assert kind.C6_eV_A6 >= 0.0
        assert 0.0 <= kind.moved_A < 0.2  # a small fraction of a bond
        assert abs(kind.stretch_A) < 0.3  # a small fraction of a radius


def test_every_type_can_be_reached(potential):
    """No type stands behind one that holds for all its atoms."""
    names, patterns = list(potential.types), [kind.pattern for kind in potential.types.values()]
    assert None not in patterns
    for later, pattern in enumerate(patterns):
        for earlier in range(later):
            general = patterns[earlier]
            shadows = general.element == pattern.element and (
                general.neighbours is None and general.hydrogens is None and not general.bonded_to
            )
            assert not shadows, (names[earlier], names[later])


def test_pairs_are_symmetric(potential):
    pairs = potential.pair_parameters(list(potential.types))
    for matrix in (pairs.prefactor_aa, pairs.decay_aa, pairs.wall_aa, pairs.c6_aa):
        np.testing.assert_array_equal(matrix, matrix.T)
    assert potential.pairs.keys() <= {(a, b) for a in potential.types for b in potential.types}


def test_every_pair_repels_at_short_range_and_attracts_at_contact(potential):
    types = list(potential.types)
    pairs = potential.pair_parameters(types)
    for i in range(len(types)):
        for j in range(len(types)):
            A, decay, wall = pairs.prefactor_aa[i, j], pairs.decay_aa[i, j], pairs.wall_aa[i, j]
            c6 = pairs.c6_aa[i, j]
            assert (wall > 0.0) == (c6 > 0.0)
            inside = np.linspace(0.0, wall, 200)
            y = (wall - inside) / wall if wall else inside
            for legendre in (1.0, 0.0, -0.5):  # along the bonds, of spheres, across
                s = legendre * (pairs.stretch_a[i] + pairs.stretch_a[j])
                energy = A * np.exp(-decay * (inside - s)) - (
                    c6 / wall**6 * (1 + 6 * y + 21 * y**2) if wall else 0.0
                )
                assert np.all(np.diff(energy) < 0.0) or wall == 0.0, (types[i], types[j])
            far = np.linspace(3.0, 8.0, 200)
            assert np.min(A * np.exp(-decay * far) - c6 / far**6) < 0.0 or c6 == 0.0
            assert wall < 1.7  # far below any contact between molecules


def test_types_cover_a_molecule(potential):
    formic_acid = potential.assign_types([6, 8, 8, 1, 1], [(0, 1), (0, 2), (2, 3), (0, 4)])
    assert len(formic_acid) == 5
    assert set(formic_acid) <= set(potential.types)


def test_the_form_is_taught(root):
    """docs/potentials.md names every key that a file may have."""
    page = (Path(root) / "docs" / "potentials.md").read_text(encoding="utf-8")
    keys = ["name", "sources", "types", "pairs", "element", "neighbours", "hydrogens", "bonded_to"]
    keys += ["A_eV", "rho_A", "C6_eV_A6", "moved_A", "stretch_A"]
    assert [key for key in keys if f"`{key}`" not in page] == []
