"""What came of a landscape, in lines for the terminal."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from polyscape.stages.known_forms import ORIGIN
from polyscape.status import Status


def findings(landscape: pd.DataFrame, minima: pd.DataFrame, forms: Sequence[str]) -> list[str]:
    """How many minimisations led to how many structures, and a line for each known form.

    Parameters
    ----------
    landscape, minima : pandas.DataFrame
        The tables of these names.
    forms : sequence of str
        Names of the known forms.
    """
    distinct = landscape[landscape.duplicate_of.isna()].reset_index(drop=True)
    trials = minima[minima.origin != ORIGIN]
    converged = int((trials.status == Status.OK).sum())
    counts = f"{len(trials)} minimisations, {converged} converged, {len(landscape)} in the window"
    rows = [{str(key): value for key, value in row.items()} for row in distinct.to_dict("records")]
    return [f"{counts}, {len(distinct)} distinct", *(_form_line(name, rows) for name in forms)]


def _form_line(name: str, distinct: Sequence[dict[str, Any]]) -> str:
    """What became of a known form; `distinct` are the structures by rising energy."""
    matches = [
        (row["origin"] == ORIGIN or not match["found"], _match_words(rank, row, match))
        for rank, row in enumerate(distinct, start=1)
        for match in (row["known_forms"] if row["known_forms"] is not None else ())
        if match["form"] == name
    ]
    if not any(not lost for lost, _ in matches) and not any("missed" in words for _, words in matches):
        matches.append((False, "not found by the search"))
    return f"known form {name}: {'; '.join(words for _, words in sorted(matches))}"


def _match_words(rank: int, row: dict[str, Any], match: dict[str, Any]) -> str:
    """A known form and one structure in words."""
    place = (
        f"{row['structure_id']}, rank {rank}, {row['relative_energy_kJ_per_mol']:.2f} kJ/mol above the lowest"
    )
    apart = "does not overlay"
    if match["rmsd_A"] is not None:
        apart = f"RMSD {match['rmsd_A']:.3f} A over {match['molecules']} molecules from"
    if row["origin"] == ORIGIN:
        return f"missed by the search; its own minimum is {place}, {apart} the published crystal"
    if match["found"]:
        return f"found as {place}, {apart} the published crystal"
    return f"its force-field minimum is {place}, {apart} the published crystal: not counted as found"
