"""What comes as one enantiomer: molecules whose mirror image is another substance."""

import pytest

from polyscape.molecule.chirality import is_chiral_by_configuration


@pytest.mark.parametrize(
    "smiles",
    ["C[C@H](N)C(=O)O", "CC(O)F", "O[C@@H]([C@H](O)C(=O)O)C(=O)O", "C[S@](=O)CC", "C[C@H]1CCC[C@H](C)C1"],
)
def test_chiral(smiles):
    assert is_chiral_by_configuration(smiles)


@pytest.mark.parametrize(
    "smiles",
    [
        *("NC(N)=O", "OO", "OCCO", "[Cl-]", "C/C=C/C"),
        "O[C@H]([C@H](O)C(=O)O)C(=O)O",  # meso
        "C[C@H]1CCC[C@@H](C)C1",  # meso
        "C[C@H]1CC[C@@H](C)CC1",  # no stereocentre of its own
    ],
)
def test_achiral(smiles):
    assert not is_chiral_by_configuration(smiles)
