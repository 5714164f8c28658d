"""What a profile says of the machine: how GPAW's environment is set up, and when a calculation gets several ranks.

The keys stand in a profile's `default-resources` beside Snakemake's own (account, partition, memory).  None of them
changes a result, so none of them belongs in a campaign's config, and none of them reruns anything.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from polyscape.errors import InputError

RANK_EFFICIENCY: Final = 0.5
"""Least part of a rank's time that is expected to be of use. PBE0 on PBE orbitals of beta oxalic acid took 47 s on one
rank and 27 s on two, which is 0.87; more ranks were not measured."""

_FILE: Final = "profile"


@dataclass(frozen=True)
class Machine:
    """Keys of a profile's `default-resources` that are polyscape's own.

    Attributes
    ----------
    mpi_ranks : int
        Most MPI ranks of a single point; 1, the default, computes every structure on one core, many at once.
    mpi_hours : float
        A single point gets more ranks when it is predicted to take longer than this on one core.
    mpi_memory_mb : float
        ... or more memory than this, which is what the machine has for each core.
    mpi_launcher : str
        Command that starts ranks; ``-n`` and their number are added.
    setup : str
        Shell commands before each job's own, such as ``module load gpaw``.
    """

    mpi_ranks: int = 1
    mpi_hours: float = 4.0
    mpi_memory_mb: float = 4000.0
    mpi_launcher: str = "mpiexec"
    setup: str = ""

    @classmethod
    def of(cls, resources: Sequence[str]) -> "Machine":
        """From Snakemake's default resources, each ``name=value``.

        Raises
        ------
        InputError
            When a key of ours has a value that it cannot have.
        """
        said = dict(text.split("=", 1) for text in resources)
        values: dict[str, Any] = {}
        for name, minimum in (("mpi_ranks", 1), ("mpi_hours", 1e-4), ("mpi_memory_mb", 100)):
            if name in said:
                values[name] = _number(name, said[name], minimum)
        for name in ("mpi_launcher", "setup"):
            if name in said:
                values[name] = _unquoted(said[name])
        return cls(**values)

    def ranks(self, core_s: float, memory_MB: float) -> int:
        """MPI ranks of a calculation: a power of two, which k-points, bands and plane waves can be shared among."""
        wanted = max(core_s / (3600.0 * self.mpi_hours), memory_MB / self.mpi_memory_mb)
        if wanted <= 1 or self.mpi_ranks == 1:
            return 1
        return min(2 ** math.ceil(math.log2(wanted)), self.mpi_ranks)


def _number(name: str, text: str, minimum: float) -> float:
    kind = int if name == "mpi_ranks" else float
    try:
        value = kind(_unquoted(text))
    except ValueError:
        value = kind(-1)
    if not minimum <= value < math.inf:
        problem = f"is not a {'whole ' if kind is int else ''}number from {minimum}"
        raise InputError(_FILE, f"default-resources.{name}", text, problem, "see docs/cluster.md")
    return value


def _unquoted(text: str) -> str:
    """A profile's text, with or without the second quotes that Snakemake asks for in places."""
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text
