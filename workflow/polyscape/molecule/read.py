"""The molecule from a SMILES, or from an XYZ, MOL, SDF or CIF file, as an RDKit molecule with all hydrogens."""

from pathlib import Path

import numpy as np
from ase.data import covalent_radii
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem import rdDetermineBonds

from polyscape.molecule.cut import molecules_of_cif

SUFFIXES = (".xyz", ".mol", ".sdf", ".cif")
_BOND_FACTOR = 1.25


class MoleculeError(ValueError):
    """The source of a molecule cannot be used: what is wrong, and what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem, self.remedy = problem, remedy
        super().__init__(f"{problem}; {remedy}")


def read_smiles(smiles: str) -> Chem.Mol:
    """The molecule of a SMILES, hydrogens added, without coordinates."""
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
    if molecule is None or molecule.GetNumAtoms() == 0:
        raise MoleculeError(
            "is not a SMILES that RDKit can read", "mend it, or give the molecule as a `file`"
        )
    return Chem.AddHs(molecule)


def read_file(path: Path, charge: int) -> Chem.Mol:
    """The molecule of a file with its coordinates, all hydrogens in it.

    Parameters
    ----------
    path : pathlib.Path
        ``.xyz``, ``.mol``, ``.sdf`` (the first molecule) or ``.cif`` (one molecule cut out of the crystal).
    charge : int
        Net charge in e, from which the bond orders of XYZ and CIF follow.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise MoleculeError(f"has the suffix {suffix!r}", f"give one of {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise MoleculeError("there is no such file", "mend the path (relative to where snakemake runs)")
    if suffix in (".mol", ".sdf"):
        return _read_mol(path)
    try:
        if suffix == ".cif":
            numbers_a, position_av = molecules_of_cif(path)[0]
        else:
            numbers_a, position_av = _read_xyz(path)
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise MoleculeError(f"cannot be read ({error})", "mend the file") from error
    return from_coordinates(numbers_a, position_av, charge)


def from_coordinates(numbers_a: NDArray[np.int64], position_av: NDArray[np.float64], charge: int) -> Chem.Mol:
    """The molecule whose atoms stand at positions (Angstrom): bonds by distance, bond orders by valence and charge.

    Raises
    ------
    MoleculeError
        When no Lewis structure fits: hydrogens missing or another charge, mostly.
    """
    molecule = Chem.RWMol()
    for number in numbers_a:
        atom = Chem.Atom(int(number))
        atom.SetNoImplicit(True)
        if len(numbers_a) == 1:  # of a single atom no bond tells where the charge is
            atom.SetFormalCharge(charge)
        molecule.AddAtom(atom)
    for first, second in bonds_by_distance(numbers_a, position_av):
        molecule.AddBond(first, second, Chem.BondType.SINGLE)
    molecule.AddConformer(_conformer(position_av), assignId=True)
    with rdBase.BlockLogs():
        try:
            if molecule.GetNumBonds():
                rdDetermineBonds.DetermineBondOrders(molecule, charge=charge, allowChargedFragments=True)
            Chem.SanitizeMol(molecule)
        except ValueError as error:
            remedy = "add the missing hydrogens, mend `charge`, or give a MOL file with bond orders"
            raise MoleculeError(
                f"no closed-shell bonding of charge {charge} fits its atoms", remedy
            ) from error
    return _finished(molecule)


def bonds_by_distance(
    numbers_a: NDArray[np.int64], position_av: NDArray[np.float64]
) -> list[tuple[int, int]]:
    """Pairs of atoms nearer than 1.25 times the sum of their covalent radii; two hydrogens are bonded in H2 only."""
    distance_aa = np.linalg.norm(position_av[:, None] - position_av, axis=2)
    radius_a = covalent_radii[numbers_a]
    bonded_aa = distance_aa < _BOND_FACTOR * (radius_a[:, None] + radius_a)
    hydrogen_a = np.asarray(numbers_a) == 1
    if len(numbers_a) > 2:
        bonded_aa &= ~(hydrogen_a[:, None] & hydrogen_a)
    return [(int(a), int(b)) for a, b in zip(*np.nonzero(np.triu(bonded_aa, 1)), strict=True)]


def _read_mol(path: Path) -> Chem.Mol:
    with rdBase.BlockLogs():
        try:
            molecule = next(iter(Chem.SDMolSupplier(str(path), removeHs=False)), None)
        except (OSError, RuntimeError) as error:
            raise MoleculeError(f"cannot be read ({error})", "mend the file") from error
    if molecule is None or molecule.GetNumAtoms() == 0:
        raise MoleculeError("is not a MOL or SDF file that RDKit can read", "mend the file")
    if Chem.AddHs(molecule).GetNumAtoms() != molecule.GetNumAtoms():
        raise MoleculeError("hydrogen atoms are missing", "write all hydrogens into the file")
    if not molecule.GetConformer().Is3D():
        raise MoleculeError("has no three-dimensional coordinates", "give a 3D file, or a SMILES")
    return _finished(Chem.RWMol(molecule))


def _read_xyz(path: Path) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    count = int(lines[0])
    table = Chem.GetPeriodicTable()
    rows = [line.split() for line in lines[2 : 2 + count]]
    if count < 1 or len(rows) < count or any(len(row) < 4 for row in rows):
        raise ValueError(f"{count} atoms announced, {len(rows)} lines of symbol, x, y, z found")
    numbers = []
    for row in rows:
        try:
            numbers.append(int(row[0]) if row[0].isdigit() else table.GetAtomicNumber(row[0].capitalize()))
        except RuntimeError as error:
            raise ValueError(f"{row[0]!r} is no element") from error
    return np.array(numbers), np.array([[float(value) for value in row[1:4]] for row in rows])


def _conformer(position_av: NDArray[np.float64]) -> Chem.Conformer:
    conformer = Chem.Conformer(len(position_av))
    conformer.SetPositions(np.ascontiguousarray(position_av, dtype=float))
    conformer.Set3D(True)
    return conformer


def _finished(molecule: Chem.RWMol) -> Chem.Mol:
    """Stereochemistry from the coordinates."""
    Chem.AssignStereochemistryFrom3D(molecule)
    return Chem.Mol(molecule)
