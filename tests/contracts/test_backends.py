"""What every level of theory must do, shown on real calculations of small crystals."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from polyscape.levels.box import in_box
from polyscape.levels.registry import backend
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
    """The screw axis, or an inversion centre, need not fit the grid: symmetry is then not used, never rounded."""
    moved = screw.copy()
    moved.positions += [0.137, 0.071, 0.219]
    # the egg-box error of 300 eV and 0.22 A; rounding the operations to the grid was wrong by 0.5 eV
    assert np.allclose(energies(moved, tmp_path), screw_energies, rtol=0, atol=0.03)


@pytest.mark.parametrize(("spacing_per_A", "points"), [(0.9, 2), (0.7, 3)])
def test_glide_inversion_and_screw_save_time_and_nothing_else(spacing_per_A, points, tmp_path, monkeypatch):
    """Acetylene on the inversion centres of P2_1/c, on an even and a mixed mesh: the same without the operations."""
    from polyscape.levels import gpaw_planewave

    acetylene = Atoms("C2H2", [[0.6, 0, 0], [-0.6, 0, 0], [1.66, 0, 0], [-1.66, 0, 0]])
    acetylene.rotate(40, (0.3, 1, 0.5))
    cell_cv = np.array([[4.4, 0, 0], [0, 5.0, 0], [-1.0, 0, 4.9]])
    first_ac = acetylene.positions @ np.linalg.inv(cell_cv)
    second_ac = first_ac * [-1, 1, -1] + [0, 0.5, 0.5]
    crystal = Atoms("C2H2C2H2", np.vstack([first_ac, second_ac]) @ cell_cv, cell=cell_cv, pbc=True)
    levels = ladder(k_spacing_per_A=spacing_per_A)[: 2 if points == 2 else 1]
    with_operations = list(backend(levels[0]).climb(crystal, levels, tmp_path))
    assert with_operations[0].work.k_points == points
    monkeypatch.setattr(gpaw_planewave, "usable_symmetry", lambda *_: {"point_group": False})
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
    from polyscape.levels.gpaw_planewave import grid, mesh

    for atoms, sizes in ((single, (4, 4, 4)), (single.repeat((2, 1, 1)), (2, 4, 4))):
        assert mesh(np.asarray(atoms.cell), 0.4) == sizes
    assert (
        grid(np.asarray(single.repeat((2, 1, 1)).cell), 0.21)[0] == 2 * grid(np.asarray(single.cell), 0.21)[0]
    )
    one = energies(single, tmp_path, levels[:1])
    two = energies(single.repeat((2, 1, 1)), tmp_path, levels[:1])
    assert np.allclose(two, 2 * one, rtol=0, atol=1e-3)  # self-consistency stops at 2e-4 eV per cell


def test_hybrid_energy_agrees_with_gpaws_own_where_that_is_right(
    screw, screw_energies, tmp_path, monkeypatch
):
    """Without symmetry GPAW's own function is right; with it, ours must give the same."""
    from gpaw.new.pw.hybrids import non_self_consistent_hybrid_xc_energy

    from polyscape.levels import gpaw_planewave

    monkeypatch.setattr(gpaw_planewave, "usable_symmetry", lambda *_: "off")
    calculator, point = gpaw_planewave.self_consistent(screw, ladder()[0], tmp_path / "log.txt")
    terms = non_self_consistent_hybrid_xc_energy(calculator.dft, "PBE0", log=str(tmp_path / "log2.txt"))
    assert point.work.k_points > 2  # the run with symmetry used fewer
    assert terms.sum() == pytest.approx(screw_energies[1], abs=1e-5)  # empty bands of 1e-9 occupation


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
    (point,) = backend(ladder()[0]).climb(screw, ladder(max_scf_steps=8)[:1], tmp_path)
    assert point.status is Status.OK
    assert "Davidson" in point.message
    assert point.energy_eV == pytest.approx(screw_energies[0], abs=1e-3)  # self-consistency stops at 2e-4 eV
