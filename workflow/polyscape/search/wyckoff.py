"""Special positions of a space group in any setting, computed from its operations.

An operation ``(W, w)`` with the lattice vector n fixes the points of ``(1 - W) x = w + n``.  The points that the same
operations fix form a point, a line or a plane; intersecting it with what a further operation fixes gives the next
smaller one, from the general position down.  Positions that an operation of the group carries into one another are one.

References
----------
U. Mueller, H. Wondratschek, M. I. Aroyo et al., International Tables for Crystallography A (2016), chapter 1.4,
https://doi.org/10.1107/97809553602060000921.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import spglib
from numpy.typing import NDArray

from polyscape.crystal.groups import SpaceGroup

_SAME: Final = 1e-6
"""Coordinates of special points are fractions with small denominators: nothing lies between 1e-12 and 1/48."""

_LAYERS: Final = 3
"""(1 - W) x has components between -3 and 3 for x in the cell, as the entries of W are -1, 0, 1."""

_GENERIC: Final = np.array([0.1372913, 0.2719477, 0.4131069])
"""A point on no symmetry element."""

Character = tuple[int, int]
"""Trace and determinant of an operation, which tell its kind."""


@dataclass(frozen=True)
class SpecialPosition:
    """Points ``x = origin + sum_k u_k basis_k`` that the same operations of the group fix.

    Attributes
    ----------
    symbol : str
        Hermann-Mauguin symbol of the site symmetry.
    operation_s : tuple of int
        Indices in `SpaceGroup.operations` of the operations that fix the position, the identity first.
    rotation_scc : numpy.ndarray, shape (operations, 3, 3)
        Their matrices on fractional coordinates.
    origin_c : numpy.ndarray, shape (3,)
        A point, fractional.
    basis_kc : numpy.ndarray, shape (0 to 2, 3)
        Shortest lattice vectors along the position, in cell vectors.
    """

    symbol: str
    operation_s: tuple[int, ...]
    rotation_scc: NDArray[np.float64]
    origin_c: NDArray[np.float64]
    basis_kc: NDArray[np.float64]

    @property
    def order(self) -> int:
        """Operations of the site symmetry; the position's multiplicity is the group's order over it."""
        return len(self.operation_s)

    @property
    def characters(self) -> frozenset[Character]:
        """Kinds of the site's operations."""
        return frozenset(character(rotation_cc) for rotation_cc in self.rotation_scc)


def character(matrix: NDArray[np.float64]) -> Character:
    """Trace and determinant of an operation in any basis, as integers (its kind in a crystal)."""
    return round(float(np.trace(matrix))), round(float(np.linalg.det(matrix)))


def special_positions(
    group: SpaceGroup, allowed: frozenset[Character] | None = None
) -> list[SpecialPosition]:
    """The special positions of a group, from planes to points.

    Parameters
    ----------
    group : SpaceGroup
        Group and setting.
    allowed : frozenset of Character, optional
        Only positions whose site symmetry has no operations but these kinds, the identity's included.
    """
    search = _Search(group, allowed)
    general = search.at(_GENERIC)
    queue, found = [general], []
    while queue:
        position = queue.pop(0)
        for point_c in search.intersections(position):
            if search.is_new(smaller := search.at(point_c)):
                queue.append(smaller)
                found.append(smaller)
    return sorted(found, key=lambda p: (-len(p.basis_kc), p.order, p.operation_s, tuple(p.origin_c.round(6))))


class _Search:
    """What one enumeration has seen."""

    def __init__(self, group: SpaceGroup, allowed: frozenset[Character] | None) -> None:
        self.rotation_occ = np.array([rotation_cc for rotation_cc, _ in group.operations])
        self.shift_oc = np.array([shift_c for _, shift_c in group.operations])
        kinds = [character(rotation_cc) for rotation_cc in self.rotation_occ]
        self.allowed_o = np.array([allowed is None or kind in allowed for kind in kinds])
        self.seen: set[tuple[bytes, bytes]] = set()
        axis = np.arange(-_LAYERS, _LAYERS + 1.0)
        self.lattice_nc = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)

    def at(self, point_c: NDArray[np.float64]) -> SpecialPosition:
        """The position of a point, by the operations that fix it."""
        moved_oc = self.rotation_occ @ point_c + self.shift_oc - point_c
        fixed = np.flatnonzero(np.abs(moved_oc - np.round(moved_oc)).max(axis=1) < _SAME)
        rotation_scc = self.rotation_occ[fixed]
        basis_kc = integer_kernel(np.eye(3) - rotation_scc.mean(axis=0))
        found = spglib.get_pointgroup(np.rint(rotation_scc).astype("intc"))
        if found is None:
            raise ValueError(f"operations of a site that form no point group: {rotation_scc.tolist()}")
        return SpecialPosition(str(found[0]).strip(), tuple(map(int, fixed)), rotation_scc, point_c, basis_kc)

    def is_new(self, position: SpecialPosition) -> bool:
        """Whether no image of a position has been seen, and its operations are all allowed; it is seen from now on."""
        if not self.allowed_o[list(position.operation_s)].all():
            return False
        projector_cc = position.rotation_scc.mean(axis=0)
        if _key(projector_cc, position.origin_c) in self.seen:
            return False
        for rotation_cc, shift_c in zip(self.rotation_occ, self.shift_oc, strict=True):
            image_cc = rotation_cc @ projector_cc @ np.linalg.inv(rotation_cc)
            self.seen.add(_key(image_cc, rotation_cc @ position.origin_c + shift_c))
        return True

    def intersections(self, position: SpecialPosition) -> list[NDArray[np.float64]]:
        """Generic points of all intersections of a position with what one more operation fixes, modulo the lattice."""
        basis_ck = position.basis_kc.T
        points = []
        for n in np.flatnonzero(self.allowed_o):
            slope_ck = (np.eye(3) - self.rotation_occ[n]) @ basis_ck
            inverse_kc = np.linalg.pinv(slope_ck)
            if basis_ck.size == 0 or np.abs(slope_ck).max() < _SAME:
                continue  # parallel to what the operation fixes
            target_nc = (
                self.shift_oc[n] + self.lattice_nc - (np.eye(3) - self.rotation_occ[n]) @ position.origin_c
            )
            along_nk = target_nc @ inverse_kc.T
            meets = np.abs(along_nk @ slope_ck.T - target_nc).max(axis=1) < _SAME
            free_k = (np.eye(len(inverse_kc)) - inverse_kc @ slope_ck) @ _GENERIC[: len(inverse_kc)]
            points.append((position.origin_c + (along_nk[meets] + free_k) @ basis_ck.T + _SAME**2) % 1.0)
        if not points:
            return []
        _, chosen = np.unique(np.concatenate(points).round(7) % 1.0, axis=0, return_index=True)
        return list(np.concatenate(points)[chosen])


def _key(projector_cc: NDArray[np.float64], point_c: NDArray[np.float64]) -> tuple[bytes, bytes]:
    """What is equal for equal positions modulo the lattice: k . x for the integer k across the position."""
    across_kc = integer_kernel(projector_cc.T)
    fraction_k = (across_kc @ point_c + 1e-7) % 1.0
    return np.rint(24 * projector_cc).astype(np.int8).tobytes(), (fraction_k * 1e5).astype(np.int32).tobytes()


def integer_kernel(matrix_cc: NDArray[np.float64]) -> NDArray[np.float64]:
    """A basis of the integer vectors v with ``matrix v = 0``, the shortest ones, shape (0 to 3, 3).

    In a plane the two shortest independent vectors of a lattice are a basis of it.
    """
    return _kernel(np.rint(24 * matrix_cc).astype(np.int64).tobytes())


@cache
def _kernel(matrix: bytes) -> NDArray[np.float64]:
    matrix_cc = np.frombuffer(matrix, np.int64).reshape(3, 3)
    axis = np.arange(-2, 3)
    vector_nc = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = vector_nc[~(vector_nc @ matrix_cc.T).any(axis=1)]
    ordered = sorted(map(tuple, inside), key=lambda v: (sum(x * x for x in v), tuple(-x for x in v)))
    basis: list[tuple[int, ...]] = []
    for vector in ordered:
        if np.linalg.matrix_rank(np.array([*basis, vector])) > len(basis):
            basis.append(vector)
    return np.array(basis, float).reshape(-1, 3)
