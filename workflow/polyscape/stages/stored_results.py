"""What a store holds: chosen by method, formula or level; checked to the last byte; exported with provenance."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import gemmi
import numpy as np
import pandas as pd
from ase import Atoms
from ase.io import write

from polyscape.errors import InputError
from polyscape.files import write_atomically
from polyscape.levels.box import charge_of
from polyscape.levels.entry import DamagedEntryError, Entry
from polyscape.levels.method import method_ids
from polyscape.levels.store import METHOD_FILE, read_method
from polyscape.schemas import STORE
from polyscape.settings import load_settings

FORMATS: Final = (".extxyz", ".cif", ".parquet")
_METHOD_ID: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Choice:
    """Which results are meant; None leaves it open.

    Attributes
    ----------
    method : str or None
        The beginning of a method id.
    formula : str or None
        Hill formula of the cell, ``C4H4O8``.
    """

    method: str | None = None
    formula: str | None = None


def method_of_level(config: Path, level: str) -> str:
    """Method id of a level of a config.

    Raises
    ------
    InputError
        When the config has no level of that name.
    """
    ids = method_ids(load_settings(config).levels)
    if level not in ids:
        raise InputError(
            "command line", "--level", level, f"is no level of {config}", f"use one of {', '.join(ids)}"
        )
    return ids[level]


def method_folders(store: Path, choice: Choice) -> list[Path]:
    """The folders of the chosen methods.

    Raises
    ------
    InputError
        When there is no such store.
    """
    if not store.is_dir():
        raise InputError("command line", "--store", str(store), "is no folder", "name a store: results/store")
    folders = [path for path in sorted(store.iterdir()) if path.is_dir() and _METHOD_ID.fullmatch(path.name)]
    return [path for path in folders if path.name.startswith(choice.method or "")]


def entry_files(store: Path, choice: Choice, suffix: str = ".json") -> Iterator[Path]:
    """Files of the chosen entries, in order."""
    for folder in method_folders(store, choice):
        for path in sorted(folder.glob(f"*/*{suffix}")):
            if choice.formula in (None, path.parent.name.rpartition("-")[0]):
                yield path


def method_words(method: dict[str, Any] | None) -> str:
    """A method in a line: program, functional, what it stands on, and the numbers."""
    if method is None:
        return "(settings not kept)"
    own = {
        key: value for key, value in method.items() if key not in ("backend", "version", "setups", "orbitals")
    }
    words = [str(method.get("backend", "?")), *(f"{key}={_brief(value)}" for key, value in own.items())]
    below = method.get("orbitals")
    return " ".join(words) + (f" on orbitals of [{method_words(below)}]" if below else "")


def _brief(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


@dataclass(frozen=True)
class Verdict:
    """What `verify` found: entries that were read, files that are damaged (with the reason), files left by killed jobs."""

    sound: int
    damaged: tuple[tuple[Path, str], ...]
    left_over: tuple[Path, ...]


def verify(store: Path, choice: Choice) -> Verdict:
    """Read every chosen entry and compare its checksum and its name; changes nothing.

    A method's description that does not fit its id counts as damaged, and so does an entry that was set aside.
    """
    sound, damaged = 0, list[tuple[Path, str]]()
    for path in entry_files(store, choice):
        try:
            entry = Entry.read(path)
        except DamagedEntryError as error:
            damaged.append((path, str(error)))
            continue
        if entry.key.partition("/")[0] != path.parent.parent.name:
            damaged.append((path, "its method is not that of its folder"))
            continue
        sound += 1
    for folder in method_folders(store, choice):
        if (folder / METHOD_FILE).exists() and read_method(folder) is None:
            damaged.append((folder / METHOD_FILE, "does not fit the method's id"))
    damaged += [(path, "was set aside as damaged") for path in entry_files(store, choice, ".damaged")]
    return Verdict(sound, tuple(damaged), tuple(entry_files(store, choice, ".tmp")))


def table(store: Path, choice: Choice) -> tuple[pd.DataFrame, tuple[Path, ...]]:
    """Table `store` of the sound entries, and the damaged files that were left out."""
    rows, damaged, methods = [], list[Path](), dict[Path, str | None]()
    for path in entry_files(store, choice):
        folder = path.parent.parent
        if folder not in methods:
            said = read_method(folder)
            methods[folder] = None if said is None else json.dumps(said, sort_keys=True)
        try:
            rows.append(_row(Entry.read(path), methods[folder]))
        except DamagedEntryError:
            damaged.append(path)
    return STORE.from_rows(rows), tuple(damaged)


def _row(entry: Entry, method: str | None) -> dict[str, Any]:
    atoms = entry.more.relaxed or entry.atoms
    return vars(entry.work) | {
        "store_key": entry.key,
        "method_id": entry.key.partition("/")[0],
        "method": method,
        "formula": atoms.get_chemical_formula(mode="hill"),
        "periodic": bool(atoms.pbc.any()),
        "charge": charge_of(atoms),
        "atomic_numbers": atoms.numbers.tolist(),
        "cell_A": np.asarray(atoms.cell).ravel().tolist(),
        "position_A": atoms.positions.ravel().tolist(),
        "volume_A3": float(atoms.get_volume()),
        "relaxed": entry.more.relaxed is not None,
        "electronic_energy_eV": entry.energy_eV,
        "message": entry.message,
    }


def export(results: pd.DataFrame, path: Path) -> None:
    """Write a table `store` as extended XYZ, CIF or Parquet, by the file's suffix, with energies and provenance.

    Raises
    ------
    InputError
        When the suffix is none of these.
    """
    if path.suffix == ".parquet":
        STORE.write(results, path)
    elif path.suffix == ".extxyz":
        with write_atomically(path) as temporary:
            write(temporary, [_with_values(row) for row in results.to_dict("records")], format="extxyz")
    elif path.suffix == ".cif":
        document = gemmi.cif.Document()
        for row in results.to_dict("records"):
            _add_block(document, row)
        with write_atomically(path) as temporary:
            temporary.write_text(document.as_string(), encoding="utf-8")
    else:
        remedy = f"name a file that ends in {', '.join(FORMATS)}"
        raise InputError("command line", "--output", str(path), "has no known suffix", remedy)


def geometry_of(row: dict[Any, Any]) -> Atoms:
    """The crystal, molecule or ion of a row of table `store`."""
    cell_cv, position_av = np.reshape(row["cell_A"], (3, 3)), np.reshape(row["position_A"], (-1, 3))
    info = {"charge": int(row["charge"])} if row["charge"] else {}
    return Atoms(row["atomic_numbers"], position_av, cell=cell_cv, pbc=row["periodic"], info=info)


_PROVENANCE: Final = (
    "store_key",
    "method",
    "electronic_energy_eV",
    "relaxed",
    "charge",
    "core_s",
    "cores",
    "machine",
    "message",
)


def _with_values(row: dict[Any, Any]) -> Atoms:
    atoms = geometry_of(row)
    atoms.info = {key: row[key] for key in _PROVENANCE if not pd.isna(row[key])}
    return atoms


def _add_block(document: gemmi.cif.Document, row: dict[Any, Any]) -> None:
    """A block in P1, named after the result's key."""
    atoms = geometry_of(row)
    block = document.add_new_block(str(row["store_key"]).replace("/", "_"))
    lengths = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    for name, value in zip(lengths, atoms.cell.cellpar(), strict=True):
        block.set_pair(f"_cell_{name}", f"{value:.6f}")
    block.set_pair("_space_group_name_H-M_alt", "'P 1'")
    for key in _PROVENANCE:
        if not pd.isna(row[key]):
            block.set_pair(f"_polyscape_{key}", gemmi.cif.quote(str(row[key])))
    loop = block.init_loop("_atom_site_", ["label", "type_symbol", "fract_x", "fract_y", "fract_z"])
    for index, (symbol, place) in enumerate(
        zip(atoms.get_chemical_symbols(), atoms.get_scaled_positions(wrap=False), strict=True), 1
    ):
        loop.add_row([f"{symbol}{index}", symbol, *(f"{value:.8f}" for value in place)])
