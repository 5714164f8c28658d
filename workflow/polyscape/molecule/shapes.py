"""Given geometries of a molecule, cut from a crystal or read from a file, and the conformers they come nearest to."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from polyscape.molecule import symmetry
from polyscape.molecule.conformers import GasConformer
from polyscape.molecule.read import SUFFIXES, MoleculeError, bonds_by_distance, read_file

Geometry = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Atomic numbers, shape (atoms,), and positions in Angstrom, shape (atoms, 3)."""

_MOST_MAPPINGS = 20_000


def names_a_file(text: str) -> bool:
    """Whether an entry of `conformers` is a file with a geometry rather than a conformer's name."""
    return text.lower().endswith(SUFFIXES)


def read_shape(path: Path, molecule: Chem.Mol) -> NDArray[np.float64]:
    """The positions in a file, in the molecule's order of atoms and with its configuration; shape (atoms, 3).

    Raises
    ------
    MoleculeError
        When the file cannot be read or holds another molecule.
    """
    read = read_file(path, Chem.GetFormalCharge(molecule))
    numbers_a = np.array([atom.GetAtomicNum() for atom in read.GetAtoms()])
    return in_order((numbers_a, read.GetConformer().GetPositions()), molecule)


def mappings(geometry: Geometry, molecule: Chem.Mol) -> list[NDArray[np.int64]]:
    """For every way in which the graphs agree: the geometry's atom of each atom of the molecule."""
    numbers_a, position_av = geometry
    other = Chem.RWMol()
    for number in numbers_a:
        atom = Chem.Atom(int(number))
        atom.SetNoImplicit(True)
        other.AddAtom(atom)
    for first, second in bonds_by_distance(numbers_a, position_av):
        other.AddBond(first, second, Chem.BondType.SINGLE)
    plain = symmetry.bare_graph(molecule)
    if other.GetNumAtoms() != plain.GetNumAtoms() or other.GetNumBonds() != plain.GetNumBonds():
        return []
    matches = other.GetSubstructMatches(plain, uniquify=False, maxMatches=_MOST_MAPPINGS)
    return [np.array(match) for match in matches]


def in_order(geometry: Geometry, molecule: Chem.Mol) -> NDArray[np.float64]:
    """Positions in the molecule's order of atoms, mirrored where that gives its configuration; shape (atoms, 3).

    Raises
    ------
    MoleculeError
        When the atoms and bonds, or the configuration, are not those of the molecule.
    """
    orders = mappings(geometry, molecule)
    if not orders:
        raise MoleculeError(
            "its atoms and bonds are not those of this molecule", "give a geometry of the component"
        )
    for sign in (1.0, -1.0):
        for order_a in orders:
            position_av = geometry[1][order_a] * [1.0, 1.0, sign]
            if _same_configuration(molecule, position_av):
                return position_av
    raise MoleculeError("it is another stereoisomer", "give the configuration of the component")


def _same_configuration(molecule: Chem.Mol, position_av: NDArray[np.float64]) -> bool:
    """Whether stereocentres and double bonds that the molecule defines are so at the positions."""
    placed = with_conformers(molecule, [position_av])
    Chem.AssignStereochemistryFrom3D(placed)
    wanted, found = (
        {
            (element.type, element.centeredOn): (element.specified, element.descriptor)
            for element in Chem.FindPotentialStereo(Chem.Mol(m), cleanIt=False)
        }
        for m in (molecule, placed)
    )
    unspecified = Chem.StereoSpecified.Unspecified
    return all(found.get(key) == value for key, value in wanted.items() if value[0] != unspecified)


def with_conformers(molecule: Chem.Mol, geometries: list[NDArray[np.float64]]) -> Chem.Mol:
    """A copy of the molecule with these positions (Angstrom) as its only conformers."""
    copy = Chem.Mol(molecule)
    copy.RemoveAllConformers()
    for position_av in geometries:
        conformer = Chem.Conformer(molecule.GetNumAtoms())
        conformer.SetPositions(np.ascontiguousarray(position_av, dtype=float))
        conformer.Set3D(True)
        copy.AddConformer(conformer, assignId=True)
    return copy


def nearest(
    position_av: NDArray[np.float64], found: list[GasConformer], molecule: Chem.Mol
) -> tuple[GasConformer, float]:
    """The conformer that superposes best on a geometry, and the RMSD of all atoms in Angstrom.

    Mirror images count as alike: a crystal may hold both.

    Parameters
    ----------
    position_av : numpy.ndarray, shape (atoms, 3)
        The geometry in Angstrom, atoms in the molecule's order.
    found : list of GasConformer
        The conformers to choose from; not empty.
    molecule : rdkit.Chem.Mol
        The molecule, for the symmetry of its graph.
    """
    permutation_pa = symmetry.automorphisms(molecule)
    rmsd_c = [symmetry.least_rmsd(position_av, c.position_av, permutation_pa, True) for c in found]
    best = int(np.argmin(np.round(rmsd_c, 6)))
    return found[best], rmsd_c[best]
