"""Stage `landscape`: the distinct structures in the energy window, reduced, with known forms marked."""

import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyscape.crystal.packing import Conformers, Packing
from polyscape.crystal.reduction import ReducedCrystal, reduce_packing
from polyscape.ids import discovery_order
from polyscape.schemas import LANDSCAPE
from polyscape.search.duplicates import Minimum, representatives
from polyscape.search.known import Form, Match, find_form
from polyscape.search.similarity import Fingerprint
from polyscape.settings.search import LandscapeSettings
from polyscape.stages.rows import conformers_of, packing_of, packing_values, reduced_atoms, reduced_values
from polyscape.status import Status

_TERMS = ("electrostatic", "repulsion", "dispersion", "intramolecular", "lattice_energy")


def make_landscape(
    molecule: pd.DataFrame,
    conformers: pd.DataFrame,
    known_forms: pd.DataFrame,
    minima: pd.DataFrame,
    settings: LandscapeSettings,
    cores: int,
) -> pd.DataFrame:
    """The minima within the energy window, each a distinct structure or a duplicate of one.

    Parameters
    ----------
    molecule, conformers, known_forms, minima : pandas.DataFrame
        The tables of these names.
    settings : LandscapeSettings
        Window and tolerances.
    cores : int
        Processes; results do not depend on it.
    """
    rigid = conformers_of(molecule, conformers)
    inside = in_window(minima, settings.window_kJ_per_mol)
    prepared = _prepare([packing_of(row) for row in _records(inside)], rigid, cores)
    candidates = [
        Minimum(energy, density, fingerprint)
        for energy, density, (_, fingerprint) in zip(
            inside.lattice_energy_kJ_per_mol, inside.density_g_per_cm3, prepared, strict=True
        )
    ]
    same = np.array(representatives(candidates, settings), int)
    distinct = np.unique(same)
    matches = {
        form.name: find_form(form, [candidates[i] for i in distinct], settings)
        for form in _forms(known_forms, rigid)
    }
    rows = _rows(inside, prepared, same, _molecules_per_formula_unit(rigid))
    for name, match in matches.items():
        if match is not None:
            rows[distinct[match.index]] |= _match_values(name, match)
    frame = LANDSCAPE.from_rows(sorted(rows, key=_landscape_order))
    _report(minima, frame, matches)
    return frame


def in_window(minima: pd.DataFrame, window_kJ_per_mol: float) -> pd.DataFrame:
    """The minima within the window above the lowest, in the order of discovery."""
    good = minima[minima.status == Status.OK]
    energy = good.lattice_energy_kJ_per_mol
    good = good[energy <= energy.min() + window_kJ_per_mol]
    order = sorted(range(len(good)), key=lambda i: discovery_order(good.trial_id.iloc[i]))
    return good.iloc[order].reset_index(drop=True)


def _reduce(task: tuple[Packing, Conformers]) -> tuple[ReducedCrystal, Fingerprint]:
    reduced = reduce_packing(*task)
    return reduced, Fingerprint(reduced.atoms, reduced.first_m)


def _prepare(
    packings: Sequence[Packing], conformers: Conformers, cores: int
) -> list[tuple[ReducedCrystal, Fingerprint]]:
    """Every packing reduced and fingerprinted; the costly part that has no order."""
    tasks = [(packing, conformers) for packing in packings]
    if cores == 1 or len(tasks) < 2 * cores:
        return [_reduce(task) for task in tasks]
    with ProcessPoolExecutor(cores) as pool:
        return list(pool.map(_reduce, tasks, chunksize=max(1, len(tasks) // (8 * cores))))


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _molecules_per_formula_unit(conformers: Conformers) -> int:
    """Molecules of a formula unit: the sum of the components' stoichiometries."""
    return sum({component: rigid.stoichiometry for (component, _), rigid in conformers.items()}.values())


def _rows(
    inside: pd.DataFrame,
    prepared: Sequence[tuple[ReducedCrystal, Fingerprint]],
    same: np.ndarray,
    molecules_per_formula_unit: int,
) -> list[dict[str, Any]]:
    rows = []
    lowest = inside.lattice_energy_kJ_per_mol.min()
    for index, source in enumerate(_records(inside)):
        row = {
            "structure_id": source["trial_id"],
            **packing_values(packing_of(source), int(source["space_group"]), source["origin"]),
            **{f"{term}_kJ_per_mol": source[f"{term}_kJ_per_mol"] for term in _TERMS},
            "relative_energy_kJ_per_mol": source["lattice_energy_kJ_per_mol"] - lowest,
            "density_g_per_cm3": source["density_g_per_cm3"],
            "hits": 0,
        }
        if same[index] == index:
            row["hits"] = int(np.count_nonzero(same == index))
            row |= _distinct_values(*prepared[index], molecules_per_formula_unit)
        else:
            row["duplicate_of"] = inside.trial_id.iloc[same[index]]
        rows.append(row)
    return rows


def _distinct_values(
    reduced: ReducedCrystal, fingerprint: Fingerprint, molecules_per_formula_unit: int
) -> dict[str, Any]:
    """The columns that only a representative has."""
    formula_units = reduced.molecules // molecules_per_formula_unit
    return {
        **reduced_values(reduced.atoms, formula_units),
        "symmetry_found": reduced.symbol,
        "space_group_found": reduced.space_group,
        "z_prime_found": formula_units / reduced.order,
        "amd_A": [float(value) for value in fingerprint.amd_k],
    }


def _forms(known_forms: pd.DataFrame, rigid: Conformers) -> list[Form]:
    forms = []
    for row in _records(known_forms):
        first_m = _molecule_starts(rigid, int(row["formula_units"]))
        experimental = Fingerprint(reduced_atoms(row), first_m)
        minimised = None
        if row["status"] == Status.OK:
            relaxed = {"reduced_cell_A": row["minimised_cell_A"], "fractional": row["minimised_fractional"]}
            minimised = Fingerprint(reduced_atoms(row | relaxed), first_m)
        forms.append(Form(str(row["form"]), float(row["density_g_per_cm3"]), experimental, minimised))
    return forms


def _molecule_starts(rigid: Conformers, formula_units: int) -> NDArray[np.int64]:
    """Where the molecules of a known form begin: they are sorted by component."""
    components = {component: molecule for (component, _), molecule in sorted(rigid.items())}
    sizes = [
        len(molecule.atomic_number_a)
        for molecule in components.values()
        for _ in range(molecule.stoichiometry * formula_units)
    ]
    return np.cumsum([0, *sizes])


def _match_values(name: str, match: Match) -> dict[str, Any]:
    values: dict[str, Any] = {"known_form": name, "known_form_molecules": match.experimental.molecules}
    if np.isfinite(match.experimental.rmsd_A):
        values["known_form_rmsd_A"] = match.experimental.rmsd_A
    if match.minimised is not None and np.isfinite(match.minimised.rmsd_A):
        values["known_form_minimised_rmsd_A"] = match.minimised.rmsd_A
    return values


def _landscape_order(row: dict[str, Any]) -> tuple[float, tuple[int, int, str]]:
    return row["lattice_energy_kJ_per_mol"], discovery_order(row["structure_id"])


def _report(minima: pd.DataFrame, frame: pd.DataFrame, matches: dict[str, Match | None]) -> None:
    """What came of it, on stderr."""
    distinct = frame[frame.duplicate_of.isna()].reset_index(drop=True)
    converged = int((minima.status == Status.OK).sum())
    print(
        f"{len(minima)} minimisations, {converged} converged, {len(frame)} in the window, {len(distinct)} distinct",
        file=sys.stderr,
    )
    for name in matches:
        found = distinct.index[(distinct.known_form == name).fillna(False)]
        if len(found) == 0:
            print(f"known form {name}: not found by the search", file=sys.stderr)
            continue
        row = distinct.loc[found[0]]
        print(
            f"known form {name}: found as {row.structure_id}, rank {found[0] + 1}, "
            f"{row.relative_energy_kJ_per_mol:.2f} kJ/mol above the lowest, RMSD {row.known_form_rmsd_A:.3f} A "
            f"over {row.known_form_molecules} molecules",
            file=sys.stderr,
        )
