"""The tables of a made-up finished campaign: real packings (no contacts), invented energies; the same for a seed."""

from dataclasses import dataclass, replace

import numpy as np
from tests.builders import conformers, oxalic_acid, oxalic_packing

from polyscape import schemas
from polyscape.settings import parse_settings
from polyscape.stages.completeness import make_completeness
from polyscape.stages.registry import parse_slice, stage_slice
from polyscape.stages.report import ReportTables
from polyscape.stages.rows import packing_values, reduced_values

LEVELS = ("ff", "pbe-d3", "pbe0-d3")
_GROUPS = (
    (14, "-P 2ybc", (8.1, 7.6, 7.9, 90.0, 104.0, 90.0)),
    (2, "-P 1", (6.6, 7.1, 7.4, 84.0, 78.0, 99.0)),
)
_GROUPS += ((19, "P 2ac 2ab", (9.4, 8.8, 8.1, 90.0, 90.0, 90.0)),)


@dataclass(frozen=True)
class Names:
    """What a config may call things; a test puts hostile texts here."""

    form: str = "alpha"
    citation: str | None = "J. Derissen, P. Smit, Acta Cryst. B 30 (1974) 2240, doi:10.1107/S0567740874006820"
    smiles: str = "OC(=O)C(=O)O"
    component: str = "oxalic_acid"
    message: str = "density mixing halved after 100 steps"


def report_slice(levels=LEVELS, listed=10):
    """The report's settings."""
    config = {
        "campaign": "oxalic_acid",
        "molecule": {"components": [{"name": "oxalic_acid", "smiles": "OC(=O)C(=O)O"}]},
        "report": {"structures": listed},
    }
    part = parse_slice("report", stage_slice(parse_settings(config, "test"), "report"))
    assert tuple(level.name for level in part["levels"]) == levels[1:]
    return part


def packings(count, seed):
    """Packings with room between the molecules, in three groups."""
    generator = np.random.default_rng(seed)
    for index in range(count):
        _, hall, cell = _GROUPS[index % 3]
        factor = generator.uniform(0.97, 1.06, 3)
        lengths = tuple(float(length * f) for length, f in zip(cell[:3], factor, strict=True))
        pose = oxalic_packing().poses[0]
        yield (
            _GROUPS[index % 3][0],
            replace(oxalic_packing(), hall_symbol=hall, cell=(*lengths, *cell[3:]), poses=(pose,)),
        )


def _crystal(packing):
    atoms = packing.to_atoms(conformers())
    units = len(atoms) // 8
    density = 90.034 * units * 1.66053906660 / packing.volume_A3
    return atoms, units, density


def tables(names=None, count=36, seed=3, levels=LEVELS):
    """Every table that the report reads."""
    names = names or Names()
    generator = np.random.default_rng(seed)
    rows, energies = [], []
    for index, (group, packing) in enumerate(packings(count, seed)):
        atoms, units, density = _crystal(packing)
        energy = -110.0 + 20.0 * (index / count) ** 0.7
        energies.append(energy)
        rows.append(
            {
                "structure_id": f"{group:03d}-{index * 37:07d}",
                **packing_values(packing, group, "search"),
                **_terms(energy),
                "relative_energy_kJ_per_mol": energy + 110.0,
                "density_g_per_cm3": density,
                "hits": int(generator.integers(1, 9)),
                **reduced_values(atoms, units),
                "symmetry_found": {14: "P2_1/c", 2: "P-1", 19: "P2_12_12_1"}[group],
                "space_group_found": group,
                "z_prime_found": 1.0,
                "amd_A": [1.0, 2.0],
            }
        )
    match = {"form": names.form, "found": True, "molecules": 15, "rmsd_A": 0.213, "minimised_rmsd_A": None}
    match["powder_similarity"] = 0.97
    rows[4] |= {"known_form": names.form, "known_forms": [match]}
    duplicate = dict(rows[0]) | {
        "structure_id": "014-0000999",
        "duplicate_of": rows[0]["structure_id"],
        "hits": 0,
    }
    ids = [row["structure_id"] for row in rows]
    ladder = _ladder(np.array(energies), generator, levels)
    return ReportTables(
        molecule=_molecule(),
        conformers=_conformers(names),
        known_forms=_known_forms(names),
        landscape=schemas.LANDSCAPE.from_rows([*rows, duplicate]),
        dispersion=schemas.DISPERSION.from_rows(
            {"structure_id": i, "level": level, "dispersion_kJ_per_mol": -40.0}
            for i in ids
            for level in levels[1:]
        ),
        points=_points(ids, ladder, names, levels),
        posteriors=tuple(_posterior(ids, ladder, levels, scale) for scale in (2.0, 1.0)),
        ranking=_ranking(rows, ladder, levels),
        ledger=_ledger(ids, levels),
        trials=_trials(rows),
        minima=schemas.MINIMA.from_rows(_minimum(row) for row in rows),
        calibration=_calibration(levels),
        completeness=_completeness(rows),
    )


def _completeness(rows):
    landscape = schemas.LANDSCAPE.from_rows(rows)
    return make_completeness(landscape, schemas.MINIMA.from_rows(_minimum(row) for row in rows))


def _terms(total):
    parts = {
        "electrostatic": 0.6 * total,
        "repulsion": -0.4 * total,
        "dispersion": 0.8 * total,
        "intramolecular": 0.0,
    }
    return {f"{name}_kJ_per_mol": value for name, value in parts.items()} | {
        "lattice_energy_kJ_per_mol": total,
        "pressure_volume_kJ_per_mol": 0.0,
    }


def _ladder(energy_s, generator, levels):
    """Energies, standard deviations and computed flags of each level, (levels, structures)."""
    energy_ls, sd_ls, computed_ls = [energy_s], [np.zeros_like(energy_s)], [np.ones(len(energy_s), bool)]
    for place in range(1, len(levels)):
        computed = generator.random(len(energy_s)) < 0.5**place
        computed[: 6 // place] = True
        energy_ls.append(energy_ls[-1] * 0.95 + generator.normal(0, 2.5 / place, len(energy_s)))
        sd_ls.append(np.where(computed, 0.2, generator.uniform(0.9, 2.0, len(energy_s))))
        computed_ls.append(computed)
    return np.array(energy_ls), np.array(sd_ls), np.array(computed_ls)


def _ranking(rows, ladder, levels):
    energy_ls, sd_ls, computed_ls = ladder
    rank_ls = np.argsort(np.argsort(energy_ls, axis=1, kind="stable"), axis=1) + 1
    draws = energy_ls[-1][:, None] + sd_ls[-1][:, None] * np.random.default_rng(1).normal(
        size=(len(rows), 500)
    )
    place = np.argsort(np.argsort(draws, axis=0), axis=0) + 1
    made = []
    for s in np.argsort(energy_ls[-1], kind="stable"):
        row = rows[s]
        made.append(
            {
                **{
                    name: row[name]
                    for name in ("structure_id", "density_g_per_cm3", "symmetry_found", "z_prime_found")
                },
                "atoms_in_reduced_cell": row["atoms_in_reduced_cell"],
                "hits": row["hits"],
                "known_form": row.get("known_form"),
                "rank": int(rank_ls[-1, s]),
                "lattice_energy_kJ_per_mol": energy_ls[-1, s],
                "relative_energy_kJ_per_mol": energy_ls[-1, s] - energy_ls[-1].min(),
                "sd_kJ_per_mol": sd_ls[-1, s],
                "sd_relative_kJ_per_mol": 0.0 if rank_ls[-1, s] == 1 else float(np.hypot(sd_ls[-1, s], 0.2)),
                "p_rank_1": float(np.mean(place[s] == 1)),
                "p_lowest_5": float(np.mean(place[s] <= 5)),
                "rank_low": int(np.quantile(place[s], 0.05)),
                "rank_high": int(np.quantile(place[s], 0.95)),
                "levels": [
                    {
                        "level": level,
                        "lattice_energy_kJ_per_mol": energy_ls[k, s],
                        "sd_kJ_per_mol": 30.0 + sd_ls[k, s],
                        "relative_energy_kJ_per_mol": energy_ls[k, s] - energy_ls[k].min(),
                        "sd_relative_kJ_per_mol": 0.0 if rank_ls[k, s] == 1 else sd_ls[k, s],
                        "computed": bool(computed_ls[k, s]),
                        "rank": int(rank_ls[k, s]),
                    }
                    for k, level in enumerate(levels)
                ],
            }
        )
    return schemas.RANKING.from_rows(made)


def _posterior(ids, ladder, levels, scale):
    energy_ls, sd_ls, computed_ls = ladder
    return schemas.POSTERIOR.from_rows(
        {
            "structure_id": structure_id,
            "level": level,
            "mean_kJ_per_mol": energy_ls[k, s],
            "sd_kJ_per_mol": 30.0 + sd_ls[k, s],
            "sd_relative_kJ_per_mol": scale * sd_ls[k, s],
            "computed": bool(computed_ls[k, s]),
            "descriptor": "soap+terms",
        }
        for s, structure_id in enumerate(ids)
        for k, level in enumerate(levels)
    )


def _points(ids, ladder, names, levels):
    rows = []
    for k, level in enumerate(levels[1:], start=1):
        for s, structure_id in enumerate(ids):
            if ladder[2][k, s]:
                source = "store" if s == 0 else "computed"
                rows.append(_point(structure_id, level, "ok", source))
        rows.append(_point("molecule:0", level, "ok", "computed"))
    again = _point(ids[1], levels[1], "ok", "store")
    failed = _point("002-9999999", levels[-1], "scf_failed", "computed") | {"message": names.message}
    return schemas.POINTS.from_rows([*rows, again, failed])


def _point(structure_id, level, status, source):
    return {
        "structure_id": structure_id,
        "level": level,
        "method_id": "m",
        "status": status,
        "formula_units": 4,
        "total_energy_eV": -200.0,
        "wall_s": 60.0,
        "cores": 1,
        "source": source,
    }


def _ledger(ids, levels):
    paid = [("minimise", None, 0, 900.0, 300.0), ("molecule", None, 0, 60.0, 700.0)]
    paid += [("single_point", level, 8, 600.0 * 3**k, 500.0) for k, level in enumerate(levels[1:])]
    rows = [
        {
            "kind": "paid",
            "job": f"{stage} {level}",
            "stage": stage,
            "level": level,
            "points": points,
            "status": "untrusted" if level == levels[-1] else "ok" if level else None,
            "core_s": core_s,
            "found_core_s": core_s / 4 if level else 0.0,
            "predicted_core_s": core_s / (1.2 if level == levels[1] else 1.6) if level else None,
            "retries": None if level else 1,
            "lost_core_s": None if level else 12.0,
        }
        | {"wall_s": core_s, "peak_memory_MB": memory}
        for stage, level, points, core_s, memory in paid
    ]
    for k, level in enumerate(levels[1:]):
        full = {"kind": "full", "job": level, "stage": "single_point", "level": level, "points": len(ids)}
        full["found_core_s"] = 0.0
        rows.append(full | {"core_s": 30000.0 * 4**k})
    return schemas.LEDGER.from_rows(rows)


def _trials(rows):
    made = []
    for index, row in enumerate(rows):
        packing = {name: row[name] for name in schemas.TRIALS.names if name in row}
        status = {"status": "ok", "trial_id": row["structure_id"], "sobol_index": index * 37}
        made.append(packing | status | {"volume_A3": 400.0, "expansion": 1.0})
    lost = [
        row | {"trial_id": f"{row['space_group']:03d}-{9000 + i:07d}", "status": "overlap"}
        for i, row in enumerate(made[:5])
    ]
    return schemas.TRIALS.from_rows([*made, *lost])


def _minimum(row):
    made = {name: row[name] for name in schemas.MINIMA.names if name in row}
    return made | {"trial_id": row["structure_id"], "steps": 80, "evaluations": 100, "status": "ok"}


def _molecule():
    molecule = oxalic_acid()
    return schemas.MOLECULE.from_rows(
        {
            "component": 0,
            "conformer": "ttt",
            "site": site,
            "element": {1: "H", 6: "C", 8: "O"}[int(molecule.atomic_number_a[site])],
            "atomic_number": int(molecule.atomic_number_a[site]),
            "potential_type": molecule.potential_type_a[site],
            **dict(zip(("x_A", "y_A", "z_A"), molecule.position_av[site], strict=True)),
            "mass_amu": molecule.mass_a[site],
            "bonded_sites": [b for bond in molecule.bonds if site in bond for b in bond if b != site],
            "esp_charge_e": molecule.charge_a[site],
            "multipoles_au": molecule.multipole_aq[site],
        }
        for site in range(8)
    )


def _conformers(names):
    rows = [("ctc", 0.0, False), ("ttt", 18.2, True)]
    return schemas.CONFORMERS.from_rows(
        {
            "component": 0,
            "component_name": names.component,
            "conformer": name,
            "selected": selected,
            "stoichiometry": 1,
            "charge": 0,
            "atoms": 8,
            "smiles": names.smiles,
            "energy_hartree": -378.0,
            "intramolecular_kJ_per_mol": energy,
            "gas_phase_level": "B3LYP/6-311G**",
            "point_group": "C2h",
            "rotatable_bonds": 3,
            "torsions_deg": [180.0, 180.0, 180.0],
            "dipole_debye": 0.0,
            "multipole_source": "none",
            "charge_error_e": 0.0,
            "dipole_error_au": 0.0,
            "quadrupole_error_au": 0.0,
            "esp_rms_error_kJ_per_mol": 1.0,
            "status": "ok",
        }
        for name, energy, selected in rows
    )


def _known_forms(names):
    atoms, units, density = _crystal(oxalic_packing())
    shared = {
        "space_group": 14,
        "z": 4,
        "z_prime": 0.5,
        "conformers": "ttt",
        "conformer_rmsd_A": 0.02,
        "conformer_searched": True,
        "density_g_per_cm3": 1.30,
        **reduced_values(atoms, units),
        "status": "ok",
        "steps": 10,
        "evaluations": 20,
        **_terms(-108.0),
        "minimised_density_g_per_cm3": density,
        "minimised_rmsd_A": 0.19,
    }
    return schemas.KNOWN_FORMS.from_rows(
        [
            shared
            | {"form": names.form, "source": "config/known_forms/alpha.cif", "citation": names.citation},
            shared | {"form": "beta", "source": "config/known_forms/beta.cif", "conformer_searched": False},
        ]
    )


def _calibration(levels):
    return schemas.CALIBRATION.from_rows(
        {
            "level": level,
            "method": method,
            "nominal_coverage": nominal,
            "found_coverage": min(1.0, nominal + 0.06),
            "uninflated_coverage": nominal - 0.04,
            "points": 8,
            "mae_kJ_per_mol": 1.1,
            "bias_kJ_per_mol": 0.1,
            "mean_sd_kJ_per_mol": 1.2,
            "inflation": 1.2,
        }
        for level in levels[1:]
        for method in ("leave_one_out", "k_fold")
        for nominal in (0.5, 0.8, 0.95)
    )
