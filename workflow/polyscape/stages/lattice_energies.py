"""From single points to the lattice energies that the learner sees, and from its predictions back to the
tables' rows.

Lattice energies count from the isolated molecules (`polyscape.stages.references`).  The dispersion
correction D is known exactly for every structure, so the learner works on ``E_lattice - D``; its level 0 is
the force field's lattice energy less the D of the first level, so that with factor 1 the first level is the
force field plus what is learned.  Under pressure the results are enthalpies: the work p V / n at the force field's
volume V, the same at all levels, is added to what was learned.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyscape.ids import discovery_order
from polyscape.learn.descriptor_choice import Described, choose_descriptor
from polyscape.learn.protocol import Reals, TrainingData
from polyscape.learn.registry import LINEAR, build_learner, candidates
from polyscape.schemas import DISPERSION, FEATURES, LANDSCAPE, POINTS
from polyscape.settings.learning import FeaturesSettings, LearningSettings
from polyscape.settings.levels import Level
from polyscape.settings.molecule import Component
from polyscape.stages.references import FORCE_FIELD, Reference, lattice_energy_kJ_per_mol
from polyscape.status import Status
from polyscape.tables import TableError


@dataclass(frozen=True)
class LearningPlan:
    """The settings that what is learned depends on."""

    levels: Sequence[Level]
    components: Sequence[Component]
    features: FeaturesSettings
    learning: LearningSettings


@dataclass(frozen=True)
class LearningTables:
    """The tables that learning reads; no points and no molecules before the first round."""

    landscape: pd.DataFrame
    features: pd.DataFrame
    dispersion: pd.DataFrame
    molecules: pd.DataFrame | None = None
    points: tuple[pd.DataFrame, ...] = ()

    @classmethod
    def read(
        cls, landscape: Path, features: Path, dispersion: Path, rest: tuple[Path | None, Sequence[Path]]
    ) -> Self:
        """From files; `rest` names the isolated molecules' points, if there are any yet, and the crystals'."""
        molecules, points = rest
        return cls(
            LANDSCAPE.read(landscape),
            FEATURES.read(features),
            DISPERSION.read(dispersion),
            None if molecules is None else POINTS.read(molecules),
            tuple(POINTS.read(path) for path in points),
        )


@dataclass(frozen=True)
class LandscapeData:
    """The distinct structures of a landscape with all that is known of their energies.

    Attributes
    ----------
    landscape : pandas.DataFrame
        Distinct structures in the order of their discovery; the index set ``s`` below.
    levels : tuple of str
        Names of the levels, the force field first: the index set ``l``.
    added_ls : numpy.ndarray, shape (levels, structures)
        What is added to the learner's values to give enthalpies: dispersion and work against the pressure, kJ/mol.
    training : TrainingData
        What the learner sees.
    failed_ls : numpy.ndarray of bool, shape (levels, structures)
        Where a computation was tried and gave no usable energy.
    referenced_l : numpy.ndarray of bool, shape (levels,)
        Whether energies of a level can become lattice energies: not where an isolated molecule has none.
    descriptor : str
        The combination of descriptors that the learner sees.
    """

    landscape: pd.DataFrame
    levels: tuple[str, ...]
    added_ls: Reals
    training: TrainingData
    failed_ls: NDArray[np.bool_]
    referenced_l: NDArray[np.bool_]
    descriptor: str


def distinct_structures(landscape: pd.DataFrame) -> pd.DataFrame:
    """The representatives, in the order of their discovery."""
    distinct = landscape[landscape.duplicate_of.isna()]
    order = sorted(range(len(distinct)), key=lambda row: discovery_order(distinct.structure_id.iloc[row]))
    return distinct.iloc[order].reset_index(drop=True)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as dictionaries."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def feature_blocks(distinct: pd.DataFrame, features: pd.DataFrame) -> dict[str, Reals]:
    """Blocks of the descriptors in the landscape's order, shape (structures, features) each."""
    blocks = {}
    for block, rows in features.groupby("block"):
        vectors = rows.set_index("structure_id").features
        missing = set(distinct.structure_id) - set(vectors.index)
        if missing:
            problem = f"{len(missing)} structures of the landscape are missing, {min(missing)} for one"
            raise TableError(f"features, block {block}: {problem}")
        blocks[str(block)] = np.stack([np.asarray(vectors[name], float) for name in distinct.structure_id])
    return blocks


def merge_points(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All points of several tables; a point made more than once counts once, the first good one."""
    filled = [frame for frame in frames if len(frame)]
    if not filled:
        return pd.DataFrame({"structure_id": [], "level": [], "status": []})
    points = pd.concat(filled, ignore_index=True)
    best_first = points.assign(bad=points.status != Status.OK).sort_values("bad", kind="stable")
    kept = best_first.drop_duplicates(["structure_id", "level"]).sort_index()
    return kept.drop(columns="bad").reset_index(drop=True)


def assemble(tables: LearningTables, plan: LearningPlan) -> LandscapeData:
    """The learner's data from the tables of a campaign, in the descriptors that predict it best."""
    distinct = distinct_structures(tables.landscape)
    names = (FORCE_FIELD, *(level.name for level in plan.levels))
    dispersion_ls = _dispersion(distinct, tables.dispersion, names)
    value_ls = np.full((len(names), len(distinct)), np.nan)
    value_ls[0] = distinct.lattice_energy_kJ_per_mol.to_numpy(float) - dispersion_ls[0]
    failed_ls = np.zeros(value_ls.shape, bool)
    row = {name: index for index, name in enumerate(distinct.structure_id)}
    points = merge_points(tables.points)
    reference = Reference(tables.molecules, plan.components)
    for index, name in enumerate(names[1:], start=1):
        reference_eV = _reference_eV(reference, name)
        for point in records(points[points.level == name]):
            if point["structure_id"] not in row:
                continue
            s = row[point["structure_id"]]
            energy = lattice_energy_kJ_per_mol(point, reference_eV)
            failed_ls[index, s] = np.isnan(energy)
            value_ls[index, s] = energy - dispersion_ls[index, s]
    described = _described(feature_blocks(distinct, tables.features), value_ls, plan)
    added_ls = dispersion_ls + distinct.pressure_volume_kJ_per_mol.to_numpy(float)
    referenced_l = np.array([True, *(not reference.missing(name) for name in names[1:])])
    return LandscapeData(
        distinct, names, added_ls, described.data, failed_ls, referenced_l, described.descriptor
    )


def _described(blocks: Mapping[str, Reals], value_ls: Reals, plan: LearningPlan) -> Described:
    """The training data; what was tried and how well it predicts goes to the log."""
    if not blocks:  # an empty landscape
        return Described("", TrainingData(np.zeros((value_ls.shape[1], 0)), value_ls), {})
    data = TrainingData(blocks[LINEAR], value_ls, blocks[LINEAR])
    described = choose_descriptor(build_learner(plan.learning), data, blocks, candidates(plan.features))
    for name, score in described.score_by_descriptor.items():
        print(f"descriptor {name}: mean log density of left-out structures {score:.3f}", file=sys.stderr)
    return described


def _dispersion(distinct: pd.DataFrame, dispersion: pd.DataFrame, names: Sequence[str]) -> Reals:
    """D of every level, shape (levels, structures); level 0 takes that of the first level above it."""
    by_key = dispersion.set_index(["structure_id", "level"]).dispersion_kJ_per_mol
    rows = []
    for name in names[1:]:
        wanted = pd.MultiIndex.from_product([distinct.structure_id, [name]])
        found = by_key.reindex(wanted).to_numpy(float)
        if np.isnan(found).any():
            raise TableError(
                f"dispersion: {int(np.isnan(found).sum())} structures of the landscape lack level {name}"
            )
        rows.append(found)
    return np.stack([rows[0], *rows])


def _reference_eV(reference: Reference, level: str) -> float:
    """Energy of a formula unit's isolated molecules; a warning where one of them failed."""
    for name in reference.missing(level):
        problem = f"no energy of the isolated molecule {name} at {level}: nothing is learned from it"
        print(f"warning: {problem}", file=sys.stderr)
    return reference.energy_eV(level)
