"""What the levels of theory of a campaign will cost: from its selections where they exist, before that an upper estimate.

Before the landscape exists, a slot is taken to climb to the highest level with the dearest of some cells that
`selection.max_atoms` allows, long and short ones, without any symmetry.  The volume is 18 cubic Angstrom per atom other
than hydrogen (the rule of A. I. Kempster, H. Lipson, Acta Cryst. B 28, 3674 (1972)) and 5
per hydrogen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from rdkit import Chem

from polyscape.errors import InputError
from polyscape.levels.box import least_edge_A
from polyscape.levels.cost import Cost, together
from polyscape.levels.refine import CostModel
from polyscape.settings import Settings
from polyscape.stages.components import read_component
from polyscape.stages.plan import Plan

_HEAVY_A3: Final = 18.0
_HYDROGEN_A3: Final = 5.0
_SHAPES: Final = ((1.0, 1.0, 1.0), (0.8, 1.0, 1.25), (0.6, 1.2, 1.39), (0.6, 0.9, 1.85), (0.9, 0.9, 1.23))
"""Edges of cells of volume 1: the number of k-points jumps with them."""
_BOND_A: Final = 1.3
"""Length of a molecule per bond along its longest chain."""
_VACUUM_A: Final = 6.0


@dataclass(frozen=True)
class Forecast:
    """Predicted cost of a campaign's levels of theory.

    Attributes
    ----------
    jobs : int
        Isolated molecules (one job) and slots that compute something.
    core_s : float
        Of all of them, what is done included.
    longest_core_s : float
        Of the longest job.
    memory_MB : float
        Most memory of a job.
    is_upper : bool
        Whether a part of it is the upper estimate, for rounds that are not selected yet.
    molecules_core_s : float
        Of the isolated molecules, without which no slot is of use.
    limit_core_s : float or None
        The budget.
    """

    jobs: int
    core_s: float
    longest_core_s: float
    memory_MB: float
    is_upper: bool
    molecules_core_s: float
    limit_core_s: float | None = None

    def words(self) -> str:
        """In one line."""
        about = "at most about" if self.is_upper else "about"
        line = (
            f"predicted: {self.jobs} jobs of the levels of theory, {about} {self.core_s / 3600:.3g} core-hours, the longest "
            f"{self.longest_core_s / 3600:.2g} core-hours and {self.memory_MB / 1000:.2g} GB"
        )
        if self.is_upper:
            line += (
                " (rounds not selected yet: every slot with a dear cell of max_atoms, to the highest level)"
            )
        if self.limit_core_s is None:
            return line
        return f"{line}; limited to {self.limit_core_s / 3600:.3g} core-hours by budget.core_hours"

    def check(self, where: str) -> None:
        """Refuse a budget below what the isolated molecules take.

        Raises
        ------
        InputError
            Naming what they take.
        """
        if self.limit_core_s is not None and self.limit_core_s < self.molecules_core_s:
            problem = f"the isolated molecules alone take about {self.molecules_core_s / 3600:.2g} core-hours"
            remedy = "allow more, or choose cheaper levels"
            raise InputError(where, "budget.core_hours", self.limit_core_s / 3600, problem, remedy)


def forecast(plan: Plan, where: str, model: CostModel | None = None) -> Forecast:
    """The forecast of a campaign; `model` is the cost model refined by its points, if it has any."""
    settings, known = plan.settings, model or CostModel()
    top = settings.levels[-1].name
    molecules = [known.climb(box, settings.levels, top) for box in boxes(settings, where)]
    alone = together(molecules)
    limit_core_s = None if settings.budget.core_hours is None else 3600 * settings.budget.core_hours
    rounds = [selected(plan, number) for number in plan.rounds]
    jobs = [alone, *(cost for slots in rounds for cost in (slots or {}).values())]
    if None in rounds:
        climbs = [known.climb(cell, settings.levels, top) for cell in possible_cells(settings, where)]
        dearest = max(climbs, key=lambda cost: cost.core_s)
        jobs += [dearest] * (rounds.count(None) * len(plan.slots))
    memory_MB = max(cost.memory_MB for cost in jobs)
    times = [cost.core_s for cost in jobs]
    return Forecast(len(jobs), sum(times), max(times), memory_MB, None in rounds, alone.core_s, limit_core_s)


def selected(plan: Plan, number: int) -> dict[int, Cost] | None:
    """Predicted costs of the slots of a round that compute something; None if it is not selected yet.

    A table of another version of polyscape counts as none: it will be made anew.
    """
    path = Path(f"{plan.folder}/selection/round{number}.parquet")
    if not path.exists():
        return None
    from polyscape.schemas import SELECTION  # slow to import, and a campaign that has not begun does without
    from polyscape.tables import TableError

    try:
        rows = SELECTION.read(path).dropna(subset=["structure_id"])
    except TableError:
        return None
    columns = rows.slot, rows.predicted_core_s.fillna(0.0), rows.predicted_memory_MB.fillna(0.0)
    return {int(slot): Cost(float(core_s), float(MB)) for slot, core_s, MB in zip(*columns, strict=True)}


def boxes(settings: Settings, where: str) -> list[Atoms]:
    """Each component in a box of the right size, its atoms anywhere."""
    box_A = least_edge_A(settings.levels)
    return [
        _scattered(_numbers(molecule), np.full(3, _box_A(molecule, box_A)), periodic=False)
        for molecule in _molecules(settings, where)
    ]


def possible_cells(settings: Settings, where: str) -> list[Atoms]:
    """Cells of one formula unit up to as many as `max_atoms` allows, of several shapes, their atoms anywhere."""
    unit = [
        number
        for molecule, component in zip(_molecules(settings, where), settings.molecule.components, strict=True)
        for number in _numbers(molecule) * component.stoichiometry
    ]
    most = max(1, settings.selection.max_atoms // len(unit))
    volume_A3 = sum(_HYDROGEN_A3 if number == 1 else _HEAVY_A3 for number in unit)
    return [
        _scattered(unit * count, np.array(shape) * (count * volume_A3) ** (1 / 3), periodic=True)
        for count in sorted({1, -(-most // 2), most})
        for shape in _SHAPES
    ]


def _molecules(settings: Settings, where: str) -> list[Chem.Mol]:
    return [read_component(c, i, where) for i, c in enumerate(settings.molecule.components)]


def _numbers(molecule: Chem.Mol) -> list[int]:
    return [atom.GetAtomicNum() for atom in molecule.GetAtoms()]


def _box_A(molecule: Chem.Mol, box_A: float) -> float:
    """Edge of the box: at least the longest chain of bonds, stretched, and the vacuum."""
    return max(box_A, _BOND_A * float(Chem.GetDistanceMatrix(molecule).max()) + _VACUUM_A)


def _scattered(numbers: Sequence[int], edge_c: NDArray[np.float64], periodic: bool) -> Atoms:
    """Atoms without any symmetry: only their number counts."""
    positions_av = edge_c * np.random.default_rng(0).uniform(size=(len(numbers), 3))
    return Atoms(list(numbers), positions_av, cell=np.diag(edge_c), pbc=periodic)
