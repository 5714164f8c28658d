"""Dispersion of every distinct structure at every level: exact and cheap, so computed and never learned."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pandas as pd

from polyscape.levels.dispersion import dispersion_energy_eV
from polyscape.schemas import DISPERSION
from polyscape.settings.levels import Level
from polyscape.stages.isolated_molecule import reference_molecules, stoichiometry
from polyscape.stages.rows import reduced_atoms
from polyscape.units import KJ_PER_MOL_PER_EV


def dispersion(
    molecule: pd.DataFrame,
    conformers: pd.DataFrame,
    landscape: pd.DataFrame,
    levels: Sequence[Level],
    cores: int,
) -> pd.DataFrame:
    """Dispersion part of the lattice energy: crystal per formula unit less the isolated molecules.

    All at the geometries of the landscape, also for a level that relaxes: what is learned of it is its lattice energy
    less this, so that the change of dispersion by the relaxation is learned with the rest.

    Parameters
    ----------
    molecule, conformers, landscape : pandas.DataFrame
        The tables of these names.
    levels : sequence of Level
        The ladder.
    cores : int
        Threads; the result does not depend on them.
    """
    counts = stoichiometry(conformers)
    molecules = reference_molecules(molecule, conformers, levels)
    isolated_eV = {
        level.name: sum(counts[c] * dispersion_energy_eV(atoms, level) for c, atoms in molecules.items())
        for level in levels
    }
    distinct = landscape[landscape["duplicate_of"].isna()]
    rows = [row for _, row in distinct.iterrows()]

    def of_structure(row: pd.Series) -> list[dict[str, object]]:
        atoms, units = (
            reduced_atoms({str(name): value for name, value in row.items()}),
            int(row["formula_units"]),
        )
        return [
            {
                "structure_id": row["structure_id"],
                "level": level.name,
                "dispersion_kJ_per_mol": KJ_PER_MOL_PER_EV
                * (dispersion_energy_eV(atoms, level) / units - isolated_eV[level.name]),
            }
            for level in levels
        ]

    with ThreadPoolExecutor(cores) as pool:
        found = list(pool.map(of_structure, rows))
    return DISPERSION.from_rows(value for listed in found for value in listed)
