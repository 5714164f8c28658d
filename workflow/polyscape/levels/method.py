"""What a single point's energy depends on besides the geometry, as one canonical text and its hash.

Dispersion is not part of it: it is computed anew for every use, so that a change of dispersion repeats no
DFT. Nor are settings that decide only whether an energy is reached (steps) or which geometry is computed
(the molecule's box, which is part of the geometry).
"""

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from polyscape.settings.levels import Level

VERSION: Final = 2
"""Raised when a back end's energies change for the same settings."""

_NOT_IN_THE_ENERGY: Final = frozenset({"max_scf_steps", "molecule_box_A"})

_AS_BEFORE: Final[dict[str, Any]] = {}
"""Settings of GPAW that came later, each with the value at which energies are those of before it: not hashed then, so
that an upgrade finds what was stored."""


def method_of(levels: Sequence[Level], index: int) -> dict[str, Any]:
    """The method of a level: its settings, or its functional and the level whose orbitals it uses."""
    level = levels[index]
    method = {"backend": level.backend, "version": VERSION, "setups": _setups_version()}
    settings = level.gpaw.model_dump(mode="json")
    if needs_orbitals(level):
        own = {key: settings[key] for key in ("functional", "hybrid")}
        return {**method, **own, "orbitals": method_of(levels, start_of(levels, index))}
    return {**method, **{key: value for key, value in settings.items() if _counts(key, value)}}


def _counts(key: str, value: Any) -> bool:
    """Whether a setting is part of what is hashed."""
    if key in _NOT_IN_THE_ENERGY:
        return False
    return key not in _AS_BEFORE or value != _AS_BEFORE[key]


def method_id(levels: Sequence[Level], index: int) -> str:
    """Short hash of a level's method."""
    return hash_of(method_of(levels, index))


def hash_of(method: Mapping[str, Any]) -> str:
    """Short hash of a method."""
    return hashlib.sha256(json.dumps(method, sort_keys=True).encode()).hexdigest()[:16]


def method_ids(levels: Sequence[Level]) -> dict[str, str]:
    """Method hash by level name."""
    return {level.name: method_id(levels, index) for index, level in enumerate(levels)}


def needs_orbitals(level: Level) -> bool:
    """Whether a level is evaluated on the orbitals of the level below."""
    return level.gpaw.hybrid == "non_self_consistent"


def start_of(levels: Sequence[Level], index: int) -> int:
    """The lowest level that must run so that level `index` can: the self-consistent one that it stands on."""
    while needs_orbitals(levels[index]):
        index -= 1
    return index


def _setups_version() -> str:
    try:
        return importlib.metadata.version("gpaw-data")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
