"""What the highest level would cost self-consistently: some structures of a landscape climb with `hybrid: self_consistent`.

    python -m tests.data.landscapes.hybrids tests/data/landscapes/oxalic_acid_full 002-0000000 004-0000002

Both levels are computed in one go, in a store of their own, so that the hybrid's price holds no orbitals made again.  Rows go
to `self_consistent.parquet`; structures that it holds are passed over.  `learning_curve.py` reads the ratio of the two prices.
"""

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from polyscape.levels.ladder import climb
from polyscape.levels.store import Store
from polyscape.schemas import POINTS
from polyscape.settings import Settings, load_settings
from polyscape.stages.rows import reduced_atoms
from polyscape.stages.single_point import point_row
from polyscape.status import Status
from tests.data.landscapes.load import TABLES, read

TABLE = "self_consistent.parquet"


def self_consistent_levels(settings: Settings):
    """The ladder with its highest level self-consistent."""
    top = settings.levels[-1]
    gpaw = top.gpaw.model_copy(update={"hybrid": "self_consistent"})
    return [*settings.levels[:-1], top.model_copy(update={"gpaw": gpaw})]


def computed(row, levels) -> pd.DataFrame:
    """The points of a structure."""
    with tempfile.TemporaryDirectory() as folder:
        rungs, _ = climb(reduced_atoms(row), levels, Store(Path(folder) / "store"), Path(folder))
    return POINTS.from_rows(point_row(row["structure_id"], int(row["formula_units"]), rung) for rung in rungs)


def prices(folder: Path) -> np.ndarray:
    """Core seconds of the self-consistent highest level over those of the one below, by structure; none where none is known."""
    if not (folder / TABLE).exists():
        return np.array([])
    points = read(POINTS, folder / TABLE)
    good = points[points.status == Status.OK].pivot(index="structure_id", columns="level", values="core_s")
    names = [level.name for level in load_settings(folder / "config.yaml").levels]
    return (good[names[-1]] / good[names[-2]]).dropna().to_numpy()


def main() -> None:
    """Compute and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder of the landscape")
    parser.add_argument("structures", nargs="+", help="ids of structures")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    levels = self_consistent_levels(load_settings(options.folder / "config.yaml"))
    landscape = read(TABLES["landscape"], options.folder / "landscape.parquet")
    by_name = {row["structure_id"]: row for row in landscape.to_dict("records")}
    for name in options.structures:
        path = options.folder / TABLE
        known = read(POINTS, path) if path.exists() else POINTS.from_rows([])
        if name not in set(known.structure_id):
            found = computed(by_name[name], levels)
            POINTS.write(pd.concat([known, found], ignore_index=True) if len(known) else found, path)
        print(f"{name}: price of the hybrid {np.round(prices(options.folder), 1)}", flush=True)


if __name__ == "__main__":
    main()
