"""Stage `molecule`: the components of the config as conformers with energies, charges, multipoles and atom types."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from rdkit import Chem

from polyscape.energy.potentials import load_potential
from polyscape.errors import InputError
from polyscape.molecule.conformers import GasConformer, Plan, find_conformers
from polyscape.molecule.dma import DistributedMultipoles
from polyscape.molecule.given import replace_multipoles
from polyscape.molecule.read import MoleculeError
from polyscape.molecule.symmetric import with_symmetric
from polyscape.molecule.wavefunction import GasPhaseLevel
from polyscape.schemas import CONFORMERS, MOLECULE
from polyscape.settings.molecule import Component, MoleculeSettings
from polyscape.settings.search import KnownForm
from polyscape.stages.components import check_components, given_multipoles, read_component
from polyscape.stages.conformer_choice import selected_names, shapes_asked
from polyscape.units import DEBYE_PER_E_BOHR, KJ_PER_MOL_PER_HARTREE

__all__ = ["MoleculeTables", "MultipoleError", "check_components", "describe_molecules"]

_MOMENT_TOLERANCE_AU = 1e-3


class MultipoleError(Exception):
    """Multipoles that do not add up to the moments of their wave function: a defect of the analysis."""


@dataclass(frozen=True)
class MoleculeTables:
    """The tables `molecule` and `conformers`."""

    molecule: pd.DataFrame
    conformers: pd.DataFrame


def describe_molecules(
    settings: MoleculeSettings,
    potential: str,
    seed: int,
    cores: int,
    forms: Sequence[KnownForm] = (),
    where: str = "config",
) -> MoleculeTables:
    """Find the conformers of every component and what the crystal stages need of them.

    Parameters
    ----------
    settings : MoleculeSettings
        The section `molecule` of the config.
    potential : str
        Name of the repulsion-dispersion potential, which types the atoms.
    seed : int
        The campaign's seed.
    cores : int
        Processes at once; the results do not depend on it.
    forms : sequence of KnownForm
        The known forms, where a component searches their conformers.
    where : str
        The config file, named in errors.

    Raises
    ------
    InputError
        When a conformer that the config names is not found.
    MultipoleError
        When multipoles disagree with their wave function by more than 1e-3 atomic units.
    """
    sites: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for index, component in enumerate(settings.components):
        molecule = read_component(component, index, where)
        plan = _plan(settings, component, seed, cores)
        given = given_multipoles(component, index, molecule, plan.switch, where)
        shapes = shapes_asked(component, index, molecule, forms, where)
        found = find_conformers(molecule, plan, [shape.position_av for shape in shapes])
        found = with_symmetric(molecule, plan, found)
        selected = selected_names(component, index, molecule, found, shapes, where)
        if given is not None:
            found = _with_multipoles(component, index, (found, selected), molecule, (given, where))
        types = load_potential(potential).assign_types(*_graph(molecule))
        for conformer in found:
            chosen = conformer.name in selected
            rows.append(_conformer_row(component, index, molecule, conformer, found[0], chosen, plan.level))
            if conformer.properties is not None:
                sites.extend(_site_rows(index, molecule, conformer, types))
    return MoleculeTables(MOLECULE.from_rows(sites), CONFORMERS.from_rows(rows))


def _plan(settings: MoleculeSettings, component: Component, seed: int, cores: int) -> Plan:
    return Plan(
        GasPhaseLevel(settings.gas_phase.functional, settings.gas_phase.basis, component.charge),
        settings.conformer_window_kJ_per_mol,
        settings.max_conformers,
        settings.multipole_switch,
        seed,
        cores,
        0.0 if component.multipoles_file else settings.symmetric_window_kJ_per_mol,
    )


def _graph(molecule: Chem.Mol) -> tuple[list[int], list[tuple[int, int]]]:
    """Atomic numbers and bonds."""
    bonds = [sorted((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())) for bond in molecule.GetBonds()]
    return [atom.GetAtomicNum() for atom in molecule.GetAtoms()], sorted((a, b) for a, b in bonds)


def _with_multipoles(
    component: Component,
    index: int,
    conformers: tuple[list[GasConformer], set[str]],
    molecule: Chem.Mol,
    source: tuple[DistributedMultipoles, str],
) -> list[GasConformer]:
    """The conformers found, the selected one with given multipoles."""
    given, where = source
    try:
        return replace_multipoles(*conformers, molecule, given)
    except MoleculeError as error:
        key = f"molecule.components[{index}].multipoles_file"
        raise InputError(where, key, component.multipoles_file, error.problem, error.remedy) from error


def _conformer_row(
    component: Component,
    index: int,
    molecule: Chem.Mol,
    conformer: GasConformer,
    lowest: GasConformer,
    chosen: bool,
    level: GasPhaseLevel,
) -> dict[str, Any]:
    row = {
        "component": index,
        "component_name": component.name,
        "conformer": conformer.name,
        "selected": chosen,
        "stoichiometry": component.stoichiometry,
        "charge": component.charge,
        "atoms": molecule.GetNumAtoms(),
        "smiles": Chem.MolToSmiles(Chem.RemoveHs(molecule)),
        "gas_phase_level": level.label,
        "point_group": conformer.point_group,
        "rotatable_bonds": len(conformer.torsions_deg),
        "torsions_deg": [round(angle, 6) for angle in conformer.torsions_deg],
        "status": conformer.status,
    }
    return row | _property_columns(conformer, lowest, component)


def _property_columns(conformer: GasConformer, lowest: GasConformer, component: Component) -> dict[str, Any]:
    """What is known of the wave function; nothing for a conformer that failed."""
    found = conformer.properties
    if found is None:
        return {}
    charge, dipole, quadrupole = found.errors_au(conformer.position_av, component.charge)
    if component.multipoles_file is None and max(abs(charge), dipole, quadrupole) > _MOMENT_TOLERANCE_AU:
        problem = (
            f"charge by {charge:.2g}, dipole by {dipole:.2g}, quadrupole by {quadrupole:.2g} atomic units"
        )
        raise MultipoleError(
            f"multipoles of {component.name} {conformer.name} miss the wave function's {problem}"
        )
    above = (conformer.energy_hartree - lowest.energy_hartree) * KJ_PER_MOL_PER_HARTREE
    return {
        "energy_hartree": round(conformer.energy_hartree, 8),
        "intramolecular_kJ_per_mol": round(above, 8),
        "above_minimum_kJ_per_mol": round(conformer.above_minimum_kJ_per_mol, 8),
        "dipole_debye": round(float(np.linalg.norm(found.dipole_v)) * DEBYE_PER_E_BOHR, 8),
        "multipole_source": found.multipole_source,
        "charge_error_e": round(charge, 8),
        "dipole_error_au": round(dipole, 8),
        "quadrupole_error_au": round(quadrupole, 8),
        "esp_rms_error_kJ_per_mol": found.misfit_kJ_per_mol,
    }


def _site_rows(
    index: int, molecule: Chem.Mol, conformer: GasConformer, types: tuple[str, ...]
) -> list[dict[str, Any]]:
    rows = []
    assert conformer.properties is not None
    for atom, position_v, charge, Q_q, kind in zip(
        molecule.GetAtoms(), conformer.position_av, conformer.properties.charge_a,
        conformer.properties.multipole_aq, types, strict=True,
    ):  # fmt: skip
        rows.append(
            {
                "component": index,
                "conformer": conformer.name,
                "site": atom.GetIdx(),
                "element": atom.GetSymbol(),
                "atomic_number": atom.GetAtomicNum(),
                "potential_type": kind,
                "x_A": position_v[0],
                "y_A": position_v[1],
                "z_A": position_v[2],
                "mass_amu": Chem.GetPeriodicTable().GetAtomicWeight(atom.GetAtomicNum()),
                "bonded_sites": sorted(neighbour.GetIdx() for neighbour in atom.GetNeighbors()),
                "esp_charge_e": charge,
                "multipoles_au": Q_q.tolist(),
            }
        )
    return rows
