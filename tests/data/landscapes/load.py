"""Whole landscapes at every level of theory, to measure what learning from a part of them gives.

``<name>/`` holds a campaign's tables of the structures that are computed (`make.py` writes them, `compute.py` adds points):
``landscape``, ``molecule``, ``conformers``, ``dispersion``, ``molecules`` (the isolated ones), ``points``, with
``config.yaml`` and ``provenance.json``.

Core seconds are those of the program that made a point.  Of `oxalic_acid_full` the cells of 8 and 16 atoms and five of 32 were
made before the exact exchange took half the time (decision 0010): their PBE0 is twice as dear as is predicted now, a
disadvantage to campaigns that buy small cells first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from polyscape.energy.model import build_model
from polyscape.learn.registry import candidates
from polyscape.levels.cost import predict_climb
from polyscape.schemas import CONFORMERS, DISPERSION, LANDSCAPE, MOLECULE, POINTS
from polyscape.settings import Settings, load_settings
from polyscape.settings.learning import AUTO
from polyscape.stages.features import features
from polyscape.stages.lattice_energies import LearningPlan, LearningTables, assemble, feature_blocks, records
from polyscape.stages.rows import conformers_of, enthalpy_kJ_per_mol, reduced_atoms
from polyscape.tables import Table

FOLDER = Path(__file__).parent
TABLES = {
    "landscape": LANDSCAPE,
    "molecule": MOLECULE,
    "conformers": CONFORMERS,
    "dispersion": DISPERSION,
    "molecules": POINTS,
    "points": POINTS,
}


@dataclass(frozen=True)
class Truth:
    """A landscape whose structures are known at every level; index suffixes as in `polyscape.learn.protocol`.

    Attributes
    ----------
    blocks : mapping of str to numpy.ndarray
        Blocks of descriptors, the sums that corrections may be linear in among them.
    descriptors : tuple of str
        Combinations of blocks that the learner may choose from.
    value_ls, added_ls : numpy.ndarray, shape (levels, structures)
        What the learner sees, and what is added to give lattice energies, kJ/mol per formula unit.
    energy_s : numpy.ndarray, shape (structures,)
        The force field's energy.
    paid_ls, predicted_ls : numpy.ndarray, shape (levels, structures)
        Core seconds to climb to a level, as measured and as predicted.
    """

    blocks: Mapping[str, NDArray[np.float64]]
    descriptors: tuple[str, ...]
    value_ls: NDArray[np.float64]
    added_ls: NDArray[np.float64]
    energy_s: NDArray[np.float64]
    paid_ls: NDArray[np.float64]
    predicted_ls: NDArray[np.float64]

    def part(self, kept: NDArray[np.int64]) -> "Truth":
        """The same for some of the structures."""
        blocks = {name: block[kept] for name, block in self.blocks.items()}
        return Truth(
            blocks, self.descriptors, self.value_ls[:, kept], self.added_ls[:, kept],
            self.energy_s[kept], self.paid_ls[:, kept], self.predicted_ls[:, kept],
        )  # fmt: skip


def read(table: Table, path: Path) -> Any:
    """A table of this or an earlier version: columns that came later are null, those that went are dropped."""
    rows = pq.read_table(path).to_pylist()
    return table.from_rows({name: row[name] for name in table.names if name in row} for row in rows)


def load(folder: Path, descriptor: str = AUTO) -> Truth:
    """The truth about a landscape, in a combination of descriptors or in those that a campaign chooses from."""
    settings = load_settings(folder / "config.yaml")
    found = {name: read(table, folder / f"{name}.parquet") for name, table in TABLES.items()}
    return truth(found, settings, descriptor)


def truth(found: dict[str, Any], settings: Settings, descriptor: str = AUTO) -> Truth:
    """The truth from a campaign's tables; structures that lack a level are left out."""
    chosen = settings.features.model_copy(update={"descriptor": descriptor})
    model = build_model(conformers_of(found["molecule"], found["conformers"], False), settings.energy)
    vectors = features(found["landscape"], model, chosen)
    tables = LearningTables(
        found["landscape"], vectors, found["dispersion"], found["molecules"], (found["points"],)
    )
    data = assemble(
        tables, LearningPlan(settings.levels, settings.molecule.components, chosen, settings.learning)
    )
    blocks = feature_blocks(data.landscape, vectors)
    cells = [reduced_atoms(row) for row in records(data.landscape)]
    predicted = [
        [predict_climb(a, settings.levels, level.name).core_s for a in cells] for level in settings.levels
    ]
    whole = Truth(
        blocks=blocks,
        descriptors=candidates(chosen),
        value_ls=data.training.value_ls,
        added_ls=data.added_ls,
        energy_s=enthalpy_kJ_per_mol(data.landscape).to_numpy(float),
        paid_ls=_paid(data.landscape.structure_id, found["points"], data.levels),
        predicted_ls=np.array([[0.0] * len(cells), *predicted]),
    )
    return whole.part(np.flatnonzero(np.isfinite(whole.value_ls).all(axis=0)))


def _paid(names: Any, points: Any, levels: tuple[str, ...]) -> NDArray[np.float64]:
    """Core seconds of climbing to each level; nan where it was not computed."""
    core_s = points.pivot(index="structure_id", columns="level", values="core_s")
    alone_ls = np.stack(
        [np.zeros(len(names)), *(core_s.reindex(names)[level].to_numpy(float) for level in levels[1:])]
    )
    return np.asarray(np.cumsum(alone_ls, axis=0))
