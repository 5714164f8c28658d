"""Extended tight binding, GFN1-xTB and GFN2-xTB, with tblite.

The program knows no k-points: what it computes is a supercell at Gamma, and an energy per cell is that of the supercell
divided by its cells.  The supercell is the smallest whose width along every axis reaches a setting: a GFN2-xTB energy is
then converged to 0.1 kJ/mol per molecule, see docs/levels.md.  One cell alone is wrong by tens of kJ/mol.

References
----------
GFN2-xTB: C. Bannwarth, S. Ehlert, S. Grimme, J. Chem. Theory Comput. 15, 1652 (2019),
https://doi.org/10.1021/acs.jctc.8b01176
GFN1-xTB: S. Grimme, C. Bannwarth, P. Shushkov, J. Chem. Theory Comput. 13, 1989 (2017),
https://doi.org/10.1021/acs.jctc.7b00118
"""

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from polyscape.levels.box import charge_of
from polyscape.levels.protocol import SinglePoint
from polyscape.levels.serial import Clock, SerialBackend
from polyscape.settings.levels import Level
from polyscape.status import Status
from polyscape.units import ANGSTROM_PER_BOHR, EV_PER_HARTREE, KELVIN_PER_HARTREE

_CYCLE: Final = re.compile(r"^\s+\d+\s+(-?\d+\.\d+)\s+\S+\s+\S+\s*$")
_TERM: Final = re.compile(r"^(\w[\w ]*) energy\s+(-?\d\.\d+E[+-]\d+) Eh")


class Tblite(SerialBackend):
    """The tblite back end; all steps of a relaxation have the supercell of the first."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, int], tuple[int, int, int]] = {}

    def climb(self, atoms: Atoms, levels: Sequence[Level], scratch: Path) -> Iterator[SinglePoint]:
        """The levels one after the other; each stands on its own."""
        for level in levels:
            yield _single_point(atoms, level, _cells(atoms, level), derivatives=False)

    def gradient(self, atoms: Atoms, level: Level, scratch: Path, stress: bool) -> SinglePoint:
        """Energy, forces and, of a crystal, stress, which costs nothing more."""
        cells = self._cells.setdefault((level.name, len(atoms)), _cells(atoms, level))
        return _single_point(atoms, level, cells, derivatives=True)


def repeats(cell_cv: NDArray[np.float64], width_A: float) -> tuple[int, int, int]:
    """How often a cell is repeated so that the supercell is at least `width_A` wide along every axis."""
    height_c = 1 / np.linalg.norm(np.linalg.inv(cell_cv), axis=0)
    a, b, c = (max(1, math.ceil(width_A / height - 1e-6)) for height in height_c)
    return a, b, c


def _cells(atoms: Atoms, level: Level) -> tuple[int, int, int]:
    """The supercell of a crystal; a molecule is itself."""
    if not atoms.pbc.any():
        return 1, 1, 1
    return repeats(np.asarray(atoms.cell), level.tblite.supercell_width_A)


def _single_point(atoms: Atoms, level: Level, cells: tuple[int, int, int], derivatives: bool) -> SinglePoint:
    from tblite.exceptions import TBLiteRuntimeError

    clock, lines = Clock(), list[str]()
    copies = math.prod(cells)
    try:  # atoms too close are refused when the program is set up
        result = _calculator(atoms.repeat(cells) if copies > 1 else atoms, level, lines).singlepoint()
    except TBLiteRuntimeError as error:
        work = clock.work(scf_steps=len(_history_eV(lines, copies)))
        return SinglePoint(level.name, Status.SCF_FAILED, None, work, str(error).strip())
    history_eV = _history_eV(lines, copies)
    energy_eV = float(result.get("energy")) * EV_PER_HARTREE / copies
    if not math.isfinite(energy_eV):
        work = clock.work(scf_steps=len(history_eV))
        return SinglePoint(level.name, Status.UNTRUSTED, None, work, f"the energy is {energy_eV}")
    forces_av = stress_vv = None
    if derivatives:
        forces_av, stress_vv = _derivatives(result, atoms, copies)
    return SinglePoint(
        level.name,
        Status.OK,
        energy_eV,
        clock.work(scf_steps=len(history_eV)),
        terms_eV=_terms_eV(lines, copies),
        forces_av=forces_av,
        stress_vv=stress_vv,
        scf_history_eV=history_eV,
    )


def _calculator(atoms: Atoms, level: Level, lines: list[str]) -> Any:
    """The program set up; what it prints goes to `lines`, where the terms and the course of the SCF are found."""
    from tblite.interface import Calculator

    lattice: dict[str, Any] = {}
    if atoms.pbc.any():
        cell_cv = np.asarray(atoms.cell) / ANGSTROM_PER_BOHR
        lattice = {"lattice": cell_cv, "periodic": np.full(3, True)}
    settings = level.tblite
    calculator = Calculator(
        settings.method,
        atoms.numbers,
        atoms.positions / ANGSTROM_PER_BOHR,
        charge=float(charge_of(atoms)),
        logger=lines.append,
        color=False,
        **lattice,
    )
    calculator.set("verbosity", 2)
    calculator.set("accuracy", settings.accuracy)
    calculator.set("max-iter", settings.max_scf_steps)
    calculator.set("temperature", settings.electronic_temperature_K / KELVIN_PER_HARTREE)
    return calculator


def _derivatives(
    result: Any, atoms: Atoms, copies: int
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Forces on the atoms of one cell, the mean over its copies, and the stress of a crystal."""
    gradient_nav = np.asarray(result.get("gradient")).reshape(copies, len(atoms), 3)
    forces_av = -gradient_nav.mean(axis=0) * EV_PER_HARTREE / ANGSTROM_PER_BOHR
    if not atoms.pbc.any():
        return forces_av, None
    virial_vv = np.asarray(result.get("virial")) * EV_PER_HARTREE / copies
    return forces_av, (virial_vv + virial_vv.T) / (2 * atoms.get_volume())


def _history_eV(lines: Sequence[str], copies: int) -> tuple[float, ...]:
    found = (_CYCLE.match(line) for line in lines)
    return tuple(float(match[1]) * EV_PER_HARTREE / copies for match in found if match)


def _terms_eV(lines: Sequence[str], copies: int) -> dict[str, float]:
    found = (_TERM.match(line) for line in lines)
    terms = {match[1]: float(match[2]) * EV_PER_HARTREE / copies for match in found if match}
    terms.pop("total", None)
    return terms
