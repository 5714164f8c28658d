"""What every lattice-energy model and every minimiser of rigid-molecule crystals offers.

Energies are in kJ/mol per formula unit; a formula unit holds each component times its stoichiometry.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from polyscape.crystal.packing import Packing
from polyscape.status import Status


@dataclass(frozen=True)
class EnergyTerms:
    """The lattice energy and its parts, in kJ/mol per formula unit.

    Attributes
    ----------
    electrostatic, repulsion, dispersion : float
        Parts of the energy between molecules.
    intramolecular : float
        Energy of the conformers above each component's lowest conformer.
    pressure_volume : float
        Work against the pressure, no part of the lattice energy.
    """

    electrostatic: float
    repulsion: float
    dispersion: float
    intramolecular: float
    pressure_volume: float = 0.0

    @property
    def total(self) -> float:
        """The lattice energy."""
        return self.electrostatic + self.repulsion + self.dispersion + self.intramolecular

    @property
    def enthalpy(self) -> float:
        """What is minimised: the lattice energy and the work against the pressure."""
        return self.total + self.pressure_volume


@dataclass(frozen=True)
class EnergyGradient:
    """Derivatives of the lattice energy, in kJ/mol per formula unit.

    All independent molecules move with their symmetry images; the strain leaves molecules rigid and their centres'
    fractional coordinates fixed.

    Attributes
    ----------
    strain_vv : numpy.ndarray, shape (3, 3)
        By the strain tensor, symmetric and invariant under the point group; in kJ/mol.
    centre_mv : numpy.ndarray, shape (molecules, 3)
        By the Cartesian position of each independent molecule's centre; in kJ/mol/Angstrom.
    rotation_mv : numpy.ndarray, shape (molecules, 3)
        By an infinitesimal rotation vector (Cartesian axes) about each centre; in kJ/mol/radian.
    """

    strain_vv: NDArray[np.float64]
    centre_mv: NDArray[np.float64]
    rotation_mv: NDArray[np.float64]


@dataclass(frozen=True)
class Minimisation:
    """The end of a minimisation.

    Attributes
    ----------
    packing : Packing
        Where it ended: cell in the standard orientation, centres in [0, 1).
    terms : EnergyTerms or None
        Energy there; None unless `status` is OK.
    gradient_norm : float
        Largest component of the scaled gradient, in kJ/mol/Angstrom.
    steps, evaluations : int
        Steps of the optimiser and evaluations of energy and gradient, all passes together.
    status : Status
        OK, COLLAPSED, ESCAPED, STEP_LIMIT or STALLED.
    """

    packing: Packing
    terms: EnergyTerms | None
    gradient_norm: float
    steps: int
    evaluations: int
    status: Status


class LatticeEnergy(Protocol):
    """A model of the lattice energy."""

    def evaluate(self, packing: Packing) -> tuple[EnergyTerms, EnergyGradient]:
        """Energy and gradient of a crystal as it stands."""
        ...


class Minimiser(Protocol):
    """Relaxes cell, positions and orientations within the space group; several threads may share one."""

    def minimise(self, packing: Packing, *, from_trial: bool = True) -> Minimisation:
        """The local minimum below a crystal.

        Parameters
        ----------
        packing : Packing
            Where to start.
        from_trial : bool
            A rough start, which a simpler surface may relax first; False for a crystal that is to keep its packing.
        """
        ...

    def leave_saddle(self, end: Minimisation) -> Minimisation:
        """The true minimum below a stationary point, in a subgroup if need be; the point itself where it is one."""
        ...
