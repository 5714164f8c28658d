"""Descriptors that cost nothing more: invariant sums that the search has made already."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from polyscape.crystal.invariants import AMD_NEIGHBOURS, average_minimum_distances
from polyscape.learn.protocol import Reals, Structure


@dataclass(frozen=True)
class TermsDescriptor:
    """The terms of the force field's lattice energy, kJ/mol per formula unit."""

    @property
    def id(self) -> str:
        """Name of the descriptor."""
        return "terms"

    def compute(self, structures: Sequence[Structure], cores: int = 1) -> Reals:
        """Vectors of all structures, shape (structures, terms)."""
        return np.array([structure.energy_terms for structure in structures], float)


@dataclass(frozen=True)
class PairsDescriptor:
    """The force field's sums by kinds of atoms, kJ/mol per formula unit: repulsion and dispersion of pairs of kinds
    and, again, of pairs of elements (`polyscape.energy.pair_sums`), so that what is wrong with an element's kinds alike is
    learned of all at once; polarisation of each kind (`polyscape.energy.polarisation`), electrostatics, conformers.
    """

    @property
    def id(self) -> str:
        """Name of the descriptor."""
        return "pairs"

    def compute(self, structures: Sequence[Structure], cores: int = 1) -> Reals:
        """Vectors of all structures, shape (structures, sums)."""
        return np.array([structure.kind_sums for structure in structures], float)


@dataclass(frozen=True)
class AmdDescriptor:
    """Average minimum distances, blind to elements (`polyscape.crystal.invariants`).

    Attributes
    ----------
    neighbours : int
        Distances to so many nearest neighbours.
    """

    neighbours: int = AMD_NEIGHBOURS

    @property
    def id(self) -> str:
        """Name of the descriptor with its settings."""
        return f"amd-k{self.neighbours}"

    def compute(self, structures: Sequence[Structure], cores: int = 1) -> Reals:
        """Vectors of all structures, shape (structures, neighbours)."""
        return np.stack([average_minimum_distances(one.atoms, self.neighbours) for one in structures])
