"""Distinct minima that are saddles once their symmetry is let go: taken down to the true minimum.

A minimisation keeps the space group of its trial, so that it may end where a motion that breaks the symmetry lowers
the energy.  The Hessian of all molecules of the cell tells; it costs several minimisations, and is computed for the
distinct structures of the landscape only.
"""

import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pandas as pd

from polyscape.crystal.packing import Conformers
from polyscape.energy.protocol import EnergyTerms, Minimisation, Minimiser
from polyscape.schemas import MINIMA
from polyscape.stages.minimise import minimum_row
from polyscape.stages.rows import packing_of
from polyscape.status import Status

_TERMS = ("electrostatic", "repulsion", "dispersion", "intramolecular", "pressure_volume")


def below_saddles(
    landscape: pd.DataFrame, minima: pd.DataFrame, rigid: Conformers, minimiser: Minimiser, cores: int
) -> pd.DataFrame:
    """The table `minima` with true minima in the place of saddles among the distinct structures; itself without any.

    The duplicates of a saddle follow it, unless they lie lower already.

    Parameters
    ----------
    landscape, minima : pandas.DataFrame
        The tables of these names.
    rigid : Mapping
        The rigid molecules.
    minimiser : Minimiser
        Of these molecules.
    cores : int
        Structures at a time; the result does not depend on it.
    """
    found = {str(row["trial_id"]): row for row in _records(minima) if row["status"] == Status.OK}
    distinct = landscape[landscape.duplicate_of.isna()].structure_id
    stationary = {name: _minimisation(found[name]) for name in map(str, distinct)}
    with ThreadPoolExecutor(cores) as pool:
        ends = dict(zip(stationary, pool.map(minimiser.leave_saddle, stationary.values()), strict=True))
    lower = {name: end for name, end in ends.items() if end is not stationary[name]}
    print(f"{len(distinct)} distinct structures, {len(lower)} of them saddles, left", file=sys.stderr)
    changed = {
        name: minimum_row(found[name], lower[leader], rigid)
        for name, leader in _followers(landscape)
        if leader in lower and _enthalpy(found[name]) > _enthalpy_of(lower[leader])
    }
    if not changed:
        return minima
    return MINIMA.from_rows([changed.get(str(row["trial_id"]), row) for row in _records(minima)])


def _followers(landscape: pd.DataFrame) -> Iterable[tuple[str, str]]:
    """Every structure with the one that represents it."""
    leaders = landscape.duplicate_of.where(landscape.duplicate_of.notna(), landscape.structure_id)
    return zip(map(str, landscape.structure_id), map(str, leaders), strict=True)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _minimisation(row: Mapping[str, Any]) -> Minimisation:
    """The end of a minimisation, from its row."""
    return Minimisation(
        packing=packing_of(row),
        terms=EnergyTerms(*(float(row[f"{term}_kJ_per_mol"]) for term in _TERMS)),
        gradient_norm=float(row["gradient_norm_kJ_per_mol_A"]),
        steps=int(row["steps"]),
        evaluations=int(row["evaluations"]),
        status=Status.OK,
    )


def _enthalpy(row: Mapping[str, Any]) -> float:
    return float(row["lattice_energy_kJ_per_mol"] + row["pressure_volume_kJ_per_mol"])


def _enthalpy_of(end: Minimisation) -> float:
    return float("inf") if end.terms is None else end.terms.enthalpy
