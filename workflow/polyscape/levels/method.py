"""What a single point's energy depends on besides the geometry, as one canonical text and its hash.

The version of the program is part of it.  Dispersion is not: it is computed anew for every use, so that a change of
dispersion repeats no DFT.  Nor are settings that decide only whether an energy is reached (steps) or which geometry is
computed (the molecule's box, which is part of the geometry).

A level that relaxes first is another method, named by what moves, until when, and with which dispersion: its results are
found by the geometry that the relaxation started from.  The levels above it are what they are without relaxation, at
another geometry.
"""

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from polyscape.settings.levels import Level

VERSION: Final = 2
"""Raised when GPAW's energies change for the same settings."""

_OTHERS_VERSION: Final = 1
"""The same for the other back ends."""

_RELAXATION_VERSION: Final = 1
"""Raised when relaxations end elsewhere for the same settings."""

_NOT_IN_THE_ENERGY: Final = frozenset({"max_scf_steps", "molecule_box_A", "max_steps"})

_AS_BEFORE: Final[dict[str, Any]] = {}
"""Settings of GPAW that came later, each with the value at which energies are those of before it: not hashed then, so
that an upgrade finds what was stored."""

_GPAW_AS_BEFORE: Final = "gpaw 26.7"
"""The series of GPAW whose energies were stored before its version was part of the method."""


def method_of(levels: Sequence[Level], index: int) -> dict[str, Any]:
    """The method of a level: program and settings, its relaxation if there is one."""
    level = levels[index]
    electronic = _electronic(levels, index)
    if level.relax == "none":
        return electronic
    relaxation = {
        "what": level.relax,
        "version": _RELAXATION_VERSION,
        "dispersion": _dispersion_of(level),
        **_counting(level.relaxation.model_dump(mode="json")),
    }
    return electronic | {"relaxation": relaxation}


def _electronic(levels: Sequence[Level], index: int) -> dict[str, Any]:
    """The method of a level at a given geometry."""
    level = levels[index]
    if level.program == "gpaw":
        return _gpaw(levels, index)
    method = {"backend": level.program, "version": _OTHERS_VERSION}
    if level.program == "ase":
        from polyscape.levels.ase_any import identity

        return method | identity(level)
    return method | {"program": _series("tblite")} | _counting(level.tblite.model_dump(mode="json"))


def _gpaw(levels: Sequence[Level], index: int) -> dict[str, Any]:
    """The method of a level of GPAW: its settings, or its functional and the level whose orbitals it uses."""
    level = levels[index]
    method = {"backend": "gpaw", "version": VERSION, "setups": _version("gpaw-data")}
    program = _series("gpaw")
    if program != _GPAW_AS_BEFORE:
        method["program"] = program
    settings = level.gpaw.model_dump(mode="json")
    if needs_orbitals(level):
        own = {key: settings[key] for key in ("functional", "hybrid")}
        return {**method, **own, "orbitals": _electronic(levels, start_of(levels, index))}
    return method | _counting(settings)


def _dispersion_of(level: Level) -> dict[str, Any]:
    """What moves the atoms besides the back end."""
    functional = level.dispersion_functional or level.gpaw.functional
    if level.dispersion == "none":
        return {"kind": "none"}
    return {"kind": level.dispersion, "functional": functional.lower(), **level.mbd_volume_ratios}


def _counting(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings that are hashed."""
    return {
        key: value
        for key, value in settings.items()
        if key not in _NOT_IN_THE_ENERGY and (key not in _AS_BEFORE or value != _AS_BEFORE[key])
    }


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


def alike(levels: Sequence[Level], index: int) -> int:
    """The lowest level with the same method at the same geometry, itself where there is none below.

    Levels that differ in their dispersion only have one electronic energy, and one price.
    """
    first = max((i for i in range(index + 1) if levels[i].relax != "none"), default=0)
    own = method_id(levels, index)
    return next(i for i in range(first, index + 1) if method_id(levels, i) == own)


def _series(package: str) -> str:
    """A program and the first two numbers of its version: later ones mend what does not change energies."""
    return f"{package} {'.'.join(_version(package).split('.')[:2])}"


@cache
def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
