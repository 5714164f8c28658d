"""What a descriptor and a learner must offer; any that passes tests/contracts can take its place in the
registry.

Index suffixes: ``s`` structure, ``l`` level (0 is the force field), ``f`` feature, ``p`` a point (a
structure at a level), ``d`` a draw.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Structure:
    """A crystal as descriptors see it.

    Attributes
    ----------
    atoms : ase.Atoms
        Any cell of the crystal.
    energy_terms : tuple of float
        Terms of the force field's lattice energy in kJ/mol per formula unit, the same ones for every
        structure.
    kind_sums : tuple of float
        The force field's sums by kinds of atoms, in the same units and the same ones.
    """

    atoms: Atoms
    energy_terms: tuple[float, ...] = ()
    kind_sums: tuple[float, ...] = ()


def species(structures: Sequence[Structure]) -> list[int]:
    """Atomic numbers of the elements of all structures."""
    return sorted({int(number) for structure in structures for number in structure.atoms.numbers})


class Descriptor(Protocol):
    """Turns crystals into vectors that do not depend on how a crystal is written down."""

    @property
    def id(self) -> str:
        """Name of the descriptor with its settings."""

    def compute(self, structures: Sequence[Structure], cores: int = 1) -> Reals:
        """Vectors of all structures, shape (structures, features); one call for the whole landscape."""


@dataclass(frozen=True)
class TrainingData:
    """What is known about a landscape.

    Attributes
    ----------
    X_sf : numpy.ndarray, shape (structures, features)
        Descriptors.
    value_ls : numpy.ndarray, shape (levels, structures)
        Lattice energies without the exact dispersion, kJ/mol per formula unit; nan where a level was not
        computed. Level 0, the force field, is known for every structure.
    linear_sj : numpy.ndarray, shape (structures, sums)
        Sums that the correction may be linear in, centred and of total variance 1; none by default.
    """

    X_sf: Reals
    value_ls: Reals
    linear_sj: Reals = field(default_factory=lambda: np.zeros((0, 0)))

    def __post_init__(self) -> None:
        """Refuse arrays whose shapes disagree and a force field with gaps."""
        if not self.linear_sj.size:
            object.__setattr__(self, "linear_sj", np.zeros((len(self.X_sf), 0)))
        if self.linear_sj.shape[:1] != self.X_sf.shape[:1]:
            raise ValueError(
                f"linear_sj {self.linear_sj.shape} and X_sf {self.X_sf.shape} do not fit each other"
            )
        if self.X_sf.ndim != 2 or self.value_ls.ndim != 2 or self.value_ls.shape[1] != len(self.X_sf):
            raise ValueError(
                f"X_sf {self.X_sf.shape} and value_ls {self.value_ls.shape} do not fit each other"
            )
        if not (np.isfinite(self.X_sf).all() and np.isfinite(self.value_ls[0]).all()):
            raise ValueError("descriptors and level 0 must be known for every structure")

    @property
    def levels(self) -> int:
        """Levels, the force field included."""
        return len(self.value_ls)

    @property
    def structures(self) -> int:
        """Structures of the landscape."""
        return len(self.X_sf)

    @property
    def computed_ls(self) -> NDArray[np.bool_]:
        """Where a level is known, shape (levels, structures)."""
        return np.isfinite(self.value_ls)

    def without(self, structures: int | Sequence[int] | Indices) -> "TrainingData":
        """The same data with the computed levels of one or several structures forgotten."""
        value_ls = self.value_ls.copy()
        value_ls[1:, structures] = np.nan
        return replace(self, value_ls=value_ls)


@dataclass(frozen=True)
class Points:
    """Structures at levels: the index set of a joint distribution.

    Attributes
    ----------
    level_p, structure_p : numpy.ndarray, shape (points,)
        Level (1 is the first above the force field) and structure of each point.
    """

    level_p: Indices
    structure_p: Indices

    def __len__(self) -> int:
        return len(self.level_p)

    @classmethod
    def at_level(cls, level: int, structures: Sequence[int] | Indices) -> "Points":
        """Structures at one level."""
        structure_p = np.asarray(structures, np.int64)
        return cls(np.full(len(structure_p), level, np.int64), structure_p)


class Posterior(Protocol):
    """What a learner believes: a joint normal distribution over all structures at all levels."""

    @property
    def noise_kJ_per_mol(self) -> float:
        """Standard deviation of a computed value about the truth."""

    @property
    def points(self) -> Points:
        """Where values were computed, above level 0."""

    def mean_ls(self) -> Reals:
        """Means, shape (levels, structures)."""

    def sd_ls(self) -> Reals:
        """Standard deviations, shape (levels, structures); 0 at level 0."""

    def covariance_pp(self, rows: Points, columns: Points) -> Reals:
        """Posterior covariance between points above level 0, (kJ/mol)^2, shape (rows, columns)."""

    def left_out(self, rows: Indices) -> tuple[Reals, Reals]:
        """Errors of predicting some of `points` from the others, and these errors' covariance, noise included."""


class Learner(Protocol):
    """Predicts the levels that were not computed from those that were."""

    def fit(self, data: TrainingData) -> Posterior:
        """Learn from whatever is there; no points at all give the prior."""
