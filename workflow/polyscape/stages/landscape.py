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
from polyscape.search.similarity import Fingerprint, Overlay
from polyscape.settings.search import LandscapeSettings
from polyscape.stages.rows import (
    conformers_of,
    enthalpy_kJ_per_mol,
    formula_units_of,
    packing_of,
    packing_values,
    reduced_atoms,
    reduced_values,
)
from polyscape.status import Status

_TERMS = ("electrostatic", "repulsion", "dispersion", "intramolecular", "lattice_energy", "pressure_volume")


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
            enthalpy_kJ_per_mol(inside), inside.density_g_per_cm3, prepared, strict=True
        )
    ]
    same = np.array(representatives(candidates, settings), int)
    distinct = np.unique(same)
    rows = _rows(inside, prepared, same, rigid)
    for form in _forms(known_forms, rigid):
        for match in find_form(form, [candidates[i] for i in distinct], settings):
            _add_match(rows[distinct[match.index]], form.name, match)
    frame = LANDSCAPE.from_rows(sorted(rows, key=_landscape_order))
    _report(minima, frame, list(known_forms.form))
    return frame


def in_window(minima: pd.DataFrame, window_kJ_per_mol: float) -> pd.DataFrame:
    """The minima within the window of enthalpies above the lowest, in the order of discovery."""
    good = minima[minima.status == Status.OK]
    energy = enthalpy_kJ_per_mol(good)
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


def _rows(
    inside: pd.DataFrame,
    prepared: Sequence[tuple[ReducedCrystal, Fingerprint]],
    same: np.ndarray,
    rigid: Conformers,
) -> list[dict[str, Any]]:
    rows = []
    energy_s = enthalpy_kJ_per_mol(inside)
    for index, source in enumerate(_records(inside)):
        row = {
            "structure_id": source["trial_id"],
            **packing_values(packing_of(source), int(source["space_group"]), source["origin"]),
            **{f"{term}_kJ_per_mol": source[f"{term}_kJ_per_mol"] for term in _TERMS},
            "relative_energy_kJ_per_mol": energy_s.iloc[index] - energy_s.min(),
            "density_g_per_cm3": source["density_g_per_cm3"],
            "hits": 0,
        }
        if same[index] == index:
            row["hits"] = int(np.count_nonzero(same == index))
            row |= _distinct_values(*prepared[index], rigid)
        else:
            row["duplicate_of"] = inside.trial_id.iloc[same[index]]
        rows.append(row)
    return rows


def _distinct_values(reduced: ReducedCrystal, fingerprint: Fingerprint, rigid: Conformers) -> dict[str, Any]:
    """The columns that only a representative has."""
    formula_units = formula_units_of(reduced.molecules, rigid)
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


def _add_match(row: dict[str, Any], name: str, match: Match) -> None:
    """Note a known form in the row of a structure; a structure may be several (one form at two temperatures)."""
    said = {
        "form": name,
        "found": match.found,
        "molecules": match.experimental.molecules,
        "rmsd_A": _finite_rmsd_A(match.experimental),
        "minimised_rmsd_A": _finite_rmsd_A(match.minimised),
    }
    row["known_forms"] = [*row.get("known_forms", []), said]
    if match.found:
        row["known_form"] = f"{row['known_form']}, {name}" if "known_form" in row else name


def _finite_rmsd_A(overlay: Overlay | None) -> float | None:
    return overlay.rmsd_A if overlay is not None and np.isfinite(overlay.rmsd_A) else None


def _landscape_order(row: dict[str, Any]) -> tuple[float, tuple[int, int, str]]:
    return row["relative_energy_kJ_per_mol"], discovery_order(row["structure_id"])


def _report(minima: pd.DataFrame, frame: pd.DataFrame, forms: Sequence[str]) -> None:
    """What came of it, on stderr."""
    distinct = frame[frame.duplicate_of.isna()].reset_index(drop=True)
    converged = int((minima.status == Status.OK).sum())
    print(
        f"{len(minima)} minimisations, {converged} converged, {len(frame)} in the window, {len(distinct)} distinct",
        file=sys.stderr,
    )
    for name in forms:
        matches = [
            (not match["found"], _match_words(rank, row, match))
            for rank, row in enumerate(_records(distinct), start=1)
            for match in (row["known_forms"] if row["known_forms"] is not None else ())
            if match["form"] == name
        ]
        if not any(not lost for lost, _ in matches):
            matches.append((False, "not found by the search"))
        print(f"known form {name}: {'; '.join(words for _, words in sorted(matches))}", file=sys.stderr)


def _match_words(rank: int, row: dict[str, Any], match: dict[str, Any]) -> str:
    """A known form and one structure in words."""
    place = (
        f"{row['structure_id']}, rank {rank}, {row['relative_energy_kJ_per_mol']:.2f} kJ/mol above the lowest"
    )
    apart = "does not overlay"
    if match["rmsd_A"] is not None:
        apart = f"RMSD {match['rmsd_A']:.3f} A over {match['molecules']} molecules from"
    if match["found"]:
        return f"found as {place}, {apart} the published crystal"
    return f"its force-field minimum is {place}, {apart} the published crystal: not counted as found"
