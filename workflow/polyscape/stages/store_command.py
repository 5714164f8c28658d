"""What scripts/store.py prints: results, methods, and what is damaged."""

import sys
from pathlib import Path
from typing import Any

from polyscape.levels.store import Store, read_method
from polyscape.stages.store_import import bring_in
from polyscape.stages.stored_results import (
    Choice,
    entry_files,
    export,
    method_folders,
    method_words,
    table,
    verify,
)


def act(action: str, store: Path, choice: Choice, file: Path | None = None) -> int:
    """List, describe, verify, export or import; the exit code: 0, or 1 when a file is damaged.

    Raises
    ------
    InputError
        When there is no such store, the file to export to has no known suffix, or that to import is no table of results.
    """
    if action == "import" and file is not None:
        return _bring_in(store, file)
    if action == "methods":
        return _methods(store, choice)
    if action == "verify":
        return _verify(store, choice)
    results, damaged = table(store, choice)
    if action == "export" and file is not None:
        export(results, file)
        print(f"{len(results)} results written to {file}")
    else:
        _list(results.astype(object).where(results.notna(), None).to_dict("records"))
    for path in damaged:
        print(f"warning: {path} is damaged and left out", file=sys.stderr)
    return 1 if damaged else 0


def _bring_in(store: Path, file: Path) -> int:
    counts = bring_in(file, Store(store))
    print(f"{counts['added']} results added to {store}, {counts['before']} were there")
    if counts["relaxed"]:
        print(
            f"warning: {counts['relaxed']} results of relaxations left out: copy their store", file=sys.stderr
        )
    return 0


def _list(rows: list[dict[Any, Any]]) -> None:
    print(f"{'key':49} {'formula':14} {'volume/A3':>10} {'energy/eV':>16} {'core s':>9}  remedy")
    for row in rows:
        kind = f" ({row['charge']:+d})" if row["charge"] else "" if row["periodic"] else " (mol)"
        formula = f"{row['formula']}{kind}"
        print(
            f"{row['store_key']:49} {formula:14} {row['volume_A3']:10.2f} "
            f"{row['electronic_energy_eV']:16.6f} {row['core_s']:9.1f}  {'' if row['message'] is None else row['message']}"
        )
    print(f"{len(rows)} results")


def _methods(store: Path, choice: Choice) -> int:
    for folder in method_folders(store, choice):
        count = sum(1 for _ in entry_files(store, Choice(folder.name, choice.formula)))
        print(f"{folder.name}  {count:6} results  {method_words(read_method(folder))}")
    return 0


def _verify(store: Path, choice: Choice) -> int:
    verdict = verify(store, choice)
    for path, reason in verdict.damaged:
        print(f"damaged: {path}: {reason}")
    for path in verdict.left_over:
        print(f"left by a killed job, harmless: {path}")
    print(f"{verdict.sound} sound, {len(verdict.damaged)} damaged")
    return 1 if verdict.damaged else 0
