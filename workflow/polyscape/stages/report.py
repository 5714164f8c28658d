"""Stage 7: from the tables of a campaign to what the report shows."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from ase.cell import Cell

from polyscape.errors import InputError
from polyscape.report.export import symmetric_cell
from polyscape.report.model import Component, KnownForm, LevelEnergy, ReportData, Site, Structure
from polyscape.stages.registry import Slice
from polyscape.stages.report_accounts import calibration, costs, level_points, real, rounds, search, text
from polyscape.stages.rows import enthalpy_kJ_per_mol, reduced_atoms

_SHOWN_ELSEWHERE = frozenset({"campaign", "known_forms", "report"})


@dataclass(frozen=True)
class ReportTables:
    """The tables of a finished campaign; `trials`, `minima`, `calibration` and `completeness` may be empty.

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
    completeness: pd.DataFrame


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
        components=_components(tables.conformers, tables.molecule),
        levels=levels,
        structures=structures,
        known_forms=_known_forms(tables, structures),
        search=search(tables.landscape, tables.trials, tables.minima, tables.completeness),
        points=tuple(level_points(tables.points, level) for level in levels[1:]),
        rounds=rounds(tables.posteriors, levels),
        costs=costs(tables.ledger),
        calibration=calibration(tables.calibration),
        settings={key: value for key, value in part.values.items() if key not in _SHOWN_ELSEWHERE},
        provenance=dict(provenance),
        listed=part["report"].structures,
        pressure_GPa=part["energy"].pressure_GPa,
    )


def _structures(tables: ReportTables) -> tuple[Structure, ...]:
    """The ranked structures with their geometry."""
    rows = tables.ranking.sort_values("rank").to_dict("records")
    geometry = {row["structure_id"]: row for row in tables.landscape.to_dict("records")}
    dispersion: dict[str, dict[str, float]] = {}
    for item in tables.dispersion.to_dict("records"):
        dispersion.setdefault(item["structure_id"], {})[item["level"]] = float(item["dispersion_kJ_per_mol"])
    return tuple(
        _structure(row, geometry[row["structure_id"]], dispersion.get(row["structure_id"], {}))
        for row in rows
    )


def _structure(
    row: Mapping[Hashable, Any],
    crystal: Mapping[Hashable, Any],
    dispersion: dict[str, float],
) -> Structure:
    levels = tuple(
        LevelEnergy(
            level=energy["level"],
            lattice_energy_kJ_per_mol=float(energy["lattice_energy_kJ_per_mol"]),
            sd_kJ_per_mol=float(energy["sd_kJ_per_mol"]),
            relative_energy_kJ_per_mol=float(energy["relative_energy_kJ_per_mol"]),
            sd_relative_kJ_per_mol=float(energy["sd_relative_kJ_per_mol"]),
            computed=bool(energy["computed"]),
            rank=int(energy["rank"]),
        )
        for energy in row["levels"]
    )
    atoms = reduced_atoms({str(key): value for key, value in crystal.items()})
    conventional_cv = symmetric_cell(atoms).cell_cv
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
        known_forms=tuple(name for name, match in _form_matches(crystal).items() if match["found"]),
        cell=tuple(float(value) for value in Cell(conventional_cv).cellpar()),
        atoms=atoms,
        dispersion_kJ_per_mol=dispersion,
    )


def _form_matches(crystal: Mapping[Hashable, Any]) -> dict[str, dict[str, Any]]:
    """Known forms that the landscape compares with a structure, by name."""
    listed = crystal["known_forms"]
    return {} if listed is None else {match["form"]: match for match in listed}


def _known_forms(tables: ReportTables, structures: tuple[Structure, ...]) -> tuple[KnownForm, ...]:
    """Each known form with the best-ranked structure that matches it."""
    matches = {row["structure_id"]: row for row in tables.landscape.to_dict("records")}
    relative = enthalpy_kJ_per_mol(tables.known_forms) - enthalpy_kJ_per_mol(tables.landscape).min()
    forms = []
    for row, ff_energy in zip(tables.known_forms.to_dict("records"), relative, strict=True):
        found = next((s for s in structures if row["form"] in s.known_forms), None)
        match = _form_matches(matches[found.structure_id])[row["form"]] if found else None
        forms.append(
            KnownForm(
                name=row["form"],
                source=row["source"],
                citation=text(row["citation"]),
                z=int(row["z"]),
                z_prime=float(row["z_prime"]),
                conformers=row["conformers"],
                conformer_rmsd_A=float(row["conformer_rmsd_A"]),
                conformer_searched=bool(row["conformer_searched"]),
                density_g_per_cm3=float(row["density_g_per_cm3"]),
                structure=found,
                match_rmsd_A=real(match["rmsd_A"]) if match else None,
                match_minimised_rmsd_A=real(match["minimised_rmsd_A"]) if match else None,
                match_molecules=int(match["molecules"]) if match else None,
                ff_relative_energy_kJ_per_mol=real(ff_energy),
                minimised_density_g_per_cm3=real(row["minimised_density_g_per_cm3"]),
                minimised_rmsd_A=real(row["minimised_rmsd_A"]),
                match_powder_similarity=real(match["powder_similarity"]) if match else None,
            )
        )
    return tuple(forms)


def _components(conformers: pd.DataFrame, molecule: pd.DataFrame) -> tuple[Component, ...]:
    components = []
    for index, rows in conformers.groupby("component", sort=True):
        good = rows[rows["status"] == "ok"]
        ordered = good.sort_values("intramolecular_kJ_per_mol").to_dict("records")
        searched = [str(row["conformer"]) for row in ordered if row["selected"]]
        sites = molecule[(molecule.component == index) & molecule.conformer.isin(searched)]
        components.append(
            Component(
                name=str(ordered[0]["component_name"]),
                smiles=str(ordered[0]["smiles"]),
                stoichiometry=int(ordered[0]["stoichiometry"]),
                conformers=tuple(
                    (
                        str(row["conformer"]),
                        float(row["intramolecular_kJ_per_mol"]),
                        str(row["point_group"]),
                        bool(row["selected"]),
                    )
                    for row in ordered
                ),
                gas_phase_level=str(ordered[0]["gas_phase_level"]),
                sites=tuple(
                    Site(
                        s["conformer"],
                        int(s["site"]),
                        s["element"],
                        s["potential_type"],
                        float(s["esp_charge_e"]),
                    )
                    for s in sites.sort_values(["conformer", "site"]).to_dict("records")
                ),
                charge=int(ordered[0]["charge"]),
            )
        )
    return tuple(components)


def program_versions(record: Mapping[str, Any]) -> dict[str, str]:
    """The lines of a provenance record that a reader of the page may want."""
    shown = {"git commit": record["git_commit"], "python": record["python"], "processor": record["cpu"]}
    packages = {name: version for name, version in record["packages"].items() if version != "not installed"}
    return {name: str(value) for name, value in (shown | packages).items()}
