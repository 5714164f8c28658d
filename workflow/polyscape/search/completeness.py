"""How complete a search is: hits of each minimum and the Good-Turing estimate of coverage, as trials are added.

With n_r structures hit r times among N hits, the chance that the next hit falls on a structure already found is

    C = 1 - n_1 / N,    sd(C) = sqrt(n_1 (1 - n_1 / N) + 2 n_2) / N.

It is decided at fixed numbers of trials, in the order of each series' Sobol' sequence and from the trials below each
number only, so that chunks change nothing.

References
----------
I. J. Good, Biometrika 40 (1953) 237, https://doi.org/10.1093/biomet/40.3-4.237, eq. 9 (the coverage).
W. W. Esty, Ann. Statist. 11 (1983) 905-912, https://doi.org/10.1214/aos/1176346256 (its standard deviation).
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

FIRST_CHECKPOINT: Final = 128
"""Fewer trials say nothing; a Sobol' sequence is balanced at powers of two."""

FEWEST_HITS: Final = 50
"""Coverage from fewer hits is not trusted to end a search: its standard deviation is up to 0.1."""


@dataclass(frozen=True)
class Coverage:
    """The completeness of a series of hits.

    Attributes
    ----------
    hits : int
        Trials that led to a minimum in the energy window.
    distinct : int
        Structures that they fell on.
    once, twice : int
        Structures hit exactly so often.
    """

    hits: int
    distinct: int
    once: int
    twice: int

    @property
    def coverage(self) -> float | None:
        """Good's estimate of the chance that the next hit falls on a structure already found; None without hits."""
        return 1.0 - self.once / self.hits if self.hits else None

    @property
    def sd(self) -> float | None:
        """Standard deviation of the estimate; None without hits."""
        if not self.hits:
            return None
        variance = self.once * (1.0 - self.once / self.hits) + 2.0 * self.twice
        return float(np.sqrt(variance)) / self.hits


def good_turing(structures: Iterable[Hashable]) -> Coverage:
    """The coverage of hits, each named by the structure that it fell on."""
    times = Counter(structures)
    often = Counter(times.values())
    return Coverage(sum(times.values()), len(times), often[1], often[2])


def checkpoints(trials: int) -> list[int]:
    """The numbers of trials at which completeness is judged: 128 and its doublings, up to `trials`."""
    doublings = []
    count = FIRST_CHECKPOINT
    while count <= trials:
        doublings.append(count)
        count *= 2
    return doublings


@dataclass(frozen=True)
class Growth:
    """What a series had found after a number of trials.

    Attributes
    ----------
    below : int
        Trials with a smaller Sobol' index count.
    new : int
        Structures found since the checkpoint before.
    found : Coverage
        Completeness of all hits below.
    """

    below: int
    new: int
    found: Coverage


def growth(hits: Sequence[tuple[int, Hashable]], trials: int) -> list[Growth]:
    """The completeness of a series at its checkpoints and at its end.

    Parameters
    ----------
    hits : sequence of (int, structure)
        Sobol' index of each hit, and the structure that it fell on.
    trials : int
        Trials of the series.
    """
    steps = []
    before = 0
    for below in sorted({*checkpoints(trials), trials}):
        found = good_turing(structure for index, structure in hits if index < below)
        steps.append(Growth(below, found.distinct - before, found))
        before = found.distinct
    return steps


def is_complete(found: Coverage, wanted: float) -> bool:
    """Whether enough hits give the coverage that is asked for."""
    return found.hits >= FEWEST_HITS and found.coverage is not None and found.coverage >= wanted
