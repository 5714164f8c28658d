"""Trial crystals with molecules on special positions, chosen by the molecules' own point groups.

A *placement* says for each independent molecule of which symmetry its site is; its molecules make whole formula units:
a position of order n holds 1/n as many molecules as a general one.  Of every component there are at most as many
independent molecules as in a formula unit (one half molecule, say), or, in a quarter of the trials, one more (two half
molecules); at least one is on a special position.  The axes of a Sobol' point are: six for the cell as in
`polyscape.search.sampling`; placement; then for each independent molecule position, conformer and way to put it on the
site (one axis each), three for the centre and three for the orientation, and its hand.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement, product
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Conformers, Packing, Pose
from polyscape.crystal.sites import cartesian
from polyscape.search.orientation import characters, embeddings, fitted, is_atom, molecular_operations
from polyscape.search.sampling import Recipe, draw_cell, hand, has_improper, pick, uniform_quaternion
from polyscape.search.wyckoff import SpecialPosition, special_positions

_CELL_AXES: Final = 6
_POSE_AXES: Final = 10
_MANY_SHARE: Final = 0.25

Key = tuple[int, str]


@dataclass(frozen=True)
class Fit:
    """A conformer on a special position.

    Attributes
    ----------
    key : (int, str)
        Component and conformer.
    molecule_esvv : tuple of numpy.ndarray, each of shape (site operations, 3, 3)
        For each way to put it there, the molecule's operations that stand on the site's; empty for an atom.
    """

    key: Key
    molecule_esvv: tuple[NDArray[np.float64], ...]


@dataclass(frozen=True)
class Place:
    """A position and the conformers of one component that fit it.

    Attributes
    ----------
    position : SpecialPosition or None
        None for the general position.
    fits : tuple of Fit
        By rising energy of the conformer.
    """

    position: SpecialPosition | None
    fits: tuple[Fit, ...]

    @property
    def order(self) -> int:
        """Operations of the site symmetry."""
        return 1 if self.position is None else self.position.order

    @property
    def kind(self) -> tuple[int, str, int]:
        """Order, symbol and freedom: places of one kind are drawn alike."""
        if self.position is None:
            return 1, "1", 3
        return self.order, self.position.symbol, len(self.position.basis_kc)


@dataclass(frozen=True)
class Placement:
    """Kinds of places of all independent molecules.

    Attributes
    ----------
    components : tuple of int
        Component of each.
    kinds : tuple of (int, str, int)
        `Place.kind` of each.
    z_prime : Fraction
        Formula units per asymmetric unit.
    """

    components: tuple[int, ...]
    kinds: tuple[tuple[int, str, int], ...]
    z_prime: Fraction


@dataclass(frozen=True)
class SpecialTrials:
    """The trials of one space group with molecules on special positions.

    Attributes
    ----------
    group : SpaceGroup
        Group and setting.
    recipe : Recipe
        What the crystals are made of.
    places : dict
        Of each component, its places by their kind.
    few, many : tuple of Placement
        Placements with at most the independent molecules of a formula unit, and with more.
    """

    group: SpaceGroup
    recipe: Recipe
    places: dict[int, dict[tuple[int, str, int], list[Place]]]
    few: tuple[Placement, ...]
    many: tuple[Placement, ...]

    @property
    def dimensions(self) -> int:
        """Axes of a Sobol' point; 0 when no molecule fits any special position."""
        molecules = max((len(p.components) for p in (*self.few, *self.many)), default=0)
        return _CELL_AXES + 1 + _POSE_AXES * molecules if molecules else 0

    def draw(self, point: NDArray[np.float64]) -> Packing:
        """The crystal of one Sobol' point, before overlap is removed."""
        placement = self._placement(point[_CELL_AXES])
        units = float(placement.z_prime) * len(self.group.operations)
        cell = draw_cell(point[:_CELL_AXES], self.group, self.recipe, units)
        packing = Packing(self.group.hall_symbol, cell, ())
        mirrors, poses = has_improper(self.group), []
        taken: list[SpecialPosition] = []
        for index, (component, kind) in enumerate(zip(placement.components, placement.kinds, strict=True)):
            axes = point[_CELL_AXES + 1 + index * _POSE_AXES :][:_POSE_AXES]
            free = [p for p in self.places[component][kind] if not any(p.position is t for t in taken)]
            place = free[pick(axes[0], len(free))]
            if place.position is not None and kind[2] == 0:
                taken.append(place.position)
            fit = place.fits[pick(axes[1], len(place.fits))]
            parity = hand(index, fit.key, axes[9], mirrors, self.recipe)
            poses.append(_pose((place.position, fit), axes[2:9], parity, (self.group, packing.cell_cv)))
        return Packing(self.group.hall_symbol, cell, tuple(poses))

    def _placement(self, share: float) -> Placement:
        if not self.many or not self.few:
            found = self.few or self.many
            return found[pick(share, len(found))]
        if share < _MANY_SHARE:
            return self.many[pick(share / _MANY_SHARE, len(self.many))]
        return self.few[pick((share - _MANY_SHARE) / (1.0 - _MANY_SHARE), len(self.few))]


def make_special(conformers: Conformers, group: SpaceGroup, recipe: Recipe) -> SpecialTrials:
    """The trials of a group on special positions.

    Parameters
    ----------
    conformers : mapping
        The rigid molecules.
    group : SpaceGroup
        Group and setting.
    recipe : Recipe
        For Z' = 1.
    """
    by_component = {keys[0][0]: keys for keys in recipe.choices}
    matrices = {k: molecular_operations(conformers[k]) for k in conformers if not is_atom(conformers[k])}
    allowed = frozenset[tuple[int, int]]().union(*(characters(m) for m in matrices.values()))
    atoms = any(is_atom(molecule) for molecule in conformers.values())
    positions = special_positions(group, None if atoms else allowed)
    places: dict[int, dict[tuple[int, str, int], list[Place]]] = {}
    for component, keys in by_component.items():
        places[component] = {(1, "1", 3): [Place(None, tuple(Fit(key, ()) for key in keys))]}
        for position in positions:
            place = Place(position, tuple(_fits(position, keys, matrices)))
            if place.fits:
                places[component].setdefault(place.kind, []).append(place)
    count = {component: conformers[keys[0]].stoichiometry for component, keys in by_component.items()}
    few = _placements(places, count, 0)
    return SpecialTrials(group, recipe, places, few, _placements(places, count, 1))


def _fits(
    position: SpecialPosition, keys: Sequence[Key], matrices: dict[Key, NDArray[np.float64]]
) -> Iterator[Fit]:
    for key in keys:
        if key not in matrices:
            yield Fit(key, ())
        elif position.characters <= characters(matrices[key]):
            ways = embeddings(position.rotation_scc, matrices[key])
            if ways:
                yield Fit(key, tuple(matrices[key][way_s] for way_s in ways))


def _placements(
    places: dict[int, dict[tuple[int, str, int], list[Place]]], count: dict[int, int], more: int
) -> tuple[Placement, ...]:
    """Placements with, for one component, `more` independent molecules than in a formula unit; Z' at most 1."""
    found: dict[tuple[tuple[int, ...], tuple[tuple[int, str, int], ...]], Placement] = {}
    limits = [{c: n + more * (c == one) for c, n in count.items()} for one in count] if more else [count]
    for limit in limits:
        options = [_component(places[c], limit[c], count[c]) for c in count]
        for z_prime in sorted(set.intersection(*(set(o) for o in options))):
            for kinds in product(*(option[z_prime] for option in options)):
                flat = tuple(kind for some in kinds for kind in some)
                owners = tuple(c for c, some in zip(count, kinds, strict=True) for _ in some)
                extra = any(len(some) > count[c] for c, some in zip(count, kinds, strict=True))
                if (
                    z_prime <= 1
                    and extra == bool(more)
                    and any(kind[0] > 1 for kind in flat)
                    and _fit_in(owners, flat, places)
                ):
                    found[owners, flat] = Placement(owners, flat, z_prime)
    return tuple(found[key] for key in sorted(found))


def _component(
    places: dict[tuple[int, str, int], list[Place]], limit: int, count: int
) -> dict[Fraction, list[tuple[tuple[int, str, int], ...]]]:
    """For each Z', the kinds of places of one component's independent molecules, at most `limit` of them."""
    found: dict[Fraction, list[tuple[tuple[int, str, int], ...]]] = {}
    for molecules in range(1, limit + 1):
        for kinds in combinations_with_replacement(sorted(places), molecules):
            z_prime = sum((Fraction(1, kind[0]) for kind in kinds), Fraction(0)) / count
            if z_prime <= 1:
                found.setdefault(z_prime, []).append(kinds)
    return found


def _fit_in(
    components: tuple[int, ...],
    kinds: tuple[tuple[int, str, int], ...],
    places: dict[int, dict[tuple[int, str, int], list[Place]]],
) -> bool:
    """Whether there are enough points for the molecules that stand on points: one molecule each."""
    needed: dict[tuple[int, str, int], int] = {}
    for kind in kinds:
        needed[kind] = needed.get(kind, 0) + (kind[2] == 0)
    return all(needed[k] <= len(places[c][k]) for c, k in zip(components, kinds, strict=True))


def _pose(
    place: tuple[SpecialPosition | None, Fit],
    axes: NDArray[np.float64],
    parity: int,
    crystal: tuple[SpaceGroup, NDArray[np.float64]],
) -> Pose:
    """A molecule on its place; axes: way, centre (3), orientation (3)."""
    _, cell_cv = crystal
    position, fit = place
    start = uniform_quaternion(axes[4:7])
    matrix_vv = Rotation.from_quat(np.roll(start, -1)).as_matrix()
    if position is None:
        return Pose.of(parity * matrix_vv, axes[1:4], fit.key)
    if fit.molecule_esvv:
        site_svv = np.array([cartesian(rotation_cc, cell_cv) for rotation_cc in position.rotation_scc])
        matrix_vv = fitted(matrix_vv, site_svv, fit.molecule_esvv[pick(axes[0], len(fit.molecule_esvv))])
    centre_c = position.origin_c + axes[1 : 1 + len(position.basis_kc)] @ position.basis_kc
    return Pose.of(parity * matrix_vv, centre_c, fit.key, position.symbol)
