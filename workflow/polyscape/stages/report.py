"""Stage 7: from the tables of a campaign to what the report shows."""

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from polyscape.crystal.groups import SpaceGroup
from polyscape.errors import InputError
from polyscape.report.model import (
    CalibrationRow,
    Component,
    Cost,
    GroupSearch,
    KnownForm,
    LevelEnergy,
    LevelPoints,
    ReportData,
    RoundState,
    Search,
    Structure,
)
from polyscape.stages.registry import Slice
from polyscape.stages.rows import reduced_atoms
from polyscape.status import Status

_CELL = ("a_A", "b_A", "c_A", "alpha_deg", "beta_deg", "gamma_deg")
_LOW_WINDOW_KJ_PER_MOL = 10.0
"""Polymorphs lie within about 10 kJ/mol of the lowest structure; rounds are judged by what they tell about these."""

_SHOWN_ELSEWHERE = frozenset({"campaign", "known_forms", "report"})


@dataclass(frozen=True)
class ReportTables:
    """The tables of a finished campaign; `trials`, `minima` and `calibration` may be empty.

    `points` may hold a structure's level several times: computed in one round, found in the store by a later one.
    """

    molecule: pd.DataFrame
    conformers: pd.DataFrame
    known_forms: pd.DataFrame
    landscape: pd.DataFrame
    dispersion: pd.DataFrame
    points: pd.DataFrame
    posteriors: tuple[pd.DataFrame, ...]
    ranking: pd.DataFrame
    ledger: pd.DataFrame
    trials: pd.DataFrame
    minima: pd.DataFrame
    calibration: pd.DataFrame


def report_data(tables: ReportTables, part: Slice, provenance: Mapping[str, str]) -> ReportData:
    """Gather what the page, the picture and the exports show.

    Parameters
    ----------
    tables : ReportTables
        The tables of the campaign.
    part : Slice
        The report's settings.
    provenance : mapping
        Names and versions to show at the page's end; may be empty.

    Raises
    ------
    InputError
        When the campaign found no structure.
    """
    if tables.ranking.empty:
        remedy = (
            "search longer (search.trials_per_space_group), in more space groups, or with other conformers"
        )
        raise InputError("ranking", "", "no row", "the campaign found no structure", remedy)
    structures = _structures(tables)
    levels = tuple(energy.level for energy in structures[0].levels)
    return ReportData(
        campaign=part["campaign"],
        components=_components(tables.conformers),
        levels=levels,
        structures=structures,
        known_forms=_known_forms(tables, structures),
        search=_search(tables),
        points=tuple(_level_points(tables.points, level) for level in levels[1:]),
        rounds=_rounds(tables.posteriors, levels),
        costs=_costs(tables.ledger),
        calibration=_calibration(tables.calibration),
        settings={key: value for key, value in part.values.items() if key not in _SHOWN_ELSEWHERE},
        provenance=dict(provenance),
        listed=part["report"].structures,
    )


def _structures(tables: ReportTables) -> tuple[Structure, ...]:
    """The ranked structures with their geometry; energies at each level are taken above that level's lowest."""
    rows = tables.ranking.sort_values("rank").to_dict("records")
    lowest: dict[str, float] = {}
    for row in rows:
        for energy in row["levels"]:
            value = float(energy["lattice_energy_kJ_per_mol"])
            lowest[energy["level"]] = min(value, lowest.get(energy["level"], value))
    geometry = {row["structure_id"]: row for row in tables.landscape.to_dict("records")}
    dispersion: dict[str, dict[str, float]] = {}
    for item in tables.dispersion.to_dict("records"):
        dispersion.setdefault(item["structure_id"], {})[item["level"]] = float(item["dispersion_kJ_per_mol"])
    return tuple(
        _structure(row, geometry[row["structure_id"]], lowest, dispersion.get(row["structure_id"], {}))
        for row in rows
    )


def _structure(
    row: Mapping[Hashable, Any],
    crystal: Mapping[Hashable, Any],
    lowest: Mapping[str, float],
    dispersion: dict[str, float],
) -> Structure:
    levels = tuple(
        LevelEnergy(
            level=energy["level"],
            lattice_energy_kJ_per_mol=float(energy["lattice_energy_kJ_per_mol"]),
            relative_energy_kJ_per_mol=float(energy["lattice_energy_kJ_per_mol"]) - lowest[energy["level"]],
            sd_kJ_per_mol=float(energy["sd_kJ_per_mol"]),
            computed=bool(energy["computed"]),
            rank=int(energy["rank"]),
        )
        for energy in row["levels"]
    )
    atoms = reduced_atoms({str(key): value for key, value in crystal.items()})
    has_setting = all(_real(crystal[name]) is not None for name in _CELL)
    cell = (
        tuple(float(crystal[name]) for name in _CELL)
        if has_setting
        else tuple(map(float, atoms.cell.cellpar()))
    )
    return Structure(
        structure_id=row["structure_id"],
        rank=int(row["rank"]),
        relative_energy_kJ_per_mol=float(row["relative_energy_kJ_per_mol"]),
        sd_kJ_per_mol=float(row["sd_kJ_per_mol"]),
        sd_relative_kJ_per_mol=float(row["sd_relative_kJ_per_mol"]),
        p_rank_1=float(row["p_rank_1"]),
        p_lowest_5=float(row["p_lowest_5"]),
        rank_low=int(row["rank_low"]),
        rank_high=int(row["rank_high"]),
        levels=levels,
        density_g_per_cm3=float(row["density_g_per_cm3"]),
        symmetry=row["symmetry_found"],
        z_prime=float(row["z_prime_found"]),
        formula_units=int(crystal["formula_units"]),
        hits=int(row["hits"]),
        known_form=_text(row["known_form"]),
        cell=cell,
        atoms=atoms,
        dispersion_kJ_per_mol=dispersion,
    )


def _known_forms(tables: ReportTables, structures: tuple[Structure, ...]) -> tuple[KnownForm, ...]:
    """Each known form with the best-ranked structure that matches it."""
    matches = {row["structure_id"]: row for row in tables.landscape.to_dict("records")}
    lowest_ff = tables.landscape.lattice_energy_kJ_per_mol.min()
    forms = []
    for row in tables.known_forms.to_dict("records"):
        found = next((s for s in structures if s.known_form == row["form"]), None)
        match = matches[found.structure_id] if found else None
        own = _real(row["lattice_energy_kJ_per_mol"])
        molecules = _real(match["known_form_molecules"]) if match else None
        forms.append(
            KnownForm(
                name=row["form"],
                source=row["source"],
                citation=_text(row["citation"]),
                z=int(row["z"]),
                z_prime=float(row["z_prime"]),
                conformers=row["conformers"],
                conformer_rmsd_A=float(row["conformer_rmsd_A"]),
                conformer_searched=bool(row["conformer_searched"]),
                density_g_per_cm3=float(row["density_g_per_cm3"]),
                structure=found,
                match_rmsd_A=_real(match["known_form_rmsd_A"]) if match else None,
                match_minimised_rmsd_A=_real(match["known_form_minimised_rmsd_A"]) if match else None,
                match_molecules=None if molecules is None else int(molecules),
                ff_relative_energy_kJ_per_mol=None if own is None else own - float(lowest_ff),
                minimised_density_g_per_cm3=_real(row["minimised_density_g_per_cm3"]),
                minimised_rmsd_A=_real(row["minimised_rmsd_A"]),
            )
        )
    return tuple(forms)


def _search(tables: ReportTables) -> Search:
    """Counts by space group of the search; trials and failures only when those tables were given."""
    distinct = tables.landscape[tables.landscape.duplicate_of.isna()]
    searched = tables.trials if len(tables.trials) else tables.landscape[tables.landscape.origin == "search"]
    settings = searched.groupby("space_group", sort=True).hall_symbol.first()
    groups = []
    for group, hall in settings.items():
        trials = tables.trials[tables.trials.space_group == group] if len(tables.trials) else None
        minima = tables.minima[tables.minima.space_group == group] if len(tables.minima) else None
        own = distinct[distinct.space_group == group]
        groups.append(
            GroupSearch(
                symbol=_screw_axes_marked(SpaceGroup.from_hall(str(hall))),
                number=int(str(group)),
                trials=None if trials is None else len(trials),
                accepted=None if trials is None else int((trials.status == Status.OK).sum()),
                converged=None if minima is None else int((minima.status == Status.OK).sum()),
                in_window=int((tables.landscape.space_group == group).sum()),
                distinct=len(own),
                hits=int(own.hits.sum()),
            )
        )
    hits = distinct.loc[distinct.origin == "search", "hits"]
    total, once = int(hits.sum()), int((hits == 1).sum())
    failed = pd.concat([tables.trials.status, tables.minima.status[tables.minima.status != Status.SKIPPED]])
    failures = failed[failed != Status.OK].value_counts()
    return Search(
        groups=tuple(groups),
        failures=tuple(sorted((str(status), int(count)) for status, count in failures.items())),
        coverage=1.0 - once / total if total else None,
        found_once=once,
    )


def _screw_axes_marked(group: SpaceGroup) -> str:
    """Short Hermann-Mauguin symbol with the translation of a screw axis behind an underscore, ``P2_1/c``."""
    letter, *directions = group.symbol_extended.split(":")[0].split()
    if group.crystal_system == "monoclinic":
        directions = [direction for direction in directions if direction != "1"]
    return letter + "".join(re.sub("^([2346])([1-5])", r"\1_\2", direction) for direction in directions)


def _level_points(points: pd.DataFrame, level: str) -> LevelPoints:
    """What became of a level's single points; of repeated ones the good count before the failed, the computed first."""
    own = points[(points.level == level) & ~points.structure_id.str.startswith("molecule:")]
    order = pd.DataFrame({"failed": own.status != Status.OK, "stored": own.source != "computed"})
    own = own.loc[order.sort_values(["failed", "stored"], kind="stable").index].drop_duplicates(
        "structure_id"
    )
    good = own[own.status == Status.OK]
    failed = own[own.status != Status.OK].sort_values("structure_id")
    messages = failed.message.where(failed.message.notna(), failed.status)
    return LevelPoints(
        level=level,
        computed=int((good.source == "computed").sum()),
        from_store=int((good.source == "store").sum()),
        failed=tuple(zip(failed.structure_id, map(str, messages), strict=True)),
    )


def _rounds(posteriors: tuple[pd.DataFrame, ...], levels: tuple[str, ...]) -> tuple[RoundState, ...]:
    """How the uncertainty of the low structures at the highest level fell from round to round."""
    states = []
    for index, posterior in enumerate(posteriors):
        top = posterior[posterior.level == levels[-1]]
        if top.empty:
            continue
        low = top[top.mean_kJ_per_mol <= top.mean_kJ_per_mol.min() + _LOW_WINDOW_KJ_PER_MOL]
        states.append(
            RoundState(
                round=index,
                computed=tuple(
                    int(posterior.computed[posterior.level == level].sum()) for level in levels[1:]
                ),
                median_sd_kJ_per_mol=float(np.median(low.sd_kJ_per_mol)),
                leader=str(top.structure_id.iloc[int(np.argmin(top.mean_kJ_per_mol.to_numpy()))]),
            )
        )
    return tuple(states)


def _costs(ledger: pd.DataFrame) -> tuple[Cost, ...]:
    """The ledger by stage and level; a level's price for every structure stands with its single points."""
    full: dict[str, float] = {}
    paid: dict[tuple[str, str], list[dict[Hashable, Any]]] = {}
    for row in ledger.to_dict("records"):
        level = _text(row["level"]) or ""
        if row["kind"] == "full":
            full[level] = full.get(level, 0.0) + float(row["core_s"])
        else:
            paid.setdefault((str(row["stage"]), level), []).append(row)
    costs = []
    for (stage, level), jobs in paid.items():
        memories = [memory for memory in (_real(job["peak_memory_MB"]) for job in jobs) if memory is not None]
        costs.append(
            Cost(
                name=stage,
                level=level or None,
                jobs=len(jobs),
                points=sum(int(job["points"]) for job in jobs),
                core_s=sum(float(job["core_s"]) for job in jobs),
                peak_memory_MB=max(memories, default=None),
                full_core_s=full.pop(level, None) if stage == "single_point" else None,
            )
        )
    costs.extend(Cost("not computed", level or None, 0, 0, 0.0, None, price) for level, price in full.items())
    return tuple(costs)


def _calibration(table: pd.DataFrame) -> tuple[CalibrationRow, ...]:
    return tuple(
        CalibrationRow(
            level=str(row["level"]),
            nominal=float(row["nominal_coverage"]),
            observed=float(row["found_coverage"]),
            points=int(row["points"]),
            mean_error_kJ_per_mol=float(row["mae_kJ_per_mol"]),
            inflation=float(row["inflation"]),
        )
        for row in table.to_dict("records")
    )


def _components(conformers: pd.DataFrame) -> tuple[Component, ...]:
    components = []
    for _, rows in conformers.groupby("component", sort=True):
        ordered = rows.sort_values("intramolecular_kJ_per_mol")
        first = ordered.iloc[0]
        listed = tuple(
            (
                str(row["conformer"]),
                float(row["intramolecular_kJ_per_mol"]),
                str(row["point_group"]),
                bool(row["selected"]),
            )
            for row in ordered.to_dict("records")
        )
        components.append(
            Component(
                first.component_name, first.smiles, int(first.stoichiometry), listed, first.gas_phase_level
            )
        )
    return tuple(components)


def program_versions(record: Mapping[str, Any]) -> dict[str, str]:
    """The lines of a provenance record that a reader of the page may want."""
    shown = {"git commit": record["git_commit"], "python": record["python"], "processor": record["cpu"]}
    packages = {name: version for name, version in record["packages"].items() if version != "not installed"}
    return {name: str(value) for name, value in (shown | packages).items()}


def _real(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)
