"""Rigid molecules laid over those of a crystal: which site is which atom, and where the molecule stands.

Heavy atoms decide, for potentials move hydrogens; hydrogens only settle what heavy atoms leave open.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from polyscape.molecule.read import bonds_by_distance
from polyscape.molecule.species import bond_graph
from polyscape.molecule.symmetry import superpose

Molecule = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Atomic numbers, shape (atoms,), and positions in Angstrom, shape (atoms, 3)."""

_MOST_MAPPINGS: Final = 20_000
_HYDROGEN_WEIGHT: Final = 1e-4
"""A hydrogen moved by 0.1 A then turns the rest by less than 1e-4 A."""

_MIRROR_GAIN_A: Final = 1e-3
"""The mirror image is taken only where it fits better by this: planar molecules are their own mirror images."""

_ALIKE_A: Final = 0.05
"""Mappings whose heavy atoms fit this much worse than the best are not looked at."""

_LINE_A: Final = 0.2
"""Heavy atoms nearer than this to a line leave a rotation about it open."""


@dataclass(frozen=True)
class Superposition:
    """A rigid molecule laid over one of a crystal, ``r = matrix_vv @ x + shift_v``.

    Attributes
    ----------
    order_a : numpy.ndarray, shape (atoms,)
        The crystal's atom for each site.
    matrix_vv : numpy.ndarray, shape (3, 3)
        Orthogonal; improper for the mirror image.
    shift_v : numpy.ndarray, shape (3,)
        Angstrom.
    heavy_rmsd_A, hydrogen_misfit_A : float
        Misfit of the heavy atoms (of all where there are none), and the mean distance of a hydrogen site from its atom.
    """

    order_a: NDArray[np.int64]
    matrix_vv: NDArray[np.float64]
    shift_v: NDArray[np.float64]
    heavy_rmsd_A: float
    hydrogen_misfit_A: float


def lay_over(sites: Molecule, atoms: Molecule) -> Superposition | None:
    """The best superposition of two molecules, None when they are not bonded alike."""
    best: Superposition | None = None
    for order_a in _mappings(sites, atoms):
        for improper in (False, True):
            found = _fitted(sites, atoms, order_a, improper)
            if best is None or _score(found) < _score(best) - (_MIRROR_GAIN_A if improper else 1e-9):
                best = found
    return best


def _score(found: Superposition) -> float:
    return found.heavy_rmsd_A + found.hydrogen_misfit_A


def _weights(numbers_a: NDArray[np.int64]) -> NDArray[np.float64]:
    heavy_a = numbers_a > 1
    return np.where(heavy_a, 1.0, _HYDROGEN_WEIGHT) if heavy_a.any() else np.ones(len(numbers_a))


def _fitted(sites: Molecule, atoms: Molecule, order_a: NDArray[np.int64], improper: bool) -> Superposition:
    """The superposition of sites in the order of a mapping."""
    weight_a = _weights(sites[0])
    from_av, onto_av = sites[1], atoms[1][order_a]
    from_v, onto_v = (weight_a @ x_av / weight_a.sum() for x_av in (from_av, onto_av))
    root_a = np.sqrt(weight_a)[:, None]
    matrix_vv, _ = superpose(root_a * (from_av - from_v), root_a * (onto_av - onto_v), improper)
    if abs(np.linalg.det(matrix_vv)) < 0.5:  # a single atom: no rotation is determined
        matrix_vv = np.eye(3)
    shift_v = onto_v - matrix_vv @ from_v
    miss_a = np.linalg.norm(from_av @ matrix_vv.T + shift_v - onto_av, axis=1)
    full_a = weight_a == 1.0
    light = miss_a[~full_a].mean() if (~full_a).any() else 0.0
    return Superposition(
        order_a, matrix_vv, shift_v, float(np.sqrt(np.mean(miss_a[full_a] ** 2))), float(light)
    )


def _mappings(sites: Molecule, atoms: Molecule) -> Iterable[NDArray[np.int64]]:
    """Candidates for the crystal's atom of each site."""
    heavy_a = np.flatnonzero(sites[0] > 1)
    if len(heavy_a) < 3 or _thickness(sites[1][heavy_a]) < _LINE_A:
        yield from _isomorphisms(sites, atoms)
        return
    target_a = np.flatnonzero(atoms[0] > 1)
    skeleton, target = _part(sites, heavy_a), _part(atoms, target_a)
    orders = list(_isomorphisms(skeleton, target))
    fits = [(_fitted(skeleton, target, order_a, odd), odd) for order_a in orders for odd in (False, True)]
    limit = min((fit.heavy_rmsd_A for fit, _ in fits), default=0.0) + _ALIKE_A
    for fit, _ in fits:
        if fit.heavy_rmsd_A <= limit:
            yield _with_hydrogens(sites, atoms, target_a[fit.order_a], fit)


def _thickness(position_av: NDArray[np.float64]) -> float:
    """Distance from a line, the root mean square over the second principal axis."""
    centred_av = position_av - position_av.mean(axis=0)
    return float(np.linalg.svd(centred_av, compute_uv=False)[1] / np.sqrt(len(position_av)))


def _part(molecule: Molecule, index_a: NDArray[np.int64]) -> Molecule:
    return molecule[0][index_a], molecule[1][index_a]


def _with_hydrogens(
    sites: Molecule, atoms: Molecule, heavy_order_a: NDArray[np.int64], fit: Superposition
) -> NDArray[np.int64]:
    """A mapping of heavy atoms with every hydrogen given the nearest one, none twice."""
    order_a = np.empty(len(sites[0]), int)
    order_a[sites[0] > 1] = heavy_order_a
    light_a, target_a = np.flatnonzero(sites[0] == 1), np.flatnonzero(atoms[0] == 1)
    placed_av = sites[1][light_a] @ fit.matrix_vv.T + fit.shift_v
    rows, columns = linear_sum_assignment(cdist(placed_av, atoms[1][target_a]) ** 2)
    order_a[light_a[rows]] = target_a[columns]
    return order_a


def _isomorphisms(sites: Molecule, atoms: Molecule) -> Iterable[NDArray[np.int64]]:
    """All orders of a molecule's atoms that give it the other's elements and bonds."""
    query, target = (bond_graph(molecule[0], bonds_by_distance(*molecule)) for molecule in (sites, atoms))
    if target.GetNumAtoms() == query.GetNumAtoms() and target.GetNumBonds() == query.GetNumBonds():
        for match in target.GetSubstructMatches(query, uniquify=False, maxMatches=_MOST_MAPPINGS):
            yield np.array(match)
