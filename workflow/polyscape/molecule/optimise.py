"""Geometry optimisation of a molecule with geomeTRIC, on any energy that gives a gradient."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyscape.units import ANGSTROM_PER_BOHR

EnergyGradient = Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]]
"""Positions (atoms, 3) in bohr -> energy in hartree and gradient (atoms, 3) in hartree/bohr."""


@dataclass(frozen=True)
class Optimised:
    """The end of an optimisation.

    Attributes
    ----------
    position_av : numpy.ndarray, shape (atoms, 3)
        Positions in Angstrom.
    energy_hartree : float
        Energy there.
    evaluations : int
        Energies with gradients computed.
    converged : bool
        Whether forces and displacements fell below the criteria.
    """

    position_av: NDArray[np.float64]
    energy_hartree: float
    evaluations: int
    converged: bool


def optimise(
    energy_gradient: EnergyGradient,
    symbols: list[str],
    position_av: NDArray[np.float64],
    hessian_ii: NDArray[np.float64] | None = None,
    max_steps: int = 30,
) -> Optimised:
    """Minimise an energy in translation-rotation-internal coordinates.

    Criteria: energy 1e-6 hartree, gradient 1.5e-4 (rms) and 3e-4 (max) hartree/bohr, half of Gaussian's, so that
    energies are good to 0.01 kJ/mol.

    Parameters
    ----------
    energy_gradient : callable
        The energy and its gradient, atomic units.
    symbols : list of str
        Chemical symbols.
    position_av : numpy.ndarray, shape (atoms, 3)
        Start in Angstrom.
    hessian_ii : numpy.ndarray, shape (3 atoms, 3 atoms), optional
        Approximate Cartesian Hessian at the start, hartree/bohr^2; saves about half of the steps.
    max_steps : int
        Steps before it is given up, not converged.

    References
    ----------
    L.-P. Wang, C. Song, J. Chem. Phys. 144, 214108 (2016), https://doi.org/10.1063/1.4952956.
    """
    from geometric.errors import GeomOptNotConvergedError
    from geometric.optimize import Optimizer

    start = _geometric_molecule(symbols, position_av)
    engine = _engine(start, energy_gradient)
    with tempfile.TemporaryDirectory() as scratch:
        optimiser = Optimizer(
            (position_av / ANGSTROM_PER_BOHR).ravel(), start, _coordinates(start), engine, scratch,
            _parameters(hessian_ii, max_steps), print_info=False,
        )  # fmt: skip
        try:
            optimiser.optimizeGeometry()
            converged = True
        except GeomOptNotConvergedError:
            converged = False
    end_av = np.asarray(optimiser.X).reshape(-1, 3) * ANGSTROM_PER_BOHR
    return Optimised(end_av, float(optimiser.E), engine.evaluations, converged)


def _parameters(hessian_ii: NDArray[np.float64] | None, max_steps: int) -> Any:
    from geometric.params import OptParams

    parameters = OptParams(
        maxiter=max_steps,
        convergence_energy=1e-6,
        convergence_grms=1.5e-4,
        convergence_gmax=3e-4,
        convergence_drms=1.2e-3,
        convergence_dmax=2.4e-3,
        hessian="never",
        frequency=False,
    )
    if hessian_ii is not None:
        parameters.hess_data = hessian_ii
    return parameters


def _geometric_molecule(symbols: list[str], position_av: NDArray[np.float64]) -> Any:
    from geometric.molecule import Molecule

    molecule = Molecule()
    molecule.elem = list(symbols)
    molecule.xyzs = [np.array(position_av)]
    molecule.build_topology()
    return molecule


def _coordinates(molecule: Any) -> Any:
    from geometric.internal import DelocalizedInternalCoordinates

    return DelocalizedInternalCoordinates(molecule, build=True, connect=True, addcart=False)


def _engine(molecule: Any, energy_gradient: EnergyGradient) -> Any:
    """GeomeTRIC's interface to an energy; a class made here, for geomeTRIC is slow to import."""
    from geometric.engine import Engine

    class FunctionEngine(Engine):
        evaluations = 0

        def calc_new(self, coords: NDArray[np.float64], dirname: str) -> dict[str, Any]:
            self.evaluations += 1
            energy, gradient_av = energy_gradient(np.asarray(coords).reshape(-1, 3))
            return {"energy": energy, "gradient": np.asarray(gradient_av).ravel()}

    return FunctionEngine(molecule)
