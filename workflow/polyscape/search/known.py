"""Known crystal forms among the structures of a landscape."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from polyscape.search.duplicates import Minimum
from polyscape.search.similarity import LARGEST_AMD_SHARE, Fingerprint, Overlay, overlay
from polyscape.settings.search import LandscapeSettings

_DENSITY_SHARE: Final = 0.15
"""A force field's minimum is within this share of the experimental density (thermal expansion is 2-5 %)."""


@dataclass(frozen=True)
class Form:
    """A known form to look for.

    Attributes
    ----------
    name : str
        Its name.
    density_g_per_cm3 : float
        Experimental density.
    experimental : Fingerprint
        The crystal as published.
    minimised : Fingerprint or None
        The crystal at its force-field minimum; None when the minimisation failed.
    """

    name: str
    density_g_per_cm3: float
    experimental: Fingerprint
    minimised: Fingerprint | None


@dataclass(frozen=True)
class Match:
    """A structure of the landscape that is a known form.

    Attributes
    ----------
    index : int
        Which structure.
    experimental : Overlay
        Against the crystal as published.
    minimised : Overlay or None
        Against the form's force-field minimum.
    """

    index: int
    experimental: Overlay
    minimised: Overlay | None


def find_form(form: Form, structures: Sequence[Minimum], settings: LandscapeSettings) -> Match | None:
    """The structure that is a known form, or None when the search missed it.

    Of the structures whose cluster overlays the published crystal, the form's own force-field minimum is the match,
    whatever else resembles it; when that is not among them, the nearest one.

    Parameters
    ----------
    form : Form
        The form.
    structures : sequence of Minimum
        The distinct structures.
    settings : LandscapeSettings
        Molecules of the cluster and tolerances.
    """
    wanted, candidates = settings.overlay_molecules, []
    for index, structure in enumerate(structures):
        misfit = abs(structure.density_g_per_cm3 / form.density_g_per_cm3 - 1)
        if misfit > _DENSITY_SHARE:
            continue
        experimental = _overlay_within(
            form.experimental, structure.fingerprint, wanted, settings.match_rmsd_A
        )
        near = experimental.same(wanted, settings.match_rmsd_A)
        minimised = None
        if form.minimised is not None:
            minimised = _overlay_within(form.minimised, structure.fingerprint, wanted, settings.match_rmsd_A)
        if near or (minimised is not None and minimised.same(wanted, settings.duplicate_rmsd_A)):
            candidates.append(Match(index, experimental, minimised))
    return min(candidates, key=lambda match: _preference(match, settings), default=None)


def _overlay_within(one: Fingerprint, other: Fingerprint, molecules: int, rmsd_A: float) -> Overlay:
    """The overlay of two crystals; none is tried where the invariants exclude one within the RMSD."""
    if one.amd_distance_A(other) > LARGEST_AMD_SHARE * rmsd_A:
        return Overlay(0, float("inf"))
    return overlay(one, other, molecules)


def _preference(match: Match, settings: LandscapeSettings) -> tuple[bool, float, int]:
    tight = match.minimised is not None and match.minimised.same(
        settings.overlay_molecules, settings.duplicate_rmsd_A
    )
    return (
        not tight,
        match.minimised.rmsd_A if tight and match.minimised else match.experimental.rmsd_A,
        match.index,
    )
