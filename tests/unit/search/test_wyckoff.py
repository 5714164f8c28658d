"""Special positions: as many as International Tables list, closed, and the same in any setting."""

import numpy as np
import pytest

from polyscape.crystal.groups import SpaceGroup
from polyscape.search.wyckoff import integer_kernel, special_positions

LISTED = {2: 9, 14: 5, 61: 3, 113: 6, 205: 4, 166: 9, 47: 27, 191: 18, 225: 12, 230: 8}
"""Letters of some groups in International Tables A, the general position included."""


@pytest.mark.parametrize(("number", "letters"), LISTED.items())
def test_as_many_as_listed(number, letters):
    assert len(special_positions(SpaceGroup.find(number))) + 1 == letters


@pytest.mark.slow  # 230 groups take a quarter of a minute
def test_all_groups_together_have_1731_positions():
    """The number of types of Wyckoff positions of the 230 groups, International Tables A, chapter 1.4."""
    assert sum(len(special_positions(SpaceGroup.find(n))) + 1 for n in range(1, 231)) == 1731


@pytest.mark.parametrize("name", ["P21/c", "P-42_1m", "Pa-3", "R -3 :R", "C 1 2/c 1", "I 1 2/a 1"])
def test_all_points_of_a_position_are_fixed_by_its_operations_and_no_others(name):
    group = SpaceGroup.find(name.replace("_", ""))
    for position in special_positions(group):
        for u_k in np.random.default_rng(1).random((3, len(position.basis_kc))):
            point_c = position.origin_c + u_k @ position.basis_kc
            moved_oc = np.array([w_cc @ point_c + w_c - point_c for w_cc, w_c in group.operations])
            fixed = np.flatnonzero(np.abs(moved_oc - np.round(moved_oc)).max(axis=1) < 1e-9)
            assert tuple(fixed) == position.operation_s


def test_settings_have_the_same_positions():
    symbols = [sorted(p.symbol for p in special_positions(SpaceGroup.find(n))) for n in ("C2/c", "I2/a")]
    assert symbols[0] == symbols[1] == ["-1", "-1", "-1", "-1", "2"]


def test_only_kinds_of_operations_that_a_molecule_has():
    inversion = frozenset({(3, 1), (-3, -1)})
    assert {p.symbol for p in special_positions(SpaceGroup.find("P2/m"), inversion)} == set()
    assert {p.symbol for p in special_positions(SpaceGroup.find("C2/m"), inversion)} == {"-1"}


def test_lattice_vectors_along_a_plane_make_all_of_them():
    """In the plane x + y + z = 0 the basis has the area of the primitive mesh, sqrt(3)."""
    basis_kc = integer_kernel(np.ones((3, 3)))
    assert np.linalg.norm(np.cross(*basis_kc)) == pytest.approx(np.sqrt(3))
