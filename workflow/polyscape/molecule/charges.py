"""Atomic charges fitted to the electrostatic potential of a wave function.

References
----------
U. C. Singh, P. A. Kollman, J. Comput. Chem. 5, 129 (1984), https://doi.org/10.1002/jcc.540050204 (the shells);
A. Bondi, J. Phys. Chem. 68, 441 (1964), https://doi.org/10.1021/j100785a001 (the radii).
"""

from typing import Final

import numpy as np
from ase.data.vdw import vdw_radii
from numpy.typing import NDArray

from polyscape.units import ANGSTROM_PER_BOHR, KJ_PER_MOL_PER_HARTREE

_SHELLS: Final = (1.4, 1.6, 1.8, 2.0)
"""Shells as multiples of the van der Waals radii."""

_POINTS_PER_A2 = 1.0
_UNKNOWN_RADIUS_A = 2.0


def potential_points(
    atomic_number_a: NDArray[np.int64], position_av: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Points on four shells of fused van der Waals spheres, about one per square Angstrom, shape (points, 3).

    Parameters
    ----------
    atomic_number_a : numpy.ndarray, shape (atoms,)
        Atomic numbers.
    position_av : numpy.ndarray, shape (atoms, 3)
        Positions in Angstrom.
    """
    radius_a = np.array([_radius_A(number) for number in atomic_number_a])
    points = []
    for factor in _SHELLS:
        for centre_v, radius in zip(position_av, factor * radius_a, strict=True):
            count = max(int(np.ceil(4 * np.pi * radius**2 * _POINTS_PER_A2)), 12)
            shell_pv = centre_v + radius * _sphere(count)
            distance_pa = np.linalg.norm(shell_pv[:, None] - position_av, axis=2)
            points.append(shell_pv[(distance_pa >= factor * radius_a - 1e-6).all(axis=1)])
    return np.concatenate(points)


def fit_charges(
    potential_p: NDArray[np.float64],
    position_av: NDArray[np.float64],
    point_pv: NDArray[np.float64],
    total_charge: float,
) -> tuple[NDArray[np.float64], float]:
    """Charges in e that reproduce a potential best, and the root mean square misfit in kJ/mol per e.

    Least squares ``sum_p (V_p - sum_a q_a / r_pa)^2`` with ``sum_a q_a`` fixed by a Lagrange multiplier; where atoms
    are buried and charges undetermined, the smallest charges (pseudo-inverse).

    Parameters
    ----------
    potential_p : numpy.ndarray, shape (points,)
        Potential in hartree/e.
    position_av, point_pv : numpy.ndarray, shape (atoms, 3) and (points, 3)
        In Angstrom.
    total_charge : float
        Net charge in e.
    """
    atoms = len(position_av)
    inverse_pa = ANGSTROM_PER_BOHR / np.linalg.norm(point_pv[:, None] - position_av, axis=2)
    normal = np.zeros((atoms + 1, atoms + 1))
    normal[:atoms, :atoms] = inverse_pa.T @ inverse_pa
    normal[atoms, :atoms] = normal[:atoms, atoms] = 1.0
    right = np.append(inverse_pa.T @ potential_p, total_charge)
    charge_a = (np.linalg.pinv(normal, rcond=1e-12) @ right)[:atoms]
    return charge_a, misfit_kJ_per_mol(charge_a, potential_p, position_av, point_pv)


def misfit_kJ_per_mol(
    charge_a: NDArray[np.float64],
    potential_p: NDArray[np.float64],
    position_av: NDArray[np.float64],
    point_pv: NDArray[np.float64],
) -> float:
    """Root mean square difference of the charges' potential from the given one, kJ/mol per e."""
    inverse_pa = ANGSTROM_PER_BOHR / np.linalg.norm(point_pv[:, None] - position_av, axis=2)
    return float(np.sqrt(np.mean((inverse_pa @ charge_a - potential_p) ** 2)) * KJ_PER_MOL_PER_HARTREE)


def _radius_A(atomic_number: int) -> float:
    radius = float(vdw_radii[atomic_number])
    return radius if np.isfinite(radius) else _UNKNOWN_RADIUS_A


def _sphere(count: int) -> NDArray[np.float64]:
    """Evenly spread points on the unit sphere (Fibonacci's spiral), shape (count, 3)."""
    index = np.arange(count) + 0.5
    z = 1 - 2 * index / count
    angle = np.pi * (1 + np.sqrt(5)) * index
    return np.column_stack([np.sqrt(1 - z**2) * np.cos(angle), np.sqrt(1 - z**2) * np.sin(angle), z])
