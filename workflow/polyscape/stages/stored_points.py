"""What the store knows of a landscape besides the slots: from other campaigns and earlier selections."""

from collections.abc import Collection

import pandas as pd

from polyscape.levels.ladder import stored
from polyscape.levels.method import method_id, method_of
from polyscape.levels.store import Store
from polyscape.schemas import POINTS
from polyscape.stages.references import judged
from polyscape.stages.rows import reduced_atoms
from polyscape.stages.single_point import CountedLevels, point_row, predicted


def stored_points(
    landscape: pd.DataFrame, counted: CountedLevels, store: Store, held: Collection[tuple[str, str]] = ()
) -> pd.DataFrame:
    """Stored single points of the distinct structures, at the methods of the ladder.

    Parameters
    ----------
    landscape : pandas.DataFrame
        Table `landscape`.
    counted : CountedLevels
        The whole ladder.
    store : Store
        Where results are looked for.
    held : collection of (structure id, level), optional
        Points that a slot holds already; they are left out.
    """
    rows: list[dict[str, object]] = []
    levels = counted.levels
    for index in range(len(levels)):
        if (store.folder / method_id(levels, index)).is_dir():  # kept before methods were described
            store.describe(method_of(levels, index))
    for _, row in landscape[landscape["duplicate_of"].isna()].iterrows():
        wanted = [i for i, level in enumerate(levels) if (row["structure_id"], level.name) not in held]
        structure = {str(name): value for name, value in row.items()}
        atoms = reduced_atoms(structure)
        name, units = row["structure_id"], int(row["formula_units"])
        found = [
            point_row(name, units, rung) | predicted(atoms, levels, rung)
            for rung in stored(atoms, levels, wanted, store)
        ]
        rows.extend(judged(found, structure, counted.reference))
    return POINTS.from_rows(rows)
