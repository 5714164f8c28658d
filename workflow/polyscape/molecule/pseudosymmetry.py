"""Geometries of higher symmetry near a conformer: planar NH2 near a pyramidal one, flat rings near puckered ones.

An operation is a permutation of the graph and a sign (proper or improper).  One that the conformer nearly has makes,
with those that it has, a group of permutations and signs; the average of the conformer's images under the group has the
symmetry, and is kept when no atom has moved far.  What is kept is looked at in the same way, for still higher symmetry.
"""

from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from polyscape.molecule.symmetry import Operation, least_rmsd, operations, superpose, symmetrise

NEAR_A = 0.85
"""Farthest that an atom moves to the symmetric geometry: 0.5 for planar NH2, 0.8 for biphenyl with coplanar rings."""

_CLOSEST_A = 0.7
"""Two atoms nearer than the bond of H2 have been averaged into each other."""

_SAME_A = 0.05
_EXACT_A = 0.02
_MOST_OPERATIONS = 64
_LARGEST_GROUP = 120

Element = tuple[tuple[int, ...], bool]
"""Permutation of the atoms, and whether the operation is improper."""

SymmetricGeometry = tuple[NDArray[np.float64], list[Operation]]
"""Positions (atoms, 3) in Angstrom about their centre, and their operations."""


def near_geometries(
    position_av: NDArray[np.float64], permutation_pa: NDArray[np.int64], mirror: bool
) -> list[SymmetricGeometry]:
    """The geometries of higher symmetry within 0.85 Angstrom of every atom, the highest symmetry first.

    Parameters
    ----------
    position_av : numpy.ndarray, shape (atoms, 3)
        A conformer, in Angstrom.
    permutation_pa : numpy.ndarray, shape (permutations, atoms)
        `polyscape.molecule.symmetry.automorphisms`.
    mirror : bool
        Whether improper operations may be: not for a molecule with stereocentres.
    """
    start_av = position_av - position_av.mean(axis=0)
    found: list[SymmetricGeometry] = []
    fresh = [start_av]
    while fresh:
        made: list[SymmetricGeometry] = []
        for candidate_av in fresh:
            for geometry in _raised(candidate_av, start_av, permutation_pa, mirror):
                if not any(_same(geometry, other, permutation_pa) for other in (*found, *made)):
                    made.append(geometry)
        found += made
        fresh = [geometry[0] for geometry in made]
    return sorted(found, key=lambda geometry: -len(geometry[1]))


def _raised(
    position_av: NDArray[np.float64],
    start_av: NDArray[np.float64],
    permutation_pa: NDArray[np.int64],
    mirror: bool,
) -> list[SymmetricGeometry]:
    """Geometries with one more operation (and what it brings along), near the start."""
    own = {_element(operation) for operation in operations(position_av, permutation_pa, _EXACT_A)}
    raised = []
    seen: set[frozenset[Element]] = set()
    for element in _nearly_had(position_av, permutation_pa, mirror, own):
        group = _closure(own | {element})
        if group and group not in seen:
            seen.add(group)
            geometry = _averaged(position_av, start_av, group, permutation_pa)
            raised += [geometry] if geometry is not None else []
    return raised


def _element(operation: Operation) -> Element:
    return tuple(map(int, operation.permutation_a)), bool(np.linalg.det(operation.matrix_vv) < 0)


def _nearly_had(
    position_av: NDArray[np.float64], permutation_pa: NDArray[np.int64], mirror: bool, own: set[Element]
) -> list[Element]:
    """Operations whose image of the molecule is near it, the nearest first: an atom and its image move towards each other."""
    misfits = []
    for permutation_a, improper in product(permutation_pa, (False, True) if mirror else (False,)):
        element = tuple(map(int, permutation_a)), improper
        if element not in own:
            target_av = position_av[permutation_a]
            matrix_vv, rmsd = superpose(position_av, target_av, improper)
            if _farthest(position_av @ matrix_vv.T, target_av) < 2 * NEAR_A:
                misfits.append((round(rmsd, 6), element))
    return [element for _, element in sorted(misfits)[:_MOST_OPERATIONS]]


def _closure(generators: set[Element]) -> frozenset[Element]:
    """The group that elements generate; empty when it is larger than any point group that is not linear."""
    group, fresh = set(generators), list(generators)
    while fresh:
        made = {
            (tuple(second[i] for i in first), sign != other)
            for (first, sign), (second, other) in product(fresh, generators)
        } - group
        group |= made
        fresh = list(made)
        if len(group) > _LARGEST_GROUP:
            return frozenset()
    return frozenset(group)


def _averaged(
    position_av: NDArray[np.float64],
    start_av: NDArray[np.float64],
    group: frozenset[Element],
    permutation_pa: NDArray[np.int64],
) -> SymmetricGeometry | None:
    """The average over a group with all the symmetry that it has; None when it has not the group's or is far away."""
    approximate = []
    for permutation, improper in sorted(group):
        permutation_a = np.array(permutation)
        matrix_vv, _ = superpose(position_av, position_av[permutation_a], improper)
        approximate.append(Operation(permutation_a, matrix_vv))
    mean_av = symmetrise(position_av, approximate)
    if _displacement(start_av, mean_av) > NEAR_A or pdist(mean_av).min(initial=np.inf) < _CLOSEST_A:
        return None
    full = operations(mean_av, permutation_pa, _EXACT_A)
    if not group <= {_element(operation) for operation in full}:
        return None
    mean_av = symmetrise(mean_av, full)
    return mean_av, operations(mean_av, permutation_pa, _EXACT_A)


def _displacement(from_av: NDArray[np.float64], to_av: NDArray[np.float64]) -> float:
    """Farthest that an atom moves, superposed."""
    matrix_vv, _ = superpose(from_av, to_av)
    return _farthest(from_av @ matrix_vv.T, to_av)


def _farthest(from_av: NDArray[np.float64], to_av: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(from_av - to_av, axis=1).max())


def _same(one: SymmetricGeometry, other: SymmetricGeometry, permutation_pa: NDArray[np.int64]) -> bool:
    return len(one[1]) == len(other[1]) and least_rmsd(one[0], other[0], permutation_pa, True) < _SAME_A
