"""Relaxation: symmetry, bonds and thresholds kept; failures told; a ladder's levels above take its geometry."""

import numpy as np
import pytest
import spglib
from ase import Atoms
from ase.build import molecule

from polyscape.levels.box import charge_of, in_box
from polyscape.levels.ladder import climb, stored, stretches
from polyscape.levels.method import method_ids
from polyscape.levels.protocol import SinglePoint
from polyscape.levels.registry import backend
from polyscape.levels.relaxation import bonds_of, relax
from polyscape.levels.serial import Clock
from polyscape.levels.store import Store
from polyscape.settings.levels import Level
from polyscape.stages.single_point import point_row
from polyscape.status import Status

FAST = {"supercell_width_A": 0.0, "accuracy": 1.0}
"""One cell at Gamma: no crystal's energy, but a smooth surface of few atoms."""


def level(name="a", **settings):
    return Level(**({"name": name, "backend": "tblite", "tblite": FAST} | settings))


@pytest.fixture(scope="module")
def crystal():
    """Acetylene on the inversion centres of P2_1/c."""
    acetylene = Atoms("C2H2", [[0.6, 0, 0], [-0.6, 0, 0], [1.66, 0, 0], [-1.66, 0, 0]])
    acetylene.rotate(40, (0.3, 1, 0.5))
    cell_cv = np.array([[4.4, 0, 0], [0, 5.0, 0], [-1.0, 0, 4.9]])
    first_ac = acetylene.positions @ np.linalg.inv(cell_cv)
    second_ac = first_ac * [-1, 1, -1] + [0, 0.5, 0.5]
    return Atoms("C2H2C2H2", np.vstack([first_ac, second_ac]) @ cell_cv, cell=cell_cv, pbc=True)


def space_group(atoms):
    return spglib.get_spacegroup(
        (np.asarray(atoms.cell), atoms.get_scaled_positions(), atoms.numbers), symprec=1e-3
    )


def relaxed(atoms, settings, folder):
    program, stress = backend(settings), settings.relax == "cell"
    return relax(atoms, settings, lambda moved: program.gradient(moved, settings, folder, stress))


@pytest.mark.parametrize("what", ["atoms", "cell"])
def test_a_crystal_relaxes_in_its_space_group(crystal, tmp_path, what):
    settings = level(relax=what, relaxation={"force_eV_per_A": 0.03, "stress_GPa": 0.1})
    end = relaxed(crystal, settings, tmp_path)
    assert (end.status, end.message, end.connectivity_kept) == (Status.OK, None, True)
    assert space_group(end.atoms) == space_group(crystal) == "P2_1/c (14)"
    last = end.points[-1]
    assert np.linalg.norm(last.forces_av, axis=1).max() < 0.0301  # symmetrised before they are compared
    assert last.energy_eV < end.points[0].energy_eV - 0.01
    assert end.rmsd_A > 0.01
    assert (end.volume_change_percent == 0) == (what == "atoms")
    if what == "cell":
        assert np.abs(last.stress_vv).max() * 160.2 < 0.101


def test_dispersion_moves_the_atoms_too(crystal, tmp_path):
    """Forces that are zero but for D3 leave the crystal where D3 alone wants it to go."""

    def nothing(atoms):
        zero = np.zeros((len(atoms), 3))
        return SinglePoint("a", Status.OK, 0.0, Clock().work(), forces_av=zero, stress_vv=np.zeros((3, 3)))

    settings = Level(
        name="a", dispersion="d3bj", relax="cell", relaxation={"max_steps": 3, "stress_GPa": 1e-4}
    )
    end = relax(crystal, settings, nothing)
    assert end.status is Status.STEP_LIMIT
    assert "stress" in end.message
    assert end.volume_change_percent < -0.01  # dispersion pulls the molecules together


def test_bonds_that_form_are_a_status(crystal, tmp_path):
    """A spring that pulls two molecules into each other."""

    def spring(atoms):
        forces_av = np.zeros((len(atoms), 3))
        offset_v = atoms.get_distance(2, 5, mic=True, vector=True)
        forces_av[2], forces_av[5] = 0.3 * offset_v, -0.3 * offset_v
        return SinglePoint("a", Status.OK, 0.0, Clock().work(), forces_av=forces_av)

    start = crystal.copy()
    start.positions += np.random.default_rng(2).normal(scale=0.02, size=(8, 3))  # no symmetry to obey
    end = relax(start, level(relax="atoms", relaxation={"force_eV_per_A": 0.25}), spring)
    assert (end.status, end.connectivity_kept) == (Status.BROKEN, False)
    assert "bonds formed: 1" in end.message


def test_bonds_are_those_of_the_molecules(crystal):
    wrapped = crystal.copy()
    wrapped.wrap()
    assert bonds_of(crystal) == bonds_of(wrapped) == {(0, 1), (0, 2), (1, 3), (4, 5), (4, 6), (5, 7)}


def test_a_ladder_continues_at_the_relaxed_geometry_and_finds_it_again(crystal, tmp_path):
    relaxing = level(relax="atoms", relaxation={"force_eV_per_A": 0.1})
    other = level("b", tblite=FAST | {"method": "GFN1-xTB"})
    ladder, store = [relaxing, other, level("c")], Store(tmp_path / "store")
    assert stretches(ladder) == [range(3)]
    rungs, is_root = climb(crystal, ladder, store, tmp_path)
    assert is_root
    assert rungs[0].relaxation.rmsd_A > 0.02  # the store tells the two geometries apart
    assert [rung.point.status for rung in rungs] == [Status.OK] * 3
    # the last level is the first one's method, at its relaxed geometry: thresholds of self-consistency
    assert rungs[2].point.energy_eV == pytest.approx(rungs[0].point.energy_eV, abs=1e-5)
    assert rungs[0].point.work.scf_steps > 2 * rungs[2].point.work.scf_steps  # the relaxation is counted
    again, _ = climb(crystal, ladder, store, tmp_path)
    assert [rung.source for rung in again] == ["store"] * 3
    assert [rung.point.level for rung in stored(crystal, ladder, [1, 2], store)] == ["b", "c"]
    assert stored(crystal, [level("x", relax="cell"), other], [1], store) == []
    for rung in (rungs[0], again[0]):
        row = point_row("s", 2, rung)
        assert (row["relaxed"], row["connectivity_kept"], row["relaxation_converged"]) == (
            "atoms",
            True,
            True,
        )
        assert row["relaxation_steps"] == rungs[0].relaxation.steps > 0
        assert np.allclose(row["relaxed_cell_A"], np.asarray(crystal.cell).ravel())
    assert "relaxed" not in point_row("s", 2, rungs[1])


def test_an_ion_keeps_its_charge_while_it_relaxes_and_above(tmp_path):
    ladder = [level(relax="atoms"), level("b", tblite=FAST | {"method": "GFN1-xTB"})]
    place, store = (np.array([8, 1]), np.array([[0, 0, 0], [0, 0, 1.02]]), 8.0), Store(tmp_path / "store")
    energies_eV = []
    for charge in (-1, 1):
        rungs, _ = climb(in_box(*place, charge=charge), ladder, store, tmp_path)
        assert [charge_of(rung.relaxation.atoms) for rung in rungs[:1]] == [charge]
        again, _ = climb(in_box(*place, charge=charge), ladder, store, tmp_path)
        assert [rung.source for rung in again] == ["store"] * 2
        assert charge_of(again[0].relaxation.atoms) == charge
        energies_eV.append([rung.point.energy_eV for rung in rungs])
    assert np.abs(np.diff(energies_eV, axis=0)).min() > 10  # two electrons


def test_what_fails_below_is_skipped_above(crystal, tmp_path):
    ladder = [
        level(relax="atoms", relaxation={"max_steps": 1}),
        level("b"),
        level("c", backend="ase:ase.calculators.emt.EMT", tblite={}),
    ]
    rungs, _ = climb(crystal, ladder, Store(tmp_path / "store"), tmp_path)
    assert [rung.point.status for rung in rungs] == [Status.STEP_LIMIT, Status.SKIPPED, Status.SKIPPED]
    assert "not relaxed in 1 steps" in rungs[0].point.message
    row = point_row("s", 2, rungs[0])
    assert (row["relaxation_converged"], row["relaxation_steps"]) == (False, 1)
    assert "electronic_energy_eV" not in row
    unsolved = level(tblite=FAST | {"max_scf_steps": 1}, relax="atoms")
    (rung,), _ = climb(crystal, [unsolved], Store(tmp_path / "store"), tmp_path)
    assert rung.point.status is Status.SCF_FAILED
    assert "after 0 steps of relaxation" in rung.point.message


def test_the_relaxation_is_part_of_the_method_and_the_levels_above_are_what_they_were():
    plain = [level(), level("b", tblite=FAST | {"method": "GFN1-xTB"})]
    ids = method_ids(plain)
    for change in (
        {"relax": "atoms"},
        {"relax": "cell"},
        {"relax": "cell", "relaxation": {"stress_GPa": 0.1}},
    ):
        new = method_ids([level(**change), plain[1]])
        assert new["a"] not in ids.values()
        assert new["b"] == ids["b"]
        ids |= {str(change): new["a"]}
    patient = level(relax="atoms", relaxation={"max_steps": 7})
    assert method_ids([patient])["a"] == ids[str({"relax": "atoms"})]


def test_a_molecule_relaxes_its_atoms_only(tmp_path):
    water = molecule("H2O")
    atoms = Atoms(water.numbers, water.positions * 1.05 + 4, cell=np.eye(3) * 8, pbc=False)
    end = relaxed(atoms, replace_relax(level(), "cell"), tmp_path)
    assert (end.status, end.what, end.volume_change_percent) == (Status.OK, "atoms", 0.0)
    assert end.atoms.get_distance(0, 1) == pytest.approx(0.96, abs=0.01)  # GFN2: 0.9595 A; force left over


def replace_relax(settings, what):
    return settings.model_copy(update={"relax": what})


def test_forces_that_are_no_numbers_end_a_relaxation(crystal):
    def gradient(atoms):
        return SinglePoint("a", Status.OK, -1.0, None, forces_av=np.full((len(atoms), 3), np.nan))

    end = relax(crystal, level(relax="atoms"), gradient)
    assert (end.status, end.steps) == (Status.UNTRUSTED, 0)
    assert "not finite" in end.message
