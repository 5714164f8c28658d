"""Rotatable bonds, their torsion angles, and the names of conformers.

A bond is rotatable when it is single, in no ring, both its ends carry further atoms, and turning it gives something
new: not a CH3, NH3+ or CX3 rotor, not the axis of a triple bond.  Terminal O-H, N-H2 and S-H rotors count.

The torsion of a bond is measured from a reference neighbour at each end: heavy atoms before hydrogen, carbon (the
chain) before other elements, higher bond order, higher atomic number, then RDKit's canonical rank.  Where neighbours
are equivalent (the hydrogens of NH2) the smallest angle counts.  So ``H-O-C-C`` of a carboxylic acid is t when H is
syn to C=O, and the central bond of oxalic acid is t when the two C=O are anti.
"""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

_TOKEN = re.compile(r"[ct]|[ga][+-]")
_SUFFIX = re.compile(r"(-\d+)?(-([cd]\d+[vhd]?|s\d+|c[si]|t[dh]|[oi]h|[cd]inf[vh]))?$")
"""A number, and the point group (in lower case) of a symmetric geometry."""

_ORDER = {"c": 0, "t": 1, "g+": 2, "g-": 3, "a+": 4, "a-": 5}
RIGID = "rigid"
"""Name of the conformer of a molecule without rotatable bonds."""


@dataclass(frozen=True)
class RotatableBond:
    """A bond about which conformers differ.

    Attributes
    ----------
    begin, end : int
        The bonded atoms, in the direction in which names are read.
    begin_references, end_references : tuple of int
        Equivalent neighbours from which the torsion is measured.
    conjugated : bool
        Whether both ends are planar or one is a heteroatom beside a planar one: minima lie near 0 and 180 degrees.
    """

    begin: int
    end: int
    begin_references: tuple[int, ...]
    end_references: tuple[int, ...]
    conjugated: bool

    @property
    def quadruple(self) -> tuple[int, int, int, int]:
        """Four atoms that define a torsion about the bond."""
        return self.begin_references[0], self.begin, self.end, self.end_references[0]


def rotatable_bonds(molecule: Chem.Mol) -> tuple[RotatableBond, ...]:
    """The rotatable bonds in the order of the name's letters: along the molecule's longest chain."""
    rank_a = list(Chem.CanonicalRankAtoms(molecule, breakTies=True))
    class_a = list(Chem.CanonicalRankAtoms(molecule, breakTies=False, includeChirality=False))
    pairs = [bond for bond in molecule.GetBonds() if _is_rotatable(bond)]
    if not pairs:
        return ()
    distance_aa = Chem.GetDistanceMatrix(molecule)
    origin = _chain_end(
        distance_aa, rank_a, [b.GetBeginAtomIdx() for b in pairs] + [b.GetEndAtomIdx() for b in pairs]
    )
    found = []
    for bond in pairs:
        begin, end = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        if (distance_aa[origin, begin], rank_a[begin]) > (distance_aa[origin, end], rank_a[end]):
            begin, end = end, begin
        near, far = _references(molecule, begin, end, class_a), _references(molecule, end, begin, class_a)
        found.append(RotatableBond(begin, end, near, far, _is_conjugated(molecule, begin, end)))

    def order(bond: RotatableBond) -> tuple[float, ...]:
        ends = (bond.begin, bond.end)
        return (*(distance_aa[origin, atom] for atom in ends), *(rank_a[atom] for atom in ends))

    return tuple(sorted(found, key=order))


def _chain_end(distance_aa: NDArray[np.float64], rank_a: list[int], atoms: list[int]) -> int:
    """One end of the longest path between atoms of rotatable bonds; the lowest canonical rank of those possible."""
    longest = max(distance_aa[a, b] for a in atoms for b in atoms)
    return min(
        (a for a in atoms if max(distance_aa[a, b] for b in atoms) == longest), key=lambda a: rank_a[a]
    )


def _is_rotatable(bond: Chem.Bond) -> bool:
    if bond.GetBondType() != Chem.BondType.SINGLE or bond.IsInRing():
        return False
    ends = (bond.GetBeginAtom(), bond.GetEndAtom())
    return all(_carries_torsion(atom, other) for atom, other in (ends, ends[::-1]))


def _carries_torsion(atom: Chem.Atom, other: Chem.Atom) -> bool:
    """Whether the atom's further neighbours make a torsion that distinguishes conformers."""
    rest = [neighbour for neighbour in atom.GetNeighbors() if neighbour.GetIdx() != other.GetIdx()]
    if not rest or atom.GetHybridization() == Chem.HybridizationType.SP:
        return False
    alike = len({neighbour.GetAtomicNum() for neighbour in rest}) == 1
    return not (len(rest) == 3 and alike and all(neighbour.GetDegree() == 1 for neighbour in rest))


def _references(molecule: Chem.Mol, atom: int, other: int, class_a: list[int]) -> tuple[int, ...]:
    """The neighbours of highest priority; several when they are equivalent."""

    def priority(neighbour: Chem.Atom) -> tuple[bool, bool, float, int, int]:
        order = molecule.GetBondBetweenAtoms(atom, neighbour.GetIdx()).GetBondTypeAsDouble()
        number = neighbour.GetAtomicNum()
        return number > 1, number == 6, order, number, class_a[neighbour.GetIdx()]

    rest = [n for n in molecule.GetAtomWithIdx(atom).GetNeighbors() if n.GetIdx() != other]
    best = max(priority(neighbour) for neighbour in rest)
    return tuple(sorted(n.GetIdx() for n in rest if priority(n) == best))


def _is_conjugated(molecule: Chem.Mol, begin: int, end: int) -> bool:
    planar = [
        molecule.GetAtomWithIdx(index).GetHybridization() == Chem.HybridizationType.SP2
        for index in (begin, end)
    ]
    hetero = [molecule.GetAtomWithIdx(index).GetAtomicNum() in (7, 8, 16) for index in (begin, end)]
    return all(planar) or (planar[0] and hetero[1]) or (planar[1] and hetero[0])


def torsions_deg(bonds: tuple[RotatableBond, ...], position_av: NDArray[np.float64]) -> list[float]:
    """The torsion angle of every rotatable bond, in (-180, 180]; of equivalent ones the smallest."""
    values = []
    for bond in bonds:
        angles = [
            _torsion_deg(position_av[[first, bond.begin, bond.end, last]])
            for first in bond.begin_references
            for last in bond.end_references
        ]
        values.append(min(angles, key=lambda angle: (round(abs(angle)), -angle)))
    return values


def _torsion_deg(corner_kv: NDArray[np.float64]) -> float:
    """Dihedral angle of four points (IUPAC sign)."""
    first, axis, last = np.diff(corner_kv, axis=0)
    normal_1, normal_2 = np.cross(first, axis), np.cross(axis, last)
    sine = np.linalg.norm(axis) * (first @ normal_2)
    angle = float(np.degrees(np.arctan2(sine, normal_1 @ normal_2)))
    return 180.0 if angle <= -179.9999 else angle


def letter(angle_deg: float) -> str:
    """The letter of a torsion: c within 30 degrees of 0, t within 30 of 180, g+- to 90, a+- beyond."""
    size = abs(angle_deg)
    if size <= 30:
        return "c"
    if size >= 150:
        return "t"
    return ("g" if size <= 90 else "a") + ("+" if angle_deg > 0 else "-")


def conformer_name(
    bonds: tuple[RotatableBond, ...],
    position_av: NDArray[np.float64],
    permutation_pa: NDArray[np.int64],
    mirror: bool,
) -> tuple[str, list[float], bool]:
    """Name, torsions in the order of its letters, and whether the name is that of the mirror image.

    Of the names that the graph's symmetry (and, when `mirror`, the mirror image) allows, the first in the order
    c, t, g+, g-, a+, a- is taken: ``ctt`` and ``ttc`` of oxalic acid are one conformer, ``ctt``.
    """
    if not bonds:
        return RIGID, [], False
    best: tuple[list[int], list[float], bool] | None = None
    for sign in (1, -1) if mirror else (1,):
        for permutation_a in permutation_pa:
            angles = torsions_deg(bonds, position_av[permutation_a] * [1, 1, sign])
            key = [_ORDER[letter(angle)] for angle in angles]
            if best is None or key < best[0]:
                best = (key, angles, sign < 0)
    assert best is not None
    return "".join(letter(angle) for angle in best[1]), best[1], best[2]


def same_name(wanted: str, found: str) -> bool:
    """Whether a name in the config means a conformer: case and the direction of reading do not matter."""
    wanted, found = wanted.lower(), found.lower()
    suffix_match = _SUFFIX.search(wanted)
    suffix = suffix_match.group() if suffix_match else ""
    backwards = "".join(reversed(_TOKEN.findall(wanted.removesuffix(suffix)))) + suffix
    return found in {wanted, backwards}


def split_name(text: str) -> int:
    """The number of letters of a conformer's name in any case; -1 when it is none."""
    name = _SUFFIX.sub("", text.lower())
    if name == RIGID:
        return 0
    tokens = _TOKEN.findall(name)
    return len(tokens) if "".join(tokens) == name and tokens else -1
