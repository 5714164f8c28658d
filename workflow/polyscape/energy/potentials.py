"""Reading potentials: the tables that come with the library, and a user's own in the same form.

docs/potentials.md describes the form.  Whatever is wrong in a file is told in one line with file, key, value, remedy.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from ase.data import chemical_symbols

from polyscape.energy.exp6 import AtomType, PairTerm, Potential
from polyscape.energy.patterns import AtomPattern
from polyscape.errors import InputError
from polyscape.settings.load import read_config

__all__ = ["Potential", "load_potential", "potential_names", "read_potential"]

LIBRARY: Final = Path(__file__).parent / "potentials"

_ELEMENTS: Final = frozenset(chemical_symbols[1:])
_PATTERN_KEYS: Final = ("element", "neighbours", "hydrogens", "bonded_to")
_MOST_NEIGHBOURS: Final = 12

_RANGES: Final = {
    "A_eV": (1e-6, 1e7),
    "rho_A": (0.05, 1.0),
    "C6_eV_A6": (0.0, 1e6),
    "moved_A": (-0.5, 0.5),
    "stretch_A": (-0.5, 0.5),
}
"""What a number may be; wide enough for any molecule, too narrow for kJ/mol per Angstrom or 1/rho in the wrong place."""

_MEANINGS: Final = {
    "A_eV": "A in eV",
    "rho_A": "rho in Angstrom (1/B, not B)",
    "C6_eV_A6": "C6 in eV Angstrom^6",
    "moved_A": "how far the site lies from the atom towards its neighbour, in Angstrom",
    "stretch_A": "a2 of the anisotropic repulsion in Angstrom",
}
_REQUIRED: Final = ("A_eV", "rho_A", "C6_eV_A6")


def potential_names() -> list[str]:
    """Names of the potentials that come with the library."""
    return sorted(path.stem for path in LIBRARY.glob("*.yaml"))


def load_potential(name_or_path: str) -> Potential:
    """A potential of the library by its name, or a user's by the path of its file.

    Raises
    ------
    ValueError
        When there is no such potential or file.
    InputError
        When the file is not a potential; it names file, key, value and remedy.
    """
    if name_or_path in potential_names():
        return _from_library(name_or_path)
    path = Path(name_or_path)
    if path.is_file():
        return read_potential(path)
    known = ", ".join(potential_names())
    if path.suffix or len(path.parts) > 1:
        raise ValueError(f"there is no file {name_or_path!r}; potentials that come with polyscape: {known}")
    raise ValueError(f"there is no potential {name_or_path!r}; there are {known}, or the path of a file")


@cache
def _from_library(name: str) -> Potential:
    return read_potential(LIBRARY / f"{name}.yaml")


def read_potential(path: Path) -> Potential:
    """The potential in a file.

    Raises
    ------
    InputError
        When the file cannot be read or is not of the form.
    """
    top = _Entry(str(path), "", read_config(path))
    top.allow("name", "sources", "types", "pairs")
    name = top.text("name", "the potential's name")
    if "sources" in top.mapping:
        top.entry("sources", "where the numbers come from, `what: source`")
    entries = top.entry("types", "the atom types, `name: {element: C, A_eV: ..., rho_A: ..., C6_eV_A6: ...}`")
    types = {kind: _type(entries.entry(kind, "a type")) for kind in entries.names()}
    if not types:
        raise top.refusal("types", "holds no type", "write at least one")
    pairs: dict[tuple[str, str], PairTerm] = {}
    if "pairs" in top.mapping:
        entries = top.entry("pairs", "pairs of types, `H2 N1: {A_eV: ...}`")
        for key in entries.names():
            pair = _pair_names(entries, key, types)
            if pair in pairs or pair[::-1] in pairs:
                raise entries.refusal(key, "stands twice, once in each order", "remove one of them")
            pairs[pair] = _pair_term(entries.entry(key, "parameters of the pair"))
    return Potential(name, types, pairs)


@dataclass(frozen=True)
class _Entry:
    """A mapping in a potential file and its place there."""

    where: str
    key: str
    mapping: Any

    def __post_init__(self) -> None:
        if not isinstance(self.mapping, dict):
            remedy = "write keys and values as in docs/potentials.md"
            raise InputError(self.where, self.key, self.mapping, "is not a mapping", remedy)

    def place(self, name: object) -> str:
        """Dotted path of a key."""
        return f"{self.key}.{name}".lstrip(".")

    def refusal(self, name: object, problem: str, remedy: str) -> InputError:
        """The complaint about a key's value."""
        return InputError(self.where, self.place(name), self.mapping.get(name), problem, remedy)

    def allow(self, *names: str) -> None:
        """Refuse any other key."""
        for found in self.mapping:
            if found not in names:
                close = difflib.get_close_matches(str(found), names, n=1)
                remedy = f"did you mean '{close[0]}'?" if close else f"valid keys here: {', '.join(names)}"
                raise self.refusal(found, "unknown key", remedy)

    def names(self) -> Iterable[str]:
        """The keys, which must be text: YAML takes NO and 1 for something else."""
        for found in self.mapping:
            if not isinstance(found, str) or not found.strip():
                raise self.refusal(found, "is not a name, for names are text", "put it in quotes")
            yield found

    def entry(self, name: str, meaning: str) -> "_Entry":
        """A mapping below this one."""
        if name not in self.mapping:
            raise self.refusal(name, "a required key is missing", f"add it: {meaning}")
        return _Entry(self.where, self.place(name), self.mapping[name])

    def text(self, name: str, meaning: str) -> str:
        """A text."""
        value = self.mapping.get(name)
        if value is None:
            raise self.refusal(name, "a required key is missing", f"add it: {meaning}")
        if not isinstance(value, str) or not value.strip():
            raise self.refusal(name, "is not text", f"write {meaning}, in quotes where YAML needs them")
        return value

    def number(self, name: str) -> float:
        """A number in its range of `_RANGES`."""
        value, (low, high) = self.mapping.get(name), _RANGES[name]
        if value is None:
            raise self.refusal(name, "a required key is missing", f"add it: {_MEANINGS[name]}")
        if isinstance(value, str) and _is_number(value):
            remedy = "write a decimal point and a signed exponent, 1.0e-3 for instance"
            raise self.refusal(name, "is text to YAML", remedy)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.refusal(name, "is not a number", f"write {_MEANINGS[name]}")
        if not low <= value <= high:
            raise self.refusal(name, f"is not within {low:g} to {high:g}", f"write {_MEANINGS[name]}")
        return float(value)


def _type(entry: _Entry) -> AtomType:
    """An atom type."""
    entry.allow(*_PATTERN_KEYS, *_RANGES)
    pattern = _pattern(entry)
    A, rho, c6 = (entry.number(name) for name in _REQUIRED)
    moved, stretch = (
        entry.number(name) if name in entry.mapping else 0.0 for name in ("moved_A", "stretch_A")
    )
    if (moved or stretch) and pattern.neighbours != frozenset({1}):
        problem = "must be 1 for a type with moved_A or stretch_A: its only bond gives the direction"
        raise entry.refusal("neighbours", problem, "write `neighbours: 1`, and another type for other atoms")
    return AtomType(A, rho, c6, pattern, moved, stretch)


def _pattern(entry: _Entry) -> AtomPattern:
    """The conditions of a type, or of an atom that one is bonded to."""
    element = entry.text("element", "a chemical symbol")
    if element not in _ELEMENTS:
        raise entry.refusal("element", "is no element", "write a chemical symbol, Cl for instance")
    return AtomPattern(
        element, _counts(entry, "neighbours"), _counts(entry, "hydrogens"), tuple(_alternatives(entry))
    )


def _counts(entry: _Entry, name: str) -> frozenset[int] | None:
    """Allowed numbers: one, or a list of them."""
    if name not in entry.mapping:
        return None
    value = entry.mapping[name]
    counts = value if isinstance(value, list) else [value]
    whole = all(isinstance(count, int) and not isinstance(count, bool) for count in counts)
    if not counts or not whole or not all(0 <= count <= _MOST_NEIGHBOURS for count in counts):
        problem = f"is neither a whole number of 0 to {_MOST_NEIGHBOURS} nor a list of them"
        raise entry.refusal(name, problem, "write 3 or [2, 3], for instance")
    return frozenset(counts)


def _alternatives(entry: _Entry) -> Iterable[AtomPattern]:
    """`bonded_to`: an element, a mapping of conditions, or a list of such."""
    if "bonded_to" not in entry.mapping:
        return
    value = entry.mapping["bonded_to"]
    choices = value if isinstance(value, list) else [value]
    if not choices:
        raise entry.refusal("bonded_to", "is empty", "name elements, or leave the key out")
    for number, choice in enumerate(choices):
        place = entry.place("bonded_to") + (f"[{number}]" if isinstance(value, list) else "")
        if isinstance(choice, dict):
            below = _Entry(entry.where, place, choice)
            below.allow(*_PATTERN_KEYS)
            yield _pattern(below)
        elif choice in _ELEMENTS:
            yield AtomPattern(choice)
        else:
            remedy = "write an element, or {element: O, neighbours: 1} and the like"
            raise InputError(entry.where, place, choice, "is neither an element nor conditions", remedy)


def _pair_names(entries: _Entry, key: str, types: Iterable[str]) -> tuple[str, str]:
    """The two types that a key of `pairs` names."""
    names = key.split()
    if len(names) != 2:
        raise entries.refusal(key, "does not name two types", "write two names with a space between: `H2 N1`")
    for name in names:
        if name not in types:
            raise entries.refusal(key, f"{name!r} is no type of this file", f"types: {', '.join(types)}")
    return names[0], names[1]


def _pair_term(entry: _Entry) -> PairTerm:
    """The parameters of a pair that break the combining rules."""
    entry.allow(*_REQUIRED)
    if not entry.mapping:
        raise InputError(
            entry.where, entry.key, entry.mapping, "is empty", f"give one of {', '.join(_REQUIRED)}"
        )
    return PairTerm(**{name: entry.number(name) for name in entry.mapping})


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
