"""Stage `minimise`: every trial of a chunk relaxed on the force field's surface."""

import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pandas as pd

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Conformers
from polyscape.energy.protocol import Minimisation, Minimiser
from polyscape.energy.rigid import build_minimiser
from polyscape.schemas import MINIMA
from polyscape.settings.search import EnergySettings, MinimiserSettings
from polyscape.stages.rows import conformers_of, packing_of, packing_values
from polyscape.status import Status

_SECONDS_BETWEEN_LINES = 5.0


def minimise_trials(
    molecule: pd.DataFrame,
    conformers: pd.DataFrame,
    trials: pd.DataFrame,
    energy: EnergySettings,
    minimiser: MinimiserSettings,
    cores: int,
) -> pd.DataFrame:
    """The minima below the trials, in their order; a rejected trial keeps its row and status.

    Parameters
    ----------
    molecule, conformers, trials : pandas.DataFrame
        Tables of those names.
    energy, minimiser : EnergySettings, MinimiserSettings
        The force field and the minimiser.
    cores : int
        Minimisations that run at a time; the result does not depend on it.
    """
    rigid = conformers_of(molecule, conformers)
    built = build_minimiser(rigid, energy, minimiser)
    listed = trials.to_dict("records")
    with ThreadPoolExecutor(cores) as pool:
        rows = pool.map(lambda trial: _minimum(trial, rigid, built), listed)
        return MINIMA.from_rows(list(_reported(rows, len(listed))))


def minimum_values(end: Minimisation) -> dict[str, Any]:
    """The columns that tell how a minimisation ended; no energies unless it converged."""
    values: dict[str, Any] = {
        "gradient_norm_kJ_per_mol_A": end.gradient_norm,
        "steps": end.steps,
        "evaluations": end.evaluations,
        "status": str(end.status),
    }
    if end.terms is not None:
        values |= {
            "electrostatic_kJ_per_mol": end.terms.electrostatic,
            "repulsion_kJ_per_mol": end.terms.repulsion,
            "dispersion_kJ_per_mol": end.terms.dispersion,
            "intramolecular_kJ_per_mol": end.terms.intramolecular,
            "lattice_energy_kJ_per_mol": end.terms.total,
            "pressure_volume_kJ_per_mol": end.terms.pressure_volume,
        }
    return values


def minimum_row(trial: Mapping[str, Any], end: Minimisation, rigid: Conformers) -> dict[str, Any]:
    """The row of a trial whose minimisation ended; the space group is the end's, which may be a subgroup."""
    number = SpaceGroup.from_hall(end.packing.hall_symbol).number
    row = {"trial_id": trial["trial_id"]} | packing_values(end.packing, number, trial["origin"])
    if end.terms is not None:
        row["density_g_per_cm3"] = end.packing.density_g_per_cm3(rigid)
    return row | minimum_values(end)


def _minimum(trial: dict[str, Any], rigid: Conformers, minimiser: Minimiser) -> dict[str, Any]:
    """The row of one trial."""
    packing = packing_of(trial)
    if trial["status"] == Status.OK:
        return minimum_row(trial, minimiser.minimise(packing), rigid)
    values = packing_values(packing, trial["space_group"], trial["origin"])
    rejected = {"steps": 0, "evaluations": 0, "status": trial["status"]}
    return {"trial_id": trial["trial_id"]} | values | rejected


def _reported(rows: Iterator[dict[str, Any]], total: int) -> Iterator[dict[str, Any]]:
    """The rows, with a line on stderr every few seconds and at the end."""
    start = last = time.monotonic()
    for done, row in enumerate(rows, 1):
        yield row
        now = time.monotonic()
        if now - last > _SECONDS_BETWEEN_LINES or done == total:
            print(f"minimised {done}/{total} in {now - start:.0f} s", file=sys.stderr, flush=True)
            last = now
