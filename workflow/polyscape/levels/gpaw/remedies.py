"""What to try when self-consistency is not reached: a ladder per kind of failure.

None of the remedies changes what the converged energy is, but for the smearing, whose energy is extrapolated to zero
width.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final


@dataclass(frozen=True)
class Step:
    """A step towards self-consistency.

    Attributes
    ----------
    energy_eV : float
        Total energy.
    density_error : float
        Integral of the absolute change of the density, electrons per valence electron; infinite at the first step.
    orbital_error : float
        Integral of the squared residuals of the orbitals, eV^2 per valence electron.
    """

    energy_eV: float
    density_error: float
    orbital_error: float


class Failure(StrEnum):
    """Why self-consistency was not reached."""

    SLOW = "too few steps"
    SLOSHING = "the density does not settle"
    ORBITALS = "the orbitals do not converge"
    SMALL_GAP = "orbitals are partly occupied"
    BREAKDOWN = "numbers overflowed"
    TOO_CLOSE = "atoms lie upon each other"


@dataclass(frozen=True)
class Remedy:
    """A way to reach self-consistency.

    Attributes
    ----------
    name : str
        How messages call it.
    parameters : mapping
        Parameters of GPAW that differ from the default ones.
    steps_factor : int
        Times the configured number of steps.
    goes_on : bool
        Whether the calculation goes on from where it is; else it starts anew.
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    steps_factor: int = 2
    goes_on: bool = False


_CAUTIOUS: Final = {"name": "pulay", "beta": 0.05}

WARM: Final = Remedy("from the level below", steps_factor=1)
FIRST: Final = Remedy("from scratch", steps_factor=1)
MORE_STEPS: Final = Remedy("more steps", goes_on=True)
MIXER: Final = Remedy("cautious Pulay mixing", {"mixer": _CAUTIOUS})
SOLVER: Final = Remedy("Davidson solver", {"eigensolver": "davidson"})
BANDS: Final = Remedy(
    "Davidson solver, more bands and cautious Pulay mixing",
    {"eigensolver": "davidson", "nbands": "150%", "mixer": _CAUTIOUS},
    4,
)
SMEARING: Final = Remedy(
    "smearing of 0.3 eV, extrapolated to none",
    {**BANDS.parameters, "occupations": {"name": "fermi-dirac", "width": 0.3}},
    4,
)

LADDERS: Final[Mapping[Failure, Sequence[Remedy]]] = {
    Failure.SLOW: (MORE_STEPS, SOLVER, BANDS),
    Failure.SLOSHING: (MIXER, BANDS, SMEARING),
    Failure.ORBITALS: (SOLVER, BANDS, SMEARING),
    Failure.SMALL_GAP: (SMEARING, BANDS),
    Failure.BREAKDOWN: (BANDS, SMEARING),
    Failure.TOO_CLOSE: (),
}
"""The remedies of each kind of failure, the cheapest first."""

HYBRID_LADDER: Final = (FIRST, MORE_STEPS, MIXER)
"""What is tried in turn for a self-consistent hybrid, each from where the one before has ended."""


def next_remedy(failure: Failure, tried: Sequence[Remedy]) -> Remedy | None:
    """The first remedy of this failure that has not been tried; None when there is none left."""
    return next((remedy for remedy in LADDERS[failure] if remedy not in tried), None)


def diagnose(steps: Sequence[Step], density_tolerance: float, partly_occupied: bool) -> Failure:
    """The kind of failure that a course of steps shows.

    Parameters
    ----------
    steps : sequence of Step
        The steps of the failed attempt.
    density_tolerance : float
        The density error that would have been small enough.
    partly_occupied : bool
        Whether orbitals are neither full nor empty at the end.
    """
    if not steps or not all(math.isfinite(step.energy_eV) for step in steps):
        return Failure.BREAKDOWN
    if partly_occupied:
        return Failure.SMALL_GAP
    if len(steps) < _ENOUGH_STEPS or _falls([step.density_error for step in steps]):
        return Failure.SLOW
    return Failure.SLOSHING if steps[-1].density_error > density_tolerance else Failure.ORBITALS


_ENOUGH_STEPS: Final = 8
"""A molecular crystal needs 7 to 12: before that, nothing can be said."""


def _falls(errors: Sequence[float]) -> bool:
    """Whether the smallest error of the last third is below half of that before."""
    third = len(errors) // 3
    return min(errors[-third:]) < 0.5 * min(errors[:-third])
