"""The JSON form of a crystal with distributed multipoles and a table of pair potentials, as it stands in the file.

Every defect is told in one line with file, key, value and remedy; nothing is interpreted here.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from polyscape.crystal.groups import Operation
from polyscape.crystal.lattice import CellParameters
from polyscape.crystal.operations import parse_operation
from polyscape.errors import InputError
from polyscape.molecule.multipoles import COMPONENTS, RANK

_CELL_KEYS: Final = ("a", "b", "c", "alpha", "beta", "gamma")
_PAIR_KEYS: Final = ("A_eV", "rho_ang", "C6_eV_ang6")
_SMALLEST_ANGLE: Final = 3.2
"""Degrees: angles in radians are below; DMACRYS writes primitive cells of long centred ones with 3.7 degrees."""

_SMALLEST_VOLUME: Final = 1e-3
"""Of the cell, over a b c: smaller means angles that no cell has."""


@dataclass(frozen=True)
class Atom:
    """An atom of the asymmetric unit: label, atomic number and fractional coordinates."""

    label: str
    number: int
    fractional_c: NDArray[np.float64]


@dataclass(frozen=True)
class Site:
    """An interaction site in its molecule's frame.

    Attributes
    ----------
    label : str
        ``C_F1_12___`` for instance.
    number : int
        Atomic number.
    type_name : str or None
        Type of the potential where the file names it.
    position_v : numpy.ndarray, shape (3,)
        As it stands in the file, bohr as a rule.
    multipole_q : numpy.ndarray, shape (25,)
        e bohr^l, Stone's real order.
    """

    label: str
    number: int
    type_name: str | None
    position_v: NDArray[np.float64]
    multipole_q: NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """Parameters of a pair of elements, or of types where the file names them."""

    numbers: tuple[int, int]
    type_names: tuple[str, str] | None
    parameters: tuple[float, float, float]
    """A in eV, rho in Angstrom, C6 in eV Angstrom^6."""


@dataclass(frozen=True)
class Document:
    """The content of a file.

    Attributes
    ----------
    where : str
        The file's name.
    title : str
        Its title.
    cell : tuple of float
        a, b, c in Angstrom, alpha, beta, gamma in degrees.
    z : int or None
        ``Z`` of the file.
    atoms : tuple of Atom
        The asymmetric unit.
    operations : tuple of Operation
        As listed; identity and centring may be missing.
    sites : tuple of Site
        Interaction sites.
    pairs : tuple of Pair
        Repulsion and dispersion.
    cutoff_A : float
        Of repulsion and dispersion, and of the higher multipoles.
    spline_A : float or None
        Width over which both are switched off beyond the cutoff; None for a sharp end.
    """

    where: str
    title: str
    cell: CellParameters
    z: int | None
    atoms: tuple[Atom, ...]
    operations: tuple[Operation, ...]
    sites: tuple[Site, ...]
    pairs: tuple[Pair, ...]
    cutoff_A: float
    spline_A: float | None

    def refusal(self, key: str, value: object, problem: str, remedy: str) -> InputError:
        """A complaint about a value of this file."""
        return InputError(self.where, key, value, problem, remedy)


def read_document(path: Path) -> Document:
    """Read and check a file.

    Raises
    ------
    InputError
        When it cannot be read, lacks something or holds a value that makes no sense.
    """
    where = str(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(where, "", "", f"is no JSON file ({error})", "give a JSON file or a CIF") from error
    top = _Node(where, "", content)
    top.require_mapping()
    crystal, settings = top.child("crystal"), top.child("settings")
    kind = settings.get("short_range_potential_kind", "buckingham")
    if kind != "buckingham":
        raise settings.child("short_range_potential_kind").refusal(
            "is no potential known here", "write 'buckingham': A exp(-r/rho) - C6/r^6"
        )
    return Document(
        where=where,
        title=str(top.get("title", path.stem)),
        cell=_cell(crystal.child("cell")),
        z=_z(crystal),
        atoms=tuple(_atom(node) for node in crystal.child("atoms").items()),
        operations=tuple(_operation(node) for node in crystal.child("symmetry_operations").items(empty=True)),
        sites=tuple(_site(node) for node in top.child("molecule").child("sites").items()),
        pairs=tuple(_pair(node) for node in top.child("potentials").child("pairs").items()),
        cutoff_A=settings.child("repulsion_dispersion_cutoff_angstrom").number(low=3.0, high=100.0),
        spline_A=_spline(settings),
    )


@dataclass(frozen=True)
class _Node:
    """A value in the file and its place there."""

    where: str
    key: str
    value: Any

    def refusal(self, problem: str, remedy: str) -> InputError:
        return InputError(self.where, self.key, self.value, problem, remedy)

    def require_mapping(self) -> dict[str, Any]:
        if not isinstance(self.value, dict):
            raise self.refusal("is not a mapping", "write `{...}` with the keys of the reference files' form")
        return self.value

    def get(self, name: str, default: Any) -> Any:
        return self.require_mapping().get(name, default)

    def child(self, name: str) -> "_Node":
        place = f"{self.key}.{name}".lstrip(".")
        mapping = self.require_mapping()
        if name not in mapping:
            raise InputError(self.where, place, None, "a required key is missing", "add it")
        return _Node(self.where, place, mapping[name])

    def items(self, length: int | None = None, empty: bool = False) -> list["_Node"]:
        """The members of a list."""
        if not isinstance(self.value, list):
            raise self.refusal("is not a list", "write `[...]`")
        if not self.value and not empty:
            raise self.refusal("is empty", "list at least one")
        if length is not None and len(self.value) != length:
            raise self.refusal(f"has {len(self.value)} entries, not {length}", "mend the list")
        return [_Node(self.where, f"{self.key}[{i}]", value) for i, value in enumerate(self.value)]

    def number(self, low: float = -math.inf, high: float = math.inf) -> float:
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.refusal("is not a number", "write a finite number")
        if not low <= value <= high:
            raise self.refusal(f"is not within {low:g} to {high:g}", "mend the number or its unit")
        return float(value)

    def whole(self, low: int, high: int) -> int:
        if self.number(low, high) != int(self.value):
            raise self.refusal("is not a whole number", f"write one of {low} to {high}")
        return int(self.value)

    def text(self) -> str:
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.refusal("is not text", "write text in quotes")
        return self.value.strip()

    def element(self) -> int:
        """Atomic number of a chemical symbol; deuterium is hydrogen here."""
        symbol = self.text().capitalize()
        number = atomic_numbers.get("H" if symbol == "D" else symbol, 0)
        if number == 0:
            raise self.refusal("is no element", "write a chemical symbol, Cl for instance")
        return number

    def vector(self, length: int) -> NDArray[np.float64]:
        return np.array([node.number() for node in self.items(length)])


def _cell(node: _Node) -> CellParameters:
    a, b, c = (node.child(name).number(1.0, 1000.0) for name in _CELL_KEYS[:3])
    alpha, beta, gamma = (node.child(name).number(_SMALLEST_ANGLE, 179.0) for name in _CELL_KEYS[3:])
    cosines = np.cos(np.radians([alpha, beta, gamma]))
    if 1.0 - cosines @ cosines + 2.0 * np.prod(cosines) < _SMALLEST_VOLUME**2:
        raise node.refusal("no cell has these angles", "mend alpha, beta, gamma (degrees)")
    return a, b, c, alpha, beta, gamma


def _z(crystal: _Node) -> int | None:
    return None if crystal.get("Z", None) is None else crystal.child("Z").whole(1, 1000)


def _atom(node: _Node) -> Atom:
    label = str(node.get("label", ""))
    return Atom(label, node.child("element").element(), node.child("frac_xyz").vector(3))


def _operation(node: _Node) -> Operation:
    try:
        return parse_operation(node.text())
    except ValueError as error:
        raise node.refusal(str(error), "write it as 'x,y,z', '-x,y+1/2,-z+1/2' and the like") from error


def _site(node: _Node) -> Site:
    number = node.child("element").element()
    if node.get("atomic_number", number) != number:
        raise node.child("atomic_number").refusal(
            "is not the element's", "make element and atomic_number agree"
        )
    type_name = node.child("atom_type").text() if node.get("atom_type", None) is not None else None
    multipoles = node.child("multipoles")
    rank = multipoles.child("rank").whole(0, RANK)
    multipole_q = np.zeros(COMPONENTS)
    multipole_q[: (rank + 1) ** 2] = multipoles.child("components").vector((rank + 1) ** 2)
    position_v = node.child("position_bohr").vector(3)
    return Site(str(node.get("label", "")), number, type_name, position_v, multipole_q)


def _pair(node: _Node) -> Pair:
    kind = str(node.get("kind", "BUCK"))
    if kind.upper() not in ("BUCK", "BUCKINGHAM"):
        raise node.child("kind").refusal("is no potential known here", "write 'BUCK': A exp(-r/rho) - C6/r^6")
    typed = node.get("type1", None) is not None and node.get("type2", None) is not None
    A = node.child(_PAIR_KEYS[0]).number(0.0, 1e8)
    rho = node.child(_PAIR_KEYS[1]).number(0.05, 2.0)
    c6 = node.child(_PAIR_KEYS[2]).number(0.0, 1e7)
    return Pair(
        (node.child("el1").element(), node.child("el2").element()),
        (node.child("type1").text(), node.child("type2").text()) if typed else None,
        (A, rho, c6),
    )


def _spline(settings: _Node) -> float | None:
    """DMACRYS switches over the spline's smaller number."""
    if settings.get("spline", None) is None:
        return None
    return settings.child("spline").child("min").number(0.1, 20.0)
