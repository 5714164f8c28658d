"""Crystals of other generators in the form of the table `trials`: checked at once, and made packings."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from polyscape.crystal.cif import CifError
from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Conformers, Packing
from polyscape.errors import InputError
from polyscape.schemas import TRIALS
from polyscape.stages.rows import packing_of
from polyscape.status import Status
from polyscape.tables import TableError

_FORM: Final = "give it the form of the table trials"
_SHORTEST_A: Final = 1.0
_FLATTEST: Final = 1e-3
"""Volume of a cell over the product of its lengths: no lattice of molecules is flatter."""


def check_table(file: Path, components: int) -> None:
    """Refuse a Parquet file that is no table of trials, holds none, or one that is no crystal of the components.

    Raises
    ------
    CifError
        Naming the trial.
    """
    rows = _good_rows(file)
    if not rows:
        raise CifError("holds no crystal that is not rejected", "take it out of the list")
    for row in rows:
        problem = _problem(row, components)
        if problem is not None:
            raise CifError(f"{row['trial_id']} {problem}", "mend or remove that row")


def table_packings(file: Path, rigid: Conformers) -> Iterator[Packing]:
    """The crystals of a table of trials, rejected ones left out.

    Raises
    ------
    InputError
        When one is of other conformers, or no crystal of whole formula units.
    """
    for row in _good_rows(file):
        packing = packing_of(row)
        strange = [p.conformer for p in packing.poses if (p.component, p.conformer) not in rigid]
        if strange:
            problem = f"{row['trial_id']} holds conformer {strange[0]}, searched are "
            problem += ", ".join(sorted(name for _, name in rigid))
            raise InputError(str(file), "", "", problem, "add it to molecule.components[].conformers")
        _check_content(packing, rigid, file, str(row["trial_id"]))
        yield packing


def _good_rows(file: Path) -> list[dict[str, Any]]:
    try:
        trials = TRIALS.read(file)
    except TableError as error:
        raise CifError(str(error).removeprefix(f"{file}: "), _FORM) from error
    good = trials[trials.status == Status.OK]
    return [{str(key): value for key, value in row.items()} for row in good.to_dict("records")]


def _problem(row: Mapping[str, Any], components: int) -> str | None:
    """What makes a row no crystal; None for a good one."""
    lengths = [float(row[f"{axis}_A"]) for axis in "abc"]
    x, y, z = (np.cos(np.radians(float(row[f"{angle}_deg"]))) for angle in ("alpha", "beta", "gamma"))
    if min(lengths) < _SHORTEST_A or 1 - x * x - y * y - z * z + 2 * x * y * z < _FLATTEST**2:
        return "has a cell that no lattice has"
    try:
        SpaceGroup.from_hall(str(row["hall_symbol"]))
    except (ValueError, RuntimeError):
        return f"has the Hall symbol {row['hall_symbol']!r}, which is none"
    held = {int(pose["component"]) for pose in row["poses"]}
    if held - set(range(components)):
        return f"holds a molecule of component {max(held)}, the config has {components}"
    if len(held) < components:
        return "lacks a component"
    if any(abs(_norm(pose) - 1) > 0.01 for pose in row["poses"]):
        return "has a quaternion that is no rotation"
    return None


def _norm(pose: Mapping[str, float]) -> float:
    return float(np.linalg.norm([pose[name] for name in ("qw", "qx", "qy", "qz")]))


def _check_content(packing: Packing, rigid: Conformers, file: Path, name: str) -> None:
    """Refuse sites that a molecule has not the symmetry of, and molecules out of proportion."""
    try:
        images = packing.molecules(rigid)
    except ValueError as error:
        raise InputError(str(file), "", "", f"{name}: {error}", "mend or remove that row") from error
    held: Counter[int] = Counter()
    for pose, own in zip(packing.poses, images, strict=True):
        held[pose.component] += len(own)
    wanted = {component: one.stoichiometry for (component, _), one in rigid.items()}
    if len({held[component] / count for component, count in wanted.items()}) > 1:
        counts: Sequence[str] = [f"{held[c]} of component {c}" for c in sorted(wanted)]
        problem = f"{name} holds {', '.join(counts)}, not in the proportion of the components"
        raise InputError(str(file), "", "", problem, "mend or remove that row")
