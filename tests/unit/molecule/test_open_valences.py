"""Structures without their hydrogens are told from complete ones; whatever may stand without hydrogens is left alone."""

import pytest
from ase.build import molecule

from polyscape.molecule.open_valences import lacks_hydrogens


@pytest.mark.parametrize("name", ["C6H6", "C2H6", "CH3CN", "C2H2", "CO2", "C60", "HCN", "CH3NO2", "C3H4_D2d"])
def test_complete_molecules(name):
    atoms = molecule(name)
    assert lacks_hydrogens(atoms.numbers, atoms.positions) is None


@pytest.mark.parametrize(
    ("name", "where"), [("C6H6", "C1"), ("isobutane", "C1"), ("C2H6NH", None), ("CH3CONH2", "N3")]
)
def test_hydrogens_taken_away(name, where):
    atoms = molecule(name)
    heavy = atoms[atoms.numbers != 1]
    bare = lacks_hydrogens(heavy.numbers, heavy.positions)
    assert bare is not None
    assert where is None or bare == where
