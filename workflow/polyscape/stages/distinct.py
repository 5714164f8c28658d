"""The minima in the energy window: which are the same crystal, and each distinct one in its reduced cell."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyscape.crystal import pointwise
from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Conformers, Packing
from polyscape.crystal.pointwise import PointwiseDistances
from polyscape.crystal.reduction import ReducedCrystal, reduce_packing
from polyscape.search.duplicates import Comparison, Minimum, representatives
from polyscape.search.similarity import Fingerprint
from polyscape.stages.rows import enthalpy_kJ_per_mol, packing_of

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Distinct:
    """The minima of a landscape, told apart.

    Attributes
    ----------
    same_s : numpy.ndarray of int, shape (minima,)
        For each minimum the one that represents it, itself where it is distinct.
    pdd_s : tuple of PointwiseDistances
        The invariants of every minimum.
    reduced : dict of int to ReducedCrystal
        The distinct ones in their reduced cells, in the most symmetric description found of each.
    """

    same_s: NDArray[np.int64]
    pdd_s: tuple[PointwiseDistances, ...]
    reduced: dict[int, ReducedCrystal]

    @property
    def representatives(self) -> list[int]:
        """The distinct minima."""
        return list(self.reduced)


def tell_apart(inside: pd.DataFrame, rigid: Conformers, comparison: Comparison) -> Distinct:
    """The distinct ones of the minima in the energy window.

    Parameters
    ----------
    inside : pandas.DataFrame
        Rows of the table `minima`, all converged.
    rigid : mapping
        The rigid molecules.
    comparison : Comparison
        Windows, tolerance and chirality.
    """
    packings = [
        packing_of({str(key): value for key, value in row.items()}) for row in inside.to_dict("records")
    ]
    pdd_s = _spread(_pdd, packings, rigid, comparison.cores)
    minima = [
        Minimum(str(name), float(energy), float(density), pdd)
        for name, energy, density, pdd in zip(
            inside.trial_id, enthalpy_kJ_per_mol(inside), inside.density_g_per_cm3, pdd_s, strict=True
        )
    ]
    same_s = np.array(representatives(minima, lambda i: crystal_of(packings[i], rigid), comparison), np.int64)
    reduced = _most_symmetric(packings, same_s, rigid, comparison.cores)
    return Distinct(same_s, tuple(pdd_s), reduced)


def _most_symmetric(
    packings: Sequence[Packing], same_s: NDArray[np.int64], rigid: Conformers, cores: int
) -> dict[int, ReducedCrystal]:
    """The reduced cell of each distinct minimum: of itself, or of a duplicate of higher symmetry.

    A crystal of molecules on special positions is found in subgroups as well; converged within a tolerance only, such a
    description may show less than the full symmetry.
    """
    distinct = [int(index) for index in np.unique(same_s)]
    best = dict(zip(distinct, distinct, strict=True))
    smallest = {index: _asymmetric_share(packings[index], rigid) for index in distinct}
    for index in map(int, np.flatnonzero(same_s != np.arange(len(same_s)))):
        own, share = int(same_s[index]), _asymmetric_share(packings[index], rigid)
        if share < smallest[own] - 1e-9:
            best[own], smallest[own] = index, share
    wanted = sorted({*distinct, *best.values()})
    cells = dict(
        zip(wanted, _spread(reduce_packing, [packings[i] for i in wanted], rigid, cores), strict=True)
    )
    return {
        index: min(cells[index], cells[best[index]], key=lambda cell: cell.molecules / cell.order)
        for index in distinct
    }


def _asymmetric_share(packing: Packing, rigid: Conformers) -> float:
    """Molecules in the asymmetric unit of a description; one on a special position counts in part."""
    operations = len(SpaceGroup.from_hall(packing.hall_symbol).operations)
    return sum(len(images) for images in packing.molecules(rigid)) / operations


def crystal_of(packing: Packing, rigid: Conformers) -> Fingerprint:
    """A packing prepared for overlays, in the cell it is described in."""
    sizes = [
        len(rigid[pose.component, pose.conformer].atomic_number_a)
        for pose, images in zip(packing.poses, packing.molecules(rigid), strict=True)
        for _ in images
    ]
    return Fingerprint(packing.to_atoms(rigid), np.cumsum([0, *sizes]))


def _pdd(packing: Packing, rigid: Conformers) -> PointwiseDistances:
    return pointwise.of_packing(packing, rigid)


def _spread(
    work: Callable[[Packing, Conformers], _Result],
    packings: Sequence[Packing],
    rigid: Conformers,
    cores: int,
) -> list[_Result]:
    """The work on every packing, by processes; in the order of the packings."""
    if cores == 1 or len(packings) < 2 * cores:
        return [work(packing, rigid) for packing in packings]
    size = min(500, max(1, len(packings) // (4 * cores)))
    with ProcessPoolExecutor(cores) as pool:
        return list(pool.map(work, packings, [rigid] * len(packings), chunksize=size))
