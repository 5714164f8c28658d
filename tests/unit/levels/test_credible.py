"""Lattice energies that cannot be right, of whatever program: a row with a status, computed or found in the store."""

import numpy as np
import pandas as pd
import pytest

from polyscape.levels.credible import problem_with_lattice_energy
from polyscape.levels.method import method_id
from polyscape.levels.protocol import Work
from polyscape.levels.store import Store
from polyscape.schemas import POINTS, SELECTION
from polyscape.settings.levels import Level
from polyscape.settings.molecule import Component
from polyscape.stages.progress import _counts
from polyscape.stages.references import Reference, judged
from polyscape.stages.rows import reduced_atoms
from polyscape.stages.single_point import CountedLevels, single_point
from polyscape.stages.stored_points import stored_points
from polyscape.units import KJ_PER_MOL_PER_EV
from tests.unit.learn import landscapes

OXALIC = (Component(name="oxalic_acid", smiles="OC(=O)C(=O)O"),)
TABLE = landscapes.landscape(1).iloc[:1].assign(lattice_energy_kJ_per_mol=-100.0)
ROW = TABLE.to_dict("records")[0]
NAME = ROW["structure_id"]


@pytest.mark.parametrize(
    ("energy", "below", "atoms"),
    [
        (30.0, -80.0, 18),  # naphthalene without dispersion on a force field's
        (-24.0, -29.0, 3),  # CO2
        (-5.0, -62.0, 2),  # iodine without dispersion
        (-640.0, -760.0, 30),  # a salt of two ions: the force field's charges are 15 % too large
        (-2500.0, -3100.0, 30),  # of doubly charged ions
        (-205.0, -100.0, 8),  # a relaxation that moves protons
    ],
)
def test_what_levels_differ_by_is_believed(energy, below, atoms):
    assert problem_with_lattice_energy(energy, below, "ff", atoms) is None


@pytest.mark.parametrize(
    ("energy", "below", "atoms"),
    [
        (
            -100.0 + 5 * KJ_PER_MOL_PER_EV / 2,
            -100.0,
            8,
        ),  # 5 eV a cell of two: direct minimisation with k-points
        (-100.0 + 6918 * KJ_PER_MOL_PER_EV, -100.0, 8),
        (-24.0 - 2 * KJ_PER_MOL_PER_EV, -29.0, 3),
        (350.0, -420.0, 20),  # molecules that the force field has pulled into one another
        (-1500.0, -700.0, 30),
    ],
)
def test_what_no_chemistry_makes_is_not(energy, below, atoms):
    problem = problem_with_lattice_energy(energy, below, "ff", atoms)
    assert f"lattice energy of {energy:.0f} kJ/mol" in problem
    assert f"that of ff ({below:.0f})" in problem


def _rows(**lattice_energies):
    rows = [
        landscapes.point(NAME, level.replace("_", "-"), int(ROW["formula_units"]), energy)
        for level, energy in lattice_energies.items()
    ]
    return POINTS.from_rows(rows).to_dict("records")


def test_a_refused_row_has_no_energy_and_the_next_level_is_compared_with_the_last_believed(capsys):
    reference = Reference(landscapes.molecules(), OXALIC)
    low, high = judged(_rows(pbe_d3=900.0, pbe0_d3=-110.0), ROW, reference)
    assert low["status"] == "untrusted"
    assert all(low[name] is None for name in low if name.endswith("energy_eV"))
    assert "1000 above that of ff (-100)" in low["message"]
    assert high["status"] == "ok"
    assert f"warning: {NAME} at pbe-d3" in capsys.readouterr().err
    low, high = judged(_rows(pbe_d3=-110.0, pbe0_d3=900.0), ROW, reference)
    assert (low["status"], high["status"]) == ("ok", "untrusted")
    assert "that of pbe-d3 (-110)" in high["message"]


def test_without_the_molecules_there_is_no_lattice_energy_to_judge():
    rows = _rows(pbe_d3=900.0)
    assert judged(rows, ROW, Reference(None, OXALIC)) == rows
    failed = landscapes.molecules().assign(status="scf_failed")
    reference = Reference(failed, OXALIC)
    assert judged(rows, ROW, reference) == rows
    assert (reference.missing("pbe-d3"), np.isnan(reference.energy_eV("pbe-d3"))) == (["oxalic_acid"], True)


@pytest.fixture
def gfn(tmp_path):
    """A ladder of one level, its isolated molecule, and a store that holds a wrong energy of the structure."""
    levels = [Level(name="gfn2", backend="tblite")]
    molecule_eV, units = -580.0, int(ROW["formula_units"])
    isolated = landscapes.point("molecule:0", "pbe-d3", 1, 0.0)
    isolated |= {"level": "gfn2", "total_energy_eV": molecule_eV, "electronic_energy_eV": molecule_eV}
    store = Store(tmp_path / "store")
    work = Work(1.0, 1.0, 1, 100.0, 10, 0, 1)
    wrong_eV = units * (molecule_eV + 9.0)  # eV per formula unit
    store.put(method_id(levels, 0), reduced_atoms(ROW), wrong_eV, work)
    return CountedLevels(levels, Reference(POINTS.from_rows([isolated]), OXALIC)), store


def test_what_the_store_holds_is_judged_like_what_is_computed(gfn, tmp_path):
    counted, store = gfn
    slot = SELECTION.from_rows(
        [{"round": 0, "slot": 0, "structure_id": NAME, "level": "gfn2", "reason": "t"}]
    )
    points, is_root = single_point(TABLE, slot.iloc[0], counted, store, tmp_path)
    assert is_root
    for table in (points, stored_points(TABLE, counted, store)):
        (point,) = POINTS.from_rows(table.to_dict("records")).to_dict("records")
        assert (point["status"], point["source"]) == ("untrusted", "store")
        assert pd.isna(point["total_energy_eV"])
        assert point["core_s"] == 1.0  # what it took is paid all the same
        assert point["store_key"].startswith(method_id(counted.levels, 0))
        assert _counts(table) == {"gfn2": {"untrusted, from the store": 1}}
