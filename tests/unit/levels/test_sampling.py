"""Grid, k-points and symmetry of a cell."""

import itertools

import numpy as np
import pytest
from ase import Atoms

from polyscape.levels.sampling import (
    Operations,
    at_best_origin,
    coarsest_grid_A,
    evenly_filled_edge_A,
    grid,
    irreducible_points,
    mesh,
    usable_operations,
)
from tests.builders import conformers, oxalic_packing


@pytest.fixture
def crystal():
    return oxalic_packing().to_atoms(conformers())


def test_planes_are_no_farther_apart_than_asked_and_ffts_are_fast(crystal):
    cell_cv = np.asarray(crystal.cell)
    for spacing in np.linspace(0.1, 0.3, 21):
        points_c = np.array(grid(cell_cv, spacing))
        heights_c = 1 / np.linalg.norm(np.linalg.inv(cell_cv), axis=0)
        assert (heights_c / points_c <= spacing * (1 + 1e-6)).all()
        assert (points_c % 2 == 0).all()
        fast = {2**i * 3**j * 5**k * 7**m for i, j, k, m in itertools.product(range(8), repeat=4)}
        assert set(points_c.tolist()) <= fast


def test_screw_glide_and_inversion_are_used_and_are_symmetries(crystal):
    cell_cv = np.asarray(crystal.cell)
    points_c, mesh_c = grid(cell_cv, 0.2), mesh(cell_cv, 0.5)
    operations = usable_operations(crystal, points_c, mesh_c)
    assert len(operations.U_scc) == 4  # P2_1/c
    fractional_ac = crystal.get_scaled_positions(wrap=False)
    for U_cc, translation_c in zip(operations.U_scc, operations.translation_sc, strict=True):
        moved_ac = fractional_ac @ U_cc + translation_c  # U^T s + t
        difference_aac = moved_ac[:, np.newaxis] - fractional_ac
        difference_aac -= difference_aac.round()
        nearest_a = np.abs(difference_aac).max(axis=2).argmin(axis=1)
        assert np.abs(difference_aac).max(axis=2).min(axis=1).max() < 1e-4
        assert (crystal.numbers[nearest_a] == crystal.numbers).all()


def test_an_operation_that_misses_the_grid_is_left_out(crystal):
    cell_cv = np.asarray(crystal.cell)
    points_c, mesh_c = grid(cell_cv, 0.2), mesh(cell_cv, 0.5)
    moved = crystal.copy()
    moved.positions += (
        0.3 * cell_cv[1] / points_c[1]
    )  # the inversion centre and the glide plane, not the screw axis
    assert len(usable_operations(moved, points_c, mesh_c).U_scc) == 2
    moved.positions += 0.3 * cell_cv[0] / points_c[0]
    assert len(usable_operations(moved, points_c, mesh_c).U_scc) == 1


def test_a_cell_that_is_not_primitive_has_the_identity_only(crystal):
    doubled = crystal.repeat((2, 1, 1))
    cell_cv = np.asarray(doubled.cell)
    operations = usable_operations(doubled, grid(cell_cv, 0.2), mesh(cell_cv, 0.5))
    assert (operations.U_scc == np.eye(3)).all()


def test_irreducible_points_of_known_meshes():
    identity = Operations(np.eye(3, dtype=int)[np.newaxis], np.zeros((1, 3)))
    signs = np.array([np.diag(sign) for sign in itertools.product((1, -1), repeat=3)])
    mmm = Operations(signs, np.zeros((8, 3)))
    assert irreducible_points(identity, (2, 2, 2)) == 4  # k and -k
    assert irreducible_points(mmm, (2, 2, 2)) == 1  # (1/4, 1/4, 1/4)
    assert irreducible_points(identity, (3, 3, 3)) == 14
    assert irreducible_points(mmm, (3, 3, 3)) == 8
    assert irreducible_points(mmm, (1, 1, 1)) == 1


def test_a_mesh_less_symmetric_than_the_crystal_keeps_what_maps_it():
    """A mesh of different sizes along equal axes is less symmetric than the crystal."""
    cubic = Atoms("Ne", [[0, 0, 0]], cell=np.eye(3) * 4, pbc=True)
    assert len(usable_operations(cubic, (20, 20, 20), (2, 2, 2)).U_scc) == 48
    assert len(usable_operations(cubic, (20, 20, 20), (2, 2, 3)).U_scc) == 16


def test_every_operation_kept_maps_grid_points_on_grid_points():
    cell_cv = np.array(
        [[4.0, 0, 0], [-2.0, 4.3, 0], [0, 0, 8.0]]
    )  # a twofold axis that takes a to -a, b to a + b
    crystal = Atoms("C", [[0, 0, 0]], cell=cell_cv, pbc=True)
    size_c = np.array([24, 28, 48])
    points_gc = np.stack(np.meshgrid(*map(range, size_c), indexing="ij"), axis=-1).reshape(-1, 3) / size_c
    operations = usable_operations(crystal, tuple(size_c), (1, 1, 1))
    assert 1 < len(operations.U_scc) < len(usable_operations(crystal, (24, 24, 48), (1, 1, 1)).U_scc)
    for U_cc, translation_c in zip(operations.U_scc, operations.translation_sc, strict=True):
        moved_gc = (points_gc @ U_cc + translation_c) * size_c
        assert np.abs(moved_gc - moved_gc.round()).max() < 1e-6


def test_the_coarsest_grid_carries_twice_the_cutoff():
    """In atomic units, where the largest kinetic energy of a grid is (pi / h)^2 / 2."""
    spacing_bohr = coarsest_grid_A(600.0) / 0.529177210903
    assert (np.pi / spacing_bohr) ** 2 / 2 == pytest.approx(2 * 600.0 / 27.211386245988, rel=1e-7)


def test_a_crystal_is_moved_to_where_its_operations_fit(crystal):
    cell_cv = np.asarray(crystal.cell)
    points_c, mesh_c = grid(cell_cv, 0.2), mesh(cell_cv, 0.5)
    assert (
        at_best_origin(crystal, points_c, mesh_c) is crystal
    )  # nothing to gain: the energy stays what it was
    moved = crystal.copy()
    moved.positions += [0.31, 0.17, 0.05]
    assert len(usable_operations(moved, points_c, mesh_c).U_scc) == 1
    back = at_best_origin(moved, points_c, mesh_c)
    assert len(usable_operations(back, points_c, mesh_c).U_scc) == 4
    assert np.allclose(np.ptp(back.positions - moved.positions, axis=0), 0, atol=1e-12)  # as a whole


def test_a_mesh_of_many_points_takes_no_memory(crystal):
    """A k-spacing of 0.06 for 0.6: pairs of its points would fill the login node."""
    mesh_c = (24, 24, 24)
    assert len(usable_operations(crystal, (48, 48, 48), mesh_c).U_scc) == 4


def test_a_mesh_that_an_operation_does_not_map_leaves_it_out():
    cube = Atoms("He", cell=np.eye(3) * 4, pbc=True)
    assert len(usable_operations(cube, (24, 24, 24), (2, 2, 2)).U_scc) == 48
    assert len(usable_operations(cube, (24, 24, 24), (2, 2, 3)).U_scc) == 16


@pytest.mark.parametrize("cutoff_eV", [300.0, 600.0, 800.0])
def test_a_box_holds_as_many_plane_waves_as_its_volume_says(cutoff_eV):
    """Counted one by one, in atomic units."""
    longest = np.sqrt(2 * cutoff_eV / 27.211386) / 0.529177
    excess = []
    for least_A in (8.0, 10.0, 10.598, 12.0):
        edge_A = evenly_filled_edge_A(least_A, cutoff_eV)
        assert least_A <= edge_A < 1.05 * least_A
        axis = 2 * np.pi / edge_A * np.arange(-40, 41)
        count = np.sum(axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2 <= longest**2)
        excess.append(count / ((edge_A * longest) ** 3 / (6 * np.pi**2)) - 1)
    assert np.abs(excess).max() < 1.1e-4  # 1e-4, and constants of six digits
