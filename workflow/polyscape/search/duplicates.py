"""Which minima are the same crystal: energy and density windows, then invariants, then overlays for the grey zone.

Every minimum is compared with distinct ones found before it only (`polyscape.ids.discovery_order`), so that a longer
search renames nothing, and the order in which minima are given does not matter.

1. Two minima whose energies, densities and pointwise distances (PDD) agree tightly are one crystal, without an overlay.
2. Of those left, pairs within the windows whose invariants do not exclude an overlay within the tolerance are grey.
3. Clusters of the grey pairs are overlaid (RMSD_n), side by side; a minimum joins the nearest that overlays.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from polyscape.crystal.pointwise import PointwiseDistances, pdd_distance_A, same_hand
from polyscape.ids import discovery_order
from polyscape.search.similarity import LARGEST_AMD_SHARE, Fingerprint, overlay
from polyscape.settings.search import LandscapeSettings

Chirality = Literal["racemic", "enantiopure"]
"""Whether a crystal and its mirror image are one structure."""

_SURE_SHARE: Final = 1 / 15
"""PDDs that agree within this share of the RMSD tolerance need no overlay: 0.01 A by default."""

_LARGEST_PDD_SHARE: Final = 1.75
"""Clusters that overlay within an RMSD r differ in their PDDs by less than this times r (docs/decisions/0042)."""

_SURE_ENERGY_KJ_PER_MOL: Final = 0.02
_SURE_DENSITY_G_PER_CM3: Final = 0.002
"""Minima converged from two starts differ by less; docs/decisions/0042 has the distances of overlaid pairs."""

_PAIRS_PER_TASK: Final = 50


@dataclass(frozen=True)
class Minimum:
    """A minimum as the search for duplicates sees it.

    Attributes
    ----------
    name : str
        Id of the trial or import, which tells when it was discovered.
    energy_kJ_per_mol : float
        Lattice energy; under pressure, enthalpy.
    density_g_per_cm3 : float
        Density.
    pdd : PointwiseDistances
        Its invariants.
    """

    name: str
    energy_kJ_per_mol: float
    density_g_per_cm3: float
    pdd: PointwiseDistances


@dataclass(frozen=True)
class Comparison:
    """How two minima are compared.

    Attributes
    ----------
    settings : LandscapeSettings
        Windows and tolerance.
    chirality : "racemic" or "enantiopure"
        Whether mirror images are one structure.
    cores : int
        Processes that overlay at a time; the result does not depend on it.
    """

    settings: LandscapeSettings
    chirality: Chirality = "racemic"
    cores: int = 1


def representatives(
    minima: Sequence[Minimum], crystal_of: Callable[[int], Fingerprint], comparison: Comparison
) -> list[int]:
    """For every minimum the index of the one that represents it (its own, when there is none before it).

    Parameters
    ----------
    minima : sequence of Minimum
        In any order.
    crystal_of : callable
        The crystal of a minimum, to be overlaid; asked for minima in the grey zone only.
    comparison : Comparison
        How they are compared.
    """
    if not minima:
        return []
    order = sorted(range(len(minima)), key=lambda i: discovery_order(minima[i].name))
    ordered = [minima[i] for i in order]
    first = _merged_without_overlay(ordered, comparison)
    grey = _grey_pairs(ordered, np.flatnonzero(first == np.arange(len(first))), comparison)
    same = _overlaid(grey, lambda i: crystal_of(order[i]), comparison)
    joined = {}
    for late, candidates in grey.items():
        near = (early for early in candidates if (early, late) in same and early not in joined)
        found = next(near, None)
        if found is not None:
            joined[late] = found
    result = [0] * len(minima)
    for position, index in enumerate(order):
        tight = int(first[position])
        result[index] = order[joined.get(tight, tight)]
    return result


def _merged_without_overlay(ordered: Sequence[Minimum], comparison: Comparison) -> NDArray[np.int64]:
    """For every minimum, in the order of discovery, the first that agrees with it tightly."""
    limit = _SURE_SHARE * comparison.settings.duplicate_rmsd_A
    sweep = _Sweep(
        ordered,
        min(_SURE_ENERGY_KJ_PER_MOL, comparison.settings.duplicate_energy_kJ_per_mol),
        min(_SURE_DENSITY_G_PER_CM3, comparison.settings.duplicate_density_g_per_cm3),
        limit,
    )
    first = np.arange(len(ordered))
    for late, minimum in enumerate(ordered):
        for early in sweep.near(late):
            if comparison.chirality == "enantiopure" and not same_hand(ordered[early].pdd, minimum.pdd):
                continue
            if pdd_distance_A(ordered[early].pdd, minimum.pdd) <= limit:
                first[late] = early
                break
        if first[late] == late:
            sweep.add(late)
    return first


def _grey_pairs(
    ordered: Sequence[Minimum], distinct: NDArray[np.int64], comparison: Comparison
) -> dict[int, list[int]]:
    """For every minimum left, those before it that may overlay, the surest by its average distances first."""
    settings = comparison.settings
    limit = LARGEST_AMD_SHARE * settings.duplicate_rmsd_A
    sweep = _Sweep(ordered, settings.duplicate_energy_kJ_per_mol, settings.duplicate_density_g_per_cm3, limit)
    found: dict[int, list[int]] = {}
    for late in map(int, distinct):
        found[late] = [
            early
            for early in sweep.near(late)
            if pdd_distance_A(ordered[early].pdd, ordered[late].pdd)
            <= _LARGEST_PDD_SHARE * settings.duplicate_rmsd_A
            and (
                comparison.chirality == "racemic"
                or same_hand(ordered[early].pdd, ordered[late].pdd) is not False
            )
        ]
        sweep.add(late)
    return found


def _overlaid(
    grey: Mapping[int, Sequence[int]], crystal_of: Callable[[int], Fingerprint], comparison: Comparison
) -> set[tuple[int, int]]:
    """The grey pairs, earlier first, whose clusters overlay within the tolerance."""
    pairs = sorted((early, late) for late, candidates in grey.items() for early in candidates)
    blocks = [pairs[i : i + _PAIRS_PER_TASK] for i in range(0, len(pairs), _PAIRS_PER_TASK)]
    tasks = ((block, {i: crystal_of(i) for pair in block for i in pair}, comparison) for block in blocks)
    if comparison.cores == 1 or len(blocks) == 1:
        return {pair for task in tasks for pair in _same_of_block(task)}
    with ProcessPoolExecutor(comparison.cores) as pool:
        return {pair for pairs in pool.map(_same_of_block, tasks) for pair in pairs}


def _same_of_block(
    task: tuple[Sequence[tuple[int, int]], Mapping[int, Fingerprint], Comparison],
) -> list[tuple[int, int]]:
    pairs, crystals, comparison = task
    molecules, tolerance = comparison.settings.overlay_molecules, comparison.settings.duplicate_rmsd_A
    mirror = comparison.chirality == "racemic"
    return [
        (early, late)
        for early, late in pairs
        if overlay(crystals[early], crystals[late], molecules, mirror).same(molecules, tolerance)
    ]


class _Sweep:
    """Finds the distinct minima within windows of energy, density and average minimum distances.

    Minima are kept by rising energy; those of a window are a run of neighbours, scanned in compiled code.
    """

    def __init__(self, minima: Sequence[Minimum], energy: float, density: float, amd_A: float) -> None:
        energy_s = np.array([minimum.energy_kJ_per_mol for minimum in minima])
        self._by_energy = np.argsort(energy_s, kind="stable")
        self._place = np.argsort(self._by_energy)
        rising_s = energy_s[self._by_energy]
        self._low = np.searchsorted(rising_s, rising_s - energy, side="left")
        self._high = np.searchsorted(rising_s, rising_s + energy, side="right")
        self._density_s = np.array([minima[i].density_g_per_cm3 for i in self._by_energy])
        self._amd_sk = np.array([minima[i].pdd.amd_k for i in self._by_energy])
        self._present = np.zeros(len(minima), bool)
        self._windows = (density, amd_A)

    def add(self, index: int) -> None:
        """Count a minimum among the distinct ones."""
        self._present[self._place[index]] = True

    def near(self, index: int) -> Iterator[int]:
        """The distinct minima within the windows: nearest average distances first, then the earliest."""
        place = self._place[index]
        span = (self._low[place], self._high[place])
        found, distance = _near(place, span, self._present, self._density_s, self._amd_sk, self._windows)
        original = self._by_energy[found]
        return (int(original[i]) for i in np.lexsort((original, distance)))


@njit(cache=True, nogil=True)
def _near(place, span, present_s, density_s, amd_sk, windows):
    """Places within a span that are present and within the windows of one, and their largest AMD difference."""
    found = np.empty(span[1] - span[0], np.int64)
    distance = np.empty(span[1] - span[0])
    count = 0
    for s in range(span[0], span[1]):
        if not present_s[s] or abs(density_s[s] - density_s[place]) > windows[0]:
            continue
        largest = 0.0
        for k in range(amd_sk.shape[1] - 1, -1, -1):  # far neighbours differ most
            largest = max(largest, abs(amd_sk[s, k] - amd_sk[place, k]))
            if largest > windows[1]:
                break
        if largest <= windows[1]:
            found[count], distance[count] = s, largest
            count += 1
    return found[:count], distance[:count]
