"""Compute the single points that a landscape of this folder lacks, until a time is up; the same command goes on later.

    python -m tests.data.landscapes.compute tests/data/landscapes/oxalic_acid_full --hours 2 --processes 2

Small cells first, and of these the lowest energies: any part of them is worth having.  What the folder's tables hold is put
into the store first, so that nothing is computed twice on any machine; they are written anew after each structure.
"""

import argparse
import json
import multiprocessing
import os
import tempfile
import time
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from pathlib import Path

import pandas as pd

from polyscape.files import write_json
from polyscape.ids import molecule_id
from polyscape.levels.ladder import climb, stored
from polyscape.levels.method import method_ids
from polyscape.levels.protocol import Work
from polyscape.levels.store import Store
from polyscape.settings import Settings, load_settings
from polyscape.stages.isolated_molecule import reference_molecules
from polyscape.stages.rows import reduced_atoms
from polyscape.status import Status
from tests.data.landscapes.load import TABLES, read
from tests.data.landscapes.make import core_h, points_of

SMALL_ATOMS = 16
_WORK = tuple(Work.__dataclass_fields__)


def geometries(found, settings: Settings):
    """The structures by id in the order of their computation, the isolated molecules first."""
    alone = reference_molecules(found["molecule"], found["conformers"], settings.levels)
    molecules = {molecule_id(component): atoms for component, atoms in alone.items()}
    table = found["landscape"].assign(large=found["landscape"].atoms_in_reduced_cell > SMALL_ATOMS)
    rows = table.sort_values(["large", "lattice_energy_kJ_per_mol"], kind="stable").to_dict("records")
    return molecules | {row["structure_id"]: reduced_atoms(row) for row in rows}


def remember(found, atoms_by_name, settings: Settings, store: Store):
    """Put the points of the tables into the store: those of the methods that the settings mean."""
    ids = set(method_ids(settings.levels).values())
    for name in ("molecules", "points"):
        for row in found[name].to_dict("records"):
            atoms = atoms_by_name[row["structure_id"]]
            if (
                row["method_id"] in ids
                and row["status"] == Status.OK
                and not store.holds(row["method_id"], atoms)
            ):
                message = None if pd.isna(row["message"]) else row["message"]
                work = Work(**{key: row[key] for key in _WORK})
                store.put(row["method_id"], atoms, row["electronic_energy_eV"], work, message)


def one(atoms, settings: Settings, store: Path):
    """Climb the ladder with one structure."""
    with tempfile.TemporaryDirectory() as scratch:
        climb(atoms, settings.levels, Store(store), Path(scratch))


def write(found, folder: Path):
    """The tables of points, and what they took."""
    for table in ("molecules", "points"):
        TABLES[table].write(found[table], folder / f"{table}.parquet")
    record = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    write_json(folder / "provenance.json", record | {"core_h": core_h(found["points"])})


def compute(folder: Path, store: Path, hours: float, processes: int):
    """Compute until the time is up or nothing is missing."""
    settings = load_settings(folder / "config.yaml")
    found = {name: read(table, folder / f"{name}.parquet") for name, table in TABLES.items()}
    atoms_by_name = geometries(found, settings)
    remember(found, atoms_by_name, settings, Store(store))
    end = time.monotonic() + 3600 * hours
    everything = range(len(settings.levels))
    known = {
        name
        for name, atoms in atoms_by_name.items()
        if len(stored(atoms, settings.levels, everything, Store(store))) == len(everything)
    }
    waiting, running = [(name, atoms) for name, atoms in atoms_by_name.items() if name not in known], {}
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        while running or (waiting and time.monotonic() < end):
            while waiting and len(running) < processes and time.monotonic() < end:
                name, atoms = waiting.pop(0)
                running[pool.submit(one, atoms, settings, store)] = name
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(future)
                future.result()
                found |= points_of(found, settings, Store(store))
                write(found, folder)
                print(f"{name}: {len(found['points'])} points in {folder}", flush=True)


def main() -> None:
    """Read the command line, compute."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder of the landscape, as `make.py` writes it")
    parser.add_argument("--store", type=Path, default=Path("results/store"), help="default: results/store")
    parser.add_argument("--hours", type=float, default=1.0, help="no structure begins after so many (1)")
    parser.add_argument("--processes", type=int, default=2, help="structures at a time (2)")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    compute(options.folder, options.store, options.hours, options.processes)


if __name__ == "__main__":
    main()
