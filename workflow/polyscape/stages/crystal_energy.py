"""Lattice energies of crystals handed over as files, term by term, as they stand and minimised."""

import time
from typing import Any, Final

from ase.data import chemical_symbols

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.operations import triplet_of
from polyscape.crystal.packing import Conformers, Packing
from polyscape.energy.rigid import RigidMinimiser
from polyscape.settings.search import MinimiserSettings
from polyscape.stages.crystal_files import CrystalModel
from polyscape.status import Status

_ELECTROSTATIC: Final = ("charge_charge", "charge_dipole", "dipole_dipole", "higher_multipole")
_CELL: Final = ("a", "b", "c", "alpha", "beta", "gamma")


def energy_report(
    crystal: CrystalModel, minimiser: MinimiserSettings, minimise: bool = False
) -> dict[str, Any]:
    """The energies of a crystal as plain numbers and text.

    Parameters
    ----------
    crystal : CrystalModel
        The crystal.
    minimiser : MinimiserSettings
        When a minimisation ends.
    minimise : bool
        Whether the crystal is relaxed too: within its space group, and in a subgroup where that ends on a saddle.

    Returns
    -------
    dict
        `initial`, with `minimise` also `minimised`, `steps` and `status`, and `saddle` where the minimum within the
        space group is one; each energy in kJ/mol per formula unit of `molecules_per_unit` molecules.  `cpu_s`, the
        seconds of processor time that all of it took, compilation apart.
    """
    model, packing = crystal.model, crystal.packing
    if minimise:  # the first call compiles, once per machine: no part of the crystal's cost
        RigidMinimiser(model, minimiser.model_copy(update={"max_steps": 1})).minimise(
            packing, from_trial=False
        )
    start = time.process_time()
    splitting = model.splitting
    out: dict[str, Any] = {
        "molecules_per_unit": _molecules_per_unit(model.conformers),
        "potential": model.potential.name,
        "sums": "ewald" if splitting.ewald_dispersion else "dmacrys",
        "cutoff_A": splitting.cutoff_A,
        "spline_A": splitting.spline_A,
        "initial": _state(crystal, packing),
    }
    steps, status = 0, str(Status.OK)
    if minimise:
        relax = RigidMinimiser(model, minimiser)
        within = relax.minimise(packing, from_trial=False)
        end = within if minimiser.leave_saddles == "never" else relax.leave_saddle(within)
        if end is not within:
            out["saddle"] = _state(crystal, within.packing)
        steps, status = end.steps, str(end.status)
        lost = end.status in (Status.COLLAPSED, Status.ESCAPED)
        out["minimised"] = None if lost else _state(crystal, end.packing)
    cpu_s = round(time.process_time() - start, 3)
    return out | {"steps": steps, "status": status, "cpu_s": cpu_s, "notes": list(crystal.notes)}


def _molecules_per_unit(conformers: Conformers) -> int:
    return sum({component: one.stoichiometry for (component, _), one in conformers.items()}.values())


def _state(crystal: CrystalModel, packing: Packing) -> dict[str, Any]:
    """Energies, cell and independent atoms of a crystal."""
    model = crystal.model
    terms = model.term_energies(packing)
    whole, _ = model.evaluate(packing)
    energies = {name: terms[name] for name in _ELECTROSTATIC}
    energies["repulsion"], energies["dispersion"] = terms["repulsion"], terms["dispersion"]
    energies["repulsion_dispersion"] = terms["repulsion"] + terms["dispersion"]
    energies["intramolecular"] = whole.intramolecular
    energies["total"] = sum(terms.values()) + whole.intramolecular
    energies["pV"] = whole.pressure_volume
    energies["enthalpy"] = energies["total"] + energies["pV"]
    return {f"{name}_kJ_per_mol": round(value, 6) for name, value in energies.items()} | {
        "density_g_per_cm3": round(packing.density_g_per_cm3(model.conformers), 6),
        "space_group": SpaceGroup.from_hall(packing.hall_symbol).symbol,
        "hall_symbol": packing.hall_symbol,
        "symmetry_operations": [
            triplet_of(*op) for op in SpaceGroup.from_hall(packing.hall_symbol).operations
        ],
        "cell": {name: round(value, 8) for name, value in zip(_CELL, packing.cell, strict=True)},
        "fractional_coordinates": _atoms(packing, model.conformers),
    }


def _atoms(packing: Packing, conformers: Conformers) -> list[dict[str, Any]]:
    """The sites of the independent molecules."""
    first = packing.independent_atoms(conformers)
    listed = []
    for molecule, (numbers, fractional_ac) in enumerate(first):
        for atom, (number, fractional_c) in enumerate(zip(numbers, fractional_ac, strict=True)):
            symbol = chemical_symbols[int(number)]
            listed.append(
                {
                    "label": f"{symbol}{atom + 1}",
                    "element": symbol,
                    "molecule": molecule + 1,
                    "site_symmetry": packing.poses[molecule].site_symmetry,
                    "frac_xyz": [round(float(value), 8) for value in fractional_c],
                }
            )
    return listed
