"""What the crystal stages need of a conformer's wave function: energy, moments, charges, multipoles; rounded."""

from dataclasses import dataclass

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from polyscape.molecule import charges, dma, symmetry
from polyscape.molecule.multipoles import total_moments
from polyscape.molecule.wavefunction import GasPhaseLevel, compute
from polyscape.units import ANGSTROM_PER_BOHR

_DECIMALS = 8


@dataclass(frozen=True)
class Properties:
    """Properties of a conformer in its frame.

    Attributes
    ----------
    energy_hartree : float
        Energy of the exact wave function.
    dipole_v : numpy.ndarray, shape (3,)
        Dipole moment of the wave function in e bohr.
    quadrupole_vv : numpy.ndarray, shape (3, 3)
        Its traceless quadrupole in e bohr^2.
    charge_a : numpy.ndarray, shape (atoms,)
        Charges fitted to the potential, in e.
    misfit_kJ_per_mol : float
        Root mean square misfit of their potential, per e.
    multipole_aq : numpy.ndarray, shape (atoms, 25)
        Distributed multipoles in e bohr^l.
    multipole_source : str
        Program and settings behind them.
    """

    energy_hartree: float
    dipole_v: NDArray[np.float64]
    quadrupole_vv: NDArray[np.float64]
    charge_a: NDArray[np.float64]
    misfit_kJ_per_mol: float
    multipole_aq: NDArray[np.float64]
    multipole_source: str

    def errors_au(self, position_av: NDArray[np.float64], charge: int) -> tuple[float, float, float]:
        """Largest errors of the multipoles' charge, dipole and quadrupole against the wave function's, atomic units.

        Parameters
        ----------
        position_av : numpy.ndarray, shape (atoms, 3)
            Positions in Angstrom.
        charge : int
            Net charge in e.
        """
        total, dipole_v, quadrupole_vv = total_moments(self.multipole_aq, position_av / ANGSTROM_PER_BOHR)
        return (
            total - charge,
            float(np.abs(dipole_v - self.dipole_v).max()),
            float(np.abs(quadrupole_vv - self.quadrupole_vv).max()),
        )


def compute_properties(
    symbols: list[str],
    level: GasPhaseLevel,
    switch: float,
    task: tuple[NDArray[np.float64], list[symmetry.Operation]],
) -> Properties:
    """Wave function, charges and multipoles of a conformer.

    Charges of symmetry-equivalent atoms are averaged.  Numbers are rounded to 1e-8, so that noise in the last bits
    reaches no later stage.

    Parameters
    ----------
    symbols : list of str
        Chemical symbols.
    level : GasPhaseLevel
        Level of theory.
    switch : float
        Switch of the multipole analysis.
    task : tuple of (numpy.ndarray, list of Operation)
        Positions (atoms, 3) in Angstrom, and the conformer's symmetry.
    """
    position_av, group = task
    numbers_a = np.array([atomic_numbers[symbol] for symbol in symbols])
    point_pv = charges.potential_points(numbers_a, position_av)
    wave = compute(symbols, position_av, level, point_pv)
    charge_a, _ = charges.fit_charges(wave.potential_p, position_av, point_pv, level.charge)
    charge_a = symmetry.average_over(charge_a, group)
    multipoles = dma.analyse_text(wave.molden, switch)
    return Properties(
        energy_hartree=float(np.round(wave.energy_hartree, _DECIMALS)),
        dipole_v=_rounded(wave.dipole_v),
        quadrupole_vv=_rounded(wave.quadrupole_vv),
        charge_a=_rounded(charge_a),
        misfit_kJ_per_mol=float(
            np.round(charges.misfit_kJ_per_mol(charge_a, wave.potential_p, position_av, point_pv), _DECIMALS)
        ),
        multipole_aq=_rounded(multipoles.multipole_aq),
        multipole_source=f"{multipoles.source}, PySCF {level.label}",
    )


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rounded to 1e-8, without negative zeros."""
    return np.round(values, _DECIMALS) + 0.0
