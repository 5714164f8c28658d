"""Self-consistency of a semilocal functional, with remedies in turn.

A meta-GGA has no kinetic energy density to start from in a superposition of atoms: every attempt at it from scratch
converges PBE first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from ase import Atoms
from gpaw import KohnShamConvergenceError
from gpaw.mpi import broadcast, world
from gpaw.new.ase_interface import GPAW
from gpaw.utilities import AtomsTooClose

from polyscape.levels.check import is_meta_gga
from polyscape.levels.gpaw.parameters import functional_of
from polyscape.levels.gpaw.remedies import FIRST, Failure, Remedy, Step, diagnose, next_remedy
from polyscape.units import EV_PER_HARTREE

WARM_MIXER: Final = {"name": "pulay", "beta": 0.25}
"""The default mixer's first step is blind and loses a warm start; this one keeps it."""


@dataclass
class Course:
    """How self-consistency went.

    Attributes
    ----------
    calculator : gpaw calculator
        With its orbitals and density, whatever they are.
    parameters : mapping
        GPAW's parameters that it was asked for, remedies apart.
    steps : list of Step
        All steps, those of failed attempts included.
    tried : list of Remedy
        What was tried, the default first.
    failure : Failure or None
        Why it is not self-consistent; None when it is.
    """

    calculator: Any = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    tried: list[Remedy] = field(default_factory=list)
    failure: Failure | None = None

    @property
    def message(self) -> str | None:
        """What was tried, if it was more than the default."""
        names = "; ".join(remedy.name for remedy in self.tried[1:])
        if self.failure is not None:
            return f"{self.failure} after {len(self.steps)} steps; tried: {names or 'nothing more'}"
        return f"converged by: {names}" if names else None


def converge(atoms: Atoms, parameters: Mapping[str, Any], max_steps: int, log: Path) -> Course:
    """Converge from scratch.

    Parameters
    ----------
    atoms : ase.Atoms
        Crystal, or molecule in its box.
    parameters : mapping
        Parameters of GPAW.
    max_steps : int
        Steps of the first attempt.
    log : pathlib.Path
        GPAW's own log.
    """
    course = Course(parameters=parameters)
    wanted = parameters["xc"]
    first = functional_of("PBE") if is_meta_gga(wanted.name) else wanted
    tolerance = parameters["convergence"]["density"]
    remedy: Remedy | None = FIRST
    while remedy is not None:
        limit = max_steps * remedy.steps_factor
        if remedy.goes_on:
            course.calculator.dft.scf_loop.maxiter = limit
        else:
            own = {**parameters, "xc": first, "maxiter": limit, **remedy.parameters}
            course.calculator = GPAW(**own, txt=str(log))
        course.tried.append(remedy)
        course.failure = attempt(course, atoms, tolerance)
        if course.failure is None and course.calculator.dft.params.xc.name != wanted.name:
            mixer = remedy.parameters.get("mixer", WARM_MIXER)
            change_functional(course.calculator.dft, parameters, mixer, limit)
            course.failure = attempt(course, atoms, tolerance)
        if course.failure is None:
            return course
        remedy = next_remedy(course.failure, course.tried)
    return course


def change_functional(
    dft: Any, parameters: Mapping[str, Any], mixer: Mapping[str, Any], max_steps: int
) -> None:
    """Take a converged calculation to another semilocal functional: its potential is that of the old orbitals."""
    dft.change(xc=parameters["xc"], mixer=dict(mixer), convergence=parameters["convergence"])
    if is_meta_gga(parameters["xc"].name):
        dft.density.update_ked(dft.ibzwfs)
    dft.potential, dft.energies, _ = dft.pot_calc.calculate(dft.density, dft.ibzwfs, dft.potential.vHt_x)
    dft.scf_loop.maxiter = max_steps


def attempt(course: Course, atoms: Atoms, density_tolerance: float) -> Failure | None:
    """Go on until self-consistency or failure; GPAW's calculators are always periodic."""
    periodic = atoms.copy()
    periodic.pbc = True
    first = len(course.steps)
    try:
        for context in course.calculator.iconverge(periodic):
            course.steps.append(step_of(context))
    except AtomsTooClose:
        return Failure.TOO_CLOSE
    except (np.linalg.LinAlgError, ValueError) as error:
        if not is_breakdown(error):
            raise
        return Failure.BREAKDOWN
    except KohnShamConvergenceError:
        partly = partly_occupied(course.calculator.dft)
        found = diagnose(course.steps[first:], density_tolerance, partly)
        return Failure(broadcast(found if world.rank == 0 else None))  # one decision for all ranks
    return None


def is_breakdown(error: Exception) -> bool:
    """Whether numbers overflowed: a matrix that is not positive, or energies that GPAW or LAPACK find not to be numbers."""
    return isinstance(error, np.linalg.LinAlgError) or "NaN" in str(error)


def step_of(context: Any) -> Step:
    """The step that GPAW's loop has just made."""
    electrons = context.wfs.nvalence
    return Step(
        float(context.energies.total_extrapolated) * EV_PER_HARTREE,
        float(context.dens.error) / electrons,
        float(context.wfs.eigensolver.error) * EV_PER_HARTREE**2 / electrons,
    )


def partly_occupied(dft: Any) -> bool:
    """Whether orbitals are neither full nor empty: a gap below about ten times the smearing."""
    _, occupation_skn = dft.ibzwfs.get_all_eigs_and_occs(broadcast=True)
    return bool(((occupation_skn > 0.01) & (occupation_skn < 0.99)).any())
