"""Stage `known_forms`: experimental crystals read, recognised, and relaxed under the force field."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
from rdkit import Chem

from polyscape.crystal.cif import CifCrystal, CifError, read_cif
from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Conformers, Packing
from polyscape.energy.protocol import Minimisation, Minimiser
from polyscape.errors import InputError
from polyscape.ids import known_form_id
from polyscape.schemas import KNOWN_FORMS, MINIMA
from polyscape.search.forms import (
    FormCrystal,
    Molecule,
    form_crystal,
    formula,
    molecules_of,
    symmetric_packing,
)
from polyscape.search.hands import Keys, of_the_searched_hand
from polyscape.search.hydrogens import with_hydrogens
from polyscape.search.plan import is_sohncke
from polyscape.search.similarity import Fingerprint, overlay
from polyscape.settings import Settings
from polyscape.settings.molecule import Component
from polyscape.settings.search import KnownForm
from polyscape.stages.components import read_component
from polyscape.stages.distinct import crystal_of
from polyscape.stages.minimise import minimum_row, minimum_values
from polyscape.stages.rows import (
    conformers_of,
    formula_units_of,
    packing_of,
    packing_values,
    reduced_values,
)
from polyscape.status import Status
from polyscape.units import G_PER_CM3_PER_AMU_PER_A3

ORIGIN: Final = "known_form"
"""Origin of a known form's own minimum among those of the trials."""

_POOR_FIT_A = 0.3
"""A form whose molecules differ more than this from the nearest conformer probably holds one that is not known."""

_PREFIX: Final = "minimised_"
_GEOMETRY: Final = (
    "space_group",
    "hall_symbol",
    *("a_A", "b_A", "c_A", "alpha_deg", "beta_deg", "gamma_deg"),
    *("poses", "density_g_per_cm3"),
)
"""Columns of a minimum that stand in the table of known forms beside those of the published geometry."""

_ENDINGS: Final = frozenset(
    {column.name for column in MINIMA.columns} & {column.name for column in KNOWN_FORMS.columns}
) - {*_GEOMETRY, "origin"}
"""Energies and the end of the minimisation: columns of both tables."""


@dataclass(frozen=True)
class Wanted:
    """What is asked about known forms.

    Attributes
    ----------
    forms : sequence of KnownForm
        The forms of the config.
    components : sequence of Component
        The molecules of the config.
    overlay_molecules : int
        Molecules of the clusters that are compared before and after the minimisation.
    leave_saddles : bool
        Whether a form whose minimum is a saddle is followed into a subgroup.
    """

    forms: Sequence[KnownForm]
    components: Sequence[Component]
    overlay_molecules: int
    leave_saddles: bool


def check_known_forms(settings: Settings, where: str) -> None:
    """Check the CIF of every known form: readable, complete, of the components; takes well below a second.

    A form that the search cannot find by its symmetry is said on stderr.

    Raises
    ------
    InputError
        At the first form that cannot be used.
    """
    components = settings.molecule.components
    drawn = [read_component(component, index, where) for index, component in enumerate(components)]
    stoichiometry = [component.stoichiometry for component in components]
    for index, form in enumerate(settings.known_forms):
        crystal, _ = _read_form(form, index, where, drawn, stoichiometry)
        group = SpaceGroup.find(crystal.space_group)
        if settings.search.chirality == "enantiopure" and not is_sohncke(group):
            problem = f"has space group {group.symbol}, which holds both hands: an enantiopure search cannot find it"
            print(f"warning: known form {form.name} {problem}", file=sys.stderr)


def relax_known_forms(
    molecule: pd.DataFrame, conformers: pd.DataFrame, wanted: Wanted, minimiser: Minimiser
) -> pd.DataFrame:
    """The known forms as rows; one whose conformer is not searched is said at once on stderr.

    Parameters
    ----------
    molecule, conformers : pandas.DataFrame
        The tables of these names, all conformers.
    wanted : Wanted
        The forms and how they are treated.
    minimiser : Minimiser
        Of all conformers.
    """
    rigid = conformers_of(molecule, conformers, selected_only=False)
    drawn = [read_component(component, index, "config") for index, component in enumerate(wanted.components)]
    stoichiometry = [component.stoichiometry for component in wanted.components]
    searched = {
        (int(c), str(n)) for c, n, s in conformers[["component", "conformer", "selected"]].to_numpy() if s
    }
    rows = []
    for index, form in enumerate(wanted.forms):
        crystal, molecules = _read_form(form, index, "config", drawn, stoichiometry)
        try:
            found = form_crystal(molecules, crystal.cell_cv, rigid)
        except CifError as error:
            raise InputError(
                "config", f"known_forms[{index}].file", form.file, error.problem, error.remedy
            ) from error
        row = _form_values(form, crystal, found, rigid, len(molecules))
        row["conformer_searched"] = set(found.keys_m) <= searched
        end = _relaxed(symmetric_packing(found.packing, rigid, found.reduced.atoms), minimiser, wanted)
        rows.append(row | _relaxed_values(found, end, rigid, wanted.overlay_molecules))
        _say(rows[-1], sorted(name for _, name in searched))
    return KNOWN_FORMS.from_rows(rows)


def with_known_forms(
    minima: pd.DataFrame, known_forms: pd.DataFrame, telling: Keys | None = None
) -> pd.DataFrame:
    """The table `minima` with the known forms' own minima after those of the trials.

    In the landscape such a row is a duplicate of the structure that the search found, or stands for itself when the
    search missed the form, so that it is ranked with the rest.  Of a form of the other hand than that of an enantiopure
    search it is the mirror image: `telling` are then the molecules that tell the hand (`telling_hands`).
    """
    rows = [minimum_of(row) for row in known_forms.to_dict("records") if row["status"] == Status.OK]
    if telling is not None:
        rows = [row | _of_the_searched_hand(row, telling) for row in rows]
    return pd.concat([minima, MINIMA.from_rows(rows)], ignore_index=True) if rows else minima


def _of_the_searched_hand(row: Mapping[str, Any], telling: Keys) -> dict[str, Any]:
    packing = of_the_searched_hand(packing_of(row), telling)
    return packing_values(packing, SpaceGroup.from_hall(packing.hall_symbol).number, ORIGIN)


def minimum_of(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row of known forms as the row of its force-field minimum in the table `minima`."""
    return {
        "trial_id": known_form_id(str(row["form"])),
        "origin": ORIGIN,
        **{name: row[f"{_PREFIX}{name}"] for name in _GEOMETRY},
        **{name: row[name] for name in _ENDINGS},
    }


def _read_form(
    form: KnownForm, index: int, where: str, drawn: Sequence[Chem.Mol], stoichiometry: Sequence[int]
) -> tuple[CifCrystal, list[Molecule]]:
    formulas = [formula(atom.GetAtomicNum() for atom in molecule.GetAtoms()) for molecule in drawn]
    try:
        crystal = with_hydrogens(read_cif(Path(form.file)), drawn)
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


def _relaxed(packing: Packing, minimiser: Minimiser, wanted: Wanted) -> Minimisation:
    """The force-field minimum of a form, which keeps its space group unless that would be a saddle."""
    end = minimiser.minimise(packing, from_trial=False)
    return minimiser.leave_saddle(end) if end.status == Status.OK and wanted.leave_saddles else end


def _relaxed_values(
    found: FormCrystal, end: Minimisation, rigid: Conformers, overlay_molecules: int
) -> dict[str, Any]:
    """The columns of the force-field minimum."""
    if end.status != Status.OK:
        return minimum_values(end)
    minimum = minimum_row({"trial_id": "", "origin": ORIGIN}, end, rigid)
    before = Fingerprint(found.reduced.atoms, found.reduced.first_m)
    kept = overlay(before, crystal_of(end.packing, rigid), overlay_molecules)
    return {
        **{f"{_PREFIX}{name}": minimum[name] for name in _GEOMETRY},
        **minimum_values(end),
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
        count = f"{row['z_prime']:g}"
        warnings.append(
            f"has {count} independent formula units: only a search with {count} in search.z_prime finds it"
        )
    for warning in warnings:
        print(f"warning: known form {name} {warning}", file=sys.stderr)


def _end(row: dict[str, Any]) -> str:
    if row["status"] != Status.OK:
        return f"the minimisation ended as {row['status']}"
    moved = row["minimised_rmsd_A"]
    energy = f"{row['lattice_energy_kJ_per_mol']:.2f} kJ/mol"
    return f"{energy}, another packing" if moved is None else f"{energy}, RMSD {moved:.3f} A"
