"""Which atoms a type of a potential holds for: patterns over the graph of bonds.

A pattern asks for an element, a number of neighbours, a number of hydrogens among them, and a bond to an atom that
follows another pattern; patterns so nested describe functional groups without naming them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import chemical_symbols
from numpy.typing import NDArray

Bonds = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Graph:
    """Atoms and bonds of a molecule.

    Attributes
    ----------
    symbols : tuple of str
        Chemical symbols.
    neighbours : tuple of tuple of int
        Atoms bonded to each atom.
    """

    symbols: tuple[str, ...]
    neighbours: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, atomic_number_a: Sequence[int] | NDArray[np.int64], bonds: Bonds) -> "Graph":
        """The graph of atomic numbers and bonded pairs."""
        neighbours: list[list[int]] = [[] for _ in atomic_number_a]
        for a, b in bonds:
            neighbours[a].append(b)
            neighbours[b].append(a)
        symbols = tuple(chemical_symbols[int(number)] for number in atomic_number_a)
        return cls(symbols, tuple(tuple(sorted(others)) for others in neighbours))

    def elements_around(self, atom: int) -> list[str]:
        """Elements of an atom's neighbours."""
        return [self.symbols[other] for other in self.neighbours[atom]]


@dataclass(frozen=True)
class AtomPattern:
    """Conditions on an atom, all of which must hold.

    Attributes
    ----------
    element : str
        Chemical symbol.
    neighbours, hydrogens : frozenset of int or None
        Allowed numbers of bonded atoms, and of hydrogens among them; None for any.
    bonded_to : tuple of AtomPattern
        One of the atom's neighbours follows one of these; empty for no condition.
    """

    element: str
    neighbours: frozenset[int] | None = None
    hydrogens: frozenset[int] | None = None
    bonded_to: tuple["AtomPattern", ...] = ()

    def holds(self, graph: Graph, atom: int, origin: int | None = None) -> bool:
        """Whether an atom follows the pattern; the atom `origin` that led here is not looked at again."""
        around = graph.elements_around(atom)
        if graph.symbols[atom] != self.element:
            return False
        if self.neighbours is not None and len(around) not in self.neighbours:
            return False
        if self.hydrogens is not None and around.count("H") not in self.hydrogens:
            return False
        others = [other for other in graph.neighbours[atom] if other != origin]
        return not self.bonded_to or any(
            pattern.holds(graph, other, atom) for pattern in self.bonded_to for other in others
        )
