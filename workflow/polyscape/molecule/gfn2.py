"""GFN2-xTB for starting geometries and approximate Hessians: milliseconds a molecule, all elements to radon.

Nothing of it stays in the results: energies, geometries and charges are those of the DFT level.

References
----------
C. Bannwarth, S. Ehlert, S. Grimme, J. Chem. Theory Comput. 15, 1652 (2019),
https://doi.org/10.1021/acs.jctc.8b01176.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from polyscape.molecule.optimise import EnergyGradient
from polyscape.units import ANGSTROM_PER_BOHR

_STEP_BOHR = 0.01


class Gfn2Error(Exception):
    """GFN2 did not become self-consistent."""


@dataclass
class Gfn2:
    """The GFN2-xTB energy surface of a molecule.

    Attributes
    ----------
    atomic_number_a : numpy.ndarray, shape (atoms,)
        Atomic numbers.
    charge : int
        Net charge in e.
    """

    atomic_number_a: NDArray[np.int64]
    charge: int
    _calculator: Any = field(default=None, init=False)

    def __call__(self, position_av: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Energy in hartree and gradient in hartree/bohr at positions in bohr."""
        from tblite.exceptions import TBLiteRuntimeError
        from tblite.interface import Calculator

        if self._calculator is None:
            self._calculator = Calculator(
                "GFN2-xTB", self.atomic_number_a, position_av, charge=float(self.charge)
            )
            self._calculator.set("verbosity", 0)
        self._calculator.update(position_av)
        try:
            result = self._calculator.singlepoint()
        except TBLiteRuntimeError as error:
            raise Gfn2Error(str(error)) from error
        return float(result.get("energy")), np.asarray(result.get("gradient"))

    def relax(self, position_av: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        """The nearest minimum: positions in Angstrom and energy in hartree."""
        return relax(self, position_av)

    def hessian_ii(self, position_av: NDArray[np.float64]) -> NDArray[np.float64]:
        """Cartesian Hessian by central differences of the gradient, hartree/bohr^2, shape (3 atoms, 3 atoms)."""
        x_i = (position_av / ANGSTROM_PER_BOHR).ravel()
        rows = []
        for i in range(len(x_i)):
            step_i = np.zeros_like(x_i)
            step_i[i] = _STEP_BOHR
            forward = self((x_i + step_i).reshape(-1, 3))[1]
            backward = self((x_i - step_i).reshape(-1, 3))[1]
            rows.append((forward - backward).ravel() / (2 * _STEP_BOHR))
        hessian_ii = np.array(rows)
        return 0.5 * (hessian_ii + hessian_ii.T)


def relax(
    energy_gradient: EnergyGradient, position_av: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """The nearest minimum of a cheap surface by BFGS in Cartesian coordinates: positions in Angstrom, energy in hartree.

    Parameters
    ----------
    energy_gradient : callable
        Positions in bohr -> energy in hartree and gradient in hartree/bohr.
    position_av : numpy.ndarray, shape (atoms, 3)
        Start in Angstrom.
    """

    def flat(x_i: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        energy, gradient_av = energy_gradient(x_i.reshape(-1, 3))
        return energy, gradient_av.ravel()

    start_i = (position_av / ANGSTROM_PER_BOHR).ravel()
    found = minimize(flat, start_i, jac=True, method="BFGS", options={"gtol": 1e-4, "maxiter": 300})
    return found.x.reshape(-1, 3) * ANGSTROM_PER_BOHR, float(found.fun)
