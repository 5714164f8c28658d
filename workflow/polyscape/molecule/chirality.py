"""Whether a molecule has a hand that no change of its shape turns into the other."""

from functools import cache

from rdkit import Chem, rdBase

_OTHER_HAND = {
    Chem.ChiralType.CHI_TETRAHEDRAL_CW: Chem.ChiralType.CHI_TETRAHEDRAL_CCW,
    Chem.ChiralType.CHI_TETRAHEDRAL_CCW: Chem.ChiralType.CHI_TETRAHEDRAL_CW,
}


@cache
def is_chiral_by_configuration(smiles: str) -> bool:
    """Whether a SMILES and its mirror image are two substances.

    A meso form is none: it has stereocentres and is its own mirror image.  A stereocentre that the SMILES leaves undefined
    counts.  Chiral axes and helices do not show: RDKit has no place for them in a SMILES.
    """
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
    if molecule is None:
        return False
    for element in Chem.FindPotentialStereo(Chem.Mol(molecule), cleanIt=False):
        atom_like = element.type == Chem.StereoType.Atom_Tetrahedral
        if atom_like and element.specified == Chem.StereoSpecified.Unspecified:
            molecule.GetAtomWithIdx(element.centeredOn).SetChiralTag(Chem.ChiralType.CHI_TETRAHEDRAL_CW)
    mirrored = Chem.Mol(molecule)
    for atom in mirrored.GetAtoms():
        atom.SetChiralTag(_OTHER_HAND.get(atom.GetChiralTag(), atom.GetChiralTag()))
    return _canonical(molecule) != _canonical(mirrored)


def _canonical(molecule: Chem.Mol) -> str:
    """The canonical SMILES, stereochemistry seen anew."""
    return str(Chem.MolToSmiles(Chem.MolFromSmiles(Chem.MolToSmiles(molecule))))
