"""Grid, k-points and symmetry of a cell, known before any calculation: what sets its energy's noise and its cost."""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import spglib
from ase import Atoms
from ase.dft.kpoints import monkhorst_pack
from numpy.typing import NDArray

SYMMETRY_TOLERANCE_A: Final = 1e-4
_GRID_TOLERANCE: Final = 1e-3
"""Largest misfit of an operation with the grid, in grid spacings: 1e-4 Angstrom, as the atoms' own."""

_HBAR2_PER_2M_EV_A2: Final = 3.80998212
_FFT_FACTORS: Final = (2, 3, 5, 7)

_EDGE_STEP_A: Final = 0.002
_EVEN: Final = 1e-4
"""Relative excess of plane waves that moves an energy by less than 0.02 kJ/mol."""


@dataclass(frozen=True)
class Operations:
    """Symmetry operations ``s -> U^T s + t`` on fractional coordinates; none for a cell that is not primitive.

    Attributes
    ----------
    U_scc : numpy.ndarray of int, shape (operations, 3, 3)
        Rotations.
    translation_sc : numpy.ndarray, shape (operations, 3)
        Translations, multiples of the grid spacing.
    """

    U_scc: NDArray[np.int64]
    translation_sc: NDArray[np.float64]


def grid(cell_cv: NDArray[np.float64], spacing_A: float) -> tuple[int, int, int]:
    """Grid points along the axes: planes at most `spacing_A` apart, rounded up to even sizes for FFTs."""
    heights_c = 1 / np.linalg.norm(np.linalg.inv(cell_cv), axis=0)
    x, y, z = (_fft_size(2 * math.ceil(height / spacing_A / 2 - 1e-6)) for height in heights_c)
    return x, y, z


def coarsest_grid_A(cutoff_eV: float) -> float:
    """The grid spacing whose plane waves reach twice the cutoff: ``hbar^2 (pi / h)^2 / 2m = 2 E``.

    Coarser, the density loses parts: at 800 eV and 0.16 Angstrom by 1.5 kJ/mol per molecule of beta oxalic acid.
    """
    return math.pi * math.sqrt(_HBAR2_PER_2M_EV_A2 / (2 * cutoff_eV))


def evenly_filled_edge_A(least_A: float, cutoff_eV: float) -> float:
    """The shortest edge from `least_A` on of a cube that holds as many plane waves as its volume says.

    Plane waves come in whole shells: their number N differs from V k^3 / 6 pi^2 by up to 0.3 % in a cube of 10 Angstrom, and
    energies that have not converged with the cutoff fall with ln N, by 1.6 eV for oxalic acid at 600 eV.  In a crystal the
    k-points average the shells, in a molecule's box nothing does.
    """
    wave_number = math.sqrt(cutoff_eV / _HBAR2_PER_2M_EV_A2)
    reach = int(1.06 * least_A * wave_number / (2 * math.pi)) + 1
    square_i = np.arange(-reach, reach + 1) ** 2
    square_w = np.sort((square_i[:, None, None] + square_i[:, None] + square_i).ravel())
    edge_q = least_A + np.arange(0.0, 0.05 * least_A, _EDGE_STEP_A)
    count_q = np.searchsorted(square_w, (edge_q * wave_number / (2 * math.pi)) ** 2, side="right")
    excess_q = np.abs(count_q / ((edge_q * wave_number) ** 3 / (6 * math.pi**2)) - 1.0)
    even_q = np.flatnonzero(excess_q < _EVEN)
    return float(edge_q[even_q[0] if len(even_q) else np.argmin(excess_q)])


def mesh(cell_cv: NDArray[np.float64], spacing_per_A: float) -> tuple[int, int, int]:
    """Size of the Monkhorst-Pack mesh whose points are at most `spacing_per_A` apart (2 pi included).

    Meshes are not centred on Gamma: an even size then samples as finely as twice the size that is, with fewer
    irreducible points.  H. J. Monkhorst, J. D. Pack, Phys. Rev. B 13, 5188 (1976),
    https://doi.org/10.1103/PhysRevB.13.5188
    """
    lengths_c = 2 * np.pi * np.linalg.norm(np.linalg.inv(cell_cv), axis=0)
    x, y, z = (max(1, math.ceil(length / spacing_per_A - 1e-6)) for length in lengths_c)
    return x, y, z


def usable_operations(
    atoms: Atoms, points_c: tuple[int, int, int], mesh_c: tuple[int, int, int]
) -> Operations:
    """The symmetry operations of a cell that map grid points on grid points and k-points on k-points.

    A program that rounds a translation to the grid moves energies by eV where the two do not fit.  What is left
    out costs time, never accuracy.
    """
    cell: Any = (np.asarray(atoms.cell), atoms.get_scaled_positions(), atoms.numbers)
    found = spglib.get_symmetry(cell, symprec=SYMMETRY_TOLERANCE_A)
    rotation_scc = np.empty((0, 3, 3), int) if found is None else np.asarray(found["rotations"], int)
    if found is None or len({rotation.tobytes() for rotation in rotation_scc}) < len(rotation_scc):
        return Operations(np.eye(3, dtype=int)[np.newaxis], np.zeros((1, 3)))
    size_c, k_kc = np.array(points_c), monkhorst_pack(mesh_c)
    U_scc = rotation_scc.transpose(0, 2, 1)
    shift_sc = np.asarray(found["translations"]) * size_c
    fits_s = np.abs(shift_sc - shift_sc.round()).max(axis=1) < _GRID_TOLERANCE
    fits_s &= ~((U_scc * size_c).transpose(0, 2, 1) % size_c).any(axis=(1, 2))  # U_cd N_d / N_c is whole
    fits_s &= [_maps_mesh(U_cc, k_kc, mesh_c) for U_cc in U_scc]
    return Operations(U_scc[fits_s], shift_sc[fits_s].round() % size_c / size_c)


def at_best_origin(atoms: Atoms, points_c: tuple[int, int, int], mesh_c: tuple[int, int, int]) -> Atoms:
    """The crystal moved as a whole so that more of its operations fit the grid, or as it is where none would.

    In the origin of the International Tables translations are simple fractions of the cell; a crystal found in a
    subgroup of its symmetry may stand anywhere.
    """
    cell: Any = (np.asarray(atoms.cell), atoms.get_scaled_positions(), atoms.numbers)
    found = spglib.get_symmetry_dataset(cell, symprec=SYMMETRY_TOLERANCE_A)
    here = len(usable_operations(atoms, points_c, mesh_c).U_scc)
    if found is None or here >= len(found.rotations):
        return atoms
    origin_c = -np.linalg.solve(found.transformation_matrix, found.origin_shift)  # x_standard = P x + p
    moved = atoms.copy()
    moved.positions -= origin_c @ np.asarray(atoms.cell)
    return moved if len(usable_operations(moved, points_c, mesh_c).U_scc) > here else atoms


def irreducible_points(operations: Operations, mesh_c: tuple[int, int, int]) -> int:
    """K-points of the mesh that neither an operation nor time reversal (k to -k) maps on one another."""
    return len(np.unique(_images_gk(operations, mesh_c).min(axis=0)))


def distinct_pairs(operations: Operations, mesh_c: tuple[int, int, int]) -> float:
    """Pairs of k-points that the exact exchange sums over (`polyscape.levels.exchange`), in units of all orbitals of both.

    Pairs that an operation, time reversal or their exchange makes alike count once; a point with itself or with its
    opposite counts half, as one order of each pair of orbitals is enough.
    """
    images_gk = _images_gk(operations, mesh_c)
    irreducible_k, count = np.unique(images_gk.min(axis=0)), images_gk.shape[1]
    class_kj = np.full((count, len(irreducible_k)), count**2)
    for image_k in images_gk:  # one after another: fine meshes have millions of pairs
        first_kj, second_kj = image_k[:, None], image_k[None, irreducible_k]
        named_kj = np.minimum(first_kj, second_kj) * count + np.maximum(first_kj, second_kj)
        np.minimum(class_kj, named_kj, out=class_kj)
    low_p, high_p = np.divmod(np.unique(class_kj), count)
    opposite_k = _images_gk(Operations(np.eye(3, dtype=int)[np.newaxis], np.zeros((1, 3))), mesh_c)[1]
    half_p = (low_p == high_p) | (opposite_k[low_p] == high_p)
    return float(len(low_p) - 0.5 * half_p.sum())


def _images_gk(operations: Operations, mesh_c: tuple[int, int, int]) -> NDArray[np.int64]:
    """Index of the image of every k-point of the mesh under the operations, and with time reversal (k to -k)."""
    k_kc = monkhorst_pack(mesh_c)
    both_gcc = np.concatenate([operations.U_scc, -operations.U_scc])
    return np.stack([_indices(k_kc @ U_cc.T, mesh_c) for U_cc in both_gcc])


def _indices(k_kc: NDArray[np.float64], mesh_c: tuple[int, int, int]) -> NDArray[np.int64]:
    """Running index of k-points in their mesh, folded back into one cell of the reciprocal lattice."""
    first_c = monkhorst_pack(mesh_c)[0]
    steps_kc = ((k_kc - first_c) * mesh_c).round().astype(int) % mesh_c
    return np.ravel_multi_index(tuple(steps_kc.T), mesh_c)


def _maps_mesh(U_cc: NDArray[np.int64], k_kc: NDArray[np.float64], mesh_c: tuple[int, int, int]) -> bool:
    """Whether every image of a k-point is a whole number of steps of the mesh from its first point."""
    steps_kc = (k_kc @ U_cc.T - k_kc[0]) * mesh_c
    return bool(np.abs(steps_kc - steps_kc.round()).max() < 1e-6)


def _fft_size(number: int) -> int:
    """The next even number, from an even one on, with small prime factors only."""
    rest = number
    for factor in _FFT_FACTORS:
        while rest % factor == 0:
            rest //= factor
    return number if rest == 1 else _fft_size(number + 2)
