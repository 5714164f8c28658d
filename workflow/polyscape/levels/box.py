"""The isolated molecule or ion: in a cubic box, far from its images, whose energy is taken off.

The potential of a unit point charge on a cubic lattice of edge L, in a background that makes it neutral and with an average
of zero, is near the charge ``1/r - alpha/L + 2 pi r^2 / 3 L^3 + O(r^4/L^5)``.  A charge density rho with the moments
``q = int rho``, ``mu = int r rho`` and ``Q = int r^2 rho`` therefore has in its box the energy

    E(L) = E(isolated) - alpha q^2 / 2L + 2 pi (q Q - mu^2) / 3 L^3 + O(L^-5)

where ``q Q - mu^2`` does not depend on the origin.  Of a molecule ``-mu^2`` is left.  An ion's dipole vanishes at its
centre of charge ``mu/q``, about which its second moment is ``Q - mu^2/q``.

References
----------
G. Makov, M. C. Payne, Phys. Rev. B 51, 4014 (1995), eq. 15, https://doi.org/10.1103/PhysRevB.51.4014.  For a density whose
Q is as above, in a potential of average zero, the term of Q has the other sign than printed there; the lattice sum
of Gaussian charges shows it (`tests/unit/levels/test_box.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from polyscape.levels.sampling import evenly_filled_edge_A
from polyscape.settings.levels import Level
from polyscape.units import COULOMB_EV_A

_LEAST_VACUUM_A: Final = 6.0

MADELUNG_CUBIC: Final = 2.837297479480619
"""alpha of a point charge on a simple cubic lattice in its neutralising background."""


@dataclass(frozen=True)
class Moments:
    """Moments of a charge density about any origin.

    Attributes
    ----------
    charge_e : float
        Net charge q.
    dipole_v : numpy.ndarray, shape (3,)
        First moment mu in e Angstrom.
    second_e_A2 : float
        Second moment Q, the integral of r^2 rho, in e Angstrom^2.
    """

    charge_e: float
    dipole_v: NDArray[np.float64]
    second_e_A2: float

    @property
    def about_centre_of_charge_e_A2(self) -> float:
        """Second moment about the point where an ion has no dipole: ``Q - mu^2 / q``."""
        return self.second_e_A2 - float(self.dipole_v @ self.dipole_v) / self.charge_e


def least_edge_A(levels: Sequence[Level]) -> float:
    """Edge of the boxes of a ladder's isolated molecules: that of its lowest level of plane waves."""
    return next((level for level in levels if level.backend == "gpaw"), levels[0]).gpaw.molecule_box_A


def box_edge_A(position_av: NDArray[np.float64], levels: Sequence[Level]) -> float:
    """Edge of a molecule's box for a ladder, such that its lowest level of plane waves fills the box evenly."""
    least_A = max(least_edge_A(levels), _extent_A(position_av) + _LEAST_VACUUM_A)
    cutoffs_eV = [level.gpaw.plane_wave_cutoff_eV for level in levels if level.backend == "gpaw"]
    return evenly_filled_edge_A(least_A, cutoffs_eV[0]) if cutoffs_eV else least_A


def _extent_A(position_av: NDArray[np.float64]) -> float:
    return float(np.ptp(position_av, axis=0).max())


def in_box(
    number_a: NDArray[np.int64], position_av: NDArray[np.float64], box_A: float, charge: int = 0
) -> Atoms:
    """A molecule in the middle of a cube of edge `box_A`, or of its extent + 6 Angstrom if that is larger.

    The cube makes the leading errors of the periodic images known: see `dipole_correction_eV` and
    `charge_corrections_eV`.  ``pbc`` is false, which tells a back end that this is a molecule; an ion says its charge in
    e by ``info["charge"]``, see `charge_of`.
    """
    cube_A = max(box_A, _extent_A(position_av) + _LEAST_VACUUM_A)
    middle_v = (position_av.max(axis=0) + position_av.min(axis=0)) / 2
    info = {"charge": charge} if charge else {}
    return Atoms(number_a, position_av - middle_v + cube_A / 2, cell=np.eye(3) * cube_A, pbc=False, info=info)


def charge_of(atoms: Atoms) -> int:
    """Net charge in e of a molecule in its box; a crystal has none."""
    return 0 if atoms.pbc.any() else int(atoms.info.get("charge", 0))


def charge_corrections_eV(moments: Moments, edge_A: float) -> dict[str, float]:
    """What the images of a cubic box leave out of an ion's energy: ``alpha q^2 / 2L`` and ``-2 pi q Q / 3 L^3``.

    Parameters
    ----------
    moments : Moments
        Of the charge density whose periodic Coulomb energy was computed.
    edge_A : float
        Edge L of the box.

    Returns
    -------
    dict
        Terms `monopole_images` and `quadrupole_images`, Q about the centre of charge.
    """
    q, Q = moments.charge_e, moments.about_centre_of_charge_e_A2
    return {
        "monopole_images": COULOMB_EV_A * MADELUNG_CUBIC * q**2 / (2 * edge_A),
        "quadrupole_images": -COULOMB_EV_A * 2 * np.pi * q * Q / (3 * edge_A**3),
    }


def dipole_correction_eV(dipole_v: NDArray[np.float64], volume_A3: float) -> float:
    """What the images of a cubic box leave out of a neutral molecule's energy: ``2 pi mu^2 / (3 V)``.

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
