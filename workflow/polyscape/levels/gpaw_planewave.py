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
from gpaw.mpi import broadcast, world
from gpaw.new.ase_interface import GPAW
from gpaw.new.pw.hybrids import PWHybridHamiltonian, _semilocal_xc_energy, truncated_coulomb
from gpaw.new.xc import create_functional

from polyscape.levels.box import dipole_correction_eV
from polyscape.levels.exchange import Crystal, Orbitals, valence_exchange
from polyscape.levels.method import needs_orbitals
from polyscape.levels.protocol import SinglePoint, Work
from polyscape.levels.sampling import SYMMETRY_TOLERANCE_A, grid, mesh, usable_operations
from polyscape.settings.gpaw import GpawSettings
from polyscape.settings.levels import Level
from polyscape.status import Status
from polyscape.units import EV_PER_HARTREE

ENERGY_PER_ATOM_EV: Final = (-15.0, 20.0)
"""Bounds of a credible energy per atom.  GPAW counts from free atoms without spin polarisation, so it is a cohesive
energy: at most 10 eV in the strongest bonds; positive with few plane waves."""

HYBRID_SHIFT_PER_ELECTRON_EV: Final = 0.3
"""Largest credible difference between a hybrid and the functional that made its orbitals: PBE's exchange differs from
the exact one by at most 0.45 eV per electron in free atoms, and hybrids take a quarter of the difference."""


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
    Remedy("Davidson solver", {"eigensolver": "davidson"}, 2),
    Remedy(
        "Davidson solver, more bands and cautious Pulay mixing",
        {"eigensolver": "davidson", "nbands": "150%", "mixer": {"name": "pulay", "beta": 0.05}},
        4,
    ),
)
"""Tried one after the other; none of them changes what the converged energy is."""


@dataclass(frozen=True)
class Clock:
    """When a calculation began, in wall time and in this rank's CPU time."""

    wall_s: float = field(default_factory=time.perf_counter)
    cpu_s: float = field(default_factory=time.process_time)


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
                point = on_orbitals(calculator, atoms, level)
            yield point


def self_consistent(atoms: Atoms, level: Level, log: Path) -> tuple[Any, SinglePoint]:
    """Converge a semilocal functional with the remedies in turn; no calculator when all of them failed."""
    clock, steps = Clock(), 0
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
        work = _work(calculator, clock, steps)
        if not atoms.pbc.any():
            energy_eV += _dipole_term_eV(calculator, atoms)
        point = _checked(
            level, energy_eV, work, atoms, f"converged by: {remedy.name}" if remedy.name else None
        )
        return calculator, point
    tried = "; ".join(remedy.name for remedy in REMEDIES[1:])
    message = f"no self-consistency in {steps} steps, after: default; {tried}"
    return None, SinglePoint(level.name, Status.SCF_FAILED, None, _work(calculator, clock, steps), message)


def on_orbitals(calculator: Any, atoms: Atoms, level: Level) -> SinglePoint:
    """A hybrid functional's energy on converged orbitals: ``E - E_xc + E_xc^semilocal + E_x^exact``."""
    clock = Clock()
    hybrid_eV = hybrid_energy_hartree(calculator.dft, level.gpaw.functional) * EV_PER_HARTREE
    semilocal_eV = float(calculator.results["energy"])
    correction_eV = 0.0 if atoms.pbc.any() else _dipole_term_eV(calculator, atoms)
    energies_eV = hybrid_eV + correction_eV, semilocal_eV + correction_eV
    return _checked_hybrid(level, energies_eV, _work(calculator, clock, 0), atoms)


class _CoreExchange(PWHybridHamiltonian):
    """The parts of the exact exchange that need the atomic density matrices only."""

    def _apply1(self, *_: Any) -> float:
        return 0.0


def hybrid_energy_hartree(dft: Any, functional: str) -> float:
    """Total energy of a hybrid functional on the orbitals and the density of a converged calculation."""
    ibzwfs, density = dft.ibzwfs, dft.density
    xc = create_functional({"name": functional, "backend": "pw"}, dft.pot_calc.fine_grid)
    pw = next(iter(ibzwfs)).psit_nX.desc
    core = _CoreExchange(
        *(density.grid, pw, xc, dft.setups, dft.relpos_ac, density.D_asii.layout.atomdist, dft.log),
        *(ibzwfs.ibz.bz, ibzwfs.kpt_comm, ibzwfs.band_comm, dft.comm),
    )
    core.devc = core.devv = core.evv = core.dekin = 0.0
    for wfs in ibzwfs.zero_padded_iter():
        core.apply_orbital_dependent(ibzwfs, density.D_asii, wfs.psit_nX, spin=0, calculate_energy=True)
    core_energy = sum(core.hybrid_energy_contributions()[:3])
    grid = density.grid.new(comm=None, dtype=pw.dtype)
    coulomb = truncated_coulomb(grid.cell_cv, ibzwfs.ibz.bz, xc.exx_omega, xc.exx_yukawa)
    crystal = Crystal(grid, grid.fft_plans(), dft.setups, dft.relpos_ac, coulomb, ibzwfs.ibz)
    share = valence_exchange(crystal, _irreducible_orbitals(crystal, dft), world.rank, world.size)
    semilocal = (
        dft.energies.total_extrapolated - dft.energies._energies["xc"] + _semilocal_xc_energy(dft, functional)
    )
    return float(semilocal + core_energy + xc.exx_fraction * world.sum_scalar(share))


def _irreducible_orbitals(crystal: Crystal, dft: Any) -> list[Orbitals]:
    """The occupied orbitals of the irreducible k-points, on every rank."""
    ibzwfs = dft.ibzwfs
    bands = ibzwfs.number_of_occupied_bands()
    _, occupation_skn = ibzwfs.get_all_eigs_and_occs(broadcast=True)
    orbitals = []
    for k, weight in enumerate(ibzwfs.ibz.weight_k):
        wfs = ibzwfs.get_wfs_on_master(kpt=k, n1=0, n2=bands)
        data = broadcast(None if wfs is None else np.ascontiguousarray(wfs.psit_nX.data))
        pw = next(iter(ibzwfs)).psit_nX.desc.new(comm=None, kpt=ibzwfs.ibz.kpt_kc[k])
        psit_nG = pw.empty(bands)
        psit_nG.data[:] = data
        orbitals.append(crystal.orbitals(psit_nG, occupation_skn[0, k, :bands], float(weight)))
    return orbitals


def parameters_of(atoms: Atoms, settings: GpawSettings) -> dict[str, Any]:
    """The GPAW parameters of a cell."""
    cell_cv = np.asarray(atoms.cell)
    points_c = grid(cell_cv, settings.grid_spacing_A)
    mesh_c = mesh(cell_cv, settings.k_spacing_per_A) if atoms.pbc.any() else (1, 1, 1)
    return {
        "mode": PW(settings.plane_wave_cutoff_eV),
        "xc": settings.functional,
        "gpts": points_c,
        "kpts": {"size": mesh_c},
        "symmetry": usable_symmetry(atoms, points_c, mesh_c),
    }


def usable_symmetry(
    atoms: Atoms, points_c: tuple[int, int, int], mesh_c: tuple[int, int, int]
) -> dict[str, Any]:
    """The operations that fit grid and mesh as GPAW takes them: it rounds translations without a word, and refuses
    a mesh that is less symmetric than the crystal.
    """
    operations = usable_operations(atoms, points_c, mesh_c)
    if len(operations.U_scc) == 1:
        return {"point_group": False}
    return {
        "rotations": operations.U_scc.tolist(),
        "translations": operations.translation_sc.tolist(),
        "tolerance": 10 * SYMMETRY_TOLERANCE_A,
        "symmorphic": False,
    }


def _checked(level: Level, energy_eV: float, work: Work, atoms: Atoms, message: str | None) -> SinglePoint:
    """The point, marked untrusted when its energy per atom cannot be a cohesive energy."""
    lowest, highest = ENERGY_PER_ATOM_EV
    if math.isfinite(energy_eV) and lowest < energy_eV / len(atoms) < highest:
        return SinglePoint(level.name, Status.OK, energy_eV, work, message)
    return _untrusted(level, work, f"energy {energy_eV:.3f} eV of {len(atoms)} atoms is out of bounds")


def _checked_hybrid(level: Level, energies_eV: tuple[float, float], work: Work, atoms: Atoms) -> SinglePoint:
    """The point of a hybrid; `energies_eV` are its energy and that of the functional that made the orbitals."""
    shift_eV = energies_eV[0] - energies_eV[1]
    if abs(shift_eV) > HYBRID_SHIFT_PER_ELECTRON_EV * atoms.numbers.sum():
        return _untrusted(level, work, f"energy is {shift_eV:.3f} eV from the level that made the orbitals")
    return _checked(level, energies_eV[0], work, atoms, None)


def _untrusted(level: Level, work: Work, problem: str) -> SinglePoint:
    return SinglePoint(level.name, Status.UNTRUSTED, None, work, problem)


def _dipole_term_eV(calculator: Any, atoms: Atoms) -> float:
    dipole_v = np.asarray(calculator.results["dipole"], float)
    return dipole_correction_eV(dipole_v, float(atoms.get_volume()))


def _work(calculator: Any, clock: Clock, steps: int) -> Work:
    wfs = calculator.dft.ibzwfs
    return Work(
        wall_s=time.perf_counter() - clock.wall_s,
        core_s=float(world.sum_scalar(time.process_time() - clock.cpu_s)),
        cores=int(world.size),
        peak_memory_MB=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        scf_steps=steps,
        plane_waves=int(next(iter(wfs)).psit_nX.desc.shape[-1]),
        k_points=len(wfs.ibz),
    )
