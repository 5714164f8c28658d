"""Symmetry of a molecule: permutations of its graph, the orthogonal operations behind them, Schoenflies symbol."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

_MAX_AUTOMORPHISMS = 20_000


@dataclass(frozen=True)
class Operation:
    """A symmetry operation: the atom at r_a goes to ``matrix_vv @ r_a``, where atom ``permutation_a[a]`` stands."""

    permutation_a: NDArray[np.int64]
    matrix_vv: NDArray[np.float64]


def automorphisms(molecule: Chem.Mol) -> NDArray[np.int64]:
    """Permutations of the atoms that keep elements, charges and bonds, shape (permutations, atoms).

    Bond orders are ignored (the two oxygens of a carboxylate are alike).  When there are more than 20,000 (many
    methyl groups), the hydrogens of carbon are left where they are.
    """
    plain = bare_graph(molecule)
    found = plain.GetSubstructMatches(plain, uniquify=False, maxMatches=_MAX_AUTOMORPHISMS + 1)
    if len(found) <= _MAX_AUTOMORPHISMS:
        return np.array(sorted(found))
    kept = [atom.GetIdx() for atom in molecule.GetAtoms() if not _is_carbon_hydrogen(atom)]
    skeleton = Chem.RWMol(plain)
    for index in sorted(set(range(molecule.GetNumAtoms())) - set(kept), reverse=True):
        skeleton.RemoveAtom(index)
    rows = []
    for match in skeleton.GetSubstructMatches(skeleton, uniquify=False, maxMatches=_MAX_AUTOMORPHISMS):
        row = np.arange(molecule.GetNumAtoms())
        row[kept] = np.array(kept)[list(match)]
        rows.append(_follow(molecule, row))
    return np.array(sorted(map(tuple, rows)))


def bare_graph(molecule: Chem.Mol) -> Chem.RWMol:
    """The bare graph: elements and bonds; no bond orders, charges or stereochemistry."""
    plain = Chem.RWMol()
    for atom in molecule.GetAtoms():
        bare = Chem.Atom(atom.GetAtomicNum())
        bare.SetNoImplicit(True)
        plain.AddAtom(bare)
    for bond in molecule.GetBonds():
        plain.AddBond(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), Chem.BondType.SINGLE)
    return plain


def _is_carbon_hydrogen(atom: Chem.Atom) -> bool:
    return atom.GetAtomicNum() == 1 and any(n.GetAtomicNum() == 6 for n in atom.GetNeighbors())


def _follow(molecule: Chem.Mol, row: NDArray[np.int64]) -> NDArray[np.int64]:
    """Let the hydrogens of carbon follow their carbon, in their order."""
    row = row.copy()
    for atom in molecule.GetAtoms():
        if atom.GetAtomicNum() == 6:
            target = molecule.GetAtomWithIdx(int(row[atom.GetIdx()]))
            own = sorted(n.GetIdx() for n in atom.GetNeighbors() if n.GetAtomicNum() == 1)
            theirs = sorted(n.GetIdx() for n in target.GetNeighbors() if n.GetAtomicNum() == 1)
            row[own] = theirs
    return row


def superpose(
    from_av: NDArray[np.float64], onto_av: NDArray[np.float64], improper: bool = False
) -> tuple[NDArray[np.float64], float]:
    """Orthogonal matrix O (det +1, or -1 when `improper`) with ``O from ~ onto``, both centred, and the RMSD.

    References
    ----------
    W. Kabsch, Acta Cryst. A 34, 827 (1978), https://doi.org/10.1107/S0567739478001680.
    """
    left, _, right = np.linalg.svd(onto_av.T @ from_av)
    sign = np.sign(np.linalg.det(left @ right)) * (-1.0 if improper else 1.0)
    matrix_vv = left @ np.diag([1.0, 1.0, sign]) @ right
    residual_av = from_av @ matrix_vv.T - onto_av
    return matrix_vv, float(np.sqrt((residual_av**2).sum() / len(from_av)))


def least_rmsd(
    first_av: NDArray[np.float64],
    second_av: NDArray[np.float64],
    permutation_pa: NDArray[np.int64],
    mirror: bool,
) -> float:
    """Smallest RMSD in Angstrom over the graph's symmetry and, when `mirror`, over mirror images."""
    first_av, second_av = first_av - first_av.mean(axis=0), second_av - second_av.mean(axis=0)
    values = [
        superpose(first_av, second_av[permutation_a], improper)[1]
        for permutation_a in permutation_pa
        for improper in ((False, True) if mirror else (False,))
    ]
    return min(values)


def operations(
    position_av: NDArray[np.float64], permutation_pa: NDArray[np.int64], tolerance_A: float = 0.02
) -> list[Operation]:
    """The operations that a conformer has within a tolerance (largest displacement of an atom), identity first."""
    centred_av = position_av - position_av.mean(axis=0)
    found = []
    for permutation_a in permutation_pa:
        for improper in (False, True):
            target_av = centred_av[permutation_a]
            matrix_vv, _ = superpose(centred_av, target_av, improper)
            if np.abs(centred_av @ matrix_vv.T - target_av).max() < tolerance_A:
                found.append(Operation(permutation_a, matrix_vv))
    return sorted(found, key=lambda op: -round(float(np.trace(op.matrix_vv)), 6))


def symmetrise(position_av: NDArray[np.float64], group: list[Operation]) -> NDArray[np.float64]:
    """Average positions over the group, so that they have it to rounding error.

    The fitted matrices depend on the noise of the positions, so the average is repeated with new ones.
    """
    centred_av = position_av - position_av.mean(axis=0)
    for _ in range(20):
        images = []
        for operation in group:
            improper = np.linalg.det(operation.matrix_vv) < 0
            target_av = centred_av[operation.permutation_a]
            matrix_vv, _ = superpose(centred_av, target_av, bool(improper))
            images.append(target_av @ matrix_vv)
        centred_av = np.mean(images, axis=0)
    return centred_av


def average_over(values_a: NDArray[np.float64], group: list[Operation]) -> NDArray[np.float64]:
    """A scalar per atom averaged over symmetry-equivalent atoms."""
    return np.mean([values_a[operation.permutation_a] for operation in group], axis=0)


def schoenflies(group: list[Operation], linear: bool) -> str:
    """Schoenflies symbol of a finite group of orthogonal matrices; ``Cinfv`` and ``Dinfh`` for linear molecules."""
    matrices = np.unique(np.round([operation.matrix_vv for operation in group], 3), axis=0)
    inversion = any(np.allclose(matrix, -np.eye(3), atol=0.05) for matrix in matrices)
    if linear:
        return "Dinfh" if inversion or any(matrix_flips(m) for m in matrices) else "Cinfv"
    proper = [m for m in matrices if np.linalg.det(m) > 0]
    mirrors = [m for m in matrices if np.linalg.det(m) < 0 and abs(np.trace(m) - 1) < 0.05]
    orders = sorted((_order(m) for m in proper), reverse=True)
    if len(proper) in (12, 24, 60) and orders[0] == {12: 3, 24: 4, 60: 5}[len(proper)]:
        letter = {12: "T", 24: "O", 60: "I"}[len(proper)]
        return letter + ("h" if inversion else ("d" if mirrors else ""))
    return _axial(orders[0], len(proper), len(mirrors), inversion, len(matrices))


def matrix_flips(matrix_vv: NDArray[np.float64]) -> bool:
    """Whether an operation of a linear molecule along x exchanges its ends."""
    return bool(matrix_vv[0, 0] < 0)


def _order(matrix_vv: NDArray[np.float64]) -> int:
    """Order n of a proper rotation by 2 pi k / n."""
    angle = np.arccos(np.clip((np.trace(matrix_vv) - 1) / 2, -1, 1))
    return next((n for n in range(1, 13) if abs((n * angle / (2 * np.pi)) % 1 - 0.5) > 0.49), 1)


def _axial(n: int, proper: int, mirrors: int, inversion: bool, size: int) -> str:
    """Symbol of a group with one main axis of order n."""
    if size == proper:
        return f"D{n}" if proper == 2 * n and n > 1 else f"C{n}"
    if n == 1:
        return "Cs" if mirrors else "Ci"
    if proper == 2 * n:
        return f"D{n}h" if mirrors == n + 1 else f"D{n}d"
    if mirrors == n:
        return f"C{n}v"
    return f"C{n}h" if mirrors == 1 else f"S{2 * n}"
