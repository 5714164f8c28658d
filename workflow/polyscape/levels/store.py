"""Expensive results kept by what they are: geometry and method.

``<store>/<method id>/<formula of the cell>-<crystal, molecule or ion>/<volume>-<geometry hash>.json`` holds one
single point with the geometry it was computed at; ``<store>/<method id>/method.json`` says what the method is. A
result is found by the hash of its rounded geometry, or else among the entries of the same method, formula and nearly
the same volume by the overlay of the packings: the reduction of a cell is discontinuous, and another minimisation
ends a little off. An entry carries a checksum; one that does not fit is set aside and reported, and its result is
computed anew. Writers use a temporary file, fsync and a rename, so that any number of them is safe, killed ones too.
A look-up reads the names of a formula's entries, and of their contents those of nearly the same volume, each once.
"""

import json
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from ase import Atoms

from polyscape.files import write_json
from polyscape.levels.box import charge_of
from polyscape.levels.entry import NO_MORE, Entry, More, geometry_hash, invariant, read_or_set_aside
from polyscape.levels.method import hash_of
from polyscape.levels.protocol import Work
from polyscape.levels.sameness import overlays, same_molecule, similar

_VOLUME_TOLERANCE: Final = 0.005
_NAME: Final = re.compile(r"\d+\.\d\d-[0-9a-f]{32}\.json")
METHOD_FILE: Final = "method.json"


class Store:
    """A folder of single points."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._amd: dict[Path, tuple[float, ...]] = {}

    def find(self, method: str, atoms: Atoms) -> Entry | None:
        """The stored point of this geometry, or of the nearest geometry that is the same packing (or molecule)."""
        paths = self._paths(method, atoms)
        exact = f"-{geometry_hash(atoms)}.json"
        for path in paths:
            if path.name.endswith(exact) and (entry := _own(path)) is not None:
                return entry
        if atoms.pbc.any():
            candidates, same = self._similar(paths, atoms), overlays
        else:
            candidates, same = filter(None, map(_own, paths)), same_molecule
        return next((entry for entry in candidates if same(atoms, entry.atoms)), None)

    def holds(self, method: str, atoms: Atoms) -> bool:
        """Whether there is a sound entry of exactly this geometry."""
        exact = f"-{geometry_hash(atoms)}.json"
        paths = self._paths(method, atoms)
        return any(path.name.endswith(exact) and _own(path) is not None for path in paths)

    def put(
        self,
        method: str,
        atoms: Atoms,
        energy_eV: float,
        work: Work,
        message: str | None = None,
        more: More = NO_MORE,
    ) -> Entry:
        """Keep a result; writing the same one twice, even at once, leaves one sound entry."""
        key = self.key(method, atoms)
        entry = Entry(key, atoms.copy(), energy_eV, work, message, invariant(atoms), more)
        entry.write(self._folder(method, atoms) / f"{atoms.get_volume():.2f}-{key.rpartition('/')[2]}.json")
        return entry

    def describe(self, method: Mapping[str, Any]) -> None:
        """Keep what a method is beside its results, for people; it is known by its hash."""
        path = self.folder / hash_of(method) / METHOD_FILE
        if not path.exists():
            write_json(path, dict(method))

    def key(self, method: str, atoms: Atoms) -> str:
        """The key under which a result is kept."""
        return f"{method}/{geometry_hash(atoms)}"

    def _folder(self, method: str, atoms: Atoms) -> Path:
        kind = "crystal" if atoms.pbc.any() else "ion" if charge_of(atoms) else "molecule"
        return self.folder / method / f"{atoms.get_chemical_formula(mode='hill')}-{kind}"

    def _paths(self, method: str, atoms: Atoms) -> list[Path]:
        """Entries of the formula, in no order; what others put there, notes and file systems' companions, is none."""
        return [path for path in self._folder(method, atoms).glob("*-*.json") if _NAME.fullmatch(path.name)]

    def _similar(self, paths: list[Path], atoms: Atoms) -> Iterator[Entry]:
        """Entries of nearly the same volume and average minimum distances, the nearest volume first."""
        volume_A3 = atoms.get_volume()
        off = [(abs(float(path.name.partition("-")[0]) - volume_A3), path) for path in paths]
        near = sorted(pair for pair in off if pair[0] <= _VOLUME_TOLERANCE * volume_A3)
        amd_k = np.array(invariant(atoms)) if near else np.empty(0)
        for _, path in near:
            if path in self._amd and not similar(amd_k, np.array(self._amd[path])):
                continue
            entry = _own(path)
            if entry is None:
                continue
            self._amd[path] = entry.amd_k
            if similar(amd_k, np.array(entry.amd_k)):
                yield entry


def _own(path: Path) -> Entry | None:
    """The sound entry of a file; none, with a warning, where its method is not that of the folder that it was copied to."""
    entry = read_or_set_aside(path)
    if entry is None or entry.key.partition("/")[0] == path.parent.parent.name:
        return entry
    warnings.warn(f"stored result {path} is of another method and is passed over", stacklevel=2)
    return None


def read_method(folder: Path) -> dict[str, Any] | None:
    """The method of a folder of the store; None where it was not kept, or is not the one that the folder is named after."""
    try:
        method = json.loads((folder / METHOD_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return method if isinstance(method, dict) and hash_of(method) == folder.name else None
