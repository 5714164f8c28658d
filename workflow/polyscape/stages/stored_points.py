"""What the store knows of a landscape besides the slots: from other campaigns and earlier selections."""

from collections.abc import Collection, Sequence

import pandas as pd

from polyscape.levels.ladder import stored
from polyscape.levels.method import method_id, method_of
from polyscape.levels.store import Store
from polyscape.schemas import POINTS
from polyscape.settings.levels import Level
from polyscape.stages.rows import reduced_atoms
from polyscape.stages.single_point import point_row, predicted


def stored_points(
    landscape: pd.DataFrame, levels: Sequence[Level], store: Store, held: Collection[tuple[str, str]] = ()
) -> pd.DataFrame:
    """Stored single points of the distinct structures, at the methods of the ladder.

    Parameters
    ----------
    landscape : pandas.DataFrame
        Table `landscape`.
    levels : sequence of Level
        The ladder.
    store : Store
        Where results are looked for.
    held : collection of (structure id, level), optional
        Points that a slot holds already; they are left out.
    """
    rows = []
    for index in range(len(levels)):
        if (store.folder / method_id(levels, index)).is_dir():  # kept before methods were described
            store.describe(method_of(levels, index))
    for _, row in landscape[landscape["duplicate_of"].isna()].iterrows():
        wanted = [i for i, level in enumerate(levels) if (row["structure_id"], level.name) not in held]
        atoms = reduced_atoms({str(name): value for name, value in row.items()})
        for rung in stored(atoms, levels, wanted, store):
            values = point_row(row["structure_id"], int(row["formula_units"]), rung)
            rows.append(values | predicted(atoms, levels, rung))
    return POINTS.from_rows(rows)
