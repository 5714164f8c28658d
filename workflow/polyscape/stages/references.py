"""What lattice energies count from, and points whose lattice energy cannot be believed.

Per formula unit, ``E_lattice = E_crystal / n - sum_c stoichiometry_c E_molecule(c)``.  Every point of a crystal is compared
with the level below as it enters a table, computed or found in the store alike: the store knows no isolated molecules, and
what a campaign refuses depends on its own tables alone.
"""

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from polyscape.ids import molecule_id
from polyscape.levels.credible import problem_with_lattice_energy
from polyscape.settings.molecule import Component
from polyscape.status import Status
from polyscape.units import KJ_PER_MOL_PER_EV

FORCE_FIELD = "ff"
"""Name of level 0 in the tables."""

_ENERGIES = ("electronic_energy_eV", "dispersion_energy_eV", "total_energy_eV")


@dataclass(frozen=True)
class Reference:
    """The isolated molecules of a formula unit.

    Attributes
    ----------
    molecules : pandas.DataFrame or None
        Table `points` of them; None before they are computed.
    components : sequence of Component
        What the formula unit holds.
    """

    molecules: pd.DataFrame | None
    components: Sequence[Component]

    def energy_eV(self, level: str) -> float:
        """Energy of a formula unit's isolated molecules; nan when one of them has none at the level."""
        total = 0.0
        good = self._good(level)
        for index, component in enumerate(self.components):
            total += component.stoichiometry * good.get(molecule_id(index), math.nan)
        return total

    def missing(self, level: str) -> list[str]:
        """Names of the components without an energy at a level; none before the molecules are computed."""
        if self.molecules is None:
            return []
        good = self._good(level)
        return [one.name for index, one in enumerate(self.components) if molecule_id(index) not in good]

    def _good(self, level: str) -> dict[str, float]:
        """Energies per molecule at a level by id."""
        if self.molecules is None:
            return {}
        table = self.molecules
        rows = table[(table.level == level) & (table.status == Status.OK)].to_dict("records")
        return {row["structure_id"]: row["total_energy_eV"] / row["formula_units"] for row in rows}


def lattice_energy_kJ_per_mol(point: Mapping[str, Any], reference_eV: float) -> float:
    """Lattice energy of a row of points per formula unit; nan for a failed one."""
    if point["status"] != Status.OK:
        return math.nan
    energy_eV = point["total_energy_eV"] / point["formula_units"]
    return float((energy_eV - reference_eV) * KJ_PER_MOL_PER_EV)


def judged(
    rows: Sequence[dict[str, Any]], structure: Mapping[str, Any], reference: Reference
) -> list[dict[str, Any]]:
    """Rows of points of one structure, those with an incredible lattice energy without it, as `untrusted`.

    Each is compared with the highest level below it that is believed, the first with the force field.  A level whose
    isolated molecules failed has no lattice energy; nothing can be learned from it either.

    Parameters
    ----------
    rows : sequence of dict
        Rows of table `points`, the lowest level first.
    structure : mapping
        The structure's row of table `landscape`.
    reference : Reference
        The isolated molecules.
    """
    atoms = len(structure["atomic_numbers"]) // int(structure["formula_units"])
    below, below_kJ_per_mol = FORCE_FIELD, float(structure["lattice_energy_kJ_per_mol"])
    kept = []
    for row in rows:
        level = str(row["level"])
        energy_kJ_per_mol = lattice_energy_kJ_per_mol(row, reference.energy_eV(level))
        problem = None
        if not math.isnan(energy_kJ_per_mol):
            problem = problem_with_lattice_energy(energy_kJ_per_mol, below_kJ_per_mol, below, atoms)
            if problem is None:
                below, below_kJ_per_mol = level, energy_kJ_per_mol
        kept.append(row if problem is None else _refused(row, problem))
    return kept


def _refused(row: dict[str, Any], problem: str) -> dict[str, Any]:
    """The row without its energies; the key says where they stand in the store."""
    print(f"warning: {row['structure_id']} at {row['level']}: {problem}", file=sys.stderr)
    return row | dict.fromkeys(_ENERGIES) | {"status": str(Status.UNTRUSTED), "message": problem}
