"""Plane-wave DFT with GPAW: a semilocal functional self-consistently, then hybrids on its orbitals.

The only file that imports GPAW.  The orbitals stay in memory from one level to the next.

References
----------
GPAW: J. J. Mortensen et al., J. Chem. Phys. 160, 092503 (2024), https://doi.org/10.1063/5.0182685
"""

import math
import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from ase import Atoms
from gpaw import PW, KohnShamConvergenceError
from gpaw.fftw import get_efficient_fft_size
from gpaw.mpi import broadcast, world
from gpaw.new.ase_interface import GPAW
from gpaw.new.pw.hybrids import non_self_consistent_hybrid_xc_energy
from numpy.typing import NDArray

from polyscape.levels.box import dipole_correction_eV
from polyscape.levels.method import needs_orbitals
from polyscape.levels.protocol import SinglePoint, Work
from polyscape.settings.levels import GpawSettings, Level
from polyscape.status import Status

ENERGY_PER_ATOM_EV: Final = (-60.0, 20.0)
"""Bounds of a credible energy per atom; GPAW counts from free spherical atoms, so it is a cohesive energy."""


@dataclass(frozen=True)
class Remedy:
    """A way to reach self-consistency.

    Attributes
    ----------
    name : str
        How messages call it; empty for the first attempt.
    parameters : dict
        GPAW parameters that differ from the default ones.
    steps_factor : int
        Times the configured number of steps.
    """

    name: str
    parameters: dict[str, Any] = field(default_factory=dict)
    steps_factor: int = 1


REMEDIES: Final = (
    Remedy(""),
    Remedy(
        "Davidson solver and cautious Pulay mixing",
        {"eigensolver": "davidson", "mixer": {"name": "pulay", "beta": 0.05}},
        2,
    ),
    Remedy(
        "RMM-DIIS solver, more bands and very cautious Pulay mixing",
        {"eigensolver": "rmm-diis", "nbands": "150%", "mixer": {"name": "pulay", "beta": 0.02, "nmaxold": 8}},
        4,
    ),
)
"""Tried one after the other; none of them changes what the converged energy is."""


class GpawPlaneWaves:
    """The GPAW back end."""

    @property
    def is_root(self) -> bool:
        """Whether this is rank 0."""
        return bool(world.rank == 0)

    def share(self, value: Any) -> Any:
        """Rank 0's value on every rank."""
        return broadcast(value if world.rank == 0 else None)

    def climb(self, atoms: Atoms, levels: Sequence[Level], scratch: Path) -> Iterator[SinglePoint]:
        """Climb the ladder; after a level that failed, those on its orbitals are skipped."""
        calculator: Any = None
        for level in levels:
            if not needs_orbitals(level):
                calculator, point = self_consistent(atoms, level, scratch / f"{level.name}.txt")
            elif calculator is None:
                point = SinglePoint(level.name, Status.SKIPPED, None, None, "the level below has no orbitals")
            else:
                point = on_orbitals(calculator, atoms, level, scratch / f"{level.name}.txt")
            yield point


def self_consistent(atoms: Atoms, level: Level, log: Path) -> tuple[Any, SinglePoint]:
    """Converge a semilocal functional with the remedies in turn; no calculator when all of them failed."""
    started, steps = time.perf_counter(), 0
    periodic = atoms.copy()
    periodic.pbc = True
    for remedy in REMEDIES:
        limit = level.gpaw.max_scf_steps * remedy.steps_factor
        calculator = GPAW(
            **(parameters_of(atoms, level.gpaw) | {"maxiter": limit} | remedy.parameters), txt=str(log)
        )
        try:
            energy_eV = float(calculator.get_property("energy", periodic))
        except KohnShamConvergenceError:
            steps += limit
            continue
        steps += calculator.dft.scf_loop.niter
        work = _work(calculator, started, steps)
        if not atoms.pbc.any():
            energy_eV += _dipole_term_eV(calculator, atoms)
        point = _checked(
            level, energy_eV, work, atoms, f"converged by: {remedy.name}" if remedy.name else None
        )
        return calculator, point
    tried = "; ".join(remedy.name for remedy in REMEDIES[1:])
    message = f"no self-consistency in {steps} steps, after: default; {tried}"
    return None, SinglePoint(level.name, Status.SCF_FAILED, None, _work(calculator, started, steps), message)


def on_orbitals(calculator: Any, atoms: Atoms, level: Level, log: Path) -> SinglePoint:
    """A hybrid functional's energy on converged orbitals: ``E - E_xc + E_xc^hybrid[orbitals]``."""
    started = time.perf_counter()
    terms = non_self_consistent_hybrid_xc_energy(calculator.dft, level.gpaw.functional, log=str(log))
    energy_eV = float(terms.sum())
    if not atoms.pbc.any():
        energy_eV += _dipole_term_eV(calculator, atoms)
    return _checked(level, energy_eV, _work(calculator, started, 0), atoms, None)


def parameters_of(atoms: Atoms, settings: GpawSettings) -> dict[str, Any]:
    """The GPAW parameters of a cell; see `mesh` and `grid` for what depends on the cell."""
    cell_cv = np.asarray(atoms.cell)
    return {
        "mode": PW(settings.plane_wave_cutoff_eV),
        "xc": settings.functional,
        "gpts": grid(cell_cv, settings.grid_spacing_A),
        "kpts": mesh(cell_cv, settings.k_spacing_per_A)
        if atoms.pbc.any()
        else {"size": (1, 1, 1), "gamma": True},
        "symmetry": {"symmorphic": True},
    }


def grid(cell_cv: NDArray[np.float64], spacing_A: float) -> tuple[int, int, int]:
    """Grid points along the axes: planes at most `spacing_A` apart, rounded up to even sizes for FFTs."""
    heights_c = 1 / np.linalg.norm(np.linalg.inv(cell_cv), axis=0)
    x, y, z = (get_efficient_fft_size(2 * math.ceil(height / spacing_A / 2), 2) for height in heights_c)
    return x, y, z


def mesh(cell_cv: NDArray[np.float64], spacing_per_A: float) -> dict[str, Any]:
    """The Monkhorst-Pack mesh whose points are at most `spacing_per_A` apart (2 pi included).

    Even sizes do not contain the zone centre: they sample a band structure as finely as twice the size with
    it, with fewer irreducible points. H. J. Monkhorst, J. D. Pack, Phys. Rev. B 13, 5188 (1976),
    https://doi.org/10.1103/PhysRevB.13.5188
    """
    lengths_c = 2 * np.pi * np.linalg.norm(np.linalg.inv(cell_cv), axis=0)
    x, y, z = (max(1, math.ceil(length / spacing_per_A - 1e-9)) for length in lengths_c)
    return {"size": (x, y, z)}


def _checked(level: Level, energy_eV: float, work: Work, atoms: Atoms, message: str | None) -> SinglePoint:
    """The point, marked untrusted when its energy per atom cannot be a cohesive energy."""
    lowest, highest = ENERGY_PER_ATOM_EV
    if math.isfinite(energy_eV) and lowest < energy_eV / len(atoms) < highest:
        return SinglePoint(level.name, Status.OK, energy_eV, work, message)
    problem = f"energy {energy_eV:.3f} eV of {len(atoms)} atoms is out of bounds"
    return SinglePoint(level.name, Status.UNTRUSTED, None, work, problem)


def _dipole_term_eV(calculator: Any, atoms: Atoms) -> float:
    dipole_v = np.asarray(calculator.results["dipole"], float)
    return dipole_correction_eV(dipole_v, float(atoms.get_volume()))


def _work(calculator: Any, started: float, steps: int) -> Work:
    wfs = calculator.dft.ibzwfs
    return Work(
        wall_s=time.perf_counter() - started,
        cores=int(world.size),
        peak_memory_MB=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        scf_steps=steps,
        plane_waves=int(next(iter(wfs)).psit_nX.desc.shape[-1]),
        k_points=len(wfs.ibz),
    )
