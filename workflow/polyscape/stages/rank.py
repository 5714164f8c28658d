"""Stage rank: the ranking of the landscape at its highest level, and the measured calibration of its error
bars.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from polyscape.learn.calibration import NOMINAL, Calibration, leave_one_out
from polyscape.learn.protocol import Points
from polyscape.learn.ranking import Ranking, rank_structures, ranks
from polyscape.learn.registry import build_learner
from polyscape.schemas import CALIBRATION, RANKING
from polyscape.settings.learning import LearningSettings
from polyscape.settings.levels import Level
from polyscape.settings.molecule import Component
from polyscape.stages.lattice_energies import LandscapeData, LearningTables, assemble

_COPIED = (
    "density_g_per_cm3",
    "symmetry_found",
    "z_prime_found",
    "atoms_in_reduced_cell",
    "hits",
    "known_form",
)
_RANKING_STREAM = 20
"""Separates the ranking's random numbers from those of other stages with the same seed."""


def rank(
    tables: LearningTables,
    levels: Sequence[Level],
    components: Sequence[Component],
    settings: LearningSettings,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `ranking` and `calibration`; error bars are widened where leaving out shows them too
    narrow.
    """
    data = assemble(tables, levels, components)
    if data.landscape.empty:
        return RANKING.from_rows([]), CALIBRATION.from_rows([])
    learner = build_learner(settings)
    calibrations = leave_one_out(learner, data.training)
    inflation_l = np.ones(len(data.levels))
    for calibration in calibrations:
        inflation_l[calibration.level] = calibration.inflation
    posterior = learner.fit(data.training)
    mean_ls = posterior.mean_ls() + data.dispersion_ls
    sd_ls = posterior.sd_ls() * inflation_l[:, None]
    everywhere = Points.at_level(len(data.levels) - 1, range(len(data.landscape)))
    K_ss = posterior.covariance_pp(everywhere, everywhere) * inflation_l[-1] ** 2
    generator = np.random.default_rng([seed, _RANKING_STREAM])
    ranking = rank_structures(mean_ls[-1], K_ss, settings.draws, generator)
    rows = [_row(s, data, mean_ls, sd_ls, ranking) for s in np.argsort(ranking.rank_s)]
    return RANKING.from_rows(rows), _calibration_table(calibrations, data.levels)


def _row(
    s: int, data: LandscapeData, mean_ls: np.ndarray, sd_ls: np.ndarray, ranking: Ranking
) -> dict[str, Any]:
    """One structure's row of the ranking."""
    structure = data.landscape.iloc[s]
    rank_ls = ranks(mean_ls)
    return {
        "structure_id": structure.structure_id,
        "rank": int(ranking.rank_s[s]),
        "lattice_energy_kJ_per_mol": mean_ls[-1, s],
        "relative_energy_kJ_per_mol": mean_ls[-1, s] - mean_ls[-1].min(),
        "sd_kJ_per_mol": sd_ls[-1, s],
        "sd_relative_kJ_per_mol": ranking.sd_relative_s[s],
        "p_rank_1": ranking.p_first_s[s],
        "p_lowest_5": ranking.p_lowest_s[s],
        "rank_low": int(ranking.rank_low_s[s]),
        "rank_high": int(ranking.rank_high_s[s]),
        "levels": [
            {
                "level": name,
                "lattice_energy_kJ_per_mol": mean_ls[index, s],
                "sd_kJ_per_mol": sd_ls[index, s],
                "computed": bool(data.training.computed_ls[index, s]),
                "rank": int(rank_ls[index, s]),
            }
            for index, name in enumerate(data.levels)
        ],
        **{name: structure[name] for name in _COPIED},
    }


def _calibration_table(calibrations: Sequence[Calibration], levels: Sequence[str]) -> pd.DataFrame:
    """The table `calibration`."""
    return CALIBRATION.from_rows(
        {
            "level": levels[calibration.level],
            "nominal_coverage": nominal,
            "found_coverage": calibration.coverage(nominal),
            "points": len(calibration.error_p),
            "mae_kJ_per_mol": float(np.abs(calibration.error_p).mean()),
            "bias_kJ_per_mol": float(calibration.error_p.mean()),
            "mean_sd_kJ_per_mol": float(calibration.sd_p.mean()) * calibration.inflation,
            "inflation": calibration.inflation,
        }
        for calibration in calibrations
        for nominal in NOMINAL
    )
