"""A structure climbs the ladder: every level from the store if it is there, else computed and kept.

The ladder is climbed stretch by stretch.  A stretch is what one back end computes at one geometry: it ends where the
next level is another program's, or relaxes first.  A relaxed geometry is that of the levels above.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ase import Atoms

from polyscape.levels.dispersion import dispersion_energy_eV
from polyscape.levels.entry import More
from polyscape.levels.method import alike, method_id, method_of, start_of
from polyscape.levels.protocol import SinglePoint, Work
from polyscape.levels.registry import launched_in_parallel, rank
from polyscape.levels.relaxation import Relaxation
from polyscape.levels.scratch import scratch_folder
from polyscape.levels.store import Entry, Store
from polyscape.levels.team import Team
from polyscape.locks import held
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
        The electronic energy and its cost, that of the relaxation included.
    dispersion_eV : float
        Dispersion correction at the geometry of the energy.
    source : str
        ``computed`` or ``store``.
    store_key : str or None
        Key of the result in the store; None for a failure.
    relaxation : Relaxation or None
        What came before the single point, of a level that relaxes.
    """

    method: str
    point: SinglePoint
    dispersion_eV: float
    source: str
    store_key: str | None
    relaxation: Relaxation | None = None


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
    found = _look_up(atoms, levels, range(len(levels)), store)
    if len(found) == len(levels) and not launched_in_parallel():
        return [_stored(levels, index, entry) for index, entry in found.items()], True
    team = Team.of(levels)
    if team.is_alone and rank() > 0:  # nothing of the ladder is parallel: rank 0 does it all
        return [], False
    rungs: list[Rung] = []
    geometry: Atoms | None = atoms
    with scratch_folder(scratch) as folder:
        for stretch in stretches(levels):
            if geometry is None:
                rungs.extend(_skipped(levels, index) for index in stretch)
                continue
            added, geometry = _climb_stretch(_Job(team, geometry, levels, store, folder), stretch)
            rungs.extend(added)
    return rungs, team.is_root


def stored(atoms: Atoms, levels: Sequence[Level], wanted: Sequence[int], store: Store) -> list[Rung]:
    """Those of the wanted levels (indices) that the store has; nothing is computed."""
    last = max(wanted, default=-1)
    needed = [i for i in range(last + 1) if i in wanted or levels[i].relax != "none"]
    found = _look_up(atoms, levels, needed, store)
    return [_stored(levels, index, entry) for index, entry in found.items() if index in wanted]


def stretches(levels: Sequence[Level]) -> list[range]:
    """Indices of the levels that one program computes at one geometry."""
    starts = [
        index
        for index, level in enumerate(levels)
        if index == 0 or level.relax != "none" or level.program != levels[index - 1].program
    ]
    return [range(a, b) for a, b in zip(starts, [*starts[1:], len(levels)], strict=True)]


@dataclass(frozen=True)
class _Job:
    """A stretch's surroundings; `atoms` is the geometry that it begins with."""

    team: Team
    atoms: Atoms
    levels: Sequence[Level]
    store: Store
    folder: Path


def _climb_stretch(job: _Job, stretch: range) -> tuple[list[Rung], Atoms | None]:
    """The levels of a stretch, and the geometry for those above; none when a relaxation failed."""
    with ExitStack() as stack:
        found: Mapping[int, Entry] | None = None
        if job.team.is_root:  # a job that computes one of these is waited for, and its results are taken
            there = _look_up(job.atoms, job.levels, stretch, job.store)
            missing = [method_id(job.levels, index) for index in stretch if index not in there]
            keys = (job.store.key(method, job.atoms) for method in missing)
            stack.enter_context(held(job.store.folder / "locks" / f"{key}.lock" for key in keys))
            found = _look_up(job.atoms, job.levels, stretch, job.store)
        found = job.team.share(found)
        return _compute(job, stretch, found or {})


def _look_up(atoms: Atoms, levels: Sequence[Level], indices: Sequence[int], store: Store) -> dict[int, Entry]:
    """What the store has of levels: above a relaxation at its geometry, nothing above one that it does not have."""
    found: dict[int, Entry] = {}
    for index in indices:
        entry = store.find(method_id(levels, index), atoms)
        if entry is not None:
            found[index] = entry
        if levels[index].relax != "none":
            if entry is None or entry.more.relaxed is None:
                found.pop(index, None)
                break
            atoms = entry.more.relaxed
    return found


def _compute(job: _Job, stretch: range, found: Mapping[int, Entry]) -> tuple[list[Rung], Atoms | None]:
    """The stretch's levels, those that were not found computed and each kept as soon as it is there."""
    rungs = {index: _stored(job.levels, index, entry) for index, entry in found.items()}
    missing = [index for index in stretch if index not in found]
    first, geometry, relaxation = stretch[0], job.atoms, None
    if job.levels[first].relax != "none":
        relaxation = rungs[first].relaxation if first in rungs else _relax(job, first)
        geometry = relaxation.atoms if relaxation is not None else geometry
        if relaxation is not None and relaxation.status is not Status.OK:
            failed = _failed_relaxation(job, first, relaxation)
            return [failed, *(_skipped(job.levels, index) for index in stretch[1:])], None
    there = replace(job, atoms=geometry)
    for index, point in _missing_points(there, missing):
        relaxes = (
            index == first and relaxation is not None
        )  # and is kept under the geometry that it began with
        rungs[index] = _keep(job, index, point, relaxation) if relaxes else _keep(there, index, point)
    for index in missing:
        if index not in rungs:
            rungs[index] = _shared(there, index, rungs[alike(job.levels, index)])
    return [rungs[index] for index in stretch], geometry


def _missing_points(job: _Job, missing: Sequence[int]) -> Iterator[tuple[int, SinglePoint]]:
    """The missing levels of a stretch; the cost of orbitals that were made for one is its own."""
    if not missing:
        return
    order = _order(job.levels, missing)
    unpaid: Work | None = None
    points = job.team.climb(job.atoms, [job.levels[index] for index in order], job.folder)
    for index, point in zip(order, points, strict=True):
        if index not in missing:
            unpaid = _sum(unpaid, point.work)
            continue
        if unpaid is not None and point.work is not None:
            point, unpaid = replace(point, work=_sum(unpaid, point.work)), None
        yield index, point


def _order(levels: Sequence[Level], missing: Sequence[int]) -> list[int]:
    """What is computed for the missing levels, each method once: one with orbitals, then all that stand on these."""
    on: dict[str, list[int]] = {}
    for index in missing:
        start = start_of(levels, index)
        group = on.setdefault(method_id(levels, start), [start])
        if alike(levels, index) == index != start:
            group.append(index)
    return [index for group in on.values() for index in group]


def _relax(job: _Job, index: int) -> Relaxation:
    relaxation = job.team.relax(job.atoms, job.levels[index], job.folder)
    if job.team.is_root:
        ended = f"{relaxation.steps} steps, RMSD {relaxation.rmsd_A:.3f} A, {relaxation.message or 'relaxed'}"
        print(f"{job.levels[index].name}: {ended}", file=sys.stderr)
    return relaxation


def _keep(job: _Job, index: int, point: SinglePoint, relaxation: Relaxation | None = None) -> Rung:
    """Store a result; with its relaxation's geometry and cost, under the geometry that this began with."""
    method, level = method_id(job.levels, index), job.levels[index]
    for step in relaxation.points if relaxation is not None else ():
        point = replace(point, work=_sum(step.work, point.work))
    if job.team.is_root:
        print(_line(point), file=sys.stderr)
    geometry = relaxation.atoms if relaxation is not None else job.atoms
    key = None
    if point.status is Status.OK and point.energy_eV is not None and point.work is not None:
        if job.team.is_root:
            job.store.describe(method_of(job.levels, index))
            more = More(relaxation.atoms if relaxation is not None else None, _details(point, relaxation))
            job.store.put(method, job.atoms, point.energy_eV, point.work, point.message, more)
        key = job.store.key(method, job.atoms)
    return Rung(method, point, dispersion_energy_eV(geometry, level), "computed", key, relaxation)


def _shared(job: _Job, index: int, below: Rung) -> Rung:
    """A level that differs in its dispersion from a computed one: its electronic energy, which has been paid."""
    level = job.levels[index]
    point = replace(below.point, level=level.name, work=None)
    if point.status is not Status.OK:
        return Rung(below.method, point, 0.0, "computed", None)
    dispersion_eV = dispersion_energy_eV(job.atoms, level)
    return Rung(below.method, point, dispersion_eV, "store", below.store_key)


def _failed_relaxation(job: _Job, index: int, relaxation: Relaxation) -> Rung:
    work = None
    for step in relaxation.points:
        work = _sum(work, step.work)
    point = SinglePoint(job.levels[index].name, relaxation.status, None, work, relaxation.message)
    return Rung(method_id(job.levels, index), point, 0.0, "computed", None, relaxation)


def _skipped(levels: Sequence[Level], index: int) -> Rung:
    point = SinglePoint(levels[index].name, Status.SKIPPED, None, None, "a relaxation below failed")
    return Rung(method_id(levels, index), point, 0.0, "computed", None)


def _stored(levels: Sequence[Level], index: int, entry: Entry) -> Rung:
    """A stored point; its dispersion is taken at its own geometry, its price is that of the first level that has it."""
    work = entry.work if alike(levels, index) == index else None
    point = SinglePoint(levels[index].name, Status.OK, entry.energy_eV, work, entry.message)
    geometry, relaxation = entry.atoms, None
    if entry.more.relaxed is not None:
        geometry = entry.more.relaxed
        relaxation = Relaxation(Status.OK, geometry, **entry.more.details["relaxation"])
    dispersion_eV = dispersion_energy_eV(geometry, levels[index])
    return Rung(method_id(levels, index), point, dispersion_eV, "store", entry.key, relaxation)


def _details(point: SinglePoint, relaxation: Relaxation | None) -> dict[str, Any]:
    """What is kept of a point besides its energy."""
    details: dict[str, Any] = {}
    if point.terms_eV:
        details["terms_eV"] = dict(point.terms_eV)
    if point.scf_history_eV:
        details["scf_history_eV"] = list(point.scf_history_eV)
    if relaxation is not None:
        names = ("what", "steps", "rmsd_A", "volume_change_percent", "connectivity_kept")
        details["relaxation"] = {name: getattr(relaxation, name) for name in names}
    return details


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
