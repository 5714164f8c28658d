"""Moments of the charge density whose Coulomb energy GPAW computes in a periodic box.

That density is the pseudo-density of the electrons, on the grid, with the compensation charges on the atoms; the rest of an
atom's energy is that of spheres alone in space and knows no images.  The all-electron density has the same charge and
dipole, but another integral of r^2: the compensation charges keep an atom's multipoles, not its radial moments.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyscape.levels.box import Moments
from polyscape.units import ANGSTROM_PER_BOHR


def moments_of(dft: Any) -> Moments:
    """The moments of a molecule or ion about the middle of its box."""
    density, cell_cv = dft.density, dft.density.nt_sR.desc.cell_cv
    middle_v, charge = cell_cv.sum(axis=0) / 2, float(density.charge)
    dipole_v = density.calculate_dipole_moment(dft.relpos_ac) - charge * middle_v
    second = _of_atoms(dft, dft.relpos_ac @ cell_cv - middle_v) + _on_grid(density, middle_v)
    return Moments(charge, dipole_v * ANGSTROM_PER_BOHR, -second * ANGSTROM_PER_BOHR**2)


def _on_grid(density: Any, middle_v: NDArray[np.float64]) -> float:
    """Integral of r^2 over the electrons' pseudo-density."""
    n_sR = density.nt_sR[: density.ndensities]
    square_R = ((n_sR.desc.xyz() - middle_v) ** 2).sum(axis=3)
    return float(n_sR.desc.comm.sum_scalar(float((n_sR.data.sum(axis=0) * square_R).sum()) * n_sR.desc.dv))


def _of_atoms(dft: Any, position_av: NDArray[np.float64]) -> float:
    """Integral of r^2 over the compensation charges ``sum_L Q_L g_l(r) Y_L``, counted as the electrons are."""
    density, total = dft.density, 0.0
    for a, Q_L in density.calculate_compensation_charge_coefficients().items():
        mean_square = float(position_av[a] @ position_av[a]) + _mean_square_radius(dft.setups[a])
        total += np.sqrt(4 * np.pi) * Q_L[0] * mean_square
        if len(Q_L) > 1:
            y, z, x = Q_L[1:4]
            total += 2 * np.sqrt(4 * np.pi / 3) * float(np.array([x, y, z]) @ position_av[a])
    return float(density.nt_sR.desc.comm.sum_scalar(float(total)))


def _mean_square_radius(setup: Any) -> float:
    """Mean of r^2 over an atom's compensation charge with l = 0, in bohr^2."""
    shape = setup.ghat_l[0]
    radius_r = np.linspace(0, shape.get_cutoff(), 2001)
    weight_r = radius_r**2 * np.array([shape(radius) for radius in radius_r])
    return float(np.trapezoid(weight_r * radius_r**2, radius_r) / np.trapezoid(weight_r, radius_r))
