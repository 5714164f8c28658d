"""The accounts of a campaign, from its tables: the search, the single points, the rounds, the costs, the calibration."""

import re
from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from polyscape.crystal.groups import SpaceGroup
from polyscape.ids import IMPORT
from polyscape.report.model import (
    CalibrationRow,
    Completeness,
    Cost,
    GroupSearch,
    LevelPoints,
    RoundState,
    Search,
)
from polyscape.stages.completeness import ALL_SERIES
from polyscape.stages.costs import WITHIN
from polyscape.status import Status

_LOW_WINDOW_KJ_PER_MOL = 10.0
"""Polymorphs lie within about 10 kJ/mol of the lowest structure; rounds are judged by what they tell about these."""

_LEFT_OUT = {"leave_one_out": "one left out", "k_fold": "a tenth left out"}
"""What the ways of the learner's cross-validation are called."""

_SERIES = rf"^(\d{{3}}(?:s|z\d)?|{IMPORT}-.+)-\d{{7}}$"
"""The ids of trials and of imported crystals, without the index."""


def search(
    landscape: pd.DataFrame, trials: pd.DataFrame, minima: pd.DataFrame, completeness: pd.DataFrame
) -> Search:
    """Counts by series of trials, then by imported file; trials and failures only when those tables were given.

    Known forms are counted nowhere.  How complete the search is, its own trials tell: no imported crystals.
    """
    failed = pd.concat([trials.status, minima.status[minima.status != Status.SKIPPED]])
    failures = failed[failed != Status.OK].value_counts()
    together = completeness.series == ALL_SERIES
    return Search(
        groups=_groups(landscape, trials, minima),
        failures=tuple(sorted((str(status), int(count)) for status, count in failures.items())),
        series=_completeness(completeness[~together].drop_duplicates("series", keep="last")),
        growth=_completeness(completeness[together]),
    )


def _completeness(rows: pd.DataFrame) -> tuple[Completeness, ...]:
    """Rows of the table `completeness` for the page."""
    return tuple(
        Completeness(
            series=str(row["series"]),
            **{
                name: int(row[name])
                for name in ("trials", "hits", "distinct", "found_once", "new_structures")
            },
            new_per_1000_trials=float(row["new_per_1000_trials"]),
            coverage=real(row["coverage"]),
            coverage_sd=real(row["coverage_sd"]),
        )
        for row in rows.to_dict("records")
    )


def _groups(landscape: pd.DataFrame, trials: pd.DataFrame, minima: pd.DataFrame) -> tuple[GroupSearch, ...]:
    """Every series of trials by kind and space group, then every imported file."""
    series_s, series_t, series_n = (
        _series(ids) for ids in (landscape.structure_id, trials.trial_id, minima.trial_id)
    )
    named = (series_t if len(trials) else series_s).dropna().unique()
    return tuple(
        _group(name, landscape[series_s == name], trials[series_t == name], minima[series_n == name])
        for name in sorted(map(str, named), key=_series_order)
    )


def _series(ids: pd.Series) -> pd.Series:
    """Series of each trial, or ``import-<file>``; missing for known forms."""
    return ids.astype(str).str.extract(_SERIES, expand=False)


def _series_order(name: str) -> tuple[bool, str, str]:
    """One formula unit on general positions first, then special positions, more formula units, imports."""
    return name.startswith(IMPORT), name[3:], name


def _group(name: str, inside: pd.DataFrame, trials: pd.DataFrame, minima: pd.DataFrame) -> GroupSearch:
    """What became of one series, whatever symmetry the minima have that its trials led to."""
    distinct = inside[inside.duplicate_of.isna()]
    symbol, number, kind = _words(name, trials)
    return GroupSearch(
        symbol=symbol,
        number=number,
        kind=kind,
        trials=len(trials) if len(trials) else None,
        accepted=int((trials.status == Status.OK).sum()) if len(trials) else None,
        converged=int((minima.status == Status.OK).sum()) if len(minima) else None,
        in_window=len(inside),
        distinct=len(distinct),
        hits=int(distinct.hits.sum()),
    )


def _words(name: str, trials: pd.DataFrame) -> tuple[str, int | None, str]:
    """Symbol and number of the space group of a series, and its kind; an imported file's name."""
    if name.startswith(IMPORT):
        return name.removeprefix(f"{IMPORT}-"), None, "imported"
    number, kind = int(name[:3]), name[3:]
    group = SpaceGroup.from_hall(trials.hall_symbol.iloc[0]) if len(trials) else SpaceGroup.find(number)
    kinds = {"": "Z\N{PRIME} = 1", "s": "special"}
    return screw_axes_marked(group), number, kinds.get(kind, f"Z\N{PRIME} = {kind[1:]}")


def screw_axes_marked(group: SpaceGroup) -> str:
    """Short Hermann-Mauguin symbol with the translation of a screw axis behind an underscore, ``P2_1/c``."""
    letter, *directions = group.symbol_extended.split(":")[0].split()
    if group.crystal_system == "monoclinic":
        directions = [direction for direction in directions if direction != "1"]
    return letter + "".join(re.sub("^([2346])([1-5])", r"\1_\2", direction) for direction in directions)


def level_points(points: pd.DataFrame, level: str) -> LevelPoints:
    """What became of a level's single points; of repeated ones the good count before the failed, the computed first."""
    own = points[(points.level == level) & ~points.structure_id.str.startswith("molecule:")]
    order = pd.DataFrame({"failed": own.status != Status.OK, "stored": own.source != "computed"})
    own = own.loc[order.sort_values(["failed", "stored"], kind="stable").index].drop_duplicates(
        "structure_id"
    )
    good = own[own.status == Status.OK]
    failed = own[own.status != Status.OK].sort_values("structure_id")
    messages = failed.message.where(failed.message.notna(), failed.status)
    return LevelPoints(
        level=level,
        computed=int((good.source == "computed").sum()),
        from_store=int((good.source == "store").sum()),
        failed=tuple(zip(failed.structure_id, map(str, messages), strict=True)),
    )


def rounds(posteriors: tuple[pd.DataFrame, ...], levels: tuple[str, ...]) -> tuple[RoundState, ...]:
    """How the uncertainty of the low structures at the highest level fell from round to round."""
    states = []
    for index, posterior in enumerate(posteriors):
        top = posterior[posterior.level == levels[-1]]
        if top.empty:
            continue
        low = top[top.mean_kJ_per_mol <= top.mean_kJ_per_mol.min() + _LOW_WINDOW_KJ_PER_MOL]
        states.append(
            RoundState(
                round=index,
                computed=tuple(
                    int(posterior.computed[posterior.level == level].sum()) for level in levels[1:]
                ),
                median_sd_kJ_per_mol=float(np.median(low.sd_relative_kJ_per_mol)),
                leader=str(top.structure_id.iloc[int(np.argmin(top.mean_kJ_per_mol.to_numpy()))]),
            )
        )
    return tuple(states)


def costs(ledger: pd.DataFrame) -> tuple[Cost, ...]:
    """The ledger by stage and level; a level's price for every structure stands with its single points."""
    full: dict[str, float] = {}
    paid: dict[tuple[str, str], list[dict[Hashable, Any]]] = {}
    for row in ledger.to_dict("records"):
        level = text(row["level"]) or ""
        if row["kind"] == "full":
            full[level] = full.get(level, 0.0) + float(row["core_s"])
        else:
            paid.setdefault((str(row["stage"]), level), []).append(row)
    costs = []
    for (stage, level), jobs in paid.items():
        memories = [memory for memory in (real(job["peak_memory_MB"]) for job in jobs) if memory is not None]
        costs.append(
            Cost(
                name=stage,
                level=level or None,
                jobs=len(jobs),
                points=sum(int(job["points"]) for job in jobs),
                core_s=sum(float(job["core_s"]) for job in jobs),
                peak_memory_MB=max(memories, default=None),
                found_core_s=sum(float(job["found_core_s"]) for job in jobs),
                full_core_s=full.pop(level, None) if stage == "single_point" else None,
                unusable=sum(text(job["status"]) not in (None, Status.OK) for job in jobs),
                retries=sum(int(real(job["retries"]) or 0) for job in jobs),
                lost_core_s=sum(real(job["lost_core_s"]) or 0.0 for job in jobs),
                **_predicted(jobs),
            )
        )
    costs.extend(Cost("not computed", level or None, 0, 0, 0.0, None, price) for level, price in full.items())
    return tuple(costs)


def _predicted(jobs: list[dict[Hashable, Any]]) -> dict[str, int]:
    """How many points have a prediction, and how many of these are close to it."""
    pairs = [(float(job["core_s"]), real(job["predicted_core_s"])) for job in jobs]
    factors = [core_s / predicted for core_s, predicted in pairs if predicted and core_s > 0]
    close = sum(1 / WITHIN <= factor <= WITHIN for factor in factors)
    return {"predicted": len(factors), "well_predicted": close}


def calibration(table: pd.DataFrame) -> tuple[CalibrationRow, ...]:
    """The lines of the learner's cross-validation."""
    return tuple(
        CalibrationRow(
            level=f"{row['level']}, {_LEFT_OUT[row['method']]}",
            nominal=float(row["nominal_coverage"]),
            observed=float(row["found_coverage"]),
            uninflated=float(row["uninflated_coverage"]),
            points=int(row["points"]),
            mean_error_kJ_per_mol=float(row["mae_kJ_per_mol"]),
            inflation=float(row["inflation"]),
        )
        for row in table.to_dict("records")
    )


def real(value: Any) -> float | None:
    """A number, or None for a missing one."""
    return None if pd.isna(value) else float(value)


def text(value: Any) -> str | None:
    """A text, or None for a missing one."""
    return None if pd.isna(value) else str(value)
