"""Hydrogens added to a CIF without them, and refused where they are not determined."""

from dataclasses import replace

import numpy as np
import pytest

from polyscape.crystal.cif import CifError, read_cif
from polyscape.molecule.read import read_smiles
from polyscape.search.forms import molecules_of
from polyscape.search.hydrogens import with_hydrogens


def bare(root, name):
    """A shipped crystal and the same without hydrogens."""
    crystal = read_cif(root / f"config/known_forms/{name}.cif")
    heavy_a = crystal.atomic_number_a > 1
    return crystal, replace(
        crystal,
        atomic_number_a=crystal.atomic_number_a[heavy_a],
        fractional_ac=crystal.fractional_ac[heavy_a],
    )


@pytest.mark.parametrize(
    ("name", "smiles", "formula"),
    [
        ("benzene", "c1ccccc1", "C6 H6"),
        ("naphthalene", "c1ccc2ccccc2c1", "C10 H8"),
        ("urea", "NC(=O)N", "C H4 N2 O"),
    ],
)
def test_hydrogens_stand_where_they_were(root, name, smiles, formula):
    crystal, without = bare(root, name)
    whole = with_hydrogens(without, [read_smiles(smiles)])
    assert len(whole.atomic_number_a) == len(crystal.atomic_number_a)
    assert molecules_of(whole, [formula], [1])
    ours = whole.fractional_ac[whole.atomic_number_a == 1]
    theirs = crystal.fractional_ac[crystal.atomic_number_a == 1]
    offset = ours[:, None] - theirs
    distance = np.linalg.norm((offset - np.round(offset)) @ crystal.cell_cv, axis=2).min(axis=1)
    # bond lengths are nominal (1.10 A for C-H) and angles ideal; the turn of an NH2 is right within this
    assert distance.max() < 0.15


@pytest.mark.parametrize(
    ("name", "smiles", "said"),
    [
        ("oxalic_acid_beta", "OC(=O)C(=O)O", "those on O can point anywhere"),
        ("imidazole", "c1cnc[nH]1", "do not tell which of them carry hydrogens"),
    ],
)
def test_what_heavy_atoms_do_not_tell_is_refused(root, name, smiles, said):
    _, without = bare(root, name)
    with pytest.raises(CifError, match=said):
        with_hydrogens(without, [read_smiles(smiles)])


def test_a_complete_crystal_and_another_molecule_are_left_alone(root):
    crystal, without = bare(root, "benzene")
    assert with_hydrogens(crystal, [read_smiles("c1ccccc1")]) is crystal
    assert with_hydrogens(without, [read_smiles("NC(=O)N")]) is without
    carbon_dioxide, _ = bare(root, "carbon_dioxide")
    assert with_hydrogens(carbon_dioxide, [read_smiles("O=C=O")]) is carbon_dioxide
