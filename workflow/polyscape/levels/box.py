"""The isolated molecule: in a cubic box, far from its images."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from polyscape.settings.levels import Level
from polyscape.units import COULOMB_EV_A

_LEAST_VACUUM_A = 6.0


def least_edge_A(levels: Sequence[Level]) -> float:
    """Edge of the boxes of a ladder's isolated molecules: that of its lowest level of plane waves."""
    return next((level for level in levels if level.backend == "gpaw"), levels[0]).gpaw.molecule_box_A


def in_box(number_a: NDArray[np.int64], position_av: NDArray[np.float64], box_A: float) -> Atoms:
    """A molecule in the middle of a cube of edge `box_A`, or of its extent + 6 Angstrom if that is larger.

    The cube makes the leading error of the periodic images, that of the dipole, known: see
    `polyscape.levels.box.dipole_correction_eV`. ``pbc`` is false, which tells a back end that this is a
    molecule.
    """
    extent_v = np.ptp(position_av, axis=0)
    edge_A = max(box_A, float(extent_v.max()) + _LEAST_VACUUM_A)
    middle_v = (position_av.max(axis=0) + position_av.min(axis=0)) / 2
    return Atoms(number_a, position_av - middle_v + edge_A / 2, cell=np.eye(3) * edge_A, pbc=False)


def dipole_correction_eV(dipole_v: NDArray[np.float64], volume_A3: float) -> float:
    """What the images of a cubic box leave out of a molecule's energy: ``2 pi mu^2 / (3 V)``.

    Parameters
    ----------
    dipole_v : numpy.ndarray, shape (3,)
        Dipole moment in e Angstrom.
    volume_A3 : float
        Volume of the cubic box.

    References
    ----------
    G. Makov, M. C. Payne, Phys. Rev. B 51, 4014 (1995), eq. 15, https://doi.org/10.1103/PhysRevB.51.4014
    """
    return float(COULOMB_EV_A * 2 * np.pi * (dipole_v @ dipole_v) / (3 * volume_A3))
