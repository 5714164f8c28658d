"""Stage `search`: trial crystals of one chunk of a series, the Sobol' sequence of a space group and kind of crystal."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Conformers, Packing
from polyscape.ids import SEARCH, Chunk, trial_id
from polyscape.schemas import TRIALS
from polyscape.search.overlap import relieve
from polyscape.search.sampling import draw_packing, make_recipe, scramble_key, sobol_points
from polyscape.search.special import make_special
from polyscape.settings.search import Sampling
from polyscape.stages.rows import conformers_of, packing_values


def make_trials(
    molecule: pd.DataFrame,
    conformers: pd.DataFrame,
    series: tuple[SpaceGroup, Chunk],
    seed: int,
    sampling: Sampling,
    chirality: str = "racemic",
) -> pd.DataFrame:
    """The trial crystals of a chunk; a rejected trial keeps its row, with a status.

    Special positions that no molecule fits make an empty table.

    Parameters
    ----------
    molecule, conformers : pandas.DataFrame
        Tables `molecule` and `conformers`.
    series : (SpaceGroup, Chunk)
        Space group and setting, and which trials; trial i is the same in every chunk.
    seed : int
        The campaign's seed.
    sampling : Sampling
        How a trial is drawn.
    chirality : str
        ``racemic`` or ``enantiopure``.
    """
    rigid = conformers_of(molecule, conformers)
    group, chunk = series
    dimensions, draw = _source(rigid, series, sampling, chirality == "enantiopure")
    if not dimensions:
        return TRIALS.from_rows([])
    points = sobol_points(seed, scramble_key(group.number, chunk.kind), dimensions, chunk.start, chunk.count)
    rows: list[dict[str, Any]] = []
    for index, point in enumerate(points, start=chunk.start):
        relieved = relieve(draw(point), rigid, sampling.contact_factor, sampling.max_expansion)
        rows.append(
            {
                "trial_id": trial_id(group.number, index, chunk.kind),
                "sobol_index": index,
                **packing_values(relieved.packing, group.number, SEARCH),
                "volume_A3": relieved.packing.volume_A3,
                "expansion": relieved.expansion,
                "status": relieved.status,
            }
        )
    return TRIALS.from_rows(rows)


def _source(
    rigid: Conformers, series: tuple[SpaceGroup, Chunk], sampling: Sampling, enantiopure: bool
) -> tuple[int, Callable[[NDArray[np.float64]], Packing]]:
    """Axes of a Sobol' point of a series, and the crystal that a point means."""
    group, chunk = series
    if chunk.kind == "special":
        special = make_special(rigid, group, make_recipe(rigid, sampling, 1, enantiopure))
        return special.dimensions, special.draw
    recipe = make_recipe(rigid, sampling, chunk.kind, enantiopure)
    return recipe.dimensions, lambda point: draw_packing(point, group, recipe)
