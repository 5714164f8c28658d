"""Stage `known_forms`: experimental crystals read, recognised, and relaxed under the force field."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rdkit import Chem

from polyscape.crystal.cif import CifCrystal, CifError, read_cif
from polyscape.crystal.packing import Conformers
from polyscape.energy.protocol import Minimiser
from polyscape.errors import InputError
from polyscape.schemas import KNOWN_FORMS
from polyscape.search.forms import FormCrystal, Molecule, form_crystal, formula, molecules_of
from polyscape.search.similarity import Fingerprint, overlay
from polyscape.settings import Settings
from polyscape.settings.search import KnownForm
from polyscape.stages.components import read_component
from polyscape.stages.rows import conformers_of, formula_units_of, reduced_values
from polyscape.status import Status
from polyscape.units import G_PER_CM3_PER_AMU_PER_A3

_POOR_FIT_A = 0.3
"""A form whose molecules differ more than this from the nearest conformer probably holds one that is not known."""


def check_known_forms(settings: Settings, where: str) -> None:
    """Check the CIF of every known form: readable, complete, of the components; takes well below a second.

    Raises
    ------
    InputError
        At the first form that cannot be used.
    """
    components = settings.molecule.components
    molecules = [read_component(component, index, where) for index, component in enumerate(components)]
    formulas = [
        formula(atom.GetAtomicNum() for atom in Chem.AddHs(molecule).GetAtoms()) for molecule in molecules
    ]
    for index, form in enumerate(settings.known_forms):
        _read_form(form, index, where, formulas, [component.stoichiometry for component in components])


def relax_known_forms(
    molecule: pd.DataFrame,
    conformers: pd.DataFrame,
    forms: Sequence[KnownForm],
    minimiser: Minimiser,
    overlay_molecules: int,
) -> pd.DataFrame:
    """The known forms as rows; one whose conformer is not searched is said at once on stderr.

    Parameters
    ----------
    molecule, conformers : pandas.DataFrame
        The tables of these names, all conformers.
    forms : sequence of KnownForm
        The forms of the config.
    minimiser : Minimiser
        Of all conformers.
    overlay_molecules : int
        Molecules of the clusters that are compared before and after the minimisation.
    """
    rigid = conformers_of(molecule, conformers, selected_only=False)
    one_of_each = {component: conformer for (component, _), conformer in sorted(rigid.items(), reverse=True)}
    components = [one_of_each[index] for index in sorted(one_of_each)]
    formulas = [formula(component.atomic_number_a) for component in components]
    stoichiometry = [component.stoichiometry for component in components]
    searched = {
        (int(c), str(n)) for c, n, s in conformers[["component", "conformer", "selected"]].to_numpy() if s
    }
    rows = []
    for index, form in enumerate(forms):
        crystal, molecules = _read_form(form, index, "config", formulas, stoichiometry)
        try:
            found = form_crystal(molecules, crystal.cell_cv, rigid)
        except CifError as error:
            raise InputError(
                "config", f"known_forms[{index}].file", form.file, error.problem, error.remedy
            ) from error
        row = _form_values(form, crystal, found, rigid, len(molecules))
        row["conformer_searched"] = set(found.keys_m) <= searched
        rows.append(row | _relaxed_values(found, rigid, minimiser, overlay_molecules))
        _say(rows[-1], sorted(name for _, name in searched))
    return KNOWN_FORMS.from_rows(rows)


def _read_form(
    form: KnownForm, index: int, where: str, formulas: Sequence[str], stoichiometry: Sequence[int]
) -> tuple[CifCrystal, list[Molecule]]:
    try:
        crystal = read_cif(Path(form.file))
        return crystal, molecules_of(crystal, formulas, stoichiometry)
    except CifError as error:
        raise InputError(
            where, f"known_forms[{index}].file", form.file, error.problem, error.remedy
        ) from error


def _form_values(
    form: KnownForm, crystal: CifCrystal, found: FormCrystal, rigid: Conformers, molecules_in_cell: int
) -> dict[str, Any]:
    """The columns of the published geometry."""
    formula_units = formula_units_of(found.reduced.molecules, rigid)
    mass = sum(rigid[key].mass_amu for key in found.keys_m)
    return {
        "form": form.name,
        "source": form.file,
        "citation": crystal.citation,
        "space_group": found.reduced.space_group,
        "z": formula_units_of(molecules_in_cell, rigid),
        "z_prime": formula_units / found.reduced.order,
        "conformers": ",".join(sorted({name for _, name in found.keys_m})),
        "conformer_rmsd_A": found.rmsd_A,
        "density_g_per_cm3": G_PER_CM3_PER_AMU_PER_A3 * mass / found.reduced.atoms.get_volume(),
        **reduced_values(found.reduced.atoms, formula_units),
    }


def _relaxed_values(
    found: FormCrystal, rigid: Conformers, minimiser: Minimiser, overlay_molecules: int
) -> dict[str, Any]:
    """The columns of the force-field minimum: every molecule of the reduced cell free, in P 1."""
    end = minimiser.minimise(found.packing, from_trial=False)
    if end.status != Status.OK or end.terms is None:
        return {"status": end.status}
    atoms = end.packing.to_atoms(rigid)
    first_m = found.reduced.first_m
    before, after = Fingerprint(found.reduced.atoms, first_m), Fingerprint(atoms, first_m)
    kept = overlay(before, after, overlay_molecules)
    mass = sum(rigid[key].mass_amu for key in found.keys_m)
    terms = end.terms
    return {
        "status": end.status,
        "electrostatic_kJ_per_mol": terms.electrostatic,
        "repulsion_kJ_per_mol": terms.repulsion,
        "dispersion_kJ_per_mol": terms.dispersion,
        "intramolecular_kJ_per_mol": terms.intramolecular,
        "lattice_energy_kJ_per_mol": terms.total,
        "pressure_volume_kJ_per_mol": terms.pressure_volume,
        "minimised_density_g_per_cm3": G_PER_CM3_PER_AMU_PER_A3 * mass / end.packing.volume_A3,
        "minimised_cell_A": [float(value) for value in np.asarray(atoms.cell).ravel()],
        "minimised_fractional": [float(value) for value in atoms.get_scaled_positions(wrap=False).ravel()],
        "minimised_rmsd_A": kept.rmsd_A if kept.molecules == overlay_molecules else None,
    }


def _say(row: dict[str, Any], searched: Sequence[str]) -> None:
    """The form in one line on stderr, and a warning for what the search cannot find."""
    name = row["form"]
    print(
        f"known form {name}: space group {row['space_group']}, Z = {row['z']}, Z' = {row['z_prime']:g}, "
        f"conformer {row['conformers']} within {row['conformer_rmsd_A']:.3f} A; "
        f"under the force field {_end(row)}",
        file=sys.stderr,
    )
    warnings = []
    if not row["conformer_searched"]:
        warnings.append(
            f"holds conformer {row['conformers']}, the search only has {', '.join(searched)}: "
            f"it cannot be found; add it to molecule.components[].conformers"
        )
    if row["conformer_rmsd_A"] > _POOR_FIT_A:
        warnings.append("holds a molecule unlike every conformer; widen molecule.conformer_window_kJ_per_mol")
    if row["z_prime"] > 1:
        warnings.append("has more than one independent formula unit; a search with Z' = 1 cannot find it")
    for warning in warnings:
        print(f"warning: known form {name} {warning}", file=sys.stderr)


def _end(row: dict[str, Any]) -> str:
    if row["status"] != Status.OK:
        return f"the minimisation ended as {row['status']}"
    moved = row["minimised_rmsd_A"]
    energy = f"{row['lattice_energy_kJ_per_mol']:.2f} kJ/mol"
    return f"{energy}, another packing" if moved is None else f"{energy}, RMSD {moved:.3f} A"
