"""Relaxation of the atoms, or of the atoms and the cell, on the energy surface of a level with its dispersion.

The optimiser is ASE's BFGS, which looks at gradients only: energies of plane waves at a fixed cutoff jump where the
number of plane waves changes with the cell.  The strain of the cell is the exponential map of `ase.filters`.  A crystal
keeps its space group, for forces and stress are symmetrised; whether its molecules keep their bonds is asked at the end.

References
----------
BFGS: J. Nocedal, S. J. Wright, Numerical Optimization, 2nd ed., ch. 6, https://doi.org/10.1007/978-0-387-40065-5
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import spglib
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.constraints import FixSymmetry
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS
from ase.stress import full_3x3_to_voigt_6_stress
from numpy.typing import NDArray

from polyscape.levels.dispersion import dispersion_of
from polyscape.levels.protocol import SinglePoint
from polyscape.molecule.cut import periodic_bonds
from polyscape.settings.levels import Level
from polyscape.status import Status
from polyscape.units import GPA_PER_EV_PER_A3

SYMMETRY_A: Final = 1e-3
"""How far atoms may be off a symmetry for it to be kept: that of crystals minimised in their space group is exact."""

_VOLUME_BOUNDS: Final = (0.5, 2.0)
"""Volume over that of the start beyond which a crystal has collapsed or flown apart."""

Gradient = Callable[[Atoms], SinglePoint]


@dataclass(frozen=True)
class Relaxation:
    """How a relaxation ended.

    Attributes
    ----------
    status : Status
        ``OK``; ``STEP_LIMIT``; ``BROKEN`` (bonds formed or broke); ``ESCAPED`` (the volume left its bounds); or why
        there were no forces.
    atoms : ase.Atoms
        The last geometry, atoms in the order of the start.
    what : str
        What moved: ``atoms`` or ``cell``, the atoms then too.
    steps : int
        Steps of the optimiser.
    rmsd_A : float
        Root mean square displacement of the atoms in the cell of the end, their mean taken off.
    volume_change_percent : float
        Change of the cell's volume; 0 for a molecule.
    connectivity_kept : bool
        Whether every bond of the start is there at the end, and no other: the number of molecules too, then.
    points : tuple of SinglePoint
        What was computed on the way.
    message : str or None
        What went wrong.
    """

    status: Status
    atoms: Atoms
    what: str
    steps: int
    rmsd_A: float
    volume_change_percent: float
    connectivity_kept: bool
    points: tuple[SinglePoint, ...] = ()
    message: str | None = None


class NoForcesError(Exception):
    """The level has no forces at a geometry."""


def relax(start: Atoms, level: Level, gradient: Gradient) -> Relaxation:
    """Relax a crystal or a molecule in its box.

    Parameters
    ----------
    start : ase.Atoms
        The geometry of the level below.
    level : Level
        What moves, until when, and with which dispersion.
    gradient : callable
        Energy, forces and, if the cell moves, stress of the back end, without dispersion.
    """
    atoms = start.copy()
    atoms.calc = surface = _Surface(level, gradient)
    if atoms.pbc.any() and _has_symmetry(atoms):
        atoms.set_constraint(FixSymmetry(atoms, symprec=SYMMETRY_A))
    moves_cell = level.relax == "cell" and bool(atoms.pbc.any())
    variables: Any = FrechetCellFilter(atoms) if moves_cell else atoms
    optimiser = BFGS(variables, logfile=None)
    try:
        status, message = _descend(optimiser, atoms, start.get_volume(), level, moves_cell)
    except NoForcesError:
        failed = surface.points[-1]
        status, message = failed.status, f"after {optimiser.nsteps} steps of relaxation: {failed.message}"
    return _ended(start, optimiser, surface, level.relax if moves_cell else "atoms", (status, message))


def bonds_of(atoms: Atoms) -> set[tuple[int, int]]:
    """Pairs of bonded atoms, whatever the cells they are in."""
    bonds = periodic_bonds(atoms.numbers, atoms.get_scaled_positions(wrap=False), np.asarray(atoms.cell))
    return {(min(a, b), max(a, b)) for a, bonded in enumerate(bonds) for b, _ in bonded}


class _Surface(Calculator):
    """A level with its dispersion as ASE's optimisers want it."""

    implemented_properties = ["energy", "forces", "stress"]  # noqa: RUF012 -- ASE's interface

    def __init__(self, level: Level, gradient: Gradient) -> None:
        super().__init__()
        self.points: list[SinglePoint] = []
        self._level, self._gradient = level, gradient

    def calculate(
        self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = None
    ) -> None:
        """All that the level gives at once: energy, forces, stress."""
        super().calculate(atoms, properties, system_changes)
        free: Atoms = self.atoms.copy()  # type: ignore[union-attr]  # set right above
        free.set_constraint()
        point = _checked(self._gradient(free))
        self.points.append(point)
        if point.status is not Status.OK or point.energy_eV is None or point.forces_av is None:
            raise NoForcesError
        dispersion = dispersion_of(free, self._level, derivatives=True)
        self.results = {
            "energy": point.energy_eV + dispersion.energy_eV,
            "forces": _sum(point.forces_av, dispersion.forces_av),
        }
        if point.stress_vv is not None:
            self.results["stress"] = full_3x3_to_voigt_6_stress(_sum(point.stress_vv, dispersion.stress_vv))


def _checked(point: SinglePoint) -> SinglePoint:
    """The point, untrusted where a force or a stress is no number: the optimiser would walk on in circles."""
    values = [value for value in (point.forces_av, point.stress_vv) if value is not None]
    if all(np.isfinite(value).all() for value in values):
        return point
    return replace(point, status=Status.UNTRUSTED, energy_eV=None, message="forces or stress are not finite")


def _sum(electronic: NDArray[np.float64], dispersion: NDArray[np.float64] | None) -> NDArray[np.float64]:
    return electronic if dispersion is None else electronic + dispersion


def _descend(
    optimiser: BFGS, atoms: Atoms, volume_A3: float, level: Level, moves_cell: bool
) -> tuple[Status, str | None]:
    """Step until forces and stress are small; the optimiser's own criterion is switched off."""
    wanted = level.relaxation
    for _ in _steps(optimiser, wanted.max_steps):
        force_eV_per_A = float(np.linalg.norm(atoms.get_forces(), axis=1).max())
        stress_GPa = float(np.abs(atoms.get_stress()).max()) * GPA_PER_EV_PER_A3 if moves_cell else 0.0
        if force_eV_per_A <= wanted.force_eV_per_A and stress_GPa <= wanted.stress_GPa:
            return Status.OK, None
        if not _VOLUME_BOUNDS[0] < atoms.get_volume() / volume_A3 < _VOLUME_BOUNDS[1]:
            return Status.ESCAPED, f"the volume changed from {volume_A3:.1f} to {atoms.get_volume():.1f} A^3"
    left = f"force {force_eV_per_A:.3f} eV/A" + (f", stress {stress_GPa:.3f} GPa" if moves_cell else "")
    return Status.STEP_LIMIT, f"not relaxed in {wanted.max_steps} steps: {left} left"


def _steps(optimiser: BFGS, limit: int) -> Iterator[bool]:
    return iter(optimiser.irun(fmax=0.0, steps=limit))


def _ended(
    start: Atoms, optimiser: BFGS, surface: _Surface, what: str, end: tuple[Status, str | None]
) -> Relaxation:
    """The relaxation with what its geometry says."""
    status, message = end
    final: Atoms = surface.atoms.copy()  # type: ignore[union-attr]  # the geometry of the last forces
    final.set_constraint()
    before, after = bonds_of(start), bonds_of(final)
    if status is Status.OK and before != after:
        status, message = Status.BROKEN, f"bonds formed: {len(after - before)}, broke: {len(before - after)}"
    moved_ac = final.get_scaled_positions(wrap=False) - start.get_scaled_positions(wrap=False)
    moved_av = (moved_ac - moved_ac.mean(axis=0)) @ np.asarray(final.cell)
    return Relaxation(
        status=status,
        atoms=final,
        what=what,
        steps=optimiser.nsteps,
        rmsd_A=float(np.sqrt((moved_av**2).sum(axis=1).mean())),
        volume_change_percent=100 * (final.get_volume() / start.get_volume() - 1),
        connectivity_kept=before == after,
        points=tuple(surface.points),
        message=message,
    )


def _has_symmetry(atoms: Atoms) -> bool:
    """Whether a crystal has more than translations."""
    crystal: Any = (np.asarray(atoms.cell), atoms.get_scaled_positions(), atoms.numbers)
    dataset = spglib.get_symmetry_dataset(crystal, symprec=SYMMETRY_A)
    return dataset is not None and len(dataset.rotations) > 1
