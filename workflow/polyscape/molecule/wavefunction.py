"""The wave function of an isolated molecule, by PySCF: energy, gradient, moments, electrostatic potential.

References
----------
Q. Sun et al., J. Chem. Phys. 153, 024109 (2020), https://doi.org/10.1063/5.0006074.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from polyscape.molecule.multipoles import traceless
from polyscape.units import ANGSTROM_PER_BOHR

PYSCF_NAMES: Final = {"hf": "hf", "b3lyp": "b3lyp", "pbe": "pbe,pbe", "pbe0": "pbe0"}
"""PySCF's name of each functional offered."""

OCC_NAMES: Final = {"hf": "hf", "b3lyp": "b3lyp", "pbe": "pbe", "pbe0": "pbeh"}
"""occpy's name of each functional offered; its own "pbe0" runs PBE."""

_POINTS_AT_ONCE = 400


class ScfError(Exception):
    """Self-consistency was not reached."""


@dataclass(frozen=True)
class GasPhaseLevel:
    """Functional, basis and charge of a calculation.

    Attributes
    ----------
    functional, basis : str
        As in the config.
    charge : int
        Net charge in e; all electrons are paired.
    """

    functional: str
    basis: str
    charge: int = 0

    @property
    def label(self) -> str:
        """Name in tables, ``b3lyp/6-311g**``."""
        return f"{self.functional}/{self.basis}"


@dataclass(frozen=True)
class WaveFunction:
    """A converged wave function and what is read from it, about the origin of the positions.

    Attributes
    ----------
    energy_hartree : float
        Electronic energy with nuclear repulsion.
    dipole_v : numpy.ndarray, shape (3,)
        Dipole moment in e bohr.
    quadrupole_vv : numpy.ndarray, shape (3, 3)
        Traceless quadrupole in e bohr^2.
    molden : str
        The orbitals in Molden form.
    potential_p : numpy.ndarray, shape (points,)
        Electrostatic potential in hartree/e at the points asked for.
    """

    energy_hartree: float
    dipole_v: NDArray[np.float64]
    quadrupole_vv: NDArray[np.float64]
    molden: str
    potential_p: NDArray[np.float64]


class EnergySurface:
    """Energy and gradient with density fitting and a light grid, for optimisations: starts from the last density."""

    def __init__(self, symbols: list[str], level: GasPhaseLevel) -> None:
        self._symbols, self._level = symbols, level
        self._scanner: Any = None

    def __call__(self, position_av: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Energy in hartree and gradient in hartree/bohr at positions in bohr."""
        if self._scanner is None:
            field = _fitted_field(_molecule(self._symbols, position_av, self._level), self._level, 1e-8)
            self._scanner = field.nuc_grad_method().as_scanner()
        molecule = self._scanner.mol.set_geom_(position_av, unit="Bohr", inplace=False)
        energy, gradient_av = self._scanner(molecule)
        if not self._scanner.base.converged:
            raise ScfError(f"{self._level.label} did not converge at a geometry of the optimisation")
        return float(energy), np.asarray(gradient_av)

    def energy(self, position_av: NDArray[np.float64]) -> float:
        """Energy alone, in hartree, at positions in bohr."""
        field = _fitted_field(_molecule(self._symbols, position_av, self._level), self._level, 1e-6)
        energy = float(field.kernel())
        if not field.converged:
            raise ScfError(f"{self._level.label} did not converge")
        return energy


def compute(
    symbols: list[str],
    position_av: NDArray[np.float64],
    level: GasPhaseLevel,
    point_pv: NDArray[np.float64],
) -> WaveFunction:
    """The exact wave function (no density fitting) at a geometry.

    Parameters
    ----------
    symbols : list of str
        Chemical symbols.
    position_av : numpy.ndarray, shape (atoms, 3)
        Positions in Angstrom.
    level : GasPhaseLevel
        Functional, basis, charge.
    point_pv : numpy.ndarray, shape (points, 3)
        Where the electrostatic potential is wanted, in Angstrom.

    Raises
    ------
    ScfError
        When neither DIIS nor the second-order solver converges.
    """
    molecule = _molecule(symbols, position_av / ANGSTROM_PER_BOHR, level)
    fitted = _fitted_field(molecule, level, 1e-6)
    fitted.kernel()  # its density is nearly right, and costs a third
    field = _mean_field(molecule, level)
    field.conv_tol, field.conv_tol_grad = 1e-10, 1e-6
    field.kernel(dm0=fitted.make_rdm1())
    if not field.converged:
        field = field.newton()
        field.kernel(dm0=field.make_rdm1())
    if not field.converged:
        raise ScfError(f"{level.label} did not converge")
    density_ij = field.make_rdm1()
    dipole_v, quadrupole_vv = _moments(molecule, density_ij)
    potential_p = _potential(molecule, density_ij, point_pv / ANGSTROM_PER_BOHR)
    return WaveFunction(float(field.e_tot), dipole_v, quadrupole_vv, _molden(field), potential_p)


def _molecule(symbols: list[str], position_av: NDArray[np.float64], level: GasPhaseLevel) -> Any:
    from pyscf import gto, lib

    lib.num_threads(1)
    atoms = list(zip(symbols, position_av.tolist(), strict=True))
    return gto.M(atom=atoms, unit="Bohr", basis=level.basis, charge=level.charge, spin=0, verbose=0)


def _mean_field(molecule: Any, level: GasPhaseLevel) -> Any:
    from pyscf import dft, scf

    if level.functional == "hf":
        return scf.RHF(molecule)
    return dft.RKS(molecule, xc=PYSCF_NAMES[level.functional])


def _fitted_field(molecule: Any, level: GasPhaseLevel, tolerance: float) -> Any:
    """The mean field with density fitting and a light grid; converged to a tolerance in hartree."""
    field = _mean_field(molecule, level).density_fit()
    if level.functional != "hf":
        field.grids.level = 1
    field.conv_tol = tolerance
    return field


def _moments(
    molecule: Any, density_ij: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Dipole and traceless quadrupole of nuclei and electrons about the origin."""
    charge_a, position_av = molecule.atom_charges(), molecule.atom_coords()
    with molecule.with_common_orig((0.0, 0.0, 0.0)):
        first_v = np.einsum("vij,ji->v", molecule.intor_symmetric("int1e_r", comp=3), density_ij)
        second_w = np.einsum("wij,ji->w", molecule.intor("int1e_rr", comp=9), density_ij)
    dipole_v = charge_a @ position_av - first_v
    second_vv = np.einsum("a,av,aw->vw", charge_a, position_av, position_av) - second_w.reshape(3, 3)
    return dipole_v, traceless(second_vv)


def _potential(
    molecule: Any, density_ij: NDArray[np.float64], point_pv: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``V(r) = sum_a Z_a / |r - r_a| - sum_ij D_ij <i| 1/|r - r'| |j>`` in hartree/e at points in bohr."""
    parts = []
    for start in range(0, len(point_pv), _POINTS_AT_ONCE):
        some_pv = point_pv[start : start + _POINTS_AT_ONCE]
        electrons_p = np.einsum("pij,ij->p", molecule.intor("int1e_grids", grids=some_pv), density_ij)
        distance_pa = np.linalg.norm(some_pv[:, None] - molecule.atom_coords(), axis=2)
        parts.append((molecule.atom_charges() / distance_pa).sum(axis=1) - electrons_p)
    return np.concatenate(parts) if parts else np.zeros(0)


def _molden(field: Any) -> str:
    """The orbitals in Molden form.

    occpy misreads p functions when the flags of spherical d functions stand in a file without any, so they are left
    out there.
    """
    from pyscf.tools import molden

    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "orbitals.molden"
        molden.from_scf(field, str(path))
        text = path.read_text()
    if max(field.mol.bas_angular(shell) for shell in range(field.mol.nbas)) < 2:
        text = text.replace("[5d]\n[7f]\n[9g]\n", "")
    return text
