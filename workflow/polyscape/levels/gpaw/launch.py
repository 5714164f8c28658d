"""GPAW's kind of parallelism, chosen before anything of GPAW that depends on it is imported."""

import os

import gpaw


def use_mpi() -> None:
    """Let GPAW use the ranks that mpiexec or srun started, as ``gpaw python`` does.

    It reads its environment when it is first imported, and ASE imports it to learn about file formats.
    """
    os.environ.setdefault("GPAW_MPI_BACKEND", "cgpaw")
    gpaw.GPAW_MPI_BACKEND = os.environ["GPAW_MPI_BACKEND"]
