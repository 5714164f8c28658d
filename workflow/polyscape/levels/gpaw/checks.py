"""Whether an energy can be believed: checks that do not use the numbers that made it.

A program that is wrong is wrong by eV: GPAW's direct minimisation leaves the weights of k-points out of the kinetic
energy (+6918 instead of -48 eV), a rotated orbital without its phase is off by tens of eV.  The checks are therefore
coarse, and each has its physical reason.
"""

import math
from typing import Any, Final

from ase import Atoms
from gpaw.utilities import pack_density

from polyscape.levels.box import charge_of
from polyscape.units import EV_PER_HARTREE

ENERGY_PER_ATOM_EV: Final = (-15.0, 20.0)
"""Bounds of a credible energy per atom.  GPAW counts from free atoms without spin polarisation, so it is a cohesive
energy: at most 10 eV in the strongest bonds; positive with few plane waves."""

ENERGY_PER_CHARGE_EV: Final = 30.0
"""More than an electron of a valence shell takes to be removed, 28 eV for the third of aluminium."""

HYBRID_SHIFT_PER_ELECTRON_EV: Final = 0.3
"""Largest credible difference between a hybrid and the functional that made its orbitals: PBE's exchange differs from
the exact one by at most 0.45 eV per electron in free atoms, and hybrids take a quarter of the difference."""

REFERENCE_SHIFT_PER_ELECTRON_EV: Final = 1.5
"""How far a functional without PAW setups of its own may move an energy, as the free atoms are PBE's then: 0.73 eV per
electron for PBEsol in HCN."""

KINETIC_PER_ELECTRON_EV: Final = 0.1
"""Largest difference of the kinetic energy from the orbitals and from their eigenvalues.  It is of first order in the
last change of the density: 3e-3 electrons per electron in potentials that vary by 30 eV."""

HYBRID_GAIN_PER_ELECTRON_EV: Final = (-0.05, 0.001)
"""A hybrid's self-consistent energy from that on semilocal orbitals: it is the minimum, and near (0.003 in HCN)."""


def problem_with(
    energy_eV: float, atoms: Atoms, own_atoms: bool, below_eV: float | None = None, below: str = "PBE"
) -> str | None:
    """What is incredible about an energy; None if nothing is.

    Parameters
    ----------
    energy_eV : float
        Energy of the cell.
    atoms : ase.Atoms
        Its atoms.
    own_atoms : bool
        Whether the energy is counted from free atoms of its own functional.
    below_eV : float or None
        For a hybrid, the energy of the same cell with the functional that made the orbitals.
    below : str
        That functional.  Where it is not PBE, whose atoms a hybrid counts from, free atoms are in the difference.
    """
    electrons = int(atoms.numbers.sum())
    slack_eV = 0.0 if own_atoms else REFERENCE_SHIFT_PER_ELECTRON_EV * electrons
    lowest, highest = (bound * len(atoms) for bound in ENERGY_PER_ATOM_EV)
    highest += ENERGY_PER_CHARGE_EV * abs(charge_of(atoms))
    if not (math.isfinite(energy_eV) and lowest - slack_eV < energy_eV < highest + slack_eV):
        return f"energy {energy_eV:.3f} eV of {len(atoms)} atoms is out of bounds"
    if below_eV is not None:
        shift_eV = energy_eV - below_eV
        atomic_eV = 0.0 if below == "PBE" else REFERENCE_SHIFT_PER_ELECTRON_EV
        if abs(shift_eV) > (HYBRID_SHIFT_PER_ELECTRON_EV + atomic_eV) * electrons:
            return f"energy is {shift_eV:.3f} eV from the level that made the orbitals"
    return None


def problem_with_kinetic_energy(dft: Any) -> str | None:
    """What is wrong with the kinetic energy in the total one; None if nothing is.

    GPAW takes it from the eigenvalues, ``sum f e - integral v n`` + PAW terms; here it is, from the orbitals,

        T = sum_k w_k sum_n f_kn <psi_kn| -1/2 nabla^2 |psi_kn> + sum_a (T_core + K . D_a)
    """
    difference_eV = (dft.energies.kinetic - kinetic_energy_hartree(dft)) * EV_PER_HARTREE
    if abs(difference_eV) <= KINETIC_PER_ELECTRON_EV * dft.density.nvalence:
        return None
    return f"kinetic energy is {difference_eV:.3f} eV from that of the orbitals"


def kinetic_energy_hartree(dft: Any) -> float:
    """Kinetic energy of the occupied orbitals, with PAW corrections."""
    ibzwfs, density = dft.ibzwfs, dft.density
    total = 0.0
    for wfs in ibzwfs:
        kinetic_n = wfs.psit_nX.norm2("kinetic")
        total += float(wfs.weight * wfs.spin_degeneracy * (wfs.myocc_n @ kinetic_n))
    total = ibzwfs.kpt_band_comm.sum_scalar(total)
    atomic = 0.0
    for a, D_sii in density.D_asii.items():
        D_p = pack_density(D_sii.real[: density.ndensities].sum(0))
        atomic += float(dft.setups[a].K_p @ D_p + dft.setups[a].Kc)
    return float(total + density.D_asii.layout.atomdist.comm.sum_scalar(atomic))


def problem_with_hybrid(energy_eV: float, on_orbitals_eV: float, electrons: float) -> str | None:
    """What is wrong with a self-consistent hybrid energy, given that on semilocal orbitals; None if nothing is."""
    lowest, highest = HYBRID_GAIN_PER_ELECTRON_EV
    gain_eV = energy_eV - on_orbitals_eV
    if lowest * electrons <= gain_eV <= highest * electrons:
        return None
    return f"self-consistency changes the hybrid's energy by {gain_eV:.3f} eV"
