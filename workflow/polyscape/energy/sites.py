"""The crystal as the compiled sums see it: plain arrays in eV and Angstrom, gathered in named tuples.

Sites of all independent molecules stand one after another.  Mirror images (parity -1) have their body coordinates
inverted here, so that every rotation below is proper.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.special import erf

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Conformers, Packing
from polyscape.energy.potentials import Potential
from polyscape.units import COULOMB_EV_A

_SHORTEST_LEVER_A = 0.3


class Sites(NamedTuple):
    """The independent molecules and the group; constant during a minimisation.

    Attributes
    ----------
    first_m : numpy.ndarray, shape (molecules + 1,)
        First site of each molecule; the last entry is the number of sites.
    molecule_a : numpy.ndarray, shape (sites,)
        Molecule of each site.
    body_av : numpy.ndarray, shape (sites, 3)
        Positions in each molecule's frame, Angstrom.
    radius_m : numpy.ndarray, shape (molecules,)
        Distance of the outermost site from the centre, Angstrom.
    lever_mv : numpy.ndarray, shape (molecules, 3)
        Root-mean-square distance of the sites from each body axis, Angstrom: arc length of one radian.
    charge_a : numpy.ndarray, shape (sites,)
        q sqrt(e^2 / 4 pi epsilon_0), (eV Angstrom)^(1/2): products over distances are energies.
    dispersion_a : numpy.ndarray, shape (sites,)
        sqrt(C6), eV^(1/2) Angstrom^3.
    prefactor_aa, decay_aa, wall_aa : numpy.ndarray, shape (sites, sites)
        A (eV), 1/rho (1/Angstrom) and the radius of the short-range wall (Angstrom) of each pair.
    operation_scc, shift_sc : numpy.ndarray, shapes (operations, 3, 3), (operations, 3)
        Operations on fractional coordinates, the identity first.
    """

    first_m: NDArray[np.int64]
    molecule_a: NDArray[np.int64]
    body_av: NDArray[np.float64]
    radius_m: NDArray[np.float64]
    lever_mv: NDArray[np.float64]
    charge_a: NDArray[np.float64]
    dispersion_a: NDArray[np.float64]
    prefactor_aa: NDArray[np.float64]
    decay_aa: NDArray[np.float64]
    wall_aa: NDArray[np.float64]
    operation_scc: NDArray[np.float64]
    shift_sc: NDArray[np.float64]


class Pose(NamedTuple):
    """The variables: cell (rows are vectors), fractional centres, rotation matrices of the independent molecules."""

    cell_cv: NDArray[np.float64]
    centre_mc: NDArray[np.float64]
    rotation_mvv: NDArray[np.float64]


class Sums(NamedTuple):
    """How the lattice sums are split.

    Attributes
    ----------
    cutoff : float
        Largest distance of the direct sums, Angstrom.
    alpha : float
        Ewald parameter of charges and dispersion, 1/Angstrom.
    k_cutoff : float
        Longest reciprocal vector, 2 pi included, 1/Angstrom.
    self_energy : float
        Energy of the sites with themselves and within their rigid molecules that the reciprocal sum of charges
        contains, with the opposite sign: electrostatic, eV per asymmetric unit.
    self_dispersion : float
        The same for dispersion.
    """

    cutoff: float
    alpha: float
    k_cutoff: float
    self_energy: float
    self_dispersion: float


def sites_of(packing: Packing, conformers: Conformers, potential: Potential) -> Sites:
    """Gather the sites of a packing.

    Raises
    ------
    NotImplementedError
        For a molecule on a special position.
    """
    molecules = []
    for pose in packing.poses:
        if pose.site_symmetry != "1":
            raise NotImplementedError(f"a molecule on a site of symmetry {pose.site_symmetry}")
        molecules.append(conformers[pose.component, pose.conformer])
    bodies = [
        pose.parity * molecule.position_av for pose, molecule in zip(packing.poses, molecules, strict=True)
    ]
    types = [kind for molecule in molecules for kind in molecule.potential_type_a]
    pairs = potential.pair_parameters(types)
    operations = SpaceGroup.from_hall(packing.hall_symbol).operations
    return Sites(
        first_m=np.cumsum([0] + [len(body) for body in bodies]),
        molecule_a=np.repeat(np.arange(len(bodies)), [len(body) for body in bodies]),
        body_av=np.ascontiguousarray(np.concatenate(bodies)),
        radius_m=np.array([np.linalg.norm(body, axis=1).max() for body in bodies]),
        lever_mv=np.array([_levers(body) for body in bodies]),
        charge_a=np.concatenate([molecule.charge_a for molecule in molecules]) * np.sqrt(COULOMB_EV_A),
        dispersion_a=pairs.sqrt_c6_a,
        prefactor_aa=pairs.prefactor_aa,
        decay_aa=pairs.decay_aa,
        wall_aa=pairs.wall_aa,
        operation_scc=np.array([rotation for rotation, _ in operations]),
        shift_sc=np.array([shift for _, shift in operations]),
    )


def pose_of(packing: Packing) -> Pose:
    """The variables of a packing."""
    return Pose(
        np.ascontiguousarray(packing.cell_cv),
        np.array([pose.translation_c for pose in packing.poses], float),
        np.array([pose.parity * pose.rotation_vv() for pose in packing.poses]),
    )


def sums_of(sites: Sites, cutoff: float, decades: float) -> Sums:
    """Ewald sums whose terms at both cutoffs have fallen by about `decades` powers of ten.

    Both sums end where exp(-x^2) = 10^-decades, x = alpha r = k / (2 alpha).
    """
    reach = np.sqrt(decades * np.log(10.0))
    alpha = reach / cutoff
    electrostatic, dispersion = _self_energies(sites, alpha)
    return Sums(cutoff, alpha, 2.0 * alpha * reach, electrostatic, dispersion)


def _self_energies(sites: Sites, alpha: float) -> tuple[float, float]:
    """Minus the smooth potentials of a site on itself and on the other sites of its rigid molecule.

    erf(a r)/r for charges; -[1 - (1 + x^2 + x^4/2) exp(-x^2)]/r^6, x = a r, for dispersion; both finite at r = 0.
    """
    electrostatic = -alpha / np.sqrt(np.pi) * np.sum(sites.charge_a**2)
    dispersion = alpha**6 / 12.0 * np.sum(sites.dispersion_a**2)
    for first, last in zip(sites.first_m[:-1], sites.first_m[1:], strict=True):
        upper = np.triu_indices(last - first, 1)
        r = cdist(sites.body_av[first:last], sites.body_av[first:last])[upper]
        x2 = (alpha * r) ** 2
        smooth = (1.0 - (1.0 + x2 + 0.5 * x2 * x2) * np.exp(-x2)) / r**6
        charge, c6 = sites.charge_a[first:last], sites.dispersion_a[first:last]
        electrostatic -= np.sum(np.outer(charge, charge)[upper] * erf(alpha * r) / r)
        dispersion += np.sum(np.outer(c6, c6)[upper] * smooth)
    return float(electrostatic), float(dispersion)


def _levers(body_av: NDArray[np.float64]) -> NDArray[np.float64]:
    """Arc lengths of one radian about the body axes; short ones (linear molecules, atoms) are lengthened."""
    squares = np.mean(body_av**2, axis=0)
    return np.maximum(np.sqrt(squares.sum() - squares), _SHORTEST_LEVER_A)
