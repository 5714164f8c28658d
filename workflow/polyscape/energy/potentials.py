"""Repulsion-dispersion potentials as data: U(r) = A exp(-r/rho) - C6/r^6 between typed sites.

The files in ``potentials/`` hold the parameters with their sources.  Unlike pairs follow
A_ij = sqrt(A_i A_j), 1/rho_ij = (1/rho_i + 1/rho_j)/2, C6_ij = sqrt(C6_i C6_j)
(Williams & Cox, Acta Cryst. B40 (1984) 404, https://doi.org/10.1107/S0108768184002366).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import yaml
from ase.data import atomic_numbers, chemical_symbols
from numpy.typing import NDArray

Bonds = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class AtomType:
    """Parameters of an atom type, and which atoms are of it.

    Attributes
    ----------
    element : str
        Chemical symbol.
    bonded_to : frozenset of str or None
        The atom has a bond to one of these elements; None for no condition.
    A_eV, rho_A, C6_eV_A6 : float
        Parameters of the potential between two sites of this type.
    moved_A : float
        Distance of the site from the atom, along the bond towards the atom that it is bonded to.
    stretch_A : float
        a2 of the anisotropic repulsion, see `polyscape.energy.anisotropic`; 0 for a sphere.
    """

    element: str
    bonded_to: frozenset[str] | None
    A_eV: float
    rho_A: float
    C6_eV_A6: float
    moved_A: float = 0.0
    stretch_A: float = 0.0


@dataclass(frozen=True)
class PairParameters:
    """Parameters of all pairs of a list of sites.

    Attributes
    ----------
    prefactor_aa, decay_aa : numpy.ndarray, shape (sites, sites)
        A in eV and 1/rho in 1/Angstrom.
    c6_aa : numpy.ndarray, shape (sites, sites)
        C6 in eV Angstrom^6.
    sqrt_c6_a : numpy.ndarray, shape (sites,)
        The square root of C6 of like pairs, eV^(1/2) Angstrom^3: ``c6_aa`` is the product of two where the combining
        rule holds.
    wall_aa : numpy.ndarray, shape (sites, sites)
        `wall_radius` in Angstrom.
    stretch_a : numpy.ndarray, shape (sites,)
        a2 of the anisotropic repulsion in Angstrom.
    """

    sqrt_c6_a: NDArray[np.float64]
    prefactor_aa: NDArray[np.float64]
    decay_aa: NDArray[np.float64]
    wall_aa: NDArray[np.float64]
    c6_aa: NDArray[np.float64]
    stretch_a: NDArray[np.float64]


@dataclass(frozen=True)
class Potential:
    """A named set of atom types, tried in the order of the file."""

    name: str
    types: dict[str, AtomType]

    def assign_types(
        self, atomic_number_a: Sequence[int] | NDArray[np.int64], bonds: Bonds
    ) -> tuple[str, ...]:
        """The type of each atom of a molecule.

        Raises
        ------
        ValueError
            Naming the element, when the potential has no parameters for an atom.
        """
        symbols = [chemical_symbols[int(number)] for number in atomic_number_a]
        bonded: list[set[str]] = [set() for _ in symbols]
        for a, b in bonds:
            bonded[a].add(symbols[b])
            bonded[b].add(symbols[a])
        return tuple(
            self._type_of(symbol, partners) for symbol, partners in zip(symbols, bonded, strict=True)
        )

    def _type_of(self, symbol: str, bonded: set[str]) -> str:
        for name, kind in self.types.items():
            if kind.element == symbol and (kind.bonded_to is None or kind.bonded_to & bonded):
                return name
        partners = f" bonded to {', '.join(sorted(bonded))}" if bonded else ""
        raise ValueError(f"potential {self.name!r} has no parameters for element {symbol}{partners}")

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
        """Parameters of all pairs of sites by the combining rules.

        Raises
        ------
        ValueError
            Naming a type that the potential does not know.
        """
        names = sorted(set(types))
        kinds = [self.type_named(name) for name in names]
        index_a = np.array([names.index(kind) for kind in types])
        a, rho, c6, stretch = (
            np.array([getattr(kind, key) for kind in kinds])
            for key in ("A_eV", "rho_A", "C6_eV_A6", "stretch_A")
        )
        prefactor = np.sqrt(np.outer(a, a))
        decay = 0.5 * (1.0 / rho[:, None] + 1.0 / rho[None, :])
        wall = np.vectorize(wall_radius)(prefactor, decay, np.sqrt(np.outer(c6, c6)))
        pick = np.ix_(index_a, index_a)
        return PairParameters(
            np.sqrt(c6)[index_a],
            np.ascontiguousarray(prefactor[pick]),
            np.ascontiguousarray(decay[pick]),
            np.ascontiguousarray(wall[pick]),
            np.ascontiguousarray(np.sqrt(np.outer(c6, c6))[pick]),
            stretch[index_a],
        )


def wall_radius(A_eV: float, decay_per_A: float, C6_eV_A6: float) -> float:
    """Where exp-6 has its inner inflection, U''(r) = A/rho^2 exp(-r/rho) - 42 C6/r^8 = 0.

    Outside lies the repulsive flank, inside the maximum and the unphysical hole.  Within this radius C6/r^6 is
    replaced by its second-order Taylor series about it, which keeps U convex and repulsive down to r = 0 and leaves
    energy, slope and curvature continuous.  0 without dispersion: there is no hole.
    """
    from scipy.optimize import brentq  # slow to import, and the check of a config needs no wall

    if C6_eV_A6 == 0.0:
        return 0.0
    top = 8.0 / decay_per_A  # r^8 exp(-r/rho) is largest here

    def excess(r: float) -> float:
        return float(np.log(A_eV * decay_per_A**2 / (42.0 * C6_eV_A6)) + 8.0 * np.log(r) - decay_per_A * r)

    if excess(top) <= 0.0:
        return top
    return float(brentq(excess, 1e-3 * top, top, xtol=1e-12))


@cache
def load_potential(name: str) -> Potential:
    """Read a potential that comes with the library.

    Raises
    ------
    ValueError
        When there is no such potential.
    """
    folder = resources.files("polyscape.energy") / "potentials"
    path = folder / f"{name}.yaml"
    if not path.is_file():
        known = sorted(
            entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")
        )
        raise ValueError(f"there is no potential {name!r}; there are {', '.join(known)}")
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Potential(name, {key: _parse_type(value) for key, value in data["types"].items()})


def _parse_type(value: dict) -> AtomType:
    """An atom type of a potential file."""
    bonded = value.get("bonded_to")
    if value["element"] not in atomic_numbers:
        raise ValueError(f"{value['element']!r} is no element")
    return AtomType(
        element=value["element"],
        bonded_to=None if bonded is None else frozenset(bonded),
        A_eV=float(value["A_eV"]),
        rho_A=float(value["rho_A"]),
        C6_eV_A6=float(value["C6_eV_A6"]),
    )
