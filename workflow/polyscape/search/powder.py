"""How alike the X-ray powder patterns of two crystals are.

The pattern of a crystal is a set of lines at 2 theta with intensities

    I = |F|^2 (1 + cos^2 2theta) / (sin^2 theta cos theta),    F = sum_a f_a exp(-B s^2) exp(2 pi i h.x_a),

s = sin(theta) / lambda.  Two patterns f and g are compared by their cross-correlation, weighted by a triangle of half
width w, so that shifts of lines below w (another temperature, a force field's cell) still count:

    S = c_fg / sqrt(c_ff c_gg),    c_fg = sum_ij I_i J_j max(0, 1 - |2theta_i - 2theta_j| / w).

S is 1 for equal patterns and 0 where no line is within w of another.

References
----------
R. de Gelder, R. Wehrens, J. A. Hageman, J. Comput. Chem. 22 (2001) 273,
https://doi.org/10.1002/1096-987X(200102)22:3<273::AID-JCC1001>3.0.CO;2-0, eqs. 3-5.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import gemmi
import numpy as np
from numpy.typing import NDArray

WAVELENGTH_A: Final = 1.54056
"""Copper K alpha 1."""

LARGEST_TWO_THETA_DEG: Final = 50.0
"""Beyond it the lines of molecular crystals overlap and are weak."""

WIDTH_DEG: Final = 2.0
"""Half width of the triangle."""

_DISPLACEMENT_A2: Final = 3.0
"""B of all atoms: that of a molecular crystal at room temperature."""


@dataclass(frozen=True)
class PowderPattern:
    """The lines of a powder pattern.

    Attributes
    ----------
    two_theta_h : numpy.ndarray, shape (lines,)
        Positions, degree.
    intensity_h : numpy.ndarray, shape (lines,)
        Intensities on an arbitrary scale.
    """

    two_theta_h: NDArray[np.float64]
    intensity_h: NDArray[np.float64]


def powder_pattern(
    numbers_a: NDArray[np.int64], position_av: NDArray[np.float64], cell_cv: NDArray[np.float64]
) -> PowderPattern:
    """The powder pattern of a crystal, from all atoms of a cell.

    Parameters
    ----------
    numbers_a : numpy.ndarray, shape (atoms,)
        Atomic numbers.
    position_av : numpy.ndarray, shape (atoms, 3)
        Positions, Angstrom.
    cell_cv : numpy.ndarray, shape (3, 3)
        Cell vectors as rows, Angstrom.
    """
    largest = 2 * np.sin(np.radians(LARGEST_TWO_THETA_DEG / 2)) / WAVELENGTH_A
    index_hc = _half_sphere(cell_cv, largest)
    inverse_d_h = np.linalg.norm(index_hc @ np.linalg.inv(cell_cv).T, axis=1)
    index_hc, inverse_d_h = index_hc[inverse_d_h <= largest], inverse_d_h[inverse_d_h <= largest]
    phase_ha = np.exp(2j * np.pi * index_hc @ (position_av @ np.linalg.inv(cell_cv)).T)
    elements, kind_a = np.unique(numbers_a, return_inverse=True)
    factor_he = np.array([[_scattering(int(z), float(s)) for z in elements] for s in inverse_d_h**2 / 4])
    structure_h = np.einsum("ha,ha->h", factor_he[:, kind_a], phase_ha)
    structure_h *= np.exp(-_DISPLACEMENT_A2 * inverse_d_h**2 / 4)
    theta_h = np.arcsin(inverse_d_h * WAVELENGTH_A / 2)
    polarisation_h = (1 + np.cos(2 * theta_h) ** 2) / (np.sin(theta_h) ** 2 * np.cos(theta_h))
    return PowderPattern(np.degrees(2 * theta_h), np.abs(structure_h) ** 2 * polarisation_h)


def powder_similarity(first: PowderPattern, second: PowderPattern) -> float:
    """Similarity of two patterns, 0 to 1."""
    cross = _correlation(first, second)
    return cross / float(np.sqrt(_correlation(first, first) * _correlation(second, second)))


def _correlation(first: PowderPattern, second: PowderPattern) -> float:
    apart_hh = np.abs(first.two_theta_h[:, None] - second.two_theta_h)
    weight_hh = np.maximum(0.0, 1.0 - apart_hh / WIDTH_DEG)
    return float(first.intensity_h @ weight_hh @ second.intensity_h)


def _half_sphere(cell_cv: NDArray[np.float64], largest: float) -> NDArray[np.int64]:
    """Indices of a box around the reciprocal sphere, one of each pair h and -h, shape (lines, 3)."""
    most_c = np.floor(largest * np.linalg.norm(cell_cv, axis=1)).astype(int)
    axes = [np.arange(-most, most + 1) for most in most_c]
    index_hc = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    return index_hc[len(index_hc) // 2 + 1 :]


@cache
def _table(number: int) -> gemmi.IT92Coef:
    return gemmi.Element(number).it92


def _scattering(number: int, s_squared: float) -> float:
    """Scattering factor of a neutral atom at (sin(theta) / lambda)^2."""
    return float(_table(number).calculate_sf(s_squared))
