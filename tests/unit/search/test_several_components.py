"""Salts and hydrates from trials to the landscape: every crystal holds whole formula units, and the energy counts them."""

import numpy as np
import pandas as pd
import pytest
from ase.build import molecule as g2

from polyscape.crystal.groups import SpaceGroup
from polyscape.energy.potentials import load_potential
from polyscape.ids import Chunk
from polyscape.molecule.read import bonds_by_distance
from polyscape.settings.search import EnergySettings, LandscapeSettings, MinimiserSettings, Sampling
from polyscape.stages.landscape import make_landscape
from polyscape.stages.minimise import minimise_trials
from polyscape.stages.search import make_trials
from tests import builders
from tests.unit.search.crystals import molecule_tables, no_forms

TRIALS = 6
FORCE_FIELD = EnergySettings(electrostatics="esp_charges")


def rigid(numbers, positions, charges, name):
    positions = np.asarray(positions, float)
    bonds = bonds_by_distance(np.asarray(numbers), positions)
    types = load_potential("fit").assign_types(numbers, bonds)
    return builders.conformer(numbers, positions, types, charges, bonds, name=name)


def ammonium():
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) * 1.02 / np.sqrt(3)
    return rigid([7, 1, 1, 1, 1], [(0, 0, 0), *corners], [-0.8, 0.45, 0.45, 0.45, 0.45], "ammonium")


def formate():
    places = [(0, 0, 0), (1.13, 0.57, 0), (-1.13, 0.57, 0), (0, -1.10, 0)]
    return rigid([6, 8, 8, 1], places, [0.9, -0.95, -0.95, 0.0], "formate")


def chloride():
    return rigid([17], [(0, 0, 0)], [-1.0], "chloride")


def water():
    atoms = g2("H2O")
    return rigid(list(map(int, atoms.numbers)), atoms.positions, [-0.8, 0.4, 0.4], "water")


def formaldehyde():
    atoms = g2("H2CO")
    charges = {8: -0.45, 6: 0.35, 1: 0.05}
    return rigid(
        list(map(int, atoms.numbers)), atoms.positions, [charges[z] for z in atoms.numbers], "aldehyde"
    )


def tables(*unit):
    """The tables `molecule` and `conformers` of (molecule, how many per formula unit)."""
    sites, rows = [], []
    for component, (one, count) in enumerate(unit):
        site, row = molecule_tables(one)
        sites.append(site.assign(component=component))
        rows.append(row.assign(component=component, stoichiometry=count))
    return pd.concat(sites, ignore_index=True), pd.concat(rows, ignore_index=True)


@pytest.mark.parametrize(
    ("unit", "highest_kJ_per_mol"),
    [
        # two point charges 5 A apart, farther than the ions of any crystal, have -1389 / 5 kJ/mol
        (((ammonium(), 1), (formate(), 1)), -1389.4 / 5),
        (((ammonium(), 1), (chloride(), 1)), -1389.4 / 5),
        (((formaldehyde(), 1), (water(), 2)), 0.0),
    ],
    ids=["salt", "salt of a single ion", "dihydrate"],
)
def test_from_trials_to_the_landscape(unit, highest_kJ_per_mol):
    molecule, conformers = tables(*unit)
    minima = []
    for number in (2, 19):
        series = (SpaceGroup.find(number), Chunk(number, 0, TRIALS))
        trials = make_trials(molecule, conformers, series, 1, Sampling())
        assert (trials.status == "ok").sum() >= TRIALS / 2
        minima.append(
            minimise_trials(molecule, conformers, trials, FORCE_FIELD, MinimiserSettings(max_steps=400), 1)
        )
    minima = pd.concat(minima, ignore_index=True)
    good = minima[minima.status == "ok"]
    assert len(good) >= TRIALS
    assert good.lattice_energy_kJ_per_mol.max() < highest_kJ_per_mol
    settings = LandscapeSettings(window_kJ_per_mol=1000.0)
    frame = make_landscape(molecule, conformers, no_forms(), minima, settings, 1)
    distinct = frame[frame.duplicate_of.isna()]
    assert len(frame) == len(good)
    atoms = sum(count * len(one.atomic_number_a) for one, count in unit)
    assert (distinct.atoms_in_reduced_cell == atoms * distinct.formula_units).all()
    for poses in distinct.poses:
        held = [sum(pose["component"] == c for pose in poses) for c in range(len(unit))]
        assert held == [count for _, count in unit]
