"""Known crystal forms among the structures of a landscape."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from polyscape.search.powder import PowderPattern, powder_pattern, powder_similarity
from polyscape.search.similarity import LARGEST_AMD_SHARE, Fingerprint, Overlay, overlay
from polyscape.settings.search import LandscapeSettings

_DENSITY_SHARE: Final = 0.15
"""A force field's minimum is within this share of the experimental density (thermal expansion is 2-5 %)."""

_APART: Final = Overlay(0, float("inf"))
"""No molecule of the one lies on the other."""


@dataclass(frozen=True)
class Structure:
    """A distinct structure of the landscape.

    Attributes
    ----------
    density_g_per_cm3 : float
        Density.
    fingerprint : Fingerprint
        The crystal prepared for comparison.
    """

    density_g_per_cm3: float
    fingerprint: Fingerprint


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
    """A structure of the landscape that is, or comes from, a known form.

    Attributes
    ----------
    index : int
        Which structure.
    found : bool
        Whether its whole cluster overlays the crystal as published.
    experimental : Overlay
        Against the crystal as published.
    minimised : Overlay or None
        Against the form's force-field minimum.
    powder_similarity : float
        Of the powder patterns of the structure and the crystal as published, 0 to 1.
    """

    index: int
    found: bool
    experimental: Overlay
    minimised: Overlay | None
    powder_similarity: float = 0.0


def find_form(form: Form, structures: Sequence[Structure], settings: LandscapeSettings) -> tuple[Match, ...]:
    """The structure that is a known form, and the one that is the form's force-field minimum.

    A form is found when a structure's whole cluster overlays the published crystal.  Of several such, the one that is
    the form's own force-field minimum is meant, else the nearest.  A form that collapses under the force field has a
    minimum that is another packing: that structure is returned as well, and is not the form.

    Parameters
    ----------
    form : Form
        The form.
    structures : sequence of Structure
        The distinct structures.
    settings : LandscapeSettings
        Molecules of the cluster and tolerances.

    Returns
    -------
    tuple of Match
        The found structure first, if any; then the form's minimum where that does not overlay the published crystal.
    """
    matches = [_compared(form, index, structure, settings) for index, structure in enumerate(structures)]
    found = [match for match in matches if match.found]
    best = min(found, key=lambda match: _preference(match, settings), default=None)
    lost = [match for match in matches if not match.found and _is_minimum(match, settings)]
    minimum = min(lost, key=lambda match: _preference(match, settings), default=None)
    return tuple(
        replace(match, powder_similarity=_powder_similarity(form, structures[match.index]))
        for match in (best, minimum)
        if match is not None
    )


def _powder_similarity(form: Form, structure: Structure) -> float:
    return powder_similarity(_pattern(form.experimental), _pattern(structure.fingerprint))


def _pattern(crystal: Fingerprint) -> PowderPattern:
    molecules = crystal.molecules()
    numbers_a, position_av = np.concatenate(molecules.number_ma), np.concatenate(molecules.position_mav)
    return powder_pattern(numbers_a, position_av, molecules.cell_cv)


def _compared(form: Form, index: int, structure: Structure, settings: LandscapeSettings) -> Match:
    wanted, experimental, minimised = settings.overlay_molecules, _APART, None
    if abs(structure.density_g_per_cm3 / form.density_g_per_cm3 - 1) <= _DENSITY_SHARE:
        experimental = _overlay_within(
            form.experimental, structure.fingerprint, wanted, settings.match_rmsd_A
        )
    if form.minimised is not None:
        minimised = _overlay_within(form.minimised, structure.fingerprint, wanted, settings.duplicate_rmsd_A)
    match = Match(index, experimental.same(wanted, settings.match_rmsd_A), experimental, minimised)
    if match.found or not _is_minimum(match, settings):
        return match
    return replace(match, experimental=overlay(form.experimental, structure.fingerprint, wanted))


def _overlay_within(one: Fingerprint, other: Fingerprint, molecules: int, rmsd_A: float) -> Overlay:
    """The overlay of two crystals; none is tried where the invariants exclude one within the RMSD."""
    if one.amd_distance_A(other) > LARGEST_AMD_SHARE * rmsd_A:
        return _APART
    return overlay(one, other, molecules)


def _is_minimum(match: Match, settings: LandscapeSettings) -> bool:
    tight = (settings.overlay_molecules, settings.duplicate_rmsd_A)
    return match.minimised is not None and match.minimised.same(*tight)


def _preference(match: Match, settings: LandscapeSettings) -> tuple[bool, float, int]:
    if match.minimised is not None and _is_minimum(match, settings):
        return False, match.minimised.rmsd_A, match.index
    return True, match.experimental.rmsd_A, match.index
