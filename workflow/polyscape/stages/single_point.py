"""A slot: its structure climbs the ladder to the slot's level."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms

from polyscape.levels.cost import predict_work
from polyscape.levels.ladder import Rung, climb
from polyscape.levels.relaxation import Relaxation
from polyscape.levels.store import Store
from polyscape.schemas import POINTS
from polyscape.settings.levels import Level
from polyscape.stages.references import Reference, judged
from polyscape.stages.rows import reduced_atoms
from polyscape.status import Status


@dataclass(frozen=True)
class CountedLevels:
    """The levels of a campaign and what their lattice energies count from."""

    levels: Sequence[Level]
    reference: Reference


def single_point(
    landscape: pd.DataFrame, row: pd.Series, counted: CountedLevels, store: Store, scratch: Path
) -> tuple[pd.DataFrame, bool]:
    """The points of one row of the selection, an empty table for an empty slot, and whether to write it here.

    Parameters
    ----------
    landscape : pandas.DataFrame
        Table `landscape`.
    row : pandas.Series
        The slot's row of table `selection`.
    counted : CountedLevels
        The whole ladder.
    store : Store
        Where results are looked for and kept.
    scratch : pathlib.Path
        Folder for temporary files.
    """
    if pd.isna(row["structure_id"]):
        return POINTS.from_rows([]), True
    structure = landscape.set_index("structure_id").loc[row["structure_id"]]
    levels = counted.levels
    top = [level.name for level in levels].index(row["level"])
    atoms, units = reduced_atoms(structure), int(structure["formula_units"])
    rungs, is_root = climb(atoms, levels[: top + 1], store, scratch)
    rows = [point_row(row["structure_id"], units, rung) | predicted(atoms, levels, rung) for rung in rungs]
    return POINTS.from_rows(judged(rows, structure, counted.reference)), is_root


def predicted(atoms: Atoms, levels: Sequence[Level], rung: Rung) -> dict[str, object]:
    """The columns of a row of table `points` that say what the point was predicted to take; none if not attempted."""
    work = rung.point.work
    if work is None:
        return {}
    index = [level.name for level in levels].index(rung.point.level)
    cost = predict_work(atoms, levels, index, work)
    return {"predicted_core_s": cost.core_s, "predicted_memory_MB": cost.memory_MB}


def point_row(structure_id: str, formula_units: int, rung: Rung) -> dict[str, object]:
    """A row of table `points`, without what was predicted."""
    point = rung.point
    values: dict[str, object] = {
        "structure_id": structure_id,
        "level": point.level,
        "method_id": rung.method,
        "status": str(point.status),
        "message": point.message,
        "formula_units": formula_units,
        "source": rung.source,
        "store_key": rung.store_key,
    }
    if point.energy_eV is not None:
        values["electronic_energy_eV"] = point.energy_eV
        values["dispersion_energy_eV"] = rung.dispersion_eV
        values["total_energy_eV"] = point.energy_eV + rung.dispersion_eV
    if rung.relaxation is not None:
        values |= _relaxation_values(rung.relaxation)
    return values | (vars(point.work) if point.work is not None else {})


def _relaxation_values(relaxation: Relaxation) -> dict[str, object]:
    """The columns of a relaxation; its last geometry is kept however it ended."""
    return {
        "relaxed": relaxation.what,
        "relaxation_steps": relaxation.steps,
        "relaxation_converged": relaxation.status in (Status.OK, Status.BROKEN),
        "connectivity_kept": relaxation.connectivity_kept,
        "relaxation_rmsd_A": relaxation.rmsd_A,
        "volume_change_percent": relaxation.volume_change_percent,
        "relaxed_cell_A": np.asarray(relaxation.atoms.cell).ravel().tolist(),
        "relaxed_fractional": relaxation.atoms.get_scaled_positions(wrap=False).ravel().tolist(),
    }
