"""Plane waves with GPAW on small crystals: invariances, hybrids, remedies, and wrong numbers that are not accepted."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from polyscape.crystal.reduction import reduce_atoms
from polyscape.levels.box import in_box
from polyscape.levels.registry import backend
from polyscape.levels.sampling import grid, mesh
from polyscape.settings.gpaw import GpawSettings
from polyscape.settings.levels import Level
from polyscape.status import Status

pytestmark = pytest.mark.dft

CHEAP = {"plane_wave_cutoff_eV": 300.0, "grid_spacing_A": 0.22, "k_spacing_per_A": 0.9}


def ladder(**settings):
    hybrid = {"functional": "PBE0", "hybrid": "non_self_consistent"}
    return [
        Level(name="low", gpaw=GpawSettings(**(CHEAP | settings))),
        Level(name="high", gpaw=GpawSettings(**(CHEAP | settings | hybrid))),
    ]


def energies(atoms, tmp_path, levels=None):
    points = list(backend(ladder()[0]).climb(atoms, levels or ladder(), tmp_path))
    assert [point.status for point in points] == [Status.OK] * len(points)
    return np.array([point.energy_eV for point in points])


@pytest.fixture(scope="module")
def screw():
    """HCN twice in P2_1 with the axis along b: the fractional translation is half of b."""
    hcn = molecule("HCN")
    cell_cv = np.array([[4.6, 0, 0], [0, 5.2, 0], [-0.6, 0, 5.0]])
    fractional_ac = hcn.positions @ np.linalg.inv(cell_cv) + [0.3, 0.1, 0.2]
    second_ac = fractional_ac * [-1, 1, -1] + [0, 0.5, 0]
    positions_av = np.vstack([fractional_ac, second_ac]) @ cell_cv
    return Atoms(list(hcn.numbers) * 2, positions_av, cell=cell_cv, pbc=True)


@pytest.fixture(scope="module")
def screw_energies(screw, tmp_path_factory):
    return energies(screw, tmp_path_factory.mktemp("screw"))


def test_a_rerun_gives_the_same_energies(screw, screw_energies, tmp_path):
    assert np.allclose(energies(screw, tmp_path), screw_energies, rtol=0, atol=1e-6)  # what a rerun promises


def test_the_order_of_atoms_does_not_matter(screw, screw_energies, tmp_path):
    shuffled = screw[np.random.default_rng(3).permutation(len(screw))]
    # another order of sums, carried through self-consistency that stops at 2e-4 eV
    assert np.allclose(energies(shuffled, tmp_path), screw_energies, rtol=0, atol=5e-4)


def test_an_origin_that_breaks_the_grid_symmetry_changes_little(screw, screw_energies, tmp_path):
    """The screw axis, or an inversion centre, need not fit the grid: the crystal is moved, nothing is rounded."""
    moved = screw.copy()
    moved.positions += [0.137, 0.071, 0.219]
    points = list(backend(ladder()[0]).climb(moved, ladder(), tmp_path))
    assert points[0].work.k_points == 2  # of 4 without the screw axis
    # along the axis any origin is as good: egg-box error of 300 eV; rounding the operations was wrong by 0.5 eV
    assert np.allclose([point.energy_eV for point in points], screw_energies, rtol=0, atol=0.03)


@pytest.mark.parametrize(("spacing_per_A", "points"), [(0.9, 2), (0.7, 3)])
def test_glide_inversion_and_screw_save_time_and_nothing_else(spacing_per_A, points, tmp_path, monkeypatch):
    """Acetylene on the inversion centres of P2_1/c, on an even and a mixed mesh: the same without the operations."""
    from polyscape.levels.gpaw import parameters

    acetylene = Atoms("C2H2", [[0.6, 0, 0], [-0.6, 0, 0], [1.66, 0, 0], [-1.66, 0, 0]])
    acetylene.rotate(40, (0.3, 1, 0.5))
    cell_cv = np.array([[4.4, 0, 0], [0, 5.0, 0], [-1.0, 0, 4.9]])
    first_ac = acetylene.positions @ np.linalg.inv(cell_cv)
    second_ac = first_ac * [-1, 1, -1] + [0, 0.5, 0.5]
    crystal = Atoms("C2H2C2H2", np.vstack([first_ac, second_ac]) @ cell_cv, cell=cell_cv, pbc=True)
    levels = ladder(k_spacing_per_A=spacing_per_A)[: 2 if points == 2 else 1]
    with_operations = list(backend(levels[0]).climb(crystal, levels, tmp_path))
    assert with_operations[0].work.k_points == points
    monkeypatch.setattr(parameters, "usable_symmetry", lambda *_: {"point_group": False})
    without = list(backend(levels[0]).climb(crystal, levels, tmp_path))
    assert without[0].work.k_points > points
    for left, right in zip(with_operations, without, strict=True):
        # self-consistency that stops at 2e-4 eV; a translation left out is wrong by tenths of an eV
        assert left.energy_eV == pytest.approx(right.energy_eV, abs=3e-4)


def test_two_cells_cost_twice_one(tmp_path):
    """A mesh of 4 on one cell and of 2 on the doubled cell are the same k-points."""
    water = molecule("H2O")
    single = Atoms(water.numbers, water.positions, cell=np.diag([4.0, 4.6, 4.4]), pbc=True)
    levels = ladder(k_spacing_per_A=0.4, grid_spacing_A=0.21)
    for atoms, sizes in ((single, (4, 4, 4)), (single.repeat((2, 1, 1)), (2, 4, 4))):
        assert mesh(np.asarray(atoms.cell), 0.4) == sizes
    assert (
        grid(np.asarray(single.repeat((2, 1, 1)).cell), 0.21)[0] == 2 * grid(np.asarray(single.cell), 0.21)[0]
    )
    one = energies(single, tmp_path, levels[:1])
    two = energies(single.repeat((2, 1, 1)), tmp_path, levels[:1])
    assert np.allclose(two, 2 * one, rtol=0, atol=1e-3)  # self-consistency stops at 2e-4 eV per cell


def without_symmetry(screw, tmp_path, **changes):
    """GPAW's own calculator of the screw crystal where ours puts it, without symmetry, and the atoms: GPAW is right."""
    from gpaw.new.ase_interface import GPAW

    from polyscape.levels.gpaw.parameters import best_placed, parameters_of

    settings = ladder()[0].gpaw
    placed = best_placed(screw, settings)
    tight = {"energy": 1e-6, "density": 2e-5, "eigenstates": 1e-8}
    parameters = parameters_of(placed, settings, tight) | {"symmetry": "off"} | changes
    return GPAW(**parameters, txt=str(tmp_path / "own.txt")), placed


def test_hybrid_energy_agrees_with_gpaws_own_where_that_is_right(screw, screw_energies, tmp_path):
    """Without symmetry GPAW's own function is right; with it, ours must give the same."""
    from gpaw.new.pw.hybrids import non_self_consistent_hybrid_xc_energy

    calculator, placed = without_symmetry(screw, tmp_path)
    calculator.get_property("energy", placed)
    terms = non_self_consistent_hybrid_xc_energy(calculator.dft, "PBE0", log=str(tmp_path / "log2.txt"))
    # 0.005 kJ/mol per molecule for orbitals that are not quite converged
    assert terms.sum() == pytest.approx(screw_energies[1], abs=1e-4)


def test_one_order_of_a_pair_of_orbitals_is_enough_at_a_k_point_and_its_opposite(screw, tmp_path):
    """With occupations that are no longer alike, and the bands shared by two ranks."""
    from gpaw.new.pw.hybrids import truncated_coulomb

    from polyscape.levels.exchange import Crystal, _pair_energy, whole_zone
    from polyscape.levels.gpaw.hybrid import irreducible_orbitals

    calculator, placed = without_symmetry(screw, tmp_path, symmetry={"point_group": False})
    calculator.get_property("energy", placed)
    dft = calculator.dft
    grid = dft.density.grid.new(comm=None, dtype=complex)
    coulomb = truncated_coulomb(grid.cell_cv, dft.ibzwfs.ibz.bz, 0.0, False)
    crystal = Crystal(grid, grid.fft_plans(), dft.setups, dft.relpos_ac, coulomb, dft.ibzwfs.ibz)
    irreducible = irreducible_orbitals(crystal, dft)
    occupation_n = np.random.default_rng(2).uniform(0.2, 1.0, len(irreducible[0].f_n))
    own = replace(irreducible[0], f_n=occupation_n)
    sources = zip(dft.ibzwfs.ibz.bz2ibz_K, whole_zone(crystal, irreducible), strict=True)
    images = [replace(image, f_n=occupation_n) for source, image in sources if source == 0]
    assert [tuple(np.round(image.kpt_c + own.kpt_c, 9)) for image in images].count((0.0, 0.0, 0.0)) == 1
    assert len(images) == 2  # itself and, by time reversal, its opposite
    for image in images:
        shares = [np.arange(rank, len(occupation_n), 2) for rank in (0, 1)]
        half = sum(_pair_energy(crystal, image, own, mine_n, alike=True) for mine_n in shares)
        full = sum(_pair_energy(crystal, image, own, mine_n, alike=False) for mine_n in shares)
        assert half == pytest.approx(full, rel=1e-10)
        assert full > 0


def test_a_polar_molecule_does_not_feel_its_box(tmp_path):
    hcn = molecule("HCN")
    small, large = (in_box(hcn.numbers, hcn.positions, box) for box in (8.4, 10.8))
    assert (small.cell[0, 0], large.cell[0, 0]) == (8.4, 10.8)  # the extent plus 6 A is smaller
    # half a box is a multiple of the grid's spacing: the same place on the grid; below 500 eV the count of plane
    # waves in a box moves the energy by 0.05 eV
    levels = ladder(plane_wave_cutoff_eV=600.0, grid_spacing_A=0.15)[:1]
    difference_eV = energies(small, tmp_path, levels) - energies(large, tmp_path, levels)
    # 0.004 eV is left for the quadrupole and the plane waves; the correction of the dipole differs by 0.010 eV
    assert np.abs(difference_eV).max() < 0.006


def test_failed_self_consistency_is_a_status_and_the_level_above_is_skipped(screw, tmp_path):
    low, high = backend(ladder()[0]).climb(screw, ladder(max_scf_steps=1), tmp_path)
    assert (low.status, low.energy_eV) == (Status.SCF_FAILED, None)
    assert "Davidson" in low.message
    assert (high.status, high.energy_eV, high.work) == (Status.SKIPPED, None, None)


def test_a_remedy_reaches_the_same_energy_and_is_told(screw, screw_energies, tmp_path):
    (point,) = backend(ladder()[0]).climb(screw, ladder(max_scf_steps=5)[:1], tmp_path)
    assert point.status is Status.OK
    assert point.message == "converged by: more steps"
    assert point.work.scf_steps == len(point.scf_history_eV) > 5
    assert point.energy_eV == pytest.approx(screw_energies[0], abs=1e-4)  # what the criteria promise


def test_a_hybrid_that_needs_more_steps_gets_them_and_tells(screw, tmp_path):
    gamma = {"k_spacing_per_A": 10.0, "functional": "PBE0", "hybrid": "self_consistent"}
    few, enough = ladder(**gamma, max_scf_steps=4)[0], ladder(**gamma)[0]
    (right,) = backend(enough).climb(screw, [enough], tmp_path)
    (point,) = backend(few).climb(screw, [few], tmp_path)
    assert (right.message, point.message) == (None, "converged by: more steps")
    assert point.energy_eV == pytest.approx(right.energy_eV, abs=5e-5)  # what the criteria promise


def test_a_failed_warm_start_is_told_and_paid(screw, tmp_path):
    """PBEsol takes four steps from PBE's orbitals; from scratch, twice three go on where three have ended."""
    pair = [ladder()[0], ladder(functional="PBEsol", max_scf_steps=3)[0]]
    low, high = backend(pair[0]).climb(screw, pair, tmp_path)
    assert (low.status, high.status) == (Status.OK, Status.OK)
    assert high.message == "converged by: from scratch; more steps"
    assert high.work.scf_steps == len(high.scf_history_eV) > 3 + 3


def test_atoms_upon_each_other_are_a_status(screw, tmp_path):
    clash = screw.copy()
    clash.positions[1] = clash.positions[0] + [0.01, 0, 0]
    (point,) = backend(ladder()[0]).climb(clash, ladder()[:1], tmp_path)
    assert (point.status, point.energy_eV) == (Status.SCF_FAILED, None)
    assert "upon each other" in point.message


def test_the_terms_add_up_and_the_course_ends_at_the_energy(screw, tmp_path):
    low, high = backend(ladder()[0]).climb(screw, ladder(), tmp_path)
    assert sum(low.terms_eV.values()) == pytest.approx(low.energy_eV, abs=1e-9)
    assert sum(high.terms_eV.values()) == pytest.approx(high.energy_eV, abs=1e-9)
    assert {"kinetic", "coulomb", "xc"} <= set(low.terms_eV)
    assert "exact_exchange" in high.terms_eV
    assert len(low.scf_history_eV) == low.work.scf_steps
    assert low.scf_history_eV[-1] == pytest.approx(low.energy_eV, abs=1e-9)


def test_direct_minimisation_with_k_points_is_caught(screw, tmp_path):
    """It leaves the weights of k-points out of the kinetic energy, and says that it has converged."""
    from polyscape.levels.gpaw.checks import problem_with_kinetic_energy

    loose = {"density": 1e-3, "eigenstates": 1e-2}
    good, placed = without_symmetry(screw, tmp_path, convergence=loose)
    right_eV = good.get_property("energy", placed)
    assert problem_with_kinetic_energy(good.dft) is None
    wrong, _ = without_symmetry(screw, tmp_path, eigensolver="etdm-fdpw", convergence=loose)
    assert abs(wrong.get_property("energy", placed) - right_eV) > 5
    assert "kinetic energy" in problem_with_kinetic_energy(wrong.dft)


@pytest.mark.parametrize("spacing_per_A", [10.0, pytest.param(0.9, marks=pytest.mark.slow)])
def test_a_warm_hybrid_is_the_cold_one(screw, tmp_path, monkeypatch, spacing_per_A):
    """From PBE's orbitals with compressed exchange and symmetry: what GPAW gives from scratch without either."""
    from polyscape.levels.gpaw import parameters

    settings = {"k_spacing_per_A": spacing_per_A}
    hybrid = ladder(**settings, functional="PBE0", hybrid="self_consistent")[0]
    pbe, warm = backend(hybrid).climb(screw, [ladder(**settings)[0], hybrid], tmp_path)
    assert (pbe.status, warm.status) == (Status.OK, Status.OK)
    if spacing_per_A > 1:  # GPAW's own takes a minute with k-points
        cold, placed = without_symmetry(screw, tmp_path, xc={"name": "PBE0", "backend": "pw"}, kpts=(1, 1, 1))
        assert warm.energy_eV == pytest.approx(cold.get_property("energy", placed), abs=1e-5)
    else:
        monkeypatch.setattr(parameters, "usable_symmetry", lambda *_: {"point_group": False})
        (without,) = backend(hybrid).climb(screw, [hybrid], tmp_path)
        assert without.work.k_points > warm.work.k_points
        assert warm.energy_eV == pytest.approx(without.energy_eV, abs=2e-5)  # per cell of two molecules


RANKS = """
from pathlib import Path
from polyscape.levels.registry import backend
from tests.contracts.test_gpaw import hydrogen, ladder
(hybrid,) = ladder(k_spacing_per_A=1.5, functional="PBE0", hybrid="self_consistent")[:1]
program = backend(hybrid)
(point,) = program.climb(hydrogen(), [hybrid], Path("{folder}"))
if program.is_root:
    print(point.energy_eV, point.work.cores, point.work.k_points)
"""


def hydrogen():
    """A hydrogen molecule in a cell without symmetry, in which the plane waves of the default cutoff are enough."""
    cell_cv = np.array([[3.0, 0, 0], [0.4, 2.9, 0], [0, 0.3, 3.3]])
    return Atoms("H2", [[0.1, 0.2, 0.3], [0.3, 0.45, 0.95]], cell=cell_cv, pbc=True)


@pytest.mark.skipif(shutil.which("mpiexec") is None, reason="no mpiexec")
def test_a_self_consistent_hybrid_with_k_points_ends_on_two_ranks_at_the_energy_of_one(tmp_path):
    """One occupied band: the second rank has no orbital of its own in the exchange."""
    hybrid = ladder(k_spacing_per_A=1.5, functional="PBE0", hybrid="self_consistent")[0]
    (alone,) = backend(hybrid).climb(hydrogen(), [hybrid], tmp_path)
    as_root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    done = subprocess.run(
        ["mpiexec", "--oversubscribe", "-n", "2", sys.executable, "-c", RANKS.format(folder=tmp_path)],
        env=os.environ | as_root | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,  # a hang; it takes seconds
    )
    assert done.returncode == 0, done.stderr
    energy_eV, cores, k_points = map(float, done.stdout.split())
    assert (cores, k_points) == (2, 4)
    assert energy_eV == pytest.approx(alone.energy_eV, abs=1e-8)


@pytest.mark.parametrize("functional", ["PBE", pytest.param("r2SCAN", marks=pytest.mark.slow)])
def test_stress_is_the_derivative_with_strain(functional, tmp_path):
    """Hydrogen at 800 eV: what the number of plane waves, which changes with the cell, adds is below 1e-3."""
    fine = {"plane_wave_cutoff_eV": 800.0, "grid_spacing_A": 0.13, "k_spacing_per_A": 10.0}
    level, atoms, step = ladder(**fine, functional=functional)[0], hydrogen(), 4e-3
    program = backend(level)
    point = program.gradient(atoms, level, tmp_path, stress=True)
    strain_vv = np.array([[1.0, 0, 0.5], [0, 0, 0], [0.5, 0, 0]])
    energies_eV = []
    for sign in (1, -1):
        strained = atoms.copy()
        strained.set_cell(np.asarray(atoms.cell) @ (np.eye(3) + sign * step * strain_vv), scale_atoms=True)
        energies_eV.append(program.gradient(strained, level, tmp_path, stress=False).energy_eV)
    difference = (energies_eV[0] - energies_eV[1]) / (2 * step * atoms.get_volume())
    assert difference > 0.05
    assert np.sum(point.stress_vv * strain_vv) == pytest.approx(difference, abs=1e-3)


def test_functionals_without_setups_of_their_own(screw, tmp_path):
    """By name and by libxc's names, on PBE's setups; PBE written as libxc's is PBE."""
    levels = [ladder(functional=name)[0] for name in ("PBE", "GGA_X_PBE+GGA_C_PBE", "PBEsol")]
    points = list(backend(levels[0]).climb(screw, levels, tmp_path))
    assert [point.status for point in points] == [Status.OK] * 3
    # libxc's parameters of PBE have more digits than GPAW's own
    assert points[1].energy_eV == pytest.approx(points[0].energy_eV, abs=1e-3)
    assert points[1].work.scf_steps < points[0].work.scf_steps  # from the orbitals of the level below


@pytest.mark.parametrize(("functional", "atom", "spacing_per_A"), [("PBE", 0, 0.9), ("r2SCAN", 1, 10.0)])
def test_forces_are_the_gradient_of_the_energy(screw, tmp_path, functional, atom, spacing_per_A):
    """A central difference of an atom and its image under the screw axis, off the minimum."""
    level = ladder(functional=functional, k_spacing_per_A=spacing_per_A)[0]
    program, step_A = backend(level), 0.02
    point = program.gradient(screw, level, tmp_path, stress=False)
    energies_eV = []
    for sign in (1, -1):
        moved = screw.copy()
        moved.positions[atom, 2] += sign * step_A
        moved.positions[atom + 3, 2] -= sign * step_A  # -x, y + 1/2, -z
        energies_eV.append(program.gradient(moved, level, tmp_path, stress=False).energy_eV)
    slope = (energies_eV[0] - energies_eV[1]) / (2 * step_A)
    assert abs(slope) > 0.5
    # 0.04 eV/A of the grid of 0.22 A and of the curvature's change over the step
    assert point.forces_av[atom + 3, 2] - point.forces_av[atom, 2] == pytest.approx(slope, rel=0.04)


def test_three_descriptions_of_a_packing_have_one_energy(screw, screw_energies, tmp_path):
    """Another cell, a supercell and a rotated crystal, each in its reduced cell as the campaign computes it."""
    sheared = screw.copy()
    sheared.set_cell(np.array([[1, 0, 1], [0, 1, 0], [0, 0, 1]]) @ np.asarray(screw.cell))
    turned = screw.copy()
    turned.rotate(37, (1, 2, 3), rotate_cell=True)
    for description in (sheared, screw.repeat((1, 1, 2)), turned):
        starts = np.arange(0, len(description) + 1, 3)
        reduced = reduce_atoms(description, starts)
        energy_eV = energies(reduced.atoms, tmp_path, ladder()[:1])[0]
        # 0.1 kJ/mol is 1e-3 eV
        assert energy_eV / reduced.molecules == pytest.approx(screw_energies[0] / 2, abs=1e-3)


def test_an_ion_does_not_feel_its_box_and_agrees_with_gpaws_own_solver_for_charged_molecules(tmp_path):
    """Ammonium's monopole and second moment cancel its images; the own solver takes a Gaussian off in their place."""
    from gpaw.new.ase_interface import GPAW

    from polyscape.levels.gpaw.parameters import ORBITAL_CRITERIA, parameters_of

    corner_av = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) * 1.03 / np.sqrt(3)
    ion = in_box(np.array([7, 1, 1, 1, 1]), np.vstack([np.zeros(3), corner_av]), 7.92, charge=1)
    low, high = backend(ladder()[0]).climb(ion, ladder(), tmp_path)
    assert (low.status, high.status) == (Status.OK, Status.OK)
    for point in (low, high):
        assert sum(point.terms_eV.values()) == pytest.approx(point.energy_eV, abs=1e-9)
        assert point.terms_eV["monopole_images"] == pytest.approx(14.39965 * 2.837297 / (2 * 7.92), rel=1e-5)
    assert low.terms_eV["quadrupole_images"] > 0.1  # a term that could be wrong
    own = GPAW(**parameters_of(ion, ladder()[0].gpaw, ORBITAL_CRITERIA), txt=str(tmp_path / "own.txt"))
    # what both leave out falls as L^-5: 2 meV at 8.4 A
    assert low.energy_eV == pytest.approx(own.get_property("energy", ion), abs=4e-3)


def test_an_ion_may_lie_higher_by_what_its_electrons_take():
    """Mg to Mg2+ takes 22.7 eV: more than is granted to an atom, a failure were it neutral."""
    from polyscape.levels.gpaw.checks import problem_with

    place = np.array([12]), np.zeros((1, 3)), 8.0
    assert problem_with(22.7, in_box(*place, charge=2), own_atoms=True) is None
    assert "out of bounds" in problem_with(22.7, in_box(*place), own_atoms=True)
    assert "out of bounds" in problem_with(90.0, in_box(*place, charge=2), own_atoms=True)


def test_a_hybrid_may_lie_from_pbesol_by_the_energies_of_atoms():
    """HCN, 300 eV: PBE0 on PBEsol's orbitals is 10.25 eV below PBEsol, which counts from PBE's atoms."""
    from polyscape.levels.gpaw.checks import problem_with

    box = in_box(np.array([6, 7, 1]), np.array([[0, 0, 0], [0, 0, 1.16], [0, 0, -1.07]]), 6.0)
    assert problem_with(-13.74, box, True, below_eV=-3.49, below="PBEsol") is None
    assert "made the orbitals" in problem_with(-13.74, box, True, below_eV=-3.49)
    assert "made the orbitals" in problem_with(-13.74, box, False, below_eV=15.0, below="PBEsol")
