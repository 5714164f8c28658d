"""A structure climbs the ladder: every level from the store if it is there, else computed and kept."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from ase import Atoms

from polyscape.levels.dispersion import dispersion_energy_eV
from polyscape.levels.locks import held
from polyscape.levels.method import method_id, method_of, start_of
from polyscape.levels.protocol import Backend, SinglePoint, Work
from polyscape.levels.registry import backend, launched_in_parallel
from polyscape.levels.scratch import scratch_folder
from polyscape.levels.store import Entry, Store
from polyscape.settings.levels import Level
from polyscape.status import Status


@dataclass(frozen=True)
class Rung:
    """A single point with its dispersion and where it came from.

    Attributes
    ----------
    method : str
        Method id.
    point : SinglePoint
        The electronic energy and its cost.
    dispersion_eV : float
        Dispersion correction at the geometry of the energy.
    source : str
        ``computed`` or ``store``.
    store_key : str or None
        Key of the result in the store; None for a failure.
    """

    method: str
    point: SinglePoint
    dispersion_eV: float
    source: str
    store_key: str | None


def climb(atoms: Atoms, levels: Sequence[Level], store: Store, scratch: Path) -> tuple[list[Rung], bool]:
    """All levels of a structure, and whether this process is the one to write them.

    A level on the orbitals of another that is stored already has those orbitals computed again; their cost
    is counted as part of its own.

    Parameters
    ----------
    atoms : ase.Atoms
        Crystal (``pbc`` true) or boxed molecule (``pbc`` false).
    levels : sequence of Level
        The ladder up to the wanted level.
    store : Store
        Where results are looked for and kept.
    scratch : pathlib.Path
        Folder in which a fresh temporary folder is made, and removed at the end.
    """
    found = _look_up(atoms, levels, store)
    if all(found) and not launched_in_parallel():
        return _taken(levels, found), True
    program = backend(levels[0])
    with ExitStack() as stack:
        if program.is_root:  # a job that computes one of these is waited for, and its results are taken
            missing = [method_id(levels, index) for index, entry in enumerate(found) if entry is None]
            stack.enter_context(held(store.folder / "locks" / f"{store.key(m, atoms)}.lock" for m in missing))
            found = _look_up(atoms, levels, store)
        found = program.share(found)
        folder = stack.enter_context(scratch_folder(scratch))
        rungs = _taken(levels, found)
        if len(rungs) < len(levels):
            absent = [index for index, entry in enumerate(found) if entry is None]
            rungs.extend(_compute(_Job(program, atoms, levels, store, folder), absent))
    rungs.sort(key=lambda rung: [level.name for level in levels].index(rung.point.level))
    return rungs, program.is_root


def _look_up(atoms: Atoms, levels: Sequence[Level], store: Store) -> list[Entry | None]:
    return [store.find(method_id(levels, index), atoms) for index in range(len(levels))]


def _taken(levels: Sequence[Level], found: Sequence[Entry | None]) -> list[Rung]:
    return [_stored(levels, index, entry) for index, entry in enumerate(found) if entry is not None]


def stored(atoms: Atoms, levels: Sequence[Level], wanted: Sequence[int], store: Store) -> list[Rung]:
    """Those of the wanted levels (indices) that the store has; nothing is computed."""
    found = [(index, store.find(method_id(levels, index), atoms)) for index in wanted]
    return [_stored(levels, index, entry) for index, entry in found if entry is not None]


@dataclass(frozen=True)
class _Job:
    program: Backend
    atoms: Atoms
    levels: Sequence[Level]
    store: Store
    folder: Path


def _compute(job: _Job, missing: Sequence[int]) -> Iterator[Rung]:
    """The missing levels, each kept as soon as it is there."""
    start = start_of(job.levels, missing[0])
    unpaid: Work | None = None
    for index, point in enumerate(job.program.climb(job.atoms, job.levels[start:], job.folder), start):
        if index not in missing:
            unpaid = _sum(unpaid, point.work)
            continue
        if unpaid is not None and point.work is not None:
            point, unpaid = replace(point, work=_sum(unpaid, point.work)), None
        yield _keep(job, index, point)
        if index == missing[-1]:
            return


def _keep(job: _Job, index: int, point: SinglePoint) -> Rung:
    method = method_id(job.levels, index)
    if job.program.is_root:
        print(_line(point), file=sys.stderr)
    key = None
    if point.status is Status.OK and point.energy_eV is not None and point.work is not None:
        if job.program.is_root:
            job.store.describe(method_of(job.levels, index))
            job.store.put(method, job.atoms, point.energy_eV, point.work, point.message)
        key = job.store.key(method, job.atoms)
    return Rung(method, point, dispersion_energy_eV(job.atoms, job.levels[index]), "computed", key)


def _stored(levels: Sequence[Level], index: int, entry: Entry) -> Rung:
    """A stored point; its dispersion is taken at its own geometry."""
    point = SinglePoint(levels[index].name, Status.OK, entry.energy_eV, entry.work, entry.message)
    dispersion_eV = dispersion_energy_eV(entry.atoms, levels[index])
    return Rung(method_id(levels, index), point, dispersion_eV, "store", entry.key)


def _sum(first: Work | None, second: Work | None) -> Work | None:
    """The two together: times and steps add up, the rest is the later one's."""
    if first is None or second is None:
        return first or second
    return replace(
        second,
        wall_s=first.wall_s + second.wall_s,
        core_s=first.core_s + second.core_s,
        scf_steps=first.scf_steps + second.scf_steps,
        peak_memory_MB=max(first.peak_memory_MB, second.peak_memory_MB),
    )


def _line(point: SinglePoint) -> str:
    took = f"{point.work.wall_s:.1f} s on {point.work.cores} cores" if point.work else "not attempted"
    energy = f"{point.energy_eV:.6f} eV" if point.energy_eV is not None else point.message
    return f"{point.level}: {point.status}, {energy}, {took}"
