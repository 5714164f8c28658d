"""Results of another store into this one, from the table that `scripts/store.py export` writes."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from polyscape.errors import InputError
from polyscape.levels.method import hash_of
from polyscape.levels.protocol import Work
from polyscape.levels.store import Store
from polyscape.schemas import STORE
from polyscape.stages.stored_results import geometry_of
from polyscape.tables import TableError

_WORK = tuple(Work.__dataclass_fields__)


def bring_in(file: Path, store: Store) -> Counter[str]:
    """Put the results of a table `store` into a store; those that it has stay as they are.

    Parameters
    ----------
    file : pathlib.Path
        The table, Parquet.
    store : Store
        Where to; made when it is not there.

    Returns
    -------
    collections.Counter
        How many results were ``added``, were there ``before``, and were left out as ``relaxed``: of a relaxation the table
        does not tell the geometry that it began with, by which it would be found.

    Raises
    ------
    InputError
        When the file is no such table, or a row's key is not that of its geometry and method.
    """
    remedy = "name a table that `scripts/store.py export --output FILE.parquet` wrote"
    if file.suffix != ".parquet" or not file.is_file():
        raise InputError("command line", "--input", str(file), "is no such table", remedy)
    try:
        rows = STORE.read(file).to_dict("records")
    except TableError as error:
        raise InputError(
            "command line", "--input", str(file), f"is no such table ({error})", remedy
        ) from error
    counts: Counter[str] = Counter({"added": 0, "before": 0, "relaxed": 0})
    for row in rows:
        counts[_bring_in(row, store, str(file))] += 1
    return counts


def _bring_in(row: dict[Any, Any], store: Store, where: str) -> str:
    if row["relaxed"]:
        return "relaxed"
    method, atoms = _method(row, where), geometry_of(row)
    if store.key(row["method_id"], atoms) != row["store_key"]:
        problem = "is not the key of its geometry and method"
        raise InputError(where, "store_key", row["store_key"], problem, "export the store again")
    if store.holds(row["method_id"], atoms):
        return "before"
    if method is not None:
        store.describe(method)
    work = Work(**{name: row[name] for name in _WORK})
    message = None if pd.isna(row["message"]) else row["message"]
    store.put(row["method_id"], atoms, float(row["electronic_energy_eV"]), work, message)
    return "added"


def _method(row: dict[Any, Any], where: str) -> dict[str, Any] | None:
    """The method's settings, which must be those of its id."""
    if pd.isna(row["method"]):
        return None
    method = json.loads(row["method"])
    if hash_of(method) != row["method_id"]:
        problem = "is not the id of the method's settings"
        raise InputError(where, "method_id", row["method_id"], problem, "export the store again")
    return dict(method)
