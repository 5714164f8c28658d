"""Dispersion apart from the back end: energy, forces and stress of D3(BJ), D4 and many-body dispersion.

All depend on the geometry alone, so that a change of dispersion repeats no DFT.  `d3bj` has two-body terms only, the
form of most published D3(BJ) lattice energies; `d3bj-atm` and `d4` have the three-body term of Axilrod, Teller and Muto,
summed over triples within 30 bohr: 0.02 kJ/mol per molecule from the 40 bohr that the programs take, for a fifth of the
time.

References
----------
D3(BJ): S. Grimme, S. Ehrlich, L. Goerigk, J. Comput. Chem. 32, 1456 (2011), https://doi.org/10.1002/jcc.21759
D4: E. Caldeweyher, J.-M. Mewes, S. Ehlert, S. Grimme, Phys. Chem. Chem. Phys. 22, 8499 (2020),
https://doi.org/10.1039/D0CP00502A
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from ase import Atoms
from dftd3.interface import DispersionModel, RationalDampingParam
from dftd4.interface import DampingParam
from dftd4.interface import DispersionModel as D4Model
from numpy.typing import NDArray

from polyscape.levels.box import charge_of
from polyscape.levels.many_body import many_body_dispersion
from polyscape.settings.levels import Level
from polyscape.units import ANGSTROM_PER_BOHR, EV_PER_HARTREE

_PAIRS_BOHR: Final = 60.0
_TRIPLES_BOHR: Final = 30.0
_FADE_BOHR: Final = 5.0
_COORDINATION_BOHR: Final = {"d3": 40.0, "d4": 30.0}
"""Cutoffs of the lattice sums; those of pairs and coordination numbers are the programs' own."""

Result = dict[str, Any]


@dataclass(frozen=True)
class Dispersion:
    """A dispersion correction.

    Attributes
    ----------
    energy_eV : float
        Of the cell or the molecule.
    forces_av : numpy.ndarray, shape (atoms, 3), or None
        Forces in eV/Angstrom, where they were asked for.
    stress_vv : numpy.ndarray, shape (3, 3), or None
        Stress ``(1/V) dE/d strain`` in eV/Angstrom^3; None for a molecule.
    """

    energy_eV: float
    forces_av: NDArray[np.float64] | None = None
    stress_vv: NDArray[np.float64] | None = None


def dispersion_energy_eV(atoms: Atoms, level: Level) -> float:
    """The dispersion correction of a crystal's cell (``pbc`` true) or of an isolated molecule (false)."""
    return dispersion_of(atoms, level, derivatives=False).energy_eV


def dispersion_of(atoms: Atoms, level: Level, derivatives: bool) -> Dispersion:
    """The dispersion correction of a level, with forces and stress if asked for."""
    if level.dispersion == "none":
        nothing = (np.zeros((len(atoms), 3)), np.zeros((3, 3))) if derivatives else ()
        return Dispersion(0.0, *nothing)
    found = _MODELS[level.dispersion](atoms, level, derivatives)
    energy_eV = float(found["energy"]) * EV_PER_HARTREE
    if not derivatives:
        return Dispersion(energy_eV)
    forces_av = -found["gradient"] * EV_PER_HARTREE / ANGSTROM_PER_BOHR
    if not atoms.pbc.any():
        return Dispersion(energy_eV, forces_av)
    virial_vv = (found["virial"] + found["virial"].T) / 2
    return Dispersion(energy_eV, forces_av, virial_vv * EV_PER_HARTREE / atoms.get_volume())


def dispersion_functional(level: Level) -> str:
    """The functional whose parameters a level uses, in the spelling of `dftd3` and `dftd4`."""
    return (level.dispersion_functional or level.gpaw.functional).lower()


def has_parameters(functional: str, dispersion: str) -> bool:
    """Whether a kind of dispersion has parameters for a functional; many-body dispersion is not asked."""
    try:
        _damping(functional.lower(), dispersion)
    except RuntimeError:
        return False
    return True


def _damping(functional: str, dispersion: str) -> Any:
    if dispersion == "d4":
        return DampingParam(method=functional)
    return RationalDampingParam(method=functional, atm=dispersion == "d3bj-atm")


def _d3(atoms: Atoms, level: Level, derivatives: bool) -> Result:
    model = DispersionModel(*_structure(atoms), **_lattice(atoms))
    model.set_realspace_cutoff(_PAIRS_BOHR, _TRIPLES_BOHR, _COORDINATION_BOHR["d3"], 0.0, _FADE_BOHR)
    damping = _damping(dispersion_functional(level), level.dispersion)
    return dict(model.get_dispersion(damping, grad=derivatives))


def _d4(atoms: Atoms, level: Level, derivatives: bool) -> Result:
    """D4 has the three-body term by definition; its charges are of electronegativity equilibration, in total an ion's."""
    model = D4Model(*_structure(atoms), charge=float(charge_of(atoms)), **_lattice(atoms))
    model.set_realspace_cutoff(_PAIRS_BOHR, _TRIPLES_BOHR, _COORDINATION_BOHR["d4"], 0.0, _FADE_BOHR)
    damping = _damping(dispersion_functional(level), "d4")
    return dict(model.get_dispersion(damping, grad=derivatives))


def _mbd(atoms: Atoms, level: Level, derivatives: bool) -> Result:
    return many_body_dispersion(atoms, level.mbd_volume_ratios, dispersion_functional(level), derivatives)


def _structure(atoms: Atoms) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    return atoms.numbers, atoms.positions / ANGSTROM_PER_BOHR


def _lattice(atoms: Atoms) -> dict[str, NDArray[Any]]:
    if not atoms.pbc.any():
        return {}
    return {"lattice": np.asarray(atoms.cell) / ANGSTROM_PER_BOHR, "periodic": np.full(3, True)}


_MODELS: Final[dict[str, Callable[[Atoms, Level, bool], Result]]] = {
    "d3bj": _d3,
    "d3bj-atm": _d3,
    "d4": _d4,
    "mbd": _mbd,
}
