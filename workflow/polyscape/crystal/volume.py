"""Size of a molecule: the volume and the thickness of its van der Waals surface."""

from typing import Final

import numpy as np
from ase.data import vdw_radii
from numpy.typing import NDArray

from polyscape.molecule.model import Conformer

_UNKNOWN_RADIUS_A: Final = 2.0
_GRID_A: Final = 0.1
"""Grid of the volume: its error is below 1 %."""


def van_der_waals_radii_A(atomic_numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    """Van der Waals radii in Angstrom; 2.0 for elements without a tabulated one.

    References
    ----------
    A. Bondi, J. Phys. Chem. 68 (1964) 441, https://doi.org/10.1021/j100785a001.
    """
    radius_a = vdw_radii[np.asarray(atomic_numbers, int)]
    return np.where(np.isnan(radius_a), _UNKNOWN_RADIUS_A, radius_a)


def van_der_waals_volume_A3(conformer: Conformer) -> float:
    """Volume inside the spheres of the atoms, counted on a regular grid in the molecule's frame."""
    radius_a = van_der_waals_radii_A(conformer.atomic_number_a)
    low_v = (conformer.position_av - radius_a[:, None]).min(axis=0)
    high_v = (conformer.position_av + radius_a[:, None]).max(axis=0)
    axes = [np.arange(low + _GRID_A / 2, high, _GRID_A) for low, high in zip(low_v, high_v, strict=True)]
    shape = tuple(len(axis) for axis in axes)
    inside = np.zeros(shape, bool)
    for position_v, radius in zip(conformer.position_av, radius_a, strict=True):
        squares = [(axis - x) ** 2 for axis, x in zip(axes, position_v, strict=True)]
        inside |= (
            squares[0][:, None, None] + squares[1][None, :, None] + squares[2][None, None, :] < radius**2
        )
    return float(inside.sum() * _GRID_A**3)


def smallest_extent_A(conformer: Conformer) -> float:
    """Smallest extent of the van der Waals surface along the principal axes: the thickness."""
    radius_a = van_der_waals_radii_A(conformer.atomic_number_a)[:, None]
    extent_v = (conformer.position_av + radius_a).max(axis=0) - (conformer.position_av - radius_a).min(axis=0)
    return float(extent_v.min())
