"""Names of conformers: the torsions behind them, and that they depend on nothing but the conformer."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdMolTransforms

from polyscape.molecule.read import read_smiles
from polyscape.molecule.symmetry import automorphisms
from polyscape.molecule.torsions import conformer_name, letter, rotatable_bonds, same_name


def embedded(smiles, seed=1):
    molecule = read_smiles(smiles)
    rdDistGeom.EmbedMolecule(molecule, randomSeed=seed)
    return molecule


def turned(molecule, angles):
    for bond, angle in zip(rotatable_bonds(molecule), angles, strict=True):
        rdMolTransforms.SetDihedralDeg(molecule.GetConformer(), *bond.quadruple, float(angle))
    return molecule.GetConformer().GetPositions()


def name_of(molecule, angles, mirror=True):
    position_av = turned(molecule, angles)
    return conformer_name(rotatable_bonds(molecule), position_av, automorphisms(molecule), mirror)[0]


@pytest.mark.parametrize(
    ("smiles", "count"),
    [
        ("OC(=O)C(=O)O", 3),  # two hydroxyls and the central bond
        ("CC(=O)O", 1),  # no methyl rotor
        ("NC(=O)N", 2),  # the C-N bonds
        ("c1ccc2ccccc2c1", 0),
        ("CC", 0),
        ("OCC#CCO", 2),  # not the bonds of the linear chain
        ("CC(F)(F)F", 0),  # CF3 and CH3 are symmetric rotors
        ("CCS", 1),
        ("C[NH3+]", 0),
        ("C#CC", 0),
    ],
)
def test_rotatable_bonds(smiles, count):
    assert len(rotatable_bonds(read_smiles(smiles))) == count


def test_oxalic_acid_is_named_as_chemists_do():
    """tTt: the C=O groups anti, each H anti to the other carbon (syn to its C=O)."""
    molecule = embedded("OC(=O)C(=O)O")
    symbols = [
        [molecule.GetAtomWithIdx(i).GetSymbol() for i in bond.quadruple] for bond in rotatable_bonds(molecule)
    ]
    assert symbols == [list("HOCC"), list("OCCO"), list("CCOH")]
    central = rotatable_bonds(molecule)[1]
    assert molecule.GetAtomWithIdx(central.begin_references[0]).GetTotalNumHs(includeNeighbors=True) == 0
    assert name_of(molecule, (180, 180, 180)) == "ttt"
    assert name_of(molecule, (0, 180, 0)) == "ctc"
    assert name_of(molecule, (180, 180, 0)) == name_of(molecule, (0, 180, 180)) == "ctt"


def test_mirror_images_share_a_name_unless_the_molecule_is_chiral():
    molecule = embedded("OCCO")
    assert name_of(molecule, (70, 60, 80)) == name_of(molecule, (-70, -60, -80))
    assert name_of(molecule, (70, 60, 80), mirror=False) != name_of(molecule, (-70, -60, -80), mirror=False)


def test_the_name_does_not_depend_on_the_order_of_the_atoms():
    molecule = embedded("OC(=O)C(=O)O")
    turned(molecule, (0, 180, 180))
    order = list(np.random.default_rng(3).permutation(molecule.GetNumAtoms()))
    other = Chem.RenumberAtoms(molecule, [int(i) for i in order])
    names = [
        conformer_name(rotatable_bonds(m), m.GetConformer().GetPositions(), automorphisms(m), True)[0]
        for m in (molecule, other)
    ]
    assert names == ["ctt", "ctt"]


@pytest.mark.parametrize(
    ("angle", "expected"),
    [(0, "c"), (-30, "c"), (31, "g+"), (-90, "g-"), (91, "a+"), (-149, "a-"), (150, "t"), (180, "t")],
)
def test_letters(angle, expected):
    assert letter(angle) == expected


def test_names_in_the_config():
    assert same_name("tTt", "ttt")
    assert same_name("tTc", "ctt")
    assert same_name("CTT", "ctt")
    assert same_name("g-tC", "ctg-")
    assert same_name("ttc-2", "ctt-2")
    assert not same_name("ttc-2", "ctt")
    assert not same_name("tt", "ttt")
    assert same_name("rigid", "rigid")
