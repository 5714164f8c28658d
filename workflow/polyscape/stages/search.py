"""Stage `search`: trial crystals of one chunk of one space group's Sobol' sequence."""

from typing import Any

import pandas as pd

from polyscape.crystal.groups import SpaceGroup
from polyscape.ids import Chunk, trial_id
from polyscape.schemas import TRIALS
from polyscape.search.overlap import relieve
from polyscape.search.sampling import draw_packing, make_recipe, sobol_points
from polyscape.settings.search import Sampling
from polyscape.stages.rows import conformers_of, packing_values


def make_trials(
    molecule: pd.DataFrame,
    conformers: pd.DataFrame,
    group: SpaceGroup,
    chunk: Chunk,
    seed: int,
    sampling: Sampling,
) -> pd.DataFrame:
    """The trial crystals of a chunk; a rejected trial keeps its row, with a status.

    Parameters
    ----------
    molecule, conformers : pandas.DataFrame
        Tables `molecule` and `conformers`.
    group : SpaceGroup
        Space group and setting.
    chunk : Chunk
        Which trials; trial i is the same in every chunk.
    seed : int
        The campaign's seed.
    sampling : Sampling
        How a trial is drawn.
    """
    rigid = conformers_of(molecule, conformers)
    recipe = make_recipe(rigid, sampling)
    points = sobol_points(seed, group.number, recipe.dimensions, chunk.start, chunk.count)
    rows: list[dict[str, Any]] = []
    for index, point in enumerate(points, start=chunk.start):
        drawn = draw_packing(point, group, recipe)
        relieved = relieve(drawn, rigid, sampling.contact_factor, sampling.max_expansion)
        rows.append(
            {
                "trial_id": trial_id(group.number, index),
                "sobol_index": index,
                **packing_values(relieved.packing, group.number, "search"),
                "volume_A3": relieved.packing.volume_A3,
                "expansion": relieved.expansion,
                "status": relieved.status,
            }
        )
    return TRIALS.from_rows(rows)
