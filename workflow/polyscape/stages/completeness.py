"""The table `completeness`: how the structures of each series of trials were found, and how many may be missing."""

from collections.abc import Hashable
from typing import Any, Final

import pandas as pd

from polyscape.schemas import COMPLETENESS
from polyscape.search.completeness import growth

ALL_SERIES: Final = "all"
_TRIAL: Final = r"^(\d{3}\w*)-(\d{7})$"


def make_completeness(landscape: pd.DataFrame, minima: pd.DataFrame) -> pd.DataFrame:
    """Coverage and rate of new structures of every series at fixed numbers of trials, and of all series together.

    Imported crystals and known forms are no trials and do not count.

    Parameters
    ----------
    landscape, minima : pandas.DataFrame
        The tables of these names.
    """
    tried = _trials(minima.trial_id)
    found = _trials(landscape.structure_id)
    own = landscape.structure_id
    found["structure"] = landscape.duplicate_of.where(landscape.duplicate_of.notna(), own)
    found = found.dropna(subset="series")
    rows: list[dict[str, Any]] = []
    for series, trials in tried.dropna(subset="series").groupby("series", sort=True):
        rows += _rows(str(series), trials, found[found.series == series])
    if rows:
        rows += _rows(ALL_SERIES, tried.dropna(subset="series"), found)
    return COMPLETENESS.from_rows(rows)


def _trials(names: "pd.Series[str]") -> pd.DataFrame:
    """Series and Sobol' index of each trial; missing for what is no trial."""
    frame = names.astype(str).str.extract(_TRIAL)
    frame.columns = pd.Index(["series", "index"])
    return frame


def _rows(series: str, tried: pd.DataFrame, found: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of one series; `trials` counts those below each checkpoint."""
    index_t = tried["index"].astype(int)
    hits: list[tuple[int, Hashable]] = list(
        zip(found["index"].astype(int), found["structure"].astype(str), strict=True)
    )
    rows, before = [], 0
    for step in growth(hits, int(index_t.max()) + 1):
        trials = int((index_t < step.below).sum())
        rows.append(
            {
                "series": series,
                "below": step.below,
                "trials": trials,
                "hits": step.found.hits,
                "distinct": step.found.distinct,
                "found_once": step.found.once,
                "found_twice": step.found.twice,
                "new_structures": step.new,
                "new_per_1000_trials": 1000.0 * step.new / (trials - before) if trials > before else 0.0,
                "coverage": step.found.coverage,
                "coverage_sd": step.found.sd,
            }
        )
        before = trials
    return rows
