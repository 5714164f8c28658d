"""The molecule as a chemist draws it: RDKit's two-dimensional formula as inline SVG."""

import re

from rdkit import Chem
from rdkit.Chem import rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D

_SIZE = (260, 180)
_DRAWING = {"clearBackground": False, "bondLineWidth": 2, "padding": 0.08, "fixedBondLength": 42.0}


def molecule_svg(smiles: str) -> str:
    """The structural formula in the page's text colour, or an empty text when the SMILES cannot be drawn.

    Parameters
    ----------
    smiles : str
        SMILES of the molecule.

    Returns
    -------
    str
        An ``<svg>`` element without XML prologue; it contains only what RDKit drew, no text of ours.
    """
    molecule = Chem.MolFromSmiles(smiles)
    if molecule is None:
        return ""
    rdDepictor.SetPreferCoordGen(True)
    rdDepictor.Compute2DCoords(molecule)
    drawer = rdMolDraw2D.MolDraw2DSVG(*_SIZE)
    drawer.drawOptions().useBWAtomPalette()
    for name, value in _DRAWING.items():
        setattr(drawer.drawOptions(), name, value)
    drawer.DrawMolecule(molecule)
    drawer.FinishDrawing()
    text = re.sub(r"<\?xml.*?\?>|<!--.*?-->", "", drawer.GetDrawingText(), flags=re.DOTALL)
    text = text.replace("#000000", "currentColor")
    return re.sub(
        r"<svg\b[^>]*>",
        f'<svg viewBox="0 0 {_SIZE[0]} {_SIZE[1]}" class="formula" aria-hidden="true">',
        text,
        count=1,
    ).strip()
