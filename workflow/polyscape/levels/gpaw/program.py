"""The GPAW back end: climbs a ladder of functionals on one structure, each on the orbitals of the one below.

Orbitals stay in memory: from one level to the next, and from one step of a relaxation to the next.
"""

import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.stress import voigt_6_to_full_3x3_stress
from gpaw import KohnShamConvergenceError
from gpaw.mpi import broadcast, world

from polyscape.levels.box import charge_corrections_eV, charge_of, dipole_correction_eV
from polyscape.levels.check import OWN_SETUPS
from polyscape.levels.gpaw.checks import problem_with, problem_with_hybrid, problem_with_kinetic_energy
from polyscape.levels.gpaw.compressed import NotConvergedError, change_to_hybrid
from polyscape.levels.gpaw.hybrid import hybrid_terms_eV, terms_eV
from polyscape.levels.gpaw.moments import moments_of
from polyscape.levels.gpaw.parameters import (
    ENERGY_CRITERIA,
    ORBITAL_CRITERIA,
    best_placed,
    functional_of,
    parameters_of,
)
from polyscape.levels.gpaw.remedies import FIRST, HYBRID_LADDER, WARM, Failure, Remedy
from polyscape.levels.gpaw.scf import WARM_MIXER, Course, attempt, change_functional, converge, is_breakdown
from polyscape.levels.method import needs_orbitals
from polyscape.levels.protocol import SinglePoint, Work
from polyscape.settings.gpaw import GpawSettings
from polyscape.settings.levels import Level
from polyscape.status import Status


@dataclass(frozen=True)
class Clock:
    """When a calculation began, in wall time and in this rank's CPU time."""

    wall_s: float = field(default_factory=time.perf_counter)
    cpu_s: float = field(default_factory=time.process_time)


@dataclass(frozen=True)
class Job:
    """One level on one structure.

    Attributes
    ----------
    atoms : ase.Atoms
        Crystal, or molecule in its box.
    level : Level
        What to compute.
    parameters : dict
        GPAW's parameters for it.
    log : pathlib.Path
        GPAW's own log.
    """

    atoms: Atoms
    level: Level
    parameters: dict[str, Any]
    log: Path


class GpawPlaneWaves:
    """The GPAW back end."""

    def __init__(self) -> None:
        self._relaxed: tuple[dict[str, Any], Any] | None = None

    @property
    def is_root(self) -> bool:
        """Whether this is rank 0."""
        return bool(world.rank == 0)

    def share(self, value: Any) -> Any:
        """Rank 0's value on every rank."""
        return broadcast(value if world.rank == 0 else None)

    def climb(self, atoms: Atoms, levels: Sequence[Level], scratch: Path) -> Iterator[SinglePoint]:
        """Climb the ladder; after a level that failed, those on its orbitals are skipped."""
        course: Course | None = None
        for level, above in zip(levels, [*levels[1:], None], strict=True):
            if needs_orbitals(level):
                yield on_orbitals(course, atoms, level)
                continue
            first_order = charge_of(atoms) != 0 or (above is not None and needs_orbitals(above))
            criteria = ORBITAL_CRITERIA if first_order else ENERGY_CRITERIA
            placed = best_placed(atoms, level.gpaw)
            parameters = parameters_of(placed, level.gpaw, criteria)
            job = Job(placed, level, parameters, scratch / f"{level.name}.txt")
            start = course if _fits(course, parameters) else None
            if level.gpaw.hybrid == "self_consistent":
                course, point = None, self_consistent_hybrid(start, job)
            else:
                course, point = self_consistent(start, job)
            yield point

    def gradient(self, atoms: Atoms, level: Level, scratch: Path, stress: bool) -> SinglePoint:
        """Energy, forces and stress of a semilocal functional, from the orbitals of the last call where they fit.

        A molecule's energy is that in its box, without the correction of `climb` for the dipole, whose
        derivative is not known.  The stress is that at a fixed number of plane waves.
        """
        clock = Clock()
        if level.gpaw.hybrid != "none":
            return SinglePoint(level.name, Status.SKIPPED, None, None, "no forces of hybrid functionals")
        atoms = best_placed(atoms, level.gpaw)
        parameters = parameters_of(atoms, level.gpaw, ORBITAL_CRITERIA)
        job = Job(atoms, level, parameters, scratch / f"{level.name}.txt")
        course = Course(parameters=parameters)
        if self._relaxed is not None and _equal(parameters, self._relaxed[0]):
            course.tried.append(WARM)
            course.calculator = self._relaxed[1]
            course.failure = attempt(course, atoms, ORBITAL_CRITERIA["density"])
        if course.calculator is None or course.failure is not None:
            course = _from_scratch(course, job)
        point = _point(course, job, clock, in_box=True)
        if point.status is not Status.OK:
            self._relaxed = None
            return point
        self._relaxed = parameters, course.calculator
        forces_av = np.asarray(course.calculator.get_property("forces"))
        stress_v = np.asarray(course.calculator.get_property("stress")) if stress else None
        stress_vv = None if stress_v is None else voigt_6_to_full_3x3_stress(stress_v)
        work = _work(course, clock)
        return replace(point, forces_av=forces_av, stress_vv=stress_vv, work=work)


def self_consistent(start: Course | None, job: Job) -> tuple[Course | None, SinglePoint]:
    """Converge a semilocal functional, from the orbitals of another where there are any; no course on failure."""
    clock, max_steps = Clock(), job.level.gpaw.max_scf_steps
    course = Course(failure=Failure.SLOW)
    if start is not None:
        course = _changed(start, job.parameters, max_steps)
    if course.failure is not None:
        course = _from_scratch(course, job)
    point = _point(course, job, clock)
    return (course if point.status is Status.OK else None), point


def on_orbitals(course: Course | None, atoms: Atoms, level: Level) -> SinglePoint:
    """A hybrid functional's energy on the orbitals of the level below."""
    if course is None:
        return SinglePoint(level.name, Status.SKIPPED, None, None, "the level below has no orbitals")
    clock = Clock()
    terms, images = hybrid_terms_eV(course.calculator.dft, level.gpaw.functional), dict[str, float]()
    if not atoms.pbc.any():
        images = image_terms_eV(course, atoms)
    terms |= images
    energy_eV = sum(terms.values())
    below_eV, below = _energy_eV(course) + sum(images.values()), course.parameters["xc"].name
    problem = problem_with(energy_eV, atoms, below == "PBE", below_eV, below)
    work = _work(Course(course.calculator), clock)
    if problem is not None:
        return SinglePoint(level.name, Status.UNTRUSTED, None, work, problem)
    return SinglePoint(level.name, Status.OK, energy_eV, work, None, terms)


def self_consistent_hybrid(start: Course | None, job: Job) -> SinglePoint:
    """Converge a hybrid functional from semilocal orbitals: those of the level below, else PBE's, made first."""
    clock, settings = Clock(), job.level.gpaw
    if start is None:
        start = converge(
            job.atoms, {**job.parameters, "xc": functional_of("PBE")}, settings.max_scf_steps, job.log
        )
        if start.failure is not None:
            return _point(start, job, clock)
        course = start
    else:
        course = Course(start.calculator, start.parameters, tried=[FIRST])
    dft, below_eV = course.calculator.dft, _energy_eV(course)
    on_orbitals_eV = sum(hybrid_terms_eV(dft, settings.functional).values())
    for remedy in HYBRID_LADDER:
        if remedy not in course.tried:
            course.tried.append(remedy)
        course.failure = _to_hybrid(course, settings, remedy)
        if course.failure is not Failure.SLOW:
            break
    if course.failure is not None:
        return _point(course, job, clock)
    dft.calculate_energy()
    dft.calculate_dipole()
    point = _point(course, job, clock, below_eV)
    problem = problem_with_hybrid(_energy_eV(course), on_orbitals_eV, dft.density.nvalence)
    if point.status is Status.OK and problem is not None:
        return SinglePoint(job.level.name, Status.UNTRUSTED, None, point.work, problem)
    return point


def _from_scratch(failed: Course, job: Job) -> Course:
    """Converge a semilocal functional anew; what was tried before, if anything, is told and paid with it."""
    course = converge(job.atoms, job.parameters, job.level.gpaw.max_scf_steps, job.log)
    course.tried, course.steps = failed.tried + course.tried, failed.steps + course.steps
    return course


def _to_hybrid(course: Course, settings: GpawSettings, remedy: Remedy) -> Failure | None:
    """Go on to a self-consistent hybrid; why it was not reached."""
    limit = settings.max_scf_steps * remedy.steps_factor
    mixer = remedy.parameters.get("mixer", WARM_MIXER)
    try:
        for step in change_to_hybrid(course.calculator.dft, settings.functional, limit, mixer):
            course.steps.append(step)
    except (KohnShamConvergenceError, NotConvergedError):
        return Failure.SLOW
    except (np.linalg.LinAlgError, ValueError) as error:
        if not is_breakdown(error):
            raise
        return Failure.BREAKDOWN
    return None


def _changed(start: Course, parameters: dict[str, Any], max_steps: int) -> Course:
    """Another semilocal functional from the orbitals and the density of one."""
    course = Course(start.calculator, parameters, tried=[WARM])
    dft = course.calculator.dft
    change_functional(dft, parameters, WARM_MIXER, max_steps)
    course.failure = attempt(course, dft.atoms, parameters["convergence"]["density"])
    return course


def _fits(course: Course | None, parameters: dict[str, Any]) -> bool:
    """Whether a level can start from a calculation: the same plane waves, k-points and PAW setups, no meta-GGA's."""
    if course is None or not _equal(
        *({**own, "xc": None, "convergence": None} for own in (course.parameters, parameters))
    ):
        return False
    old = course.calculator.dft.pot_calc.xc
    new = parameters["xc"].functional(collinear=True)
    return bool(old.get_setup_name() == new.get_setup_name() and old.type != "MGGA")


def _equal(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Whether two sets of GPAW's parameters are the same."""
    return {**first, "mode": first["mode"].ecut} == {**second, "mode": second["mode"].ecut}


def _point(
    course: Course, job: Job, clock: Clock, below_eV: float | None = None, in_box: bool = False
) -> SinglePoint:
    """The single point of a course, with the energy checked."""
    name, work = job.level.name, _work(course, clock)
    history = tuple(step.energy_eV for step in course.steps)
    if course.failure is not None:
        return SinglePoint(name, Status.SCF_FAILED, None, work, course.message, scf_history_eV=history)
    dft = course.calculator.dft
    settings = job.level.gpaw
    own_atoms = settings.hybrid != "none" or settings.functional in OWN_SETUPS
    below = "PBE" if below_eV is None else course.parameters["xc"].name
    problem = problem_with(_energy_eV(course), job.atoms, own_atoms, below_eV, below)
    problem = problem or problem_with_kinetic_energy(dft)
    if problem is not None:
        return SinglePoint(name, Status.UNTRUSTED, None, work, problem, scf_history_eV=history)
    terms = terms_eV(dft)
    if not (job.atoms.pbc.any() or in_box):
        terms |= image_terms_eV(course, job.atoms)
    energy_eV = sum(terms.values())
    return SinglePoint(name, Status.OK, energy_eV, work, course.message, terms, scf_history_eV=history)


def _energy_eV(course: Course) -> float:
    return float(course.calculator.results["energy"])


def image_terms_eV(course: Course, atoms: Atoms) -> dict[str, float]:
    """What the images of a box leave out of the energy of the molecule or ion in it.

    The same for a hybrid functional: the images act by the Coulomb energy of the density, and its exact exchange is that of
    the interaction inside one box.
    """
    if charge_of(atoms):
        return charge_corrections_eV(moments_of(course.calculator.dft), float(atoms.cell[0, 0]))
    dipole_v = np.asarray(course.calculator.results["dipole"], float)
    return {"dipole_images": dipole_correction_eV(dipole_v, float(atoms.get_volume()))}


def _work(course: Course, clock: Clock) -> Work | None:
    """What it took; nothing was done when there are no orbitals."""
    if course.failure is Failure.TOO_CLOSE:
        return None
    wfs = course.calculator.dft.ibzwfs
    return Work(
        wall_s=time.perf_counter() - clock.wall_s,
        core_s=float(world.sum_scalar(time.process_time() - clock.cpu_s)),
        cores=int(world.size),
        peak_memory_MB=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        scf_steps=len(course.steps),
        plane_waves=int(next(iter(wfs)).psit_nX.desc.shape[-1]),
        k_points=len(wfs.ibz),
    )
