"""Orientations in which a molecule's own symmetry fits that of a site.

A site has operations ``Q_s`` (Cartesian), the molecule ``O_g`` (its own frame).  A homomorphism ``s -> g(s)`` that keeps
trace and determinant says which of the molecule's operations stands on which of the site's, and the orientations R with
``Q_s R = R O_g(s)`` are those of a linear space.  From any rotation R_0 the mean of ``Q_s R_0 O_g(s)^T`` lies in it, and
so does its polar factor: a uniform R_0 gives all orientations, continuous and discrete ones alike, their natural weight.
"""

from collections.abc import Sequence
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from polyscape.molecule.model import Conformer
from polyscape.molecule.species import bond_graph
from polyscape.molecule.symmetry import automorphisms, operations
from polyscape.search.wyckoff import Character, character

SYMMETRY_TOLERANCE_A: Final = 0.05
"""Half of what the lattice energy takes for symmetric (`polyscape.crystal.sites.SITE_TOLERANCE_A`)."""

_LINEAR_ORDER: Final = 12
"""Axes of crystals have orders 1, 2, 3, 4 and 6, which all divide it: enough of a linear molecule's infinite axis."""

_SAME: Final = 0.1
"""Entries of different operations of a point group differ by more; fitted ones are true to about 0.02."""

_SINGULAR: Final = 1e-3

_AWAY: Final = Rotation.from_rotvec([0.7, 0.5, 0.3]).as_matrix()


def molecular_operations(conformer: Conformer) -> NDArray[np.float64]:
    """The operations of a conformer's point group in its own frame, the identity first, shape (operations, 3, 3).

    Of a linear molecule those with a twelvefold axis.

    Raises
    ------
    ValueError
        For a single atom, which has every symmetry.
    """
    if is_atom(conformer):
        raise ValueError("the operations of a single atom have no end")
    position_av = conformer.position_av - conformer.position_av.mean(axis=0)
    _, extent_k, axis_kv = np.linalg.svd(position_av)
    if extent_k[1] < SYMMETRY_TOLERANCE_A:
        return _linear(axis_kv[0], _ends_alike(conformer, position_av, axis_kv[0]))
    permutation_pa = automorphisms(bond_graph(conformer.atomic_number_a, conformer.bonds))
    tolerance_A = SYMMETRY_TOLERANCE_A
    while True:
        found = operations(position_av, permutation_pa, tolerance_A)
        kept = [o.matrix_vv for o in found if _keeps_types(conformer, o.permutation_a)]
        matrices = _distinct(np.array(kept))
        if _table(matrices) is not None:
            return matrices
        tolerance_A /= 2.0


def is_atom(conformer: Conformer) -> bool:
    """Whether a molecule is a single atom (an ion of a salt), which fits every site in every orientation."""
    return len(conformer.atomic_number_a) == 1


def _keeps_types(conformer: Conformer, permutation_a: NDArray[np.int64]) -> bool:
    kind = conformer.potential_type_a
    return all(kind[a] == kind[b] for a, b in enumerate(permutation_a))


def _ends_alike(conformer: Conformer, position_av: NDArray[np.float64], axis_v: NDArray[np.float64]) -> bool:
    """Whether a linear molecule is its own mirror image across its middle."""
    along = position_av @ axis_v
    kinds = list(zip(conformer.atomic_number_a, conformer.potential_type_a, strict=True))
    order, back = np.argsort(along), np.argsort(-along)
    same = all(kinds[a] == kinds[b] for a, b in zip(order, back, strict=True))
    return same and bool(np.abs(along[order] + along[back]).max() < SYMMETRY_TOLERANCE_A)


def _linear(axis_v: NDArray[np.float64], ends_alike: bool) -> NDArray[np.float64]:
    """C12v or D12h about an axis."""
    turn_vv = Rotation.from_rotvec(2 * np.pi / _LINEAR_ORDER * axis_v).as_matrix()
    side_v = np.linalg.svd(axis_v[None])[2][1]
    mirror_vv = np.eye(3) - 2.0 * np.outer(side_v, side_v)
    flips = (np.eye(3), -np.eye(3)) if ends_alike else (np.eye(3),)
    return np.array(
        [
            flip @ np.linalg.matrix_power(turn_vv, k) @ m
            for flip, k, m in product(flips, range(_LINEAR_ORDER), (np.eye(3), mirror_vv))
        ]
    )


def _distinct(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    chosen: list[NDArray[np.float64]] = []
    for matrix in matrices:
        if all(np.abs(matrix - other).max() > _SAME for other in chosen):
            chosen.append(matrix)
    return np.array(chosen)


def _table(matrices: NDArray[np.float64]) -> NDArray[np.int64] | None:
    """Multiplication table, ``matrices[table[i, j]] = matrices[i] @ matrices[j]``; None when they form no group."""
    products = np.einsum("iuv,jvw->ijuw", matrices, matrices)
    distance_ijk = np.abs(products[:, :, None] - matrices[None, None]).max(axis=(3, 4))
    table = distance_ijk.argmin(axis=2)
    closed = distance_ijk.min(axis=2).max() < _SAME
    return table if closed and all(len(set(row)) == len(row) for row in table) else None


def characters(matrices: NDArray[np.float64]) -> frozenset[Character]:
    """The kinds of operations of a molecule that may stand in a crystal."""
    return frozenset(character(m) for m in matrices if abs(np.trace(m) - round(float(np.trace(m)))) < _SAME)


def embeddings(site_scc: NDArray[np.float64], molecule_gvv: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """The ways to put a site's operations on a molecule's, as indices ``g[s]``; one of each set alike.

    Parameters
    ----------
    site_scc : numpy.ndarray, shape (site operations, 3, 3)
        In any basis.
    molecule_gvv : numpy.ndarray, shape (molecule's operations, 3, 3)
        `molecular_operations`.
    """
    site, molecule = _table(site_scc), _table(molecule_gvv)
    if site is None or molecule is None:
        raise ValueError("operations that form no group")
    kind_s = [character(m) for m in site_scc]
    kind_g = [_character_or_none(m) for m in molecule_gvv]
    generators = _generators(site)
    images = [[g for g, kind in enumerate(kind_g) if kind == kind_s[s]] for s in generators]
    inverse_g = np.argwhere(molecule == 0)[:, 1]
    found: dict[tuple[int, ...], NDArray[np.int64]] = {}
    for choice in product(*images):
        image_s = _extended(site, molecule, dict(zip(generators, choice, strict=True)))
        if image_s is None or any(kind_g[g] != kind_s[s] for s, g in enumerate(image_s)):
            continue
        alike = [tuple(molecule[molecule[g, image_s], inverse_g[g]]) for g in range(len(molecule))]
        found.setdefault(min(alike), image_s)
    return [found[key] for key in sorted(found)]


def _character_or_none(matrix: NDArray[np.float64]) -> Character | None:
    return character(matrix) if abs(np.trace(matrix) - round(float(np.trace(matrix)))) < _SAME else None


def _generators(table: NDArray[np.int64]) -> list[int]:
    """Elements that make the whole group, found one after the other."""
    chosen: list[int] = []
    closed = {0}
    for element in range(len(table)):
        if element not in closed:
            chosen.append(element)
            closed = _closure(table, chosen)
    return chosen


def _closure(table: NDArray[np.int64], elements: Sequence[int]) -> set[int]:
    closed = {0, *elements}
    while True:
        larger = closed | {int(table[i, j]) for i in closed for j in closed}
        if larger == closed:
            return closed
        closed = larger


def _extended(
    site: NDArray[np.int64], molecule: NDArray[np.int64], image: dict[int, int]
) -> NDArray[np.int64] | None:
    """The homomorphism with given images of generators; None when there is none that keeps elements apart."""
    image = {0: 0} | image
    fresh = list(image)
    while fresh:
        made: dict[int, int] = {}
        for i, j in product(list(image), fresh):
            for a, b in ((i, j), (j, i)):
                element, value = int(site[a, b]), int(molecule[image[a], image[b]])
                if image.get(element, made.get(element, value)) != value:
                    return None
                if element not in image:
                    made[element] = value
        image |= made
        fresh = list(made)
    return np.array([image[s] for s in range(len(site))])


def fitted(
    start_vv: NDArray[np.float64], site_svv: NDArray[np.float64], molecule_svv: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The rotation R with ``Q_s R = R O_s`` that a rotation R_0 leads to, shape (3, 3).

    Inversion commutes with everything: an improper R gives the proper -R.

    Parameters
    ----------
    start_vv : numpy.ndarray, shape (3, 3)
        R_0.
    site_svv, molecule_svv : numpy.ndarray, shape (operations, 3, 3)
        Q_s in Cartesian axes and O_s, which stands on it.
    """
    while True:
        mean_vv = np.mean(site_svv @ start_vv @ molecule_svv.transpose(0, 2, 1), axis=0)
        left_vv, size_k, right_vv = np.linalg.svd(mean_vv)
        if size_k.min() > _SINGULAR:
            matrix_vv = left_vv @ right_vv
            return matrix_vv * np.sign(np.linalg.det(matrix_vv))
        start_vv = _AWAY @ start_vv
