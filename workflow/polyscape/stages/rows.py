"""Between rows of tables and the objects of the library: conformers, poses, packings, reduced cells."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms

from polyscape.crystal.packing import Conformers, Packing, Pose
from polyscape.molecule.chirality import is_chiral_by_configuration
from polyscape.molecule.model import Conformer
from polyscape.status import Status

_CELL = ("a_A", "b_A", "c_A", "alpha_deg", "beta_deg", "gamma_deg")


def conformers_of(molecule: pd.DataFrame, conformers: pd.DataFrame, selected_only: bool = True) -> Conformers:
    """The rigid molecules of the tables `molecule` and `conformers` by (component, conformer name); not failed ones."""
    found = {}
    good = conformers[conformers["status"] == Status.OK]
    for row in good.to_dict("records"):
        if selected_only and not row["selected"]:
            continue
        component, name = int(row["component"]), str(row["conformer"])
        sites = molecule[(molecule.component == component) & (molecule.conformer == name)].sort_values("site")
        bonds = {
            (min(a, int(b)), max(a, int(b))) for a, bonded in enumerate(sites.bonded_sites) for b in bonded
        }
        found[component, name] = Conformer(
            component=component,
            name=name,
            atomic_number_a=sites.atomic_number.to_numpy(np.int64),
            position_av=sites[["x_A", "y_A", "z_A"]].to_numpy(float),
            mass_a=sites.mass_amu.to_numpy(float),
            potential_type_a=tuple(sites.potential_type),
            charge_a=sites.esp_charge_e.to_numpy(float),
            multipole_aq=np.stack([np.asarray(values, float) for values in sites.multipoles_au]),
            bonds=tuple(sorted(bonds)),
            intramolecular_kJ_per_mol=float(row["intramolecular_kJ_per_mol"]),
            stoichiometry=int(row["stoichiometry"]),
            chiral=is_chiral_by_configuration(str(row["smiles"])),
        )
    return found


def formula_units_of(molecules: int, conformers: Conformers) -> int:
    """Formula units that molecules make up; a formula unit holds each component times its stoichiometry.

    Raises
    ------
    ValueError
        When they are no whole number of formula units.
    """
    per_unit = sum({component: rigid.stoichiometry for (component, _), rigid in conformers.items()}.values())
    units, left_over = divmod(molecules, per_unit)
    if left_over or units == 0:
        raise ValueError(
            f"{molecules} molecules are no whole number of formula units of {per_unit} molecules"
        )
    return units


def enthalpy_kJ_per_mol(crystals: pd.DataFrame) -> pd.Series:
    """Enthalpies of rows of known forms, minima or landscape: their lattice energies when there is no pressure."""
    return crystals.lattice_energy_kJ_per_mol + crystals.pressure_volume_kJ_per_mol


def packing_values(packing: Packing, space_group: int, origin: str) -> dict[str, Any]:
    """The columns of a packing, shared by trials, minima and landscape."""
    poses = [
        {
            "component": pose.component,
            "conformer": pose.conformer,
            "site_symmetry": pose.site_symmetry,
            **dict(zip(("tx", "ty", "tz"), map(float, pose.translation_c), strict=True)),
            **dict(zip(("qw", "qx", "qy", "qz"), map(float, pose.quaternion), strict=True)),
            "parity": pose.parity,
        }
        for pose in packing.poses
    ]
    return {
        "origin": origin,
        "space_group": space_group,
        "hall_symbol": packing.hall_symbol,
        **dict(zip(_CELL, map(float, packing.cell), strict=True)),
        "poses": poses,
    }


def packing_of(row: Mapping[str, Any]) -> Packing:
    """The packing of a row of trials, minima or landscape."""
    poses = tuple(
        Pose(
            component=int(pose["component"]),
            conformer=str(pose["conformer"]),
            site_symmetry=str(pose["site_symmetry"]),
            translation_c=(pose["tx"], pose["ty"], pose["tz"]),
            quaternion=(pose["qw"], pose["qx"], pose["qy"], pose["qz"]),
            parity=int(pose["parity"]),
        )
        for pose in row["poses"]
    )
    a, b, c, alpha, beta, gamma = (float(row[name]) for name in _CELL)
    return Packing(str(row["hall_symbol"]), (a, b, c, alpha, beta, gamma), poses)


def reduced_atoms(row: Mapping[str, Any]) -> Atoms:
    """The reduced cell of a row of the landscape (or of a known form) as ASE atoms."""
    cell_cv = np.asarray(row["reduced_cell_A"], float).reshape(3, 3)
    fractional_ac = np.asarray(row["fractional"], float).reshape(-1, 3)
    return Atoms(np.asarray(row["atomic_numbers"], int), fractional_ac @ cell_cv, cell=cell_cv, pbc=True)


def reduced_values(atoms: Atoms, formula_units: int) -> dict[str, Any]:
    """The columns of a reduced cell."""
    return {
        "formula_units": formula_units,
        "atoms_in_reduced_cell": len(atoms),
        "atomic_numbers": [int(number) for number in atoms.numbers],
        "reduced_cell_A": [float(value) for value in np.asarray(atoms.cell).ravel()],
        "fractional": [float(value) for value in atoms.get_scaled_positions(wrap=False).ravel()],
    }
