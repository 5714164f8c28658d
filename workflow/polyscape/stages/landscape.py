"""Stage `landscape`: the distinct structures in the energy window, reduced, with known forms marked."""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyscape.crystal.packing import Conformers
from polyscape.crystal.pointwise import PointwiseDistances
from polyscape.crystal.reduction import ReducedCrystal
from polyscape.ids import SEARCH, discovery_order, known_form_id
from polyscape.schemas import LANDSCAPE
from polyscape.search.duplicates import Chirality, Comparison
from polyscape.search.known import Form, Match, Structure, find_form
from polyscape.search.similarity import Fingerprint, Overlay
from polyscape.settings.search import LandscapeSettings
from polyscape.stages.distinct import Distinct, crystal_of, tell_apart
from polyscape.stages.known_forms import ORIGIN, minimum_of
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
_AMD_DECIMALS: Final = 6
"""Distances of single precision."""


def make_landscape(
    molecule: pd.DataFrame,
    conformers: pd.DataFrame,
    known_forms: pd.DataFrame,
    minima: pd.DataFrame,
    settings: LandscapeSettings,
    cores: int,
    chirality: Chirality = "racemic",
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
    chirality : "racemic" or "enantiopure"
        Whether mirror images are one structure.
    """
    rigid = conformers_of(molecule, conformers, selected_only=False)
    inside = in_window(minima, settings.window_kJ_per_mol)
    distinct = tell_apart(inside, rigid, Comparison(settings, chirality, cores))
    rows = _rows(inside, distinct, rigid)
    structures = {
        i: Structure(float(inside.density_g_per_cm3.iloc[i]), Fingerprint(cell.atoms, cell.first_m))
        for i, cell in distinct.reduced.items()
    }
    searched = [i for i in structures if inside.origin.iloc[i] != ORIGIN]
    for form in _forms(known_forms, rigid):
        for among in (searched, _own_minimum(form, inside, distinct)):
            for match in find_form(form, [structures[i] for i in among], settings):
                _add_match(rows[among[match.index]], form.name, match)
    return LANDSCAPE.from_rows(sorted(rows, key=_landscape_order))


def in_window(minima: pd.DataFrame, window_kJ_per_mol: float) -> pd.DataFrame:
    """The minima within the window of enthalpies above the lowest, in the order of discovery; all known forms."""
    good = minima[minima.status == Status.OK]
    energy = enthalpy_kJ_per_mol(good)
    good = good[(energy <= energy.min() + window_kJ_per_mol) | (good.origin == ORIGIN)]
    order = sorted(range(len(good)), key=lambda i: discovery_order(good.trial_id.iloc[i]))
    return good.iloc[order].reset_index(drop=True)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _rows(inside: pd.DataFrame, distinct: Distinct, rigid: Conformers) -> list[dict[str, Any]]:
    rows = []
    energy_s = enthalpy_kJ_per_mol(inside).to_numpy(float)
    name_s = inside.trial_id.to_numpy()
    tried = inside.origin.to_numpy() == SEARCH
    hits_s = np.bincount(distinct.same_s[tried], minlength=len(inside))
    for index, source in enumerate(_records(inside)):
        row = {
            "structure_id": source["trial_id"],
            **packing_values(packing_of(source), int(source["space_group"]), source["origin"]),
            **{f"{term}_kJ_per_mol": source[f"{term}_kJ_per_mol"] for term in _TERMS},
            "relative_energy_kJ_per_mol": energy_s[index] - energy_s.min(),
            "density_g_per_cm3": source["density_g_per_cm3"],
            "hits": int(hits_s[index]),
        }
        if index in distinct.reduced:
            row |= _distinct_values(distinct.reduced[index], distinct.pdd_s[index], rigid)
        else:
            row["duplicate_of"] = name_s[distinct.same_s[index]]
        rows.append(row)
    return rows


def _distinct_values(reduced: ReducedCrystal, pdd: PointwiseDistances, rigid: Conformers) -> dict[str, Any]:
    """The columns that only a representative has."""
    formula_units = formula_units_of(reduced.molecules, rigid)
    return {
        **reduced_values(reduced.atoms, formula_units),
        "symmetry_found": reduced.symbol,
        "space_group_found": reduced.space_group,
        "z_prime_found": formula_units / reduced.order,
        "amd_A": [round(float(value), _AMD_DECIMALS) for value in pdd.amd_k],
    }


def _forms(known_forms: pd.DataFrame, rigid: Conformers) -> list[Form]:
    forms = []
    for row in _records(known_forms):
        first_m = _molecule_starts(rigid, int(row["formula_units"]))
        experimental = Fingerprint(reduced_atoms(row), first_m)
        minimised = None
        if row["status"] == Status.OK:
            minimised = crystal_of(packing_of(minimum_of(row)), rigid)
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


def _own_minimum(form: Form, inside: pd.DataFrame, distinct: Distinct) -> list[int]:
    """The structure of a form's own minimum where the search found none such.

    It may stand under another form's name: one polymorph at two temperatures has one minimum.
    """
    own = np.flatnonzero((inside.trial_id == known_form_id(form.name)).to_numpy())
    return [i for i in map(int, distinct.same_s[own]) if inside.origin.iloc[i] == ORIGIN]


def _add_match(row: dict[str, Any], name: str, match: Match) -> None:
    """Note a known form in the row of a structure; a structure may be several (one form at two temperatures)."""
    said = {
        "form": name,
        "found": match.found,
        "molecules": match.experimental.molecules,
        "rmsd_A": _finite_rmsd_A(match.experimental),
        "minimised_rmsd_A": _finite_rmsd_A(match.minimised),
        "powder_similarity": match.powder_similarity,
    }
    row["known_forms"] = [*row.get("known_forms", []), said]
    if match.found:
        row["known_form"] = f"{row['known_form']}, {name}" if "known_form" in row else name


def _finite_rmsd_A(overlay: Overlay | None) -> float | None:
    return overlay.rmsd_A if overlay is not None and np.isfinite(overlay.rmsd_A) else None


def _landscape_order(row: dict[str, Any]) -> tuple[float, tuple[int, int, str]]:
    return row["relative_energy_kJ_per_mol"], discovery_order(row["structure_id"])
