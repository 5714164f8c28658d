"""Hydrogen atoms of a published crystal that lacks them, where the heavy atoms tell their places.

X-ray structures are often without hydrogens.  Those on rings, in CH2 groups, at flat NH2 and staggered in CH3 follow
from the heavy atoms; the turn of a hydroxyl group, the hand of a pyramidal NH, or which of two oxygens carries the
proton do not, and are not guessed.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Geometry import Point3D

from polyscape.crystal.cif import CifCrystal, CifError
from polyscape.molecule.cut import whole_molecules
from polyscape.molecule.read import bonds_by_distance
from polyscape.molecule.species import bond_graph

_MOST_MAPPINGS = 20_000
_REMEDY = "add all hydrogen atoms to the CIF (neutron data, or another determination)"


def with_hydrogens(crystal: CifCrystal, components: Sequence[Chem.Mol]) -> CifCrystal:
    """A crystal whose molecules have their hydrogens, added to those that have none.

    Parameters
    ----------
    crystal : CifCrystal
        All heavy atoms of the cell.
    components : sequence of rdkit.Chem.Mol
        The molecules of a formula unit with bond orders and all hydrogens.

    Returns
    -------
    CifCrystal
        The crystal itself where no molecule lacks all its hydrogens.

    Raises
    ------
    CifError
        When heavy atoms do not tell where a hydrogen is, or the crystal is a network.
    """
    try:
        molecules = whole_molecules(crystal.atomic_number_a, crystal.fractional_ac, crystal.cell_cv)
    except ValueError as error:
        raise CifError(str(error), "give a crystal of separate molecules") from error
    added = [
        _hydrogens(numbers_a, position_av, component)
        for numbers_a, position_av in molecules
        if (component := _lacking(numbers_a, components)) is not None
    ]
    if not added:
        return crystal
    position_hv = np.concatenate(added)
    fractional_hc = (position_hv @ np.linalg.inv(crystal.cell_cv)) % 1.0
    numbers_a = np.concatenate([crystal.atomic_number_a, np.ones(len(position_hv), np.int64)])
    fractional_ac = np.concatenate([crystal.fractional_ac, fractional_hc])
    return replace(crystal, atomic_number_a=numbers_a, fractional_ac=fractional_ac)


def _lacking(numbers_a: NDArray[np.int64], components: Sequence[Chem.Mol]) -> Chem.Mol | None:
    """The component whose heavy atoms a molecule without hydrogens consists of; None for a molecule that is complete."""
    listed = sorted(int(number) for number in numbers_a)
    elements = [sorted(atom.GetAtomicNum() for atom in component.GetAtoms()) for component in components]
    if 1 in listed or listed in elements:
        return None
    heavy = [[number for number in numbers if number > 1] for numbers in elements]
    return components[heavy.index(listed)] if listed in heavy else None


def _hydrogens(
    numbers_a: NDArray[np.int64], position_av: NDArray[np.float64], component: Chem.Mol
) -> NDArray[np.float64]:
    """Positions of the hydrogens of a molecule whose heavy atoms are given, Angstrom, shape (hydrogens, 3)."""
    with rdBase.BlockLogs():
        skeleton = Chem.RemoveAllHs(component)
    loose = [atom for atom in skeleton.GetAtoms() if not _told_by_neighbours(atom)]
    if loose:
        problem = f"hydrogen atoms are missing, and those on {loose[0].GetSymbol()} can point anywhere"
        raise CifError(problem, _REMEDY)
    orders = _orders(numbers_a, position_av, skeleton)
    if not orders:
        raise CifError("hydrogen atoms are missing, and a molecule is bonded unlike every component", _REMEDY)
    carried = {tuple(_hydrogens_by_atom(skeleton, order)) for order in orders}
    if len(carried) > 1:
        problem = "hydrogen atoms are missing, and the heavy atoms do not tell which of them carry hydrogens"
        raise CifError(problem, _REMEDY)
    placed = Chem.RWMol(skeleton)
    placed.RemoveAllConformers()
    conformer = Chem.Conformer(len(numbers_a))
    for atom, place in enumerate(orders[0]):
        conformer.SetAtomPosition(atom, Point3D(*map(float, position_av[place])))
    placed.AddConformer(conformer)
    whole = Chem.AddHs(placed, addCoords=True)
    return np.array(whole.GetConformer().GetPositions())[len(numbers_a) :]


def _told_by_neighbours(atom: Chem.Atom) -> bool:
    """Whether the heavy neighbours of an atom fix its hydrogens."""
    hydrogens, heavy = atom.GetTotalNumHs(), atom.GetDegree()
    flat = atom.GetHybridization() in (Chem.HybridizationType.SP, Chem.HybridizationType.SP2)
    if hydrogens == 0:
        return True
    if heavy == 1:
        linear = hydrogens == 1 and atom.GetHybridization() == Chem.HybridizationType.SP
        return hydrogens == 3 or linear or (hydrogens == 2 and flat)
    pyramidal = atom.GetAtomicNum() != 6 and heavy + hydrogens == 3 and not flat
    return heavy > 1 and not pyramidal


def _orders(
    numbers_a: NDArray[np.int64], position_av: NDArray[np.float64], skeleton: Chem.Mol
) -> list[tuple[int, ...]]:
    """For every way to lay the component's heavy atoms over the molecule's, the place of each."""
    target = bond_graph(numbers_a, bonds_by_distance(numbers_a, position_av))
    drawn = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in skeleton.GetBonds()]
    query = bond_graph([atom.GetAtomicNum() for atom in skeleton.GetAtoms()], drawn)
    if target.GetNumBonds() != query.GetNumBonds():
        return []
    return list(target.GetSubstructMatches(query, uniquify=False, maxMatches=_MOST_MAPPINGS))


def _hydrogens_by_atom(skeleton: Chem.Mol, order: Sequence[int]) -> list[int]:
    """How many hydrogens each atom of the crystal's molecule would carry."""
    counts = [0] * len(order)
    for atom in skeleton.GetAtoms():
        counts[order[atom.GetIdx()]] = atom.GetTotalNumHs()
    return counts
