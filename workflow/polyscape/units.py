"""Physical constants and the conversions between the units used inside (ASE's) and those of the tables.

Inside the library: eV, Angstrom, amu, radians, elementary charges.  In tables and reports: kJ/mol, g/cm^3, degrees.
Atomic units appear only where a quantum-chemistry program hands them over (multipoles, wave functions).
CODATA 2018 values, https://doi.org/10.1103/RevModPhys.93.025010.
"""

from typing import Final

KJ_PER_MOL_PER_EV: Final = 96.48533212331
"""kJ/mol in one eV."""

KJ_PER_MOL_PER_HARTREE: Final = 2625.4996394799
"""kJ/mol in one hartree."""

EV_PER_HARTREE: Final = 27.211386245988
"""eV in one hartree."""

ANGSTROM_PER_BOHR: Final = 0.529177210903
"""Angstrom in one bohr."""

COULOMB_EV_A: Final = 14.399645478425668
"""e^2 / (4 pi epsilon_0) in eV Angstrom."""

DEBYE_PER_E_BOHR: Final = 2.541746473
"""debye in one e bohr."""

G_PER_CM3_PER_AMU_PER_A3: Final = 1.66053906660
"""g/cm^3 in one amu per cubic Angstrom."""

GPA_PER_EV_PER_A3: Final = 160.21766208
"""GPa in one eV per cubic Angstrom."""

KELVIN_PER_HARTREE: Final = 315775.02480407
"""Temperature of one hartree."""
