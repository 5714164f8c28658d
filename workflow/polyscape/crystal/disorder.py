"""The major part of a disordered crystal: of every disordered region the alternative that is occupied most.

The sites of a CIF name an assembly (a region that is disordered by itself) and a group (an alternative of it).  Many
programs write groups only, and use the numbers again in each region: regions are then found by distance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

_NEAR_A: Final = 2.0
"""Sites of one region are bonded or replace each other; atoms of two molecules are further apart but for hydrogen bonds."""

_SUM_TOLERANCE: Final = 0.05
"""Occupancies of all alternatives of a region add up to 1 within this."""


class PartlyEmptyError(ValueError):
    """The alternatives of a region leave it empty in a part of the crystal's cells; `site` is one of its sites."""

    def __init__(self, site: int) -> None:
        super().__init__(f"the alternatives of site {site} do not add up to 1")
        self.site = site


@dataclass(frozen=True)
class Disorder:
    """What a CIF says about the disorder of its sites.

    Attributes
    ----------
    assembly_a : tuple of str
        Name of each site's assembly, empty where none is given.
    group_a : numpy.ndarray of int, shape (sites,)
        Disorder group of each site; 0 for a site of all alternatives.
    occupancy_a : numpy.ndarray, shape (sites,)
        Occupancies.
    """

    assembly_a: tuple[str, ...]
    group_a: NDArray[np.int64]
    occupancy_a: NDArray[np.float64]


def major_part(
    disorder: Disorder,
    fractional_ac: NDArray[np.float64],
    cell_cv: NDArray[np.float64],
    seitz_gcc: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Which sites are ordered, or of the best occupied alternative of their region.

    Parameters
    ----------
    disorder : Disorder
        Assemblies, groups and occupancies.
    fractional_ac : numpy.ndarray, shape (sites, 3)
        Fractional coordinates of the independent sites.
    cell_cv : numpy.ndarray, shape (3, 3)
        Cell vectors as rows, Angstrom.
    seitz_gcc : numpy.ndarray, shape (operations, 4, 4)
        Operations of the space group.

    Raises
    ------
    PartlyEmptyError
        When the occupancies of a region's alternatives add up to less than 1.  Disorder about a symmetry element (groups
        below 0) has the rest in its images.
    """
    unnamed = [a for a, name in enumerate(disorder.assembly_a) if not name and disorder.group_a[a]]
    regions = _regions(unnamed, disorder, _touching(fractional_ac[unnamed], cell_cv, seitz_gcc))
    for name in sorted({name for name in disorder.assembly_a if name}):
        regions.append(
            [a for a, own in enumerate(disorder.assembly_a) if own == name and disorder.group_a[a]]
        )
    kept_a = disorder.group_a == 0
    for region in filter(None, regions):
        occupancy = _occupancies(region, disorder)
        if min(occupancy) > 0 and sum(occupancy.values()) < 1 - _SUM_TOLERANCE:
            raise PartlyEmptyError(region[0])
        major = min(occupancy, key=lambda g: (-round(occupancy[g], 6), abs(g), g))
        kept_a[[a for a in region if disorder.group_a[a] == major]] = True
    return kept_a & (disorder.occupancy_a > 0)


def _occupancies(region: Sequence[int], disorder: Disorder) -> dict[int, float]:
    """Mean occupancy of each alternative of a region."""
    groups = {int(disorder.group_a[a]) for a in region}
    return {
        g: float(np.mean([disorder.occupancy_a[a] for a in region if disorder.group_a[a] == g]))
        for g in groups
    }


def _regions(sites: Sequence[int], disorder: Disorder, touching_aa: NDArray[np.bool_]) -> list[list[int]]:
    """Regions of sites near each other; those whose alternatives lie further apart, which they tell by not adding up to
    1, are one.
    """
    if not sites:
        return []
    count, label_a = connected_components(touching_aa, directed=False)
    near = [
        [site for site, own in zip(sites, label_a, strict=True) if own == label] for label in range(count)
    ]
    whole = [abs(sum(_occupancies(region, disorder).values()) - 1) <= _SUM_TOLERANCE for region in near]
    together = sorted(a for region, adds_up in zip(near, whole, strict=True) if not adds_up for a in region)
    return [region for region, adds_up in zip(near, whole, strict=True) if adds_up] + [together]


def _touching(
    fractional_ac: NDArray[np.float64], cell_cv: NDArray[np.float64], seitz_gcc: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Pairs of sites of which any images are near, shape (sites, sites)."""
    near_aa = np.zeros((len(fractional_ac),) * 2, bool)
    for seitz_cc in seitz_gcc:
        image_ac = fractional_ac @ seitz_cc[:3, :3].T + seitz_cc[:3, 3]
        offset_aac = image_ac[:, None] - fractional_ac[None]
        near_aa |= np.linalg.norm((offset_aac - np.round(offset_aac)) @ cell_cv, axis=2) < _NEAR_A
    return near_aa
