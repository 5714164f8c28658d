"""The back ends by their name in the config, imported only when they are used."""

import os
from collections.abc import Callable, Sequence
from typing import Final

from polyscape.levels.protocol import Backend
from polyscape.settings.levels import Level

_LAUNCHER_VARIABLES: Final = ("OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_SIZE", "I_MPI_MPIRUN")
_RANK_VARIABLES: Final = ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK")


def backend(level: Level) -> Backend:
    """The back end of a level, ready to climb."""
    return _BACKENDS[level.program]()


def parallel(levels: Sequence[Level]) -> Backend | None:
    """The back end of a ladder that is parallel by MPI, if one is: its rank 0 speaks for the ladder."""
    return next((backend(level) for level in levels if level.program in _PARALLEL), None)


def rank() -> int:
    """Rank of the process as its launcher says; 0 where nothing launched it."""
    return int(next((os.environ[name] for name in _RANK_VARIABLES if name in os.environ), "0"))


def launched_in_parallel() -> bool:
    """Whether mpiexec or srun started this process as one of several ranks."""
    return any(name in os.environ for name in _LAUNCHER_VARIABLES)


def _gpaw() -> Backend:
    """GPAW; inside mpiexec or srun it is told to use MPI, which ``gpaw python`` would do otherwise."""
    if launched_in_parallel():
        from polyscape.levels.gpaw.launch import use_mpi

        use_mpi()
    from polyscape.levels.gpaw.program import GpawPlaneWaves

    return GpawPlaneWaves()


def _tblite() -> Backend:
    from polyscape.levels.tblite_xtb import Tblite

    return Tblite()


def _ase() -> Backend:
    from polyscape.levels.ase_any import AseCalculator

    return AseCalculator()


_BACKENDS: Final[dict[str, Callable[[], Backend]]] = {"gpaw": _gpaw, "tblite": _tblite, "ase": _ase}
_PARALLEL: Final = ("gpaw",)
