"""What every back end must do, shown on real calculations of a small crystal and a molecule.

What is GPAW's own (hybrids, symmetry, remedies, ranks, two cells for one) is in test_gpaw.py.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from polyscape.levels.box import in_box
from polyscape.levels.ladder import climb
from polyscape.levels.registry import backend
from polyscape.levels.store import Store
from polyscape.settings.levels import Level
from polyscape.status import Status


@dataclass(frozen=True)
class Case:
    """A back end with cheap settings.

    Attributes
    ----------
    level : Level
        What is computed; one k-point, or a supercell that both of a cell and its double fill alike.
    failing : Level
        The same with something that must go wrong.
    energy_eV : float
        By how much equal energies may differ: where self-consistency stops, or rounding.
    gradient : float
        By how much derivatives may differ from differences of energies, relative to the largest component.
    """

    level: Level
    failing: Level
    energy_eV: float
    gradient: float


def level(**settings):
    return Level(name="a", dispersion="none", **settings)


GPAW = {"plane_wave_cutoff_eV": 300.0, "grid_spacing_A": 0.22, "k_spacing_per_A": 10.0}
TIGHT = {
    "accuracy": 0.01,
    "supercell_width_A": 4.9,
}  # two cells along a, or one doubled cell: the same 12 atoms
EMT = "ase:ase.calculators.emt.EMT"
CASES = {
    # the plane waves' egg-box error of a turned or moved crystal, and self-consistency that stops at 2e-4 eV
    "gpaw": Case(level(gpaw=GPAW), level(gpaw=GPAW | {"max_scf_steps": 1}), 0.01, 0.05),
    "gfn1": Case(
        level(backend="tblite", tblite=TIGHT | {"method": "GFN1-xTB"}),
        level(backend="tblite", tblite=TIGHT | {"max_scf_steps": 2}),
        2e-6,  # thresholds of self-consistency
        1e-3,
    ),
    "gfn2": Case(
        level(backend="tblite", tblite=TIGHT),
        level(backend="tblite", tblite=TIGHT | {"max_scf_steps": 2}),
        2e-6,
        1e-3,
    ),
    # analytic: rounding; the step of the differences
    "ase": Case(level(backend=EMT), level(backend=EMT, ase={"keywords": {"asap_cutoff": True}}), 1e-9, 1e-3),
}


@pytest.fixture(params=[pytest.param(name, marks=[pytest.mark.dft] * (name == "gpaw")) for name in CASES])
def case(request):
    return CASES[request.param]


@pytest.fixture(scope="module")
def crystal():
    """HCN twice in P2_1, every atom a little off."""
    hcn = molecule("HCN")
    cell_cv = np.array([[4.6, 0, 0], [0, 5.2, 0], [-0.6, 0, 5.0]])
    fractional_ac = hcn.positions @ np.linalg.inv(cell_cv) + [0.3, 0.1, 0.2]
    second_ac = fractional_ac * [-1, 1, -1] + [0, 0.5, 0]
    positions_av = np.vstack([fractional_ac, second_ac]) @ cell_cv
    atoms = Atoms(list(hcn.numbers) * 2, positions_av, cell=cell_cv, pbc=True)
    atoms.positions += np.random.default_rng(5).normal(scale=0.05, size=(6, 3))
    return atoms


def energy_eV(case, atoms, folder):
    (point,) = backend(case.level).climb(atoms, [case.level], folder)
    assert point.status is Status.OK
    return point.energy_eV


def test_a_single_point_says_what_it_took_and_repeats(case, crystal, tmp_path):
    (point,) = backend(case.level).climb(crystal, [case.level], tmp_path)
    assert (point.level, point.status, point.message) == ("a", Status.OK, None)
    assert point.work.wall_s > 0
    assert point.work.cores >= 1
    assert point.energy_eV == pytest.approx(energy_eV(case, crystal, tmp_path), abs=1e-6)


def test_terms_add_up_and_the_history_ends_at_the_energy(case, crystal, tmp_path):
    (point,) = backend(case.level).climb(crystal, [case.level], tmp_path)
    if case.level.program != "ase":  # which tells neither
        assert len(point.scf_history_eV) == point.work.scf_steps > 2
        # GPAW extrapolates to no smearing at the end; tblite's last step is the energy
        assert point.scf_history_eV[-1] == pytest.approx(point.energy_eV, abs=1e-3)
        assert len(point.terms_eV) >= 3
        assert sum(point.terms_eV.values()) == pytest.approx(point.energy_eV, abs=1e-5)


def test_the_order_of_atoms_the_orientation_and_the_cell_of_an_atom_do_not_matter(case, crystal, tmp_path):
    expected_eV = energy_eV(case, crystal, tmp_path)
    other = crystal[np.random.default_rng(3).permutation(len(crystal))]
    other.positions[2] += crystal.cell[1] - crystal.cell[0]
    other.rotate(37, (1, 2, 3), rotate_cell=True)
    assert energy_eV(case, other, tmp_path) == pytest.approx(expected_eV, abs=case.energy_eV)


def test_two_cells_have_twice_the_energy_of_one(case, crystal, tmp_path):
    if case.level.program == "gpaw":
        pytest.skip("test_gpaw.py compares two cells at matching k-points")
    double = energy_eV(case, crystal.repeat((2, 1, 1)), tmp_path)
    assert double / 2 == pytest.approx(energy_eV(case, crystal, tmp_path), abs=case.energy_eV)


def test_forces_are_derivatives_of_the_energy(case, crystal, tmp_path):
    program = backend(case.level)
    point = program.gradient(crystal, case.level, tmp_path, stress=False)
    assert point.energy_eV == pytest.approx(energy_eV(case, crystal, tmp_path), abs=case.energy_eV)
    assert np.abs(point.forces_av).max() > 0.1  # a force that could be wrong
    # a translation costs nothing; on GPAW's grid nearly
    assert np.abs(point.forces_av.sum(axis=0)).max() < 10 * case.gradient
    atom, axis = np.unravel_index(np.abs(point.forces_av).argmax(), (6, 3))
    step_A, sides = 0.01, []
    for sign in (1, -1):
        moved = crystal.copy()
        moved.positions[atom, axis] += sign * step_A
        sides.append(energy_eV(case, moved, tmp_path))
    difference = -(sides[0] - sides[1]) / (2 * step_A)
    assert point.forces_av[atom, axis] == pytest.approx(difference, rel=case.gradient)


def test_stress_is_the_derivative_with_strain(case, crystal, tmp_path):
    if case.level.program == "gpaw":
        pytest.skip("test_gpaw.py tests the stress where the plane waves are enough for one")
    point = backend(case.level).gradient(crystal, case.level, tmp_path, stress=True)
    assert np.allclose(point.stress_vv, point.stress_vv.T)
    scale = np.abs(point.stress_vv).max()
    step = 2e-3
    for strain_vv in (np.diag([1.0, 0, 0]), np.array([[0, 0, 0.5], [0, 0, 0], [0.5, 0, 0]])):
        sides = []
        for sign in (1, -1):
            strained = crystal.copy()
            cell_cv = np.asarray(crystal.cell) @ (np.eye(3) + sign * step * strain_vv)
            strained.set_cell(cell_cv, scale_atoms=True)
            sides.append(energy_eV(case, strained, tmp_path))
        difference = (sides[0] - sides[1]) / (2 * step * crystal.get_volume())
        # the third derivative times the square of the step besides
        assert np.sum(point.stress_vv * strain_vv) == pytest.approx(difference, abs=5e-3 * scale)


def test_a_molecule_stands_alone_whatever_its_box_and_has_no_stress(case, tmp_path):
    hcn = molecule("HCN")
    boxes = [in_box(hcn.numbers, hcn.positions, edge_A) for edge_A in (9.24, 11.0)]  # 42 and 50 grid points
    energies_eV = [energy_eV(case, box, tmp_path) for box in boxes]
    # GPAW at 300 eV: the number of plane waves in a box counts, 0.05 eV
    assert energies_eV[0] == pytest.approx(energies_eV[1], abs=max(1e-6, 6 * case.energy_eV))
    point = backend(case.level).gradient(boxes[0], case.level, tmp_path, stress=False)
    assert point.stress_vv is None
    assert np.abs(point.forces_av.sum(axis=0)).max() < 10 * case.gradient


def test_a_failure_is_a_status_without_energy(case, crystal, tmp_path):
    atoms = crystal.copy()
    if case.level.program == "ase":
        atoms.numbers[0] = 18  # argon, which EMT does not know
    program = backend(case.failing)
    for point in (
        *program.climb(atoms, [case.failing], tmp_path),
        program.gradient(atoms, case.failing, tmp_path, stress=False),
    ):
        assert (point.status, point.energy_eV, point.forces_av) == (Status.SCF_FAILED, None, None)
        assert point.message
        assert point.work is not None


@pytest.mark.dft
def test_a_ladder_of_three_programs_is_climbed_in_one_go_and_found_again(crystal, tmp_path):
    """Extended tight binding relaxes, plane waves and a hybrid follow at its geometry, then a potential of ASE."""
    ladder = [
        Level(name="gfn2", backend="tblite", tblite=TIGHT, relax="atoms", relaxation={"force_eV_per_A": 0.3}),
        Level(name="pbe-d3", gpaw=GPAW),
        Level(name="pbe0-d4", dispersion="d4", gpaw={"functional": "PBE0", "hybrid": "non_self_consistent"}),
        Level(name="emt", backend=EMT),
    ]
    store = Store(tmp_path / "store")
    rungs, is_root = climb(crystal, ladder, store, tmp_path)
    assert is_root
    assert [rung.point.status for rung in rungs] == [Status.OK] * 4
    assert rungs[0].relaxation.rmsd_A > 0
    end = rungs[0].relaxation.atoms
    # the levels above stand at the relaxed geometry: self-consistency stops at 2e-4 eV, EMT is exact
    assert rungs[1].point.energy_eV == pytest.approx(energy_eV(CASES["gpaw"], end, tmp_path), abs=1e-3)
    assert rungs[3].point.energy_eV == pytest.approx(energy_eV(CASES["ase"], end, tmp_path), abs=1e-9)
    assert [rung.dispersion_eV != 0 for rung in rungs] == [False, True, True, False]
    again, _ = climb(crystal, ladder, store, tmp_path)
    assert [rung.source for rung in again] == ["store"] * 4
    assert [r.point.energy_eV for r in again] == [r.point.energy_eV for r in rungs]
