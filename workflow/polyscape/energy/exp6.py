"""Repulsion-dispersion potentials: U(r) = A exp(-r/rho) - C6/r^6 between typed sites.

Unlike pairs follow A_ij = sqrt(A_i A_j), 1/rho_ij = (1/rho_i + 1/rho_j)/2, C6_ij = sqrt(C6_i C6_j)
(Williams & Cox, Acta Cryst. B40 (1984) 404, https://doi.org/10.1107/S0108768184002366) unless the potential has terms
of their own for them.  The parameters are data (`polyscape.energy.potentials` reads them).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyscape.energy.patterns import AtomPattern, Bonds, Graph

_NEWTON_STEPS = 40
_TOUCHING = 1e-12
"""Steps to the wall radius, which halve the distance even where two solutions all but touch, so far from touching."""


@dataclass(frozen=True)
class AtomType:
    """Parameters of an atom type, and which atoms are of it.

    Attributes
    ----------
    A_eV, rho_A, C6_eV_A6 : float
        Parameters of the potential between two sites of this type.
    pattern : AtomPattern or None
        The atoms of this type; None for a type that is only ever given by name.
    moved_A : float
        Distance of the site from the atom, along the bond towards the atom that it is bonded to.
    stretch_A : float
        a2 of the anisotropic repulsion, see `polyscape.energy.anisotropic`; 0 for a sphere.
    """

    A_eV: float
    rho_A: float
    C6_eV_A6: float
    pattern: AtomPattern | None = None
    moved_A: float = 0.0
    stretch_A: float = 0.0


@dataclass(frozen=True)
class PairTerm:
    """Parameters of a pair of types; None where the combining rule holds."""

    A_eV: float | None = None
    rho_A: float | None = None
    C6_eV_A6: float | None = None


@dataclass(frozen=True)
class PairParameters:
    """Parameters of all pairs of a list of sites.

    Attributes
    ----------
    prefactor_aa, decay_aa : numpy.ndarray, shape (sites, sites)
        A in eV and 1/rho in 1/Angstrom.
    c6_aa : numpy.ndarray, shape (sites, sites)
        C6 in eV Angstrom^6: exactly ``outer(sqrt_c6_a, sqrt_c6_a)`` where the combining rule holds.
    wall_aa : numpy.ndarray, shape (sites, sites)
        `wall_radius` in Angstrom.
    sqrt_c6_a : numpy.ndarray, shape (sites,)
        Square root of the C6 of like pairs, eV^(1/2) Angstrom^3.
    stretch_a : numpy.ndarray, shape (sites,)
        a2 of the anisotropic repulsion in Angstrom.
    """

    prefactor_aa: NDArray[np.float64]
    decay_aa: NDArray[np.float64]
    c6_aa: NDArray[np.float64]
    wall_aa: NDArray[np.float64]
    sqrt_c6_a: NDArray[np.float64]
    stretch_a: NDArray[np.float64]

    def of_sites(self, index_a: Sequence[int]) -> "PairParameters":
        """The parameters of sites that are copies of these."""
        picked = {}
        for each in fields(self):
            values = getattr(self, each.name)
            picked[each.name] = np.ascontiguousarray(
                values[np.ix_(*[np.asarray(index_a, int)] * values.ndim)]
            )
        return PairParameters(**picked)


@dataclass(frozen=True)
class Potential:
    """A named set of atom types, tried in the order of the file, and the pairs that break the combining rules."""

    name: str
    types: Mapping[str, AtomType]
    pairs: Mapping[tuple[str, str], PairTerm] = field(default_factory=dict)

    @classmethod
    def from_pairs(
        cls, name: str, table: Mapping[tuple[str, str], tuple[float, float, float]]
    ) -> "Potential":
        """The potential of a table (A in eV, rho in Angstrom, C6 in eV Angstrom^6) of pairs of type names.

        No rule combines anything: a pair that is absent does not interact.
        """
        names = sorted({kind for pair in table for kind in pair})
        given = {pair: PairTerm(*values) for pair, values in table.items()}
        absent = {
            (a, b): PairTerm(0.0, 1.0, 0.0)
            for i, a in enumerate(names)
            for b in names[i:]
            if (a, b) not in table and (b, a) not in table
        }
        types = {kind: AtomType(*table.get((kind, kind), (0.0, 1.0, 0.0))) for kind in names}
        return cls(name, types, given | absent)

    def assign_types(
        self, atomic_number_a: Sequence[int] | NDArray[np.int64], bonds: Bonds
    ) -> tuple[str, ...]:
        """The type of each atom of a molecule.

        Raises
        ------
        ValueError
            Naming the element, when the potential has no parameters for an atom.
        """
        graph = Graph.of(atomic_number_a, bonds)
        return tuple(self._type_of(graph, atom) for atom in range(len(graph.symbols)))

    def _type_of(self, graph: Graph, atom: int) -> str:
        patterns = {name: kind.pattern for name, kind in self.types.items() if kind.pattern is not None}
        for name, pattern in patterns.items():
            if pattern.holds(graph, atom):
                return name
        symbol, around = graph.symbols[atom], graph.elements_around(atom)
        found = f"element {symbol}"
        if around:
            found += f" bonded to {', '.join(sorted(set(around)))}"
        if any(pattern.element == symbol for pattern in patterns.values()):
            found += f" (atom {atom + 1}, with {len(around)} neighbour{'' if len(around) == 1 else 's'})"
        raise ValueError(f"potential {self.name!r} has no parameters for {found}")

    def type_named(self, name: str) -> AtomType:
        """The type of this name.

        Raises
        ------
        ValueError
            When there is none.
        """
        if name not in self.types:
            raise ValueError(f"potential {self.name!r} has no type {name!r}; it has {', '.join(self.types)}")
        return self.types[name]

    def pair_parameters(self, types: Sequence[str]) -> PairParameters:
        """Parameters of all pairs of sites of these types.

        Raises
        ------
        ValueError
            Naming a type that the potential does not know.
        """
        names = sorted(set(types))
        return self._parameters_of(names).of_sites([names.index(kind) for kind in types])

    def _parameters_of(self, names: Sequence[str]) -> PairParameters:
        """Parameters of all pairs of different types: the combining rules, then the pairs that break them."""
        kinds = [self.type_named(name) for name in names]
        a, rho, c6, stretch = (
            np.array([getattr(kind, key) for kind in kinds], float)
            for key in ("A_eV", "rho_A", "C6_eV_A6", "stretch_A")
        )
        sqrt_c6 = np.sqrt(c6)
        prefactor = np.sqrt(np.outer(a, a))
        decay = 0.5 * (1.0 / rho[:, None] + 1.0 / rho[None, :])
        dispersion = np.outer(sqrt_c6, sqrt_c6)
        index = {name: i for i, name in enumerate(names)}
        for (first, second), term in self.pairs.items():
            if first in index and second in index:
                for place in ((index[first], index[second]), (index[second], index[first])):
                    prefactor[place] = _given(term.A_eV, prefactor[place])
                    decay[place] = decay[place] if term.rho_A is None else 1.0 / term.rho_A
                    dispersion[place] = _given(term.C6_eV_A6, dispersion[place])
        # anisotropic sites: a wall that holds from every side
        flattest = np.minimum(stretch, -0.5 * stretch)
        softest = prefactor * np.exp(decay * (flattest[:, None] + flattest[None, :]))
        wall = wall_radius(softest, decay, dispersion)
        return PairParameters(prefactor, decay, dispersion, wall, sqrt_c6, stretch)


def _given(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def wall_radius(A_eV: ArrayLike, decay_per_A: ArrayLike, C6_eV_A6: ArrayLike) -> NDArray[np.float64]:
    """Where exp-6 has its inner inflection, U''(r) = A/rho^2 exp(-r/rho) - 42 C6/r^8 = 0.

    Outside lies the repulsive flank, inside the maximum and the unphysical hole.  Within this radius C6/r^6 is
    replaced by its second-order Taylor series about it, which keeps U convex and repulsive down to r = 0 and leaves
    energy, slope and curvature continuous.  0 without dispersion: there is no hole.

    With x = r/(8 rho) the condition reads x exp(-x) = d, d = (42 C6 rho^2 / A)^(1/8) / (8 rho), and its lesser solution
    is meant.  Where the attraction is so strong that there is none, d > 1/e, the two sides are nearest at r = 8 rho.

    Parameters
    ----------
    A_eV, decay_per_A, C6_eV_A6 : array_like, of one shape
        A, 1/rho and C6 of any number of pairs.
    """
    A, decay, c6 = (np.asarray(value, float) for value in (A_eV, decay_per_A, C6_eV_A6))
    with np.errstate(divide="ignore", invalid="ignore"):  # A = 0: no repulsion at all
        depth = np.where(c6 == 0.0, 0.0, (42.0 * c6 / (A * decay**2)) ** 0.125 * decay / 8.0)
    solvable = (depth > 0.0) & (depth < (1.0 - _TOUCHING) / np.e)
    target = np.where(solvable, depth, 0.1)
    x = target
    for _ in range(_NEWTON_STEPS):  # log x - x is concave: from the left each step ends on the left
        x = x + (np.log(target / x) + x) * x / (1.0 - x)
    return 8.0 / decay * np.where(solvable, x, np.where(depth == 0.0, 0.0, 1.0))
