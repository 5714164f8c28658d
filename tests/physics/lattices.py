"""Lattices of charges, dipoles and axial quadrupoles with known energies."""

import itertools

import numpy as np

from polyscape.units import ANGSTROM_PER_BOHR
from tests.physics.slow_multipoles import real_harmonics, value_at

FCC = ((0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0))
BCC = ((0, 0, 0), (0.5, 0.5, 0.5))
CORNERS = tuple(itertools.product((0, 1), repeat=3))
TETRAHEDRAL = tuple(itertools.product((0.25, 0.75), repeat=3))


def axial(rank, axis_v, size=1.0):
    """Multipoles Q_q = size R_q(axis), axial about a direction: Q_l0 = size there; size in e Angstrom^l, Q in e bohr^l."""
    unit_v = np.asarray(axis_v, float) / np.linalg.norm(axis_v)
    Q_q = np.zeros(25)
    values = [value_at(harmonic, unit_v[None])[0] for harmonic in real_harmonics(rank)]
    Q_q[rank**2 : (rank + 1) ** 2] = size * np.array(values) / ANGSTROM_PER_BOHR**rank
    return Q_q


def _shifted(sites, shift):
    return tuple(tuple(np.add(site, shift)) for site in sites)


_NACL, _CSCL, _ZNS = 1.74756459463318, 1.76267477307099, 1.63805505338879

MADELUNG = {
    # name: (sites, charges, formula units, nearest distance over a, Madelung constant referred to that distance)
    "NaCl": (FCC + _shifted(FCC, (0.5, 0, 0)), 4 * [1] + 4 * [-1], 4, 0.5, _NACL),
    "CsCl": (BCC, [1, -1], 1, np.sqrt(3) / 2, _CSCL),
    "ZnS": (FCC + _shifted(FCC, (0.25, 0.25, 0.25)), 4 * [1] + 4 * [-1], 4, np.sqrt(3) / 4, _ZNS),
    "CaF2": (FCC + TETRAHEDRAL, 4 * [2] + 8 * [-1], 4, np.sqrt(3) / 4, 2 * _CSCL + np.sqrt(0.75) * _NACL),
}
"""Energy per formula unit -M e^2 / r.  NaCl, CsCl, ZnS: OEIS A085469, A181152, A182566 (Sakamoto, J. Chem. Phys. 28
(1958) 164, https://doi.org/10.1063/1.1744060).  CaF2 is CsCl with one anion on each corner and +1 in each cube, and +1
and -1 in turn in the cubes as in NaCl, r 2/sqrt(3) apart; the two do not interact, by symmetry.  5.0388 in tables."""


def _signs(k, corner):
    return (-1) ** int(np.dot(k, corner))


_FCC_SITES = [(np.add(corner, site), corner, n) for corner in CORNERS for n, site in enumerate(FCC)]
_BCC_SITES = [(np.add(corner, site), corner, n) for corner in CORNERS for n, site in enumerate(BCC)]

DIPOLES = {
    # name: (sites in the cell of two lattice constants, directions, energy constant)
    "sc 001": (
        [np.divide(c, 2) for c in CORNERS],
        [(0, 0, _signs((1, 1, 0), c)) for c in CORNERS],
        -2.676788684,
    ),
    "bcc 001": (
        [site / 2 for site, _, _ in _BCC_SITES],
        [(0, 0, _signs((1, 1, 0), c) * (-1) ** n) for _, c, n in _BCC_SITES],
        -1.338394342,
    ),
    "fcc 001": (
        [site / 2 for site, _, _ in _FCC_SITES],
        [(0, 0, (1, -1, -1, 1)[n]) for _, _, n in _FCC_SITES],
        2.166932835,
    ),
    "fcc 011 A": (
        [site / 2 for site, _, _ in _FCC_SITES],
        [np.array((0, 1, 1)) * (1, 1, -1, -1)[n] for _, _, n in _FCC_SITES],
        -1.083466417,
    ),
    "fcc 011 B": (
        [site / 2 for site, _, _ in _FCC_SITES],
        [np.array((0, 1, 1)) * _signs((1, 1, 1), c) * (1, 1, 1, -1)[n] for _, c, n in _FCC_SITES],
        -1.807573634,
    ),
}
"""Arrays of J. M. Luttinger & L. Tisza, Phys. Rev. 70 (1946) 954, https://doi.org/10.1103/PhysRev.70.954: energy density
C N^2 mu^2, N dipoles per volume.  Nine digits as in OpenMD's samples of dipolar crystals; M. Lamichhane, K. E. Newman
& J. D. Gezelter, J. Chem. Phys. 141 (2014) 134110, https://doi.org/10.1063/1.4896628."""

QUADRUPOLES = {
    # name: (sites, axes, energy per quadrupole over Theta^2 / a^5, Nagai & Nakamura's constant)
    "sc 111": ([(0, 0, 0)], [(1, 1, 1)], -6.216453365399, -8.30),
    "bcc 011": (BCC, [(0, 1, 1), (0, 1, -1)], -16.314215961259, -21.7),
    "fcc 111, Pa-3 (carbon dioxide)": (
        FCC,
        [(1, 1, 1), (-1, 1, -1), (1, 1, -1), (-1, 1, 1)],
        -59.988529831717,
        -80.5,
    ),
}
"""O. Nagai & T. Nakamura, Prog. Theor. Phys. 24 (1960) 432, https://doi.org/10.1143/PTP.24.432 (3/4 of their constant);
all digits by `tests.physics.slow_multipoles.ewald_ll` at two Ewald parameters."""
