"""Repulsion and dispersion of a crystal by pairs of kinds of atoms (`polyscape.energy.kinds`), by plain sums to a cutoff.

    R_xy = 1/2 sum_{a in x, b in y} A_ab exp(-r_ab / rho_ab),    D_xy = -1/2 sum_{a in x, b in y} C6_ab / r_ab^6

over the sites of different molecules.  Summed over the pairs they are the lattice energy's own terms, but for the
dispersion beyond the cutoff and for anisotropic sites, which count as spheres here: they describe a crystal to what
learns from it, and no energy is made of them.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from polyscape.crystal.packing import Packing
from polyscape.energy.crystal_sum import crystal_geometry
from polyscape.energy.kinds import all_kinds, element_of, kinds_of_sites
from polyscape.energy.model import RigidLatticeEnergy
from polyscape.energy.sites import Sites, pose_of
from polyscape.units import KJ_PER_MOL_PER_EV

CUTOFF_A: Final = 12.0
"""Dispersion beyond is nearly the same for all packings of one density: 0.9 kJ/mol of 80 in oxalic acid."""

PairName = tuple[str, str]
"""Two kinds of atoms in alphabetical order."""

PairSums = dict[PairName, tuple[float, float]]
"""Repulsion and dispersion of pairs."""


class _Cloud(NamedTuple):
    """All sites of the cell: position and, of each, the operation, molecule and site it is an image of."""

    position_nv: NDArray[np.float64]
    operation_n: NDArray[np.int64]
    molecule_n: NDArray[np.int64]
    site_n: NDArray[np.int64]


def pair_sums(model: RigidLatticeEnergy, packing: Packing, cutoff_A: float = CUTOFF_A) -> PairSums:
    """Repulsion and dispersion of every pair of kinds of atoms, kJ/mol per formula unit.

    Parameters
    ----------
    model : RigidLatticeEnergy
        The conformers and the potential.
    packing : Packing
        A crystal.
    cutoff_A : float
        Largest distance of two sites.

    Returns
    -------
    dict of (str, str) to (float, float)
        All pairs of the kinds of the campaign's molecules, in order, whatever the crystal holds of them.
    """
    sites, pose = model.sites(packing), pose_of(packing, model.conformers)
    geometry = crystal_geometry(sites, pose)
    cloud = _cloud(sites, geometry.centre_smv, geometry.offset_sav)
    a_p, b_p, distance_p = _contacts(cloud, pose.cell_cv, cutoff_A)
    repulsion_p = sites.prefactor_aa[a_p, b_p] * np.exp(-sites.decay_aa[a_p, b_p] * distance_p)
    dispersion_p = -sites.c6_aa[a_p, b_p] / distance_p**6
    share_p = 0.5 * sites.weight_m[sites.molecule_a[a_p]] * KJ_PER_MOL_PER_EV
    share_p /= model.formula_units(packing, sites)
    kinds = all_kinds(model.conformers)
    place_a = np.searchsorted(kinds, kinds_of_sites(packing, model.conformers))
    values_tp = np.stack([share_p * repulsion_p, share_p * dispersion_p])
    return _by_kinds(kinds, (place_a[a_p], place_a[b_p]), values_tp)


def by_elements(sums: PairSums) -> PairSums:
    """The sums of pairs of kinds added up by the elements of both."""
    total: dict[PairName, list[float]] = {}
    for (one, other), values in sums.items():
        first, second = sorted((element_of(one), element_of(other)))
        place = total.setdefault((first, second), [0.0, 0.0])
        place[0] += values[0]
        place[1] += values[1]
    return {pair: (repulsion, dispersion) for pair, (repulsion, dispersion) in sorted(total.items())}


def _cloud(sites: Sites, centre_smv: NDArray[np.float64], offset_sav: NDArray[np.float64]) -> _Cloud:
    """The sites of all distinct molecules of the cell, each molecule whole."""
    operation_n, site_n = np.nonzero(sites.distinct_ms[sites.molecule_a].T)
    molecule_n = sites.molecule_a[site_n]
    position_nv = centre_smv[operation_n, molecule_n] + offset_sav[operation_n, site_n]
    return _Cloud(position_nv, operation_n, molecule_n, site_n)


def _contacts(
    cloud: _Cloud, cell_cv: NDArray[np.float64], cutoff_A: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Pairs of an independent site and any site of another molecule: both sites, and their distance."""
    own = np.flatnonzero(cloud.operation_n == 0)
    origin_v = cloud.position_nv[own].mean(axis=0)
    reach = cutoff_A + np.linalg.norm(cloud.position_nv - origin_v, axis=1).max()
    height_c = 1.0 / np.linalg.norm(np.linalg.inv(cell_cv), axis=0)
    ranges = [np.arange(-n, n + 1) for n in np.ceil(reach / height_c).astype(int)]
    image_ic = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    everywhere_v = (cloud.position_nv[None] + (image_ic @ cell_cv)[:, None]).reshape(-1, 3)
    found = cKDTree(cloud.position_nv[own]).sparse_distance_matrix(
        cKDTree(everywhere_v), cutoff_A, output_type="ndarray"
    )
    image_p, other_p = np.divmod(found["j"], len(cloud.position_nv))
    own_p = own[found["i"]]
    here_p = (image_ic[image_p] == 0).all(axis=1) & (cloud.operation_n[other_p] == 0)
    apart_p = ~(here_p & (cloud.molecule_n[other_p] == cloud.molecule_n[own_p]))
    return cloud.site_n[own_p[apart_p]], cloud.site_n[other_p[apart_p]], found["v"][apart_p]


def _by_kinds(
    kinds: list[str], place_2p: tuple[NDArray[np.int64], NDArray[np.int64]], value_tp: NDArray[np.float64]
) -> PairSums:
    """Sums of values by the kinds of their pairs."""
    low_p, high_p = np.minimum(*place_2p), np.maximum(*place_2p)
    count = len(kinds)
    sum_tk = np.stack(
        [np.bincount(low_p * count + high_p, weights=value_p, minlength=count**2) for value_p in value_tp]
    )
    return {
        (one, other): (float(sum_tk[0, i * count + j]), float(sum_tk[1, i * count + j]))
        for i, one in enumerate(kinds)
        for j, other in enumerate(kinds)
        if i <= j
    }
