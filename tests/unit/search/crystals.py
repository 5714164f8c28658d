"""Tables of a small molecule and of made-up minima, for tests of the stages."""

from ase.data import chemical_symbols

from polyscape.crystal.packing import Packing, Pose
from polyscape.schemas import CONFORMERS, KNOWN_FORMS, MINIMA, MOLECULE
from polyscape.stages.rows import packing_values
from polyscape.units import G_PER_CM3_PER_AMU_PER_A3
from tests import builders


def molecule_tables(*molecules, selected=None):
    """Tables `molecule` and `conformers` of one component."""
    sites, rows = [], []
    for molecule in molecules:
        for site in range(len(molecule.atomic_number_a)):
            x, y, z = molecule.position_av[site]
            sites.append(
                {
                    "component": 0,
                    "conformer": molecule.name,
                    "site": site,
                    "element": chemical_symbols[molecule.atomic_number_a[site]],
                    "atomic_number": molecule.atomic_number_a[site],
                    "potential_type": molecule.potential_type_a[site],
                    "x_A": x,
                    "y_A": y,
                    "z_A": z,
                    "mass_amu": molecule.mass_a[site],
                    "bonded_sites": [b if a == site else a for a, b in molecule.bonds if site in (a, b)],
                    "esp_charge_e": molecule.charge_a[site],
                    "multipoles_au": molecule.multipole_aq[site],
                }
            )
        texts = ("component_name", "smiles", "gas_phase_level", "point_group", "multipole_source")
        numbers = {column.name: 0.0 for column in CONFORMERS.columns if "double" in str(column.type)}
        rows.append(
            numbers
            | dict.fromkeys(texts, "-")
            | {
                "component": 0,
                "conformer": molecule.name,
                "status": "ok",
                "selected": selected is None or molecule.name in selected,
                "stoichiometry": 1,
                "charge": 0,
                "atoms": len(molecule.atomic_number_a),
                "rotatable_bonds": 0,
                "torsions_deg": [],
                "intramolecular_kJ_per_mol": molecule.intramolecular_kJ_per_mol,
            }
        )
    return MOLECULE.from_rows(sites), CONFORMERS.from_rows(rows)


def minimum_row(trial_id, packing, energy, status="ok", images=4, work=0.0):
    """A row of the table of minima with a given energy and work against a pressure."""
    mass = builders.oxalic_acid().mass_amu
    row = {"trial_id": trial_id, "steps": 1, "evaluations": 1, "status": status}
    row |= packing_values(packing, int(trial_id[:3]), "search")
    if status == "ok":
        row["density_g_per_cm3"] = G_PER_CM3_PER_AMU_PER_A3 * images * mass / packing.volume_A3
        row |= dict.fromkeys([f"{t}_kJ_per_mol" for t in ("electrostatic", "repulsion", "dispersion")], 0.0)
        row |= {"intramolecular_kJ_per_mol": 0.0, "lattice_energy_kJ_per_mol": energy}
        row["pressure_volume_kJ_per_mol"] = work
    return row


def minima_table(rows):
    return MINIMA.from_rows(rows)


def no_forms():
    return KNOWN_FORMS.from_rows([])


def other_packing():
    """A packing of oxalic acid unlike that of the builders."""
    return Packing(
        "P 2ac 2ab",
        (5.6, 7.9, 9.2, 90.0, 90.0, 90.0),
        (Pose(0, "ttt", "1", (0.1, 0.2, 0.15), (0.6, 0.0, 0.8, 0.0)),),
    )
