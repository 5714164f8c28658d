"""Quasi-random trial crystals: one scrambled Sobol' point is one crystal.

The axes of a point are, in this order: volume; two for the shape of the cell; three angles; then for each
independent molecule its conformer, three for its centre and three for its orientation; then, for each but the first, its
hand.  Axes that a group does not need (angles fixed by symmetry, the free origin of a polar group) are drawn all the same
and change nothing: every group has the same layout.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.lattice import CellParameters, draw_lattice
from polyscape.crystal.packing import Conformers, Packing, Pose
from polyscape.crystal.volume import smallest_extent_A, van_der_waals_volume_A3
from polyscape.ids import Kind
from polyscape.search.hands import Keys, held_hands
from polyscape.settings.search import Sampling

_CELL_AXES = 6
_POSE_AXES = 7
_PACKING_COEFFICIENT = 0.70
"""Share of a crystal's volume inside the van der Waals surfaces; 0.65-0.77 in organic crystals.

A. I. Kitaigorodskii, *Molecular Crystals and Molecules*, Academic Press, 1973, chapter 1.
"""


@dataclass(frozen=True)
class Recipe:
    """What every trial crystal of a search is made of.

    Attributes
    ----------
    choices : tuple of tuple of (int, str)
        For each independent molecule (`z_prime` formula units), the rigid molecules it may be.
    unit_volume_A3 : float
        Estimated volume of a formula unit in a crystal.
    shortest_axis_A : float
        No cell axis is drawn shorter: the thickness of the flattest molecule.
    volume_factors : tuple of float
        Lowest and highest volume over the estimate.
    z_prime : int
        Formula units in the asymmetric unit.
    held : frozenset of (int, str), optional
        In a search for one enantiomer, the rigid molecules that keep the hand they are given in (`held_hands`); None
        where both hands of a crystal are one.
    """

    choices: tuple[tuple[tuple[int, str], ...], ...]
    unit_volume_A3: float
    shortest_axis_A: float
    volume_factors: tuple[float, float]
    z_prime: int = 1
    held: Keys | None = None

    @property
    def volume_A3(self) -> float:
        """Estimated volume of an asymmetric unit."""
        return self.z_prime * self.unit_volume_A3

    @property
    def dimensions(self) -> int:
        """Axes of a Sobol' point."""
        return _CELL_AXES + (_POSE_AXES + 1) * len(self.choices) - 1


def make_recipe(
    conformers: Conformers, sampling: Sampling, z_prime: int = 1, enantiopure: bool = False
) -> Recipe:
    """What trials are made of: `z_prime` formula units, component by component, conformers by rising energy."""
    by_component: dict[int, list[tuple[int, str]]] = {}
    for key in sorted(conformers, key=lambda k: (k[0], conformers[k].intramolecular_kJ_per_mol, k[1])):
        by_component.setdefault(key[0], []).append(key)
    choices: list[tuple[tuple[int, str], ...]] = []
    volume = 0.0
    for keys in by_component.values():
        stoichiometry = conformers[keys[0]].stoichiometry
        choices += [tuple(keys)] * (z_prime * stoichiometry)
        volume += stoichiometry * float(np.mean([van_der_waals_volume_A3(conformers[key]) for key in keys]))
    shortest = min(smallest_extent_A(conformer) for conformer in conformers.values())
    factors = (sampling.volume_factor_low, sampling.volume_factor_high)
    unit_volume = volume / _PACKING_COEFFICIENT
    held = held_hands(conformers) if enantiopure else None
    return Recipe(tuple(choices), unit_volume, shortest, factors, z_prime, held)


def scramble_key(space_group: int, kind: Kind) -> tuple[int, ...]:
    """What tells the sequences of a seed apart: the space group, and the kind of crystal unless it is Z' = 1."""
    return (space_group,) if kind == 1 else (space_group, 1 if kind == "special" else 10 * kind)


def sobol_points(
    seed: int, series: int | tuple[int, ...], dimensions: int, start: int, count: int
) -> NDArray[np.float64]:
    """Points ``start .. start + count - 1`` of a series' scrambled Sobol' sequence.

    Parameters
    ----------
    seed : int
        The campaign's seed.
    series : int or tuple of int
        Space group, or `scramble_key`: with the seed it fixes the scrambling, so that series are drawn independently.
    dimensions : int
        Axes of a point.
    start, count : int
        Which points.

    Returns
    -------
    numpy.ndarray, shape (count, dimensions)
        In [0, 1); point i is the same whatever `start` and `count`.

    References
    ----------
    A. B. Owen, J. Complexity 14 (1998) 466, https://doi.org/10.1006/jcom.1998.0487.
    """
    scramble = np.random.default_rng(np.random.SeedSequence((seed, *np.atleast_1d(series).tolist())))
    sequence = qmc.Sobol(dimensions, scramble=True, rng=scramble)
    if start:
        sequence.fast_forward(start)
    with warnings.catch_warnings():
        # The first draw warns when it is not a power of two; prefixes are wanted here, and balance comes with
        # length.
        warnings.filterwarnings("ignore", message="The balance properties", category=UserWarning)
        return sequence.random(count)


def uniform_quaternion(u: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit quaternion (w, x, y, z) of a rotation distributed uniformly on SO(3), from three uniform numbers.

    ``q = (sqrt(1-u0) sin 2 pi u1, sqrt(1-u0) cos 2 pi u1, sqrt(u0) sin 2 pi u2, sqrt(u0) cos 2 pi u2)``

    References
    ----------
    K. Shoemake, in *Graphics Gems III*, Academic Press, 1992, p. 124.
    """
    near, far = np.sqrt(1.0 - u[0]), np.sqrt(u[0])
    first, second = 2 * np.pi * u[1], 2 * np.pi * u[2]
    return np.array([near * np.sin(first), near * np.cos(first), far * np.sin(second), far * np.cos(second)])


def draw_cell(
    point: NDArray[np.float64], group: SpaceGroup, recipe: Recipe, formula_units: float
) -> CellParameters:
    """The cell of a Sobol' point for a number of formula units in it."""
    low, high = recipe.volume_factors
    volume = recipe.unit_volume_A3 * formula_units * (low + (high - low) * point[0])
    return draw_lattice(point[1:_CELL_AXES], group, volume, recipe.shortest_axis_A)


def pick(share: float, count: int) -> int:
    """Which of `count` choices a uniform number means."""
    return min(int(share * count), count - 1)


def hand(index: int, key: tuple[int, str], share: float, mirrors: bool, recipe: Recipe) -> int:
    """+1, or -1 for the mirror image of an independent molecule.

    A group with improper operations makes the mirror images itself (`mirrors`).  In one of proper operations the mirror
    image of the whole crystal has the same energy, so the first molecule keeps its hand and the others have either.  In an
    enantiopure search it is the molecules of one enantiomer that keep theirs, wherever they stand.
    """
    keeps = not index if recipe.held is None else key in recipe.held
    return -1 if not keeps and not mirrors and share >= 0.5 else 1


def has_improper(group: SpaceGroup) -> bool:
    """Whether the group turns a molecule into its mirror image."""
    return any(np.linalg.det(rotation_cc) < 0 for rotation_cc, _ in group.operations)


def draw_packing(point: NDArray[np.float64], group: SpaceGroup, recipe: Recipe) -> Packing:
    """The crystal of one Sobol' point, before overlap is removed: molecules on general positions."""
    cell = draw_cell(point, group, recipe, recipe.z_prime * len(group.operations))
    hands = _hand_axes(point[_CELL_AXES + _POSE_AXES * len(recipe.choices) :], recipe)
    mirrors = has_improper(group)
    poses = []
    for index, keys in enumerate(recipe.choices):
        axes = point[_CELL_AXES + index * _POSE_AXES :][:_POSE_AXES]
        component, conformer = keys[pick(axes[0], len(keys))]
        x, y, z = map(float, axes[1:4])
        qw, qx, qy, qz = map(float, uniform_quaternion(axes[4:7]))
        parity = hand(index, (component, conformer), hands[index], mirrors, recipe)
        poses.append(Pose(component, conformer, "1", (x, y, z), (qw, qx, qy, qz), parity))
    return Packing(group.hall_symbol, cell, tuple(poses))


def _hand_axes(axes: NDArray[np.float64], recipe: Recipe) -> list[float]:
    """The axis of each molecule's hand; where the first has either, it takes that of one that keeps its own."""
    held = recipe.held or frozenset()
    spare = [axis for axis, keys in zip(axes, recipe.choices[1:], strict=True) if held.issuperset(keys)]
    return [*map(float, spare[:1] or [0.0]), *map(float, axes)]
