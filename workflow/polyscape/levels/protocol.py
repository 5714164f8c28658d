"""What every level of theory gives: a `SinglePoint`; and what every back end is: a `Backend`.

A back end climbs its levels on one geometry in one process, so that what a level leaves behind (orbitals, a
converged density) serves the next one and never leaves the job.  Dispersion is apart from it, see
`polyscape.levels.dispersion`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from polyscape.provenance import processor
from polyscape.settings.levels import Level
from polyscape.status import Status


@dataclass(frozen=True)
class Work:
    """What a calculation took.

    Attributes
    ----------
    wall_s : float
        Wall time in seconds.
    core_s : float
        CPU time of all ranks in seconds; less than ``wall_s * cores`` where others use the machine too.
    cores : int
        Cores that were busy for that time.
    peak_memory_MB : float
        Largest resident memory of a rank until the calculation's end.
    scf_steps : int
        Self-consistency steps; 0 for a level evaluated on the orbitals of another.
    plane_waves : int
        Plane waves at the first k-point.
    k_points : int
        Irreducible k-points.
    machine : str
        Model of the processor: costs are compared on machines of one kind.
    """

    wall_s: float
    core_s: float
    cores: int
    peak_memory_MB: float
    scf_steps: int
    plane_waves: int
    k_points: int
    machine: str = field(default_factory=processor)


@dataclass(frozen=True)
class SinglePoint:
    """The electronic energy of one cell at one level, or why there is none; derivatives where they were asked for.

    Attributes
    ----------
    level : str
        Name of the level.
    status : Status
        ``OK``, ``SCF_FAILED``, ``UNTRUSTED`` or ``SKIPPED`` (the level below failed).
    energy_eV : float or None
        Electronic energy of the cell without dispersion correction; None unless the status is ``OK``.
    work : Work or None
        What it took; None when nothing was attempted.
    message : str or None
        What went wrong, or which remedy was needed.
    terms_eV : mapping of str to float
        Parts of the energy as the program names them; they add up to `energy_eV`.  Empty where it names none.
    forces_av : numpy.ndarray, shape (atoms, 3), or None
        Forces in eV/Angstrom.
    stress_vv : numpy.ndarray, shape (3, 3), or None
        Stress ``(1/V) dE/d strain`` in eV/Angstrom^3, positive where the cell wants to shrink (ASE's sign).
    scf_history_eV : tuple of float
        Energy after each step towards self-consistency, remedies included; empty where the program does not tell.
    """

    level: str
    status: Status
    energy_eV: float | None
    work: Work | None
    message: str | None = None
    terms_eV: Mapping[str, float] = field(default_factory=dict)
    forces_av: NDArray[np.float64] | None = None
    stress_vv: NDArray[np.float64] | None = None
    scf_history_eV: tuple[float, ...] = ()


class Backend(Protocol):
    """A program that computes levels of theory."""

    @property
    def is_root(self) -> bool:
        """Whether this process writes the results: true for rank 0 of a parallel run."""

    def share(self, value: Any) -> Any:
        """The value that rank 0 holds, on every rank; decisions that depend on files are taken once."""

    def climb(self, atoms: Atoms, levels: Sequence[Level], scratch: Path) -> Iterator[SinglePoint]:
        """Compute the levels one after the other, giving each as soon as it is there.

        Parameters
        ----------
        atoms : ase.Atoms
            A crystal (``pbc`` true) or a molecule in its box (``pbc`` false), see `polyscape.levels.box`.
        levels : sequence of Level
            All of this back end; a level on the orbitals of another comes right after it.
        scratch : pathlib.Path
            Existing folder for temporary files.
        """

    def gradient(self, atoms: Atoms, level: Level, scratch: Path, stress: bool) -> SinglePoint:
        """Energy, forces and, if asked for, stress: what a relaxation needs at each of its steps.

        The energy is the same function of the geometry as that of `climb`.  Successive calls with the same atoms a
        little moved may start from one another.  A failure is a status without derivatives, as in `climb`.

        Parameters
        ----------
        atoms : ase.Atoms
            A crystal or a molecule in its box; a molecule has no stress.
        level : Level
            A level that stands on its own orbitals.
        scratch : pathlib.Path
            Existing folder for temporary files.
        stress : bool
            Whether the stress is needed: it takes time.
        """
