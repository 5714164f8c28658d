"""Expensive results kept by what they are: geometry and method.

``<store>/<method id>/<formula of the cell>/<volume>-<geometry hash>.json`` holds one single point with the
geometry it was computed at. A result is found by the hash of its rounded geometry, or else among the
entries of the same method, formula and nearly the same volume by the overlay of the packings: the reduction
of a cell is discontinuous, and another minimisation ends a little off. An entry carries a checksum; one
that does not fit is set aside and reported, and its result is computed anew. Writers use a temporary file
and a rename, so that any number of them is safe.
"""

import hashlib
import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from ase import Atoms

from polyscape.files import write_json
from polyscape.levels.protocol import Work
from polyscape.levels.sameness import amd, overlays, similar

_VOLUME_TOLERANCE: Final = 0.005


@dataclass(frozen=True)
class Entry:
    """A stored single point.

    Attributes
    ----------
    key : str
        Method id and geometry hash, ``<method>/<hash>``.
    atoms : ase.Atoms
        The geometry of the calculation; molecules have ``pbc`` false.
    energy_eV : float
        Electronic energy of the cell without dispersion correction.
    work : Work
        What it took when it was computed.
    message : str or None
        Which remedy was needed.
    amd_k : tuple of float
        Average minimum distances of a crystal, by which others of its formula are told apart at once.
    """

    key: str
    atoms: Atoms
    energy_eV: float
    work: Work
    message: str | None = None
    amd_k: tuple[float, ...] = ()


class Store:
    """A folder of single points."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, method: str, atoms: Atoms) -> Entry | None:
        """The stored point of this geometry, or of the nearest geometry that is the same packing."""
        exact = self._path(method, atoms)
        if exact.exists():
            entry = _read(exact)
            if entry is not None:
                return entry
        if not atoms.pbc.any():
            return None
        return next((entry for entry in self._similar(method, atoms) if overlays(atoms, entry.atoms)), None)

    def put(
        self, method: str, atoms: Atoms, energy_eV: float, work: Work, message: str | None = None
    ) -> Entry:
        """Keep a result; writing the same one twice, even at once, leaves one sound entry."""
        entry = Entry(self.key(method, atoms), atoms.copy(), energy_eV, work, message, _invariant(atoms))
        body = {
            "key": entry.key,
            "geometry": _dump(atoms),
            "energy_eV": energy_eV,
            "work": work.__dict__,
            "message": message,
            "amd_A": entry.amd_k,
        }
        write_json(self._path(method, atoms), {"checksum": _checksum(body), "body": body})
        return entry

    def key(self, method: str, atoms: Atoms) -> str:
        """The key under which a result is kept."""
        return f"{method}/{geometry_hash(atoms)}"

    def _similar(self, method: str, atoms: Atoms) -> Iterator[Entry]:
        """Entries of nearly the same volume and average minimum distances, the nearest volume first."""
        volume_A3 = atoms.get_volume()
        near = []
        for path in (self.folder / method / _formula(atoms)).glob("*.json"):
            difference = abs(float(path.name.split("-")[0]) - volume_A3)
            if difference <= _VOLUME_TOLERANCE * volume_A3:
                near.append((difference, path))
        amd_k = np.array(_invariant(atoms)) if near else np.empty(0)
        for _, path in sorted(near):
            entry = _read(path)
            if entry is not None and similar(amd_k, np.array(entry.amd_k)):
                yield entry

    def _path(self, method: str, atoms: Atoms) -> Path:
        name = f"{atoms.get_volume():.2f}-{geometry_hash(atoms)}.json"
        return self.folder / method / _formula(atoms) / name


def geometry_hash(atoms: Atoms) -> str:
    """Hash of a geometry: cell lengths and angles, wrapped fractional coordinates, elements, sorted.

    Rounded to 1e-4 Angstrom and degrees and 1e-5 of the cell: far below what moves an energy, far above
    rounding.
    """
    cell = [round(float(value), 4) + 0.0 for value in atoms.cell.cellpar()]
    fractional_ac = np.round(atoms.get_scaled_positions(wrap=False), 5) % 1.0 + 0.0
    fractional_ac = np.round(fractional_ac, 5) % 1.0
    sites = sorted((int(z), *map(float, row)) for z, row in zip(atoms.numbers, fractional_ac, strict=True))
    text = json.dumps([bool(atoms.pbc.any()), cell, sites])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _invariant(atoms: Atoms) -> tuple[float, ...]:
    """Average minimum distances of a crystal to 1e-5 Angstrom; none for a molecule, which is found by its hash."""
    return tuple(round(float(distance), 5) for distance in amd(atoms)) if atoms.pbc.any() else ()


def _formula(atoms: Atoms) -> str:
    kind = "crystal" if atoms.pbc.any() else "molecule"
    return f"{atoms.get_chemical_formula(mode='hill')}-{kind}"


def _dump(atoms: Atoms) -> dict[str, Any]:
    return {
        "numbers": atoms.numbers.tolist(),
        "cell_A": np.asarray(atoms.cell).tolist(),
        "positions_A": atoms.positions.tolist(),
        "periodic": bool(atoms.pbc.any()),
    }


def _checksum(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> Entry | None:
    """The entry; None, with a warning, when the file is damaged, or of another layout, and has been set aside."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        body = content["body"]
        if content["checksum"] != _checksum(body):
            raise ValueError("its checksum does not fit")
        geometry = body["geometry"]
        atoms = Atoms(
            geometry["numbers"], geometry["positions_A"], cell=geometry["cell_A"], pbc=geometry["periodic"]
        )
        amd_k = tuple(body["amd_A"]) if "amd_A" in body else _invariant(atoms)
        return Entry(
            body["key"], atoms, float(body["energy_eV"]), Work(**body["work"]), body["message"], amd_k
        )
    except (ValueError, KeyError, TypeError) as error:
        aside = path.with_suffix(".damaged")
        path.replace(aside)
        problem = f"stored result {path} is damaged ({error}): set aside as {aside.name}, to be computed anew"
        warnings.warn(problem, stacklevel=2)
        return None
