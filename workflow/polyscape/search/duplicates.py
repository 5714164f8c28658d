"""Which minima are the same crystal: energy and density windows, then invariants, then RMSD_n for the grey zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from polyscape.search.similarity import LARGEST_AMD_SHARE, Fingerprint, overlay
from polyscape.settings.search import LandscapeSettings

_SURE_SHARE: Final = 1 / 15
"""Average minimum distances that agree within this share of the RMSD tolerance need no overlay: 0.01 A by default."""


@dataclass(frozen=True)
class Minimum:
    """A minimum as the search for duplicates sees it.

    Attributes
    ----------
    energy_kJ_per_mol : float
        Lattice energy.
    density_g_per_cm3 : float
        Density.
    fingerprint : Fingerprint
        The crystal prepared for comparison.
    """

    energy_kJ_per_mol: float
    density_g_per_cm3: float
    fingerprint: Fingerprint


def representatives(minima: Sequence[Minimum], settings: LandscapeSettings) -> list[int]:
    """For every minimum the index of the first one that is the same crystal (its own, when there is none).

    Every minimum is compared with the distinct structures before it only, so that what comes later (a longer search)
    changes nothing for those before: give the minima in the order of discovery.

    Parameters
    ----------
    minima : sequence of Minimum
        In the order of discovery.
    settings : LandscapeSettings
        The windows and the tolerance.
    """
    energy_s = np.array([minimum.energy_kJ_per_mol for minimum in minima])
    density_s = np.array([minimum.density_g_per_cm3 for minimum in minima])
    amd_sk = np.array([minimum.fingerprint.amd_k for minimum in minima])
    found: list[int] = []
    distinct: list[int] = []
    for index, minimum in enumerate(minima):
        earlier = np.array(distinct, int)
        near = np.abs(energy_s[earlier] - energy_s[index]) <= settings.duplicate_energy_kJ_per_mol
        near &= np.abs(density_s[earlier] - density_s[index]) <= settings.duplicate_density_g_per_cm3
        earlier = earlier[near]
        amd_distance = np.max(np.abs(amd_sk[earlier] - amd_sk[index]), axis=1, initial=0.0)
        same = _first_same(
            minimum, [(minima[i], d) for i, d in zip(earlier, amd_distance, strict=True)], settings
        )
        found.append(index if same is None else int(earlier[same]))
        if same is None:
            distinct.append(index)
    return found


def _first_same(
    minimum: Minimum, candidates: Sequence[tuple[Minimum, float]], settings: LandscapeSettings
) -> int | None:
    """Position of the candidate that is the same crystal: the surest by its invariants first."""
    tolerance = settings.duplicate_rmsd_A
    order = sorted(range(len(candidates)), key=lambda i: (candidates[i][1], i))
    for position in order:
        other, amd_distance = candidates[position]
        if amd_distance <= _SURE_SHARE * tolerance:
            return position
        if amd_distance > LARGEST_AMD_SHARE * tolerance:
            return None
        found = overlay(other.fingerprint, minimum.fingerprint, settings.overlay_molecules)
        if found.same(settings.overlay_molecules, tolerance):
            return position
    return None
