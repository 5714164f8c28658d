"""The back ends by their name in the config, imported only when they are used."""

import os
from collections.abc import Callable
from typing import Final

from polyscape.levels.protocol import Backend
from polyscape.settings.levels import Level

_LAUNCHER_VARIABLES: Final = ("OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_SIZE", "I_MPI_MPIRUN")


def backend(level: Level) -> Backend:
    """The back end of a level, ready to climb."""
    return _BACKENDS[level.backend]()


def launched_in_parallel() -> bool:
    """Whether mpiexec or srun started this process as one of several ranks."""
    return any(name in os.environ for name in _LAUNCHER_VARIABLES)


def _gpaw() -> Backend:
    """GPAW; inside mpiexec or srun it is told to use MPI, which ``gpaw python`` would do otherwise."""
    if launched_in_parallel():
        os.environ.setdefault("GPAW_MPI_BACKEND", "cgpaw")
    from polyscape.levels.gpaw_planewave import GpawPlaneWaves

    return GpawPlaneWaves()


_BACKENDS: Final[dict[str, Callable[[], Backend]]] = {"gpaw": _gpaw}
