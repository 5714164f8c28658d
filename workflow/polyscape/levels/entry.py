"""A stored single point and its file: JSON with a checksum over everything that it says."""

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from ase import Atoms

from polyscape.files import write_json
from polyscape.levels.box import charge_of
from polyscape.levels.protocol import Work
from polyscape.levels.sameness import amd


class DamagedEntryError(ValueError):
    """A file of the store does not hold what it should."""


@dataclass(frozen=True)
class More:
    """What only some calculations tell.

    Attributes
    ----------
    relaxed : ase.Atoms or None
        The geometry that the energy belongs to, where the method relaxes the one that was asked for.
    details : mapping
        What can be written as JSON: terms of the energy, how a relaxation ended.
    """

    relaxed: Atoms | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


NO_MORE: Final = More()


@dataclass(frozen=True)
class Entry:
    """A stored single point.

    Attributes
    ----------
    key : str
        Method id and geometry hash, ``<method>/<hash>``.
    atoms : ase.Atoms
        The geometry that was asked for; molecules have ``pbc`` false.
    energy_eV : float
        Electronic energy of the cell without dispersion correction.
    work : Work
        What it took when it was computed.
    message : str or None
        Which remedy was needed.
    amd_k : tuple of float
        Average minimum distances of a crystal, by which others of its formula are told apart at once.
    more : More
        What only some calculations tell.
    """

    key: str
    atoms: Atoms
    energy_eV: float
    work: Work
    message: str | None = None
    amd_k: tuple[float, ...] = ()
    more: More = NO_MORE

    def write(self, path: Path) -> None:
        """Keep the entry: a temporary file, fsync, rename."""
        body: dict[str, Any] = {
            "key": self.key,
            "geometry": _dump(self.atoms),
            "energy_eV": self.energy_eV,
            "work": vars(self.work),
            "message": self.message,
            "amd_A": list(self.amd_k),
        }
        if self.more.relaxed is not None:
            body["relaxed"] = _dump(self.more.relaxed)
        if self.more.details:
            body["details"] = dict(self.more.details)
        write_json(path, {"checksum": _checksum(body), "body": body})

    @classmethod
    def read(cls, path: Path) -> "Entry":
        """The entry of a file.

        Raises
        ------
        DamagedEntryError
            When the file is cut off, changed, of another layout, or says another key than its name.
        FileNotFoundError
            When there is no such file.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            body = content["body"]
            if content["checksum"] != _checksum(body):
                raise DamagedEntryError("its checksum does not fit")
            entry = cls._parse(body)
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedEntryError(f"{type(error).__name__}: {error}") from error
        if path.stem.rpartition("-")[2] != entry.key.rpartition("/")[2]:
            raise DamagedEntryError("its name is not that of its geometry")
        return entry

    @classmethod
    def _parse(cls, body: Mapping[str, Any]) -> "Entry":
        atoms = _load(body["geometry"])
        return cls(
            key=body["key"],
            atoms=atoms,
            energy_eV=float(body["energy_eV"]),
            work=_work(body["work"]),
            message=body["message"],
            amd_k=tuple(body["amd_A"]) if "amd_A" in body else invariant(atoms),
            more=More(_load(body["relaxed"]) if "relaxed" in body else None, body.get("details", {})),
        )


def read_or_set_aside(path: Path) -> Entry | None:
    """The entry; None, with a warning, when the file is damaged and has been set aside, or when there is none."""
    try:
        return Entry.read(path)
    except FileNotFoundError:
        return None
    except DamagedEntryError as error:
        aside = path.with_suffix(".damaged")
        try:
            path.replace(aside)
            Entry.read(aside)
        except FileNotFoundError:  # another process has set it aside
            return None
        except DamagedEntryError:
            problem = (
                f"stored result {path} is damaged ({error}): set aside as {aside.name}, to be computed anew"
            )
            warnings.warn(problem, stacklevel=2)
            return None
        aside.replace(path)  # another process had mended it in between
        return Entry.read(path)


def geometry_hash(atoms: Atoms) -> str:
    """Hash of a geometry: cell lengths and angles, wrapped fractional coordinates, elements, sorted; an ion's charge.

    Rounded to 1e-4 Angstrom and degrees and 1e-5 of the cell: far below what moves an energy, far above
    rounding.
    """
    cell = [round(float(value), 4) + 0.0 for value in atoms.cell.cellpar()]
    fractional_ac = np.round(atoms.get_scaled_positions(wrap=False), 5) % 1.0 + 0.0
    fractional_ac = np.round(fractional_ac, 5) % 1.0
    sites = sorted((int(z), *map(float, row)) for z, row in zip(atoms.numbers, fractional_ac, strict=True))
    charge = charge_of(atoms)
    text = json.dumps([bool(atoms.pbc.any()), cell, sites, *([{"charge": charge}] if charge else [])])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def invariant(atoms: Atoms) -> tuple[float, ...]:
    """Average minimum distances of a crystal to 1e-5 Angstrom; none for a molecule."""
    return tuple(round(float(distance), 5) for distance in amd(atoms)) if atoms.pbc.any() else ()


def _dump(atoms: Atoms) -> dict[str, Any]:
    charge = charge_of(atoms)
    return {
        **({"charge": charge} if charge else {}),
        "numbers": atoms.numbers.tolist(),
        "cell_A": np.asarray(atoms.cell).tolist(),
        "positions_A": atoms.positions.tolist(),
        "periodic": bool(atoms.pbc.any()),
    }


def _load(geometry: Mapping[str, Any]) -> Atoms:
    return Atoms(
        geometry["numbers"],
        geometry["positions_A"],
        cell=geometry["cell_A"],
        pbc=geometry["periodic"],
        info={"charge": geometry["charge"]} if "charge" in geometry else {},
    )


def _work(told: Mapping[str, Any]) -> Work:
    """What it took; what another version of polyscape tells besides is passed over: the entry is sound."""
    return Work(
        **({"machine": ""} | {name: told[name] for name in Work.__dataclass_fields__ if name in told})
    )


def _checksum(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
