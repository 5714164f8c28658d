"""The processes of a job and the programs that they run: a parallel one on all ranks, the others on rank 0.

Every rank holds the same results, so that a relaxation's optimiser takes the same step on all of them.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ase import Atoms

from polyscape.levels.protocol import Backend, SinglePoint
from polyscape.levels.registry import backend, parallel
from polyscape.levels.relaxation import Relaxation, relax
from polyscape.settings.levels import Level


class Team:
    """The back ends of a ladder and who speaks for the job."""

    def __init__(self, lead: Backend | None) -> None:
        self._lead = lead
        self._programs: dict[str, Backend] = {}

    @classmethod
    def of(cls, levels: Sequence[Level]) -> "Team":
        """The team of a ladder."""
        return cls(parallel(levels))

    @property
    def is_alone(self) -> bool:
        """Whether no program of the ladder is parallel."""
        return self._lead is None

    @property
    def is_root(self) -> bool:
        """Whether this process writes the results."""
        return self._lead is None or self._lead.is_root

    def share(self, value: Any) -> Any:
        """Rank 0's value on every rank."""
        return value if self._lead is None else self._lead.share(value)

    def climb(self, atoms: Atoms, levels: Sequence[Level], folder: Path) -> Iterator[SinglePoint]:
        """The levels of one program at one geometry, each on every rank as soon as it is there."""
        program = self._program(levels[0])
        points = program.climb(atoms, levels, folder) if self._computes(program) else None
        for _ in levels:
            yield self._told(program, None if points is None else next(points))

    def relax(self, atoms: Atoms, level: Level, folder: Path) -> Relaxation:
        """Relax on the level's surface; every rank moves the atoms alike."""
        program, stress = self._program(level), level.relax == "cell" and bool(atoms.pbc.any())

        def gradient(moved: Atoms) -> SinglePoint:
            computes = self._computes(program)
            point = program.gradient(moved, level, folder, stress) if computes else None
            return self._told(program, point)

        return relax(atoms, level, gradient)

    def _program(self, level: Level) -> Backend:
        if level.program not in self._programs:
            own = backend(level)
            leads = self._lead is not None and type(self._lead) is type(own)
            self._programs[level.program] = self._lead if leads and self._lead is not None else own
        return self._programs[level.program]

    def _computes(self, program: Backend) -> bool:
        return program is self._lead or self.is_root

    def _told(self, program: Backend, point: SinglePoint | None) -> SinglePoint:
        """What rank 0 computed, on every rank; a parallel program tells its ranks itself."""
        told: SinglePoint = point if program is self._lead and point is not None else self.share(point)
        return told
