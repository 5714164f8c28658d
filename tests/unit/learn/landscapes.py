"""Invented landscapes of oxalic acid for the tests of learning: real geometries, energies by simple formulas.

The force field is a sum over pairs of atoms of different molecules; the first level adds a short-range
function of the O...H contacts, which short-range descriptors can learn; the second scales the first and
adds a little of the same kind.
"""

import numpy as np
from ase.neighborlist import neighbor_list

from polyscape.crystal.packing import Packing, Pose
from polyscape.energy.model import build_model
from polyscape.schemas import CONFORMERS, DISPERSION, FEATURES, LANDSCAPE, POINTS
from polyscape.settings import parse_settings
from polyscape.stages.features import features
from polyscape.stages.lattice_energies import LearningPlan, LearningTables
from polyscape.stages.rows import packing_values, reduced_values
from polyscape.units import KJ_PER_MOL_PER_EV
from tests.builders import conformers

LEVELS = ("pbe-d3", "pbe0-d3")
MOLECULE_eV = {"pbe-d3": -5000.0, "pbe0-d3": -5100.0}
_GROUPS = (("P 1", 1, 1), ("-P 1", 2, 2), ("P 2yb", 4, 2), ("-P 2ybc", 14, 4))


def settings(**changes):
    """A campaign on oxalic acid with some settings changed."""
    data = {
        "campaign": "test",
        "molecule": {"components": [{"name": "oxalic_acid", "smiles": "OC(=O)C(=O)O"}]},
        "features": {"descriptor": "soap+terms"},
    }
    return parse_settings(data | changes, "test")


def plan(found):
    """What is learned from, under some settings."""
    return LearningPlan(found.levels, found.molecule.components, found.features, found.learning)


def features_of(table, **changes):
    """The descriptors of a landscape."""
    found = settings(**changes)
    return features(table, build_model(conformers(), found.energy), found.features)


def packing(generator, hall_symbol, molecules):
    """A packing at a random pose in a cell of the usual volume for so many molecules; overlap does not
    matter here.
    """
    edge = (80.0 * molecules) ** (1 / 3)
    stretch = generator.uniform(0.85, 1.2, 3)
    a, b, c = edge * stretch / np.prod(stretch) ** (1 / 3)
    quaternion = generator.normal(size=4)
    pose = Pose(
        0, "ttt", "1", tuple(generator.uniform(0.05, 0.45, 3)), tuple(quaternion / np.linalg.norm(quaternion))
    )
    angle = 90.0 if "2" in hall_symbol else 85.0
    return Packing(hall_symbol, (a, b, c, angle, generator.uniform(85, 105), angle), (pose,))


def contacts(atoms, width_A=0.6):
    """Sum of Gaussians over the O...H distances between molecules, per molecule."""
    i, j, d = neighbor_list("ijd", atoms, 4.0)
    oh = (atoms.numbers[i] == 8) & (atoms.numbers[j] == 1) & (i // 8 != j // 8)
    return float(np.exp(-((d[oh] - 1.9) ** 2) / (2 * width_A**2)).sum()) * 8 / len(atoms)


def landscape(count, seed=0):
    """`count` distinct structures and one duplicate of the first; energies within 20 kJ/mol."""
    generator = np.random.default_rng(seed)
    rows = []
    for index in range(count):
        hall, number, molecules = _GROUPS[index % len(_GROUPS)]
        made = packing(generator, hall, molecules)
        atoms = made.to_atoms(conformers())
        energy = -100.0 + float(generator.uniform(0, 20))
        rows.append(
            packing_values(made, number, "search")
            | reduced_values(atoms, molecules)
            | {
                "structure_id": f"{number:03d}-{index:07d}",
                "electrostatic_kJ_per_mol": 0.7 * energy,
                "repulsion_kJ_per_mol": 40.0,
                "dispersion_kJ_per_mol": 0.3 * energy - 40.0,
                "intramolecular_kJ_per_mol": 0.0,
                "lattice_energy_kJ_per_mol": energy,
                "pressure_volume_kJ_per_mol": 0.0,
                "relative_energy_kJ_per_mol": 0.0,
                "density_g_per_cm3": 1.7,
                "hits": 1,
                "symmetry_found": "P -1",
                "space_group_found": 2,
                "z_prime_found": 1.0,
                "amd_A": [1.0],
            }
        )
    lowest = min(row["lattice_energy_kJ_per_mol"] for row in rows)
    for row in rows:
        row["relative_energy_kJ_per_mol"] = row["lattice_energy_kJ_per_mol"] - lowest
    duplicate = rows[0] | {"structure_id": "001-0999999", "duplicate_of": rows[0]["structure_id"], "hits": 0}
    return LANDSCAPE.from_rows([*rows, duplicate])


def dispersion(table):
    """An invented dispersion correction that differs from structure to structure."""
    names = table[table.duplicate_of.isna()].structure_id
    return DISPERSION.from_rows(
        {"structure_id": name, "level": level, "dispersion_kJ_per_mol": -40.0 - 3.0 * (int(name[-2:]) % 5)}
        for name in names
        for level in LEVELS
    )


def truth(table, atoms_of):
    """Lattice energies at both levels, dispersion included, {(structure, level): kJ/mol}."""
    d3 = dispersion(table).set_index(["structure_id", "level"]).dispersion_kJ_per_mol
    energies = {}
    for row in table[table.duplicate_of.isna()].to_dict("records"):
        name, found = row["structure_id"], contacts(atoms_of(row))
        first = row["lattice_energy_kJ_per_mol"] - d3[name, LEVELS[0]] + 12.0 - 3.0 * found
        energies[name, LEVELS[0]] = first + d3[name, LEVELS[0]]
        energies[name, LEVELS[1]] = 0.95 * first - 4.0 + 0.5 * found + d3[name, LEVELS[1]]
    return energies


def point(name, level, formula_units, lattice_energy, status="ok"):
    """A row of points whose lattice energy is the one given."""
    energy_eV = formula_units * (MOLECULE_eV[level] + lattice_energy / KJ_PER_MOL_PER_EV)
    good = status == "ok"
    return {
        "structure_id": name,
        "level": level,
        "method_id": "m",
        "status": status,
        "formula_units": formula_units,
        "total_energy_eV": energy_eV if good else None,
        "electronic_energy_eV": energy_eV if good else None,
        "dispersion_energy_eV": 0.0 if good else None,
        "source": "computed",
    }


def molecules():
    """The isolated molecule at both levels."""
    return POINTS.from_rows(point("molecule:0", level, 1, 0.0) for level in LEVELS)


def points(table, energies, climbed, failed=()):
    """Points of structures that climbed to a level, {structure: level}; `failed` holds (structure, level)."""
    units = table.set_index("structure_id").formula_units
    rows = []
    for name, top in climbed.items():
        for level in LEVELS[: LEVELS.index(top) + 1]:
            status = "scf_failed" if (name, level) in failed else "ok"
            rows.append(point(name, level, int(units[name]), energies[name, level], status))
            if status != "ok":
                break
    return POINTS.from_rows(rows)


def tables(table, features, point_tables=()):
    """The tables that learning reads."""
    return LearningTables(
        table, features, dispersion(table), molecules() if point_tables else None, tuple(point_tables)
    )


__all__ = ["CONFORMERS", "FEATURES", "landscape", "points", "settings", "tables", "truth"]
