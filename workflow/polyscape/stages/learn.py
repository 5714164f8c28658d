"""Stage learn: the posterior of every distinct structure at every level, from the points made so far."""

import pandas as pd

from polyscape.learn.ranking import relative_sd_ls
from polyscape.learn.registry import build_learner
from polyscape.schemas import POSTERIOR
from polyscape.stages.lattice_energies import LearningPlan, LearningTables, assemble


def learn(tables: LearningTables, plan: LearningPlan) -> pd.DataFrame:
    """The table `posterior` after a round."""
    data = assemble(tables, plan)
    if data.landscape.empty:
        return POSTERIOR.from_rows([])
    posterior = build_learner(plan.learning).fit(data.training)
    mean_ls, sd_ls = posterior.mean_ls() + data.added_ls, posterior.sd_ls()
    relative_ls = relative_sd_ls(posterior, mean_ls.argmin(axis=1))
    computed_ls = data.training.computed_ls
    return POSTERIOR.from_rows(
        {
            "structure_id": name,
            "level": level,
            "mean_kJ_per_mol": mean_ls[index, s],
            "sd_kJ_per_mol": sd_ls[index, s],
            "sd_relative_kJ_per_mol": relative_ls[index, s],
            "computed": bool(computed_ls[index, s]),
            "descriptor": data.descriptor,
        }
        for s, name in enumerate(data.landscape.structure_id)
        for index, level in enumerate(data.levels)
    )
