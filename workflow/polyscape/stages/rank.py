"""Stage rank: the ranking of the landscape at its highest level, and the measured calibration of its error
bars.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyscape.learn.calibration import NOMINAL, Calibration, calibrate
from polyscape.learn.protocol import Points, Posterior, Reals
from polyscape.learn.ranking import Ranking, rank_structures, ranks, relative_sd_ls
from polyscape.learn.registry import build_learner
from polyscape.schemas import CALIBRATION, RANKING
from polyscape.stages.lattice_energies import LandscapeData, LearningPlan, LearningTables, assemble

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


def rank(tables: LearningTables, plan: LearningPlan, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `ranking` and `calibration`; error bars are widened where leaving out shows them too
    narrow.
    """
    data = assemble(tables, plan)
    if data.landscape.empty:
        return RANKING.from_rows([]), CALIBRATION.from_rows([])
    learner = build_learner(plan.learning)
    calibrations = calibrate(learner, data.training)
    inflation_l = np.ones(len(data.levels))
    for calibration in calibrations:
        inflation_l[calibration.level] = calibration.inflation
    posterior = learner.fit(data.training)
    mean_ls = posterior.mean_ls() + data.added_ls
    everywhere = Points.at_level(len(data.levels) - 1, range(len(data.landscape)))
    K_ss = posterior.covariance_pp(everywhere, everywhere) * inflation_l[-1] ** 2
    generator = np.random.default_rng([seed, _RANKING_STREAM])
    known = np.flatnonzero(data.landscape.known_form.notna()).tolist()
    ranking = rank_structures(mean_ls[-1], K_ss, plan.learning.draws, generator, known)
    shown = _shown(data, mean_ls, posterior, inflation_l)
    top_sd_s = posterior.sd_ls()[-1] * inflation_l[-1]
    order = np.argsort(ranking.rank_s)
    forms = data.landscape.known_form.iloc[known].tolist()
    rows = [
        _row(s, data, shown, ranking) | _top(s, mean_ls[-1], top_sd_s) | _below(s, forms, ranking)
        for s in order
    ]
    return RANKING.from_rows(rows), _calibration_table(calibrations, data)


@dataclass(frozen=True)
class _Shown:
    """What the ranking shows of every level, arrays of shape (levels, structures); see `LEVEL_ENERGY_TYPE`."""

    value_ls: Reals
    sd_ls: Reals
    relative_ls: Reals
    sd_relative_ls: Reals
    rank_ls: NDArray[np.int64]


def _shown(data: LandscapeData, mean_ls: Reals, posterior: Posterior, inflation_l: Reals) -> _Shown:
    """Computed energies with the numerical noise, which two of them have independently; else the posterior's."""
    reference_l = mean_ls.argmin(axis=1)
    computed_ls = data.training.computed_ls
    noise_ls = np.full_like(mean_ls, posterior.noise_kJ_per_mol)
    noise_ls[0] = 0.0
    value_ls = np.where(computed_ls, data.training.value_ls + data.added_ls, mean_ls)
    levels = np.arange(len(mean_ls))
    both_ls = computed_ls & computed_ls[levels, reference_l][:, None]
    sd_relative_ls = np.where(
        both_ls, np.sqrt(2.0) * noise_ls, relative_sd_ls(posterior, reference_l) * inflation_l[:, None]
    )
    sd_relative_ls[levels, reference_l] = 0.0
    return _Shown(
        value_ls=value_ls,
        sd_ls=np.where(computed_ls, noise_ls, posterior.sd_ls() * inflation_l[:, None]),
        relative_ls=value_ls - value_ls[levels, reference_l][:, None],
        sd_relative_ls=sd_relative_ls,
        rank_ls=ranks(mean_ls),
    )


def _top(s: int, mean_s: Reals, sd_s: Reals) -> dict[str, float]:
    """The posterior at the highest level, by which the structures are ranked."""
    return {
        "lattice_energy_kJ_per_mol": mean_s[s],
        "relative_energy_kJ_per_mol": mean_s[s] - mean_s.min(),
        "sd_kJ_per_mol": sd_s[s],
    }


def _below(s: int, forms: Sequence[str], ranking: Ranking) -> dict[str, Any]:
    """The probabilities of lying below the known forms."""
    below = [
        {"known_form": form, "probability": float(probability)}
        for form, probability in zip(forms, ranking.p_below_ks[:, s], strict=True)
    ]
    return {"p_below_known_forms": below}


def _row(s: int, data: LandscapeData, shown: _Shown, ranking: Ranking) -> dict[str, Any]:
    """One structure's row of the ranking, without its energy at the highest level."""
    structure = data.landscape.iloc[s]
    return {
        "structure_id": structure.structure_id,
        "rank": int(ranking.rank_s[s]),
        "sd_relative_kJ_per_mol": ranking.sd_relative_s[s],
        "p_rank_1": ranking.p_first_s[s],
        "p_lowest_5": ranking.p_lowest_s[s],
        "p_lowest_10": ranking.p_more_s[s],
        "rank_low": int(ranking.rank_low_s[s]),
        "rank_high": int(ranking.rank_high_s[s]),
        "levels": [
            {
                "level": name,
                "lattice_energy_kJ_per_mol": shown.value_ls[index, s],
                "sd_kJ_per_mol": shown.sd_ls[index, s],
                "relative_energy_kJ_per_mol": shown.relative_ls[index, s],
                "sd_relative_kJ_per_mol": shown.sd_relative_ls[index, s],
                "computed": bool(data.training.computed_ls[index, s]),
                "rank": int(shown.rank_ls[index, s]),
            }
            for index, name in enumerate(data.levels)
        ],
        **{name: structure[name] for name in _COPIED},
    }


def _calibration_table(calibrations: Sequence[Calibration], data: LandscapeData) -> pd.DataFrame:
    """The table `calibration`; the intervals are those shown, inflation included."""
    return CALIBRATION.from_rows(
        {
            "level": data.levels[calibration.level],
            "method": calibration.method,
            "nominal_coverage": nominal,
            "found_coverage": calibration.coverage(nominal),
            "uninflated_coverage": replace(calibration, inflation=1.0).coverage(nominal),
            "points": len(calibration.error_p),
            "mae_kJ_per_mol": float(np.abs(calibration.error_p).mean()),
            "bias_kJ_per_mol": float(calibration.error_p.mean()),
            "mean_sd_kJ_per_mol": float(calibration.sd_p.mean()) * calibration.inflation,
            "inflation": calibration.inflation,
            "descriptor": data.descriptor,
        }
        for calibration in calibrations
        for nominal in NOMINAL
    )
