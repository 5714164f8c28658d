"""What a job of single points asks of the machine: ranks, memory, wall time, from what it is predicted to take.

Snakemake asks for each of them apart, many times, and before the tables exist; then the missing file is the answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from polyscape.settings.levels import Level
from polyscape.stages.machine import RANK_EFFICIENCY, Machine
from polyscape.stages.registry import parse_slice

MEMORY_HEADROOM: Final = 1.5
"""Memory asked for over the predicted peak; twice as much with every attempt."""

TIME_HEADROOM: Final = 4.0
"""Wall time asked for over the predicted one; twice as much with every attempt."""

LEAST_MEMORY_MB: Final = 1000
LEAST_MINUTES: Final = 10
RANK_MEMORY_MB: Final = 270.0
"""Memory of a rank that has nothing to do yet: Python, GPAW and its libraries."""


@dataclass(frozen=True)
class Request:
    """The predicted cost of a job, on one core, and where it is to run.

    Attributes
    ----------
    core_s : float
        Core-seconds.
    memory_MB : float
        Peak memory of a single process.
    ranks : int
        MPI ranks.
    """

    core_s: float
    memory_MB: float
    ranks: int = 1

    @classmethod
    def on(
        cls, machine: Machine, cost: tuple[float, float], levels: Sequence[Level], limit: int
    ) -> "Request":
        """With as many ranks as the machine's profile and `limit` allow; only GPAW computes with several.

        In a ladder of several programs GPAW is what takes long; the others run on the first rank.
        """
        parallel = any(level.backend == "gpaw" for level in levels)
        return cls(*cost, min(limit, machine.ranks(*cost)) if parallel else 1)

    def mem_mb(self, attempt: int) -> int:
        """Megabytes of the whole job; half of a rank's orbitals are expected to be there on every rank."""
        own = max(0.0, self.memory_MB - RANK_MEMORY_MB)
        total = self.ranks * min(self.memory_MB, RANK_MEMORY_MB) + own * (1 + self.ranks) / 2
        return 2 ** (attempt - 1) * max(LEAST_MEMORY_MB, round(MEMORY_HEADROOM * total))

    def runtime(self, attempt: int) -> int:
        """Minutes."""
        speed = 1.0 if self.ranks == 1 else RANK_EFFICIENCY * self.ranks
        return 2 ** (attempt - 1) * max(LEAST_MINUTES, round(TIME_HEADROOM * self.core_s / speed / 60.0))


def slot_cost(selection: str, slot: int) -> tuple[float, float]:
    """Predicted core-seconds and megabytes of a slot; zeros for an empty one.

    Raises
    ------
    FileNotFoundError
        When the selection has not been made yet.
    """
    return _slot_costs(selection, Path(selection).stat().st_mtime_ns).get(slot, (0.0, 0.0))


def molecule_cost(molecule: str, conformers: str, slice_json: str) -> tuple[float, float]:
    """Predicted core-seconds and megabytes of the isolated molecules, one after the other.

    Parameters
    ----------
    molecule, conformers : str
        The tables.
    slice_json : str
        Settings of stage `isolated_molecule`.

    Raises
    ------
    FileNotFoundError
        When the molecules have not been made yet.
    """
    times = Path(molecule).stat().st_mtime_ns, Path(conformers).stat().st_mtime_ns
    return _molecule_cost(molecule, conformers, times, slice_json)


@lru_cache(maxsize=8)  # a round's slots are asked for one by one, and pandas is slow to import and to read
def _slot_costs(selection: str, _: int) -> dict[int, tuple[float, float]]:
    from polyscape.schemas import SELECTION

    rows = SELECTION.read(Path(selection)).dropna(subset=["structure_id"])
    columns = rows["slot"], rows["predicted_core_s"].fillna(0.0), rows["predicted_memory_MB"].fillna(0.0)
    return {int(slot): (float(s), float(MB)) for slot, s, MB in zip(*columns, strict=True)}


@lru_cache(maxsize=8)
def _molecule_cost(
    molecule: str, conformers: str, _: tuple[int, int], slice_json: str
) -> tuple[float, float]:
    from polyscape.levels.cost import predict_climb
    from polyscape.schemas import CONFORMERS, MOLECULE
    from polyscape.stages.isolated_molecule import reference_molecules

    levels = parse_slice("isolated_molecule", slice_json)["levels"]
    tables = MOLECULE.read(Path(molecule)), CONFORMERS.read(Path(conformers))
    boxed = reference_molecules(*tables, levels).values()
    costs = [predict_climb(atoms, levels, levels[-1].name) for atoms in boxed]
    return sum(cost.core_s for cost in costs), max(cost.memory_MB for cost in costs)
