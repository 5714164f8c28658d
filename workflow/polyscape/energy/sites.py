"""The crystal as the compiled sums see it: plain arrays in eV and Angstrom, gathered in named tuples.

Sites of all independent molecules stand one after another.  Mirror images (parity -1) have their body coordinates and
multipoles inverted here, so that every rotation below is proper.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Conformers, Packing
from polyscape.crystal.sites import coset_operations, site_operations, symmetrised
from polyscape.energy.bodies import Body, body_of
from polyscape.energy.exp6 import Potential
from polyscape.energy.pairs import Radial
from polyscape.energy.tensors import operators
from polyscape.molecule.model import Conformer
from polyscape.units import COULOMB_EV_A

CLASH_EV: Final = 2.0
"""No contact of a crystal costs so much repulsion (a hydrogen bond of 1.45 Angstrom: 0.7 eV); multipoles that overlap
further attract without bound."""


class Sites(NamedTuple):
    """The independent molecules and the group; constant during a minimisation.

    Attributes
    ----------
    first_m : numpy.ndarray, shape (molecules + 1,)
        First site of each molecule; the last entry is the number of sites.
    molecule_a : numpy.ndarray, shape (sites,)
        Molecule of each site.
    weight_m : numpy.ndarray, shape (molecules,)
        How much of each molecule belongs to the asymmetric unit: 1 over the order of its site symmetry.
    distinct_ms : numpy.ndarray of bool, shape (molecules, operations)
        The operations whose images of a molecule are its distinct copies in the cell.
    body_av, axis_av : numpy.ndarray, shape (sites, 3)
        Positions in each molecule's frame, Angstrom; unit vectors of anisotropic sites, zero of others.
    moment_qa : numpy.ndarray, shape (35, sites)
        Multipoles as polynomials in the molecule's frame, see `polyscape.energy.tensors.operators`.
    charge_a : numpy.ndarray, shape (sites,)
        Charges fitted to the molecules' potential, e.
    radius_m : numpy.ndarray, shape (molecules,)
        Distance of the outermost site from the centre, Angstrom.
    dispersion_a, stretch_a : numpy.ndarray, shape (sites,)
        sqrt(C6), eV^(1/2) Angstrom^3; length a2 of the anisotropic repulsion, Angstrom.
    c6_aa, prefactor_aa, decay_aa, wall_aa : numpy.ndarray, shape (sites, sites)
        C6 (eV Angstrom^6), A (eV), 1/rho (1/Angstrom) and the radius of the short-range wall (Angstrom) of each pair.
    clash_aa : numpy.ndarray, shape (sites, sites)
        Distance at which the repulsion alone reaches `CLASH_EV`, Angstrom.
    operation_scc, shift_sc : numpy.ndarray, shapes (operations, 3, 3), (operations, 3)
        Operations on fractional coordinates, the identity first.
    """

    first_m: NDArray[np.int64]
    molecule_a: NDArray[np.int64]
    weight_m: NDArray[np.float64]
    distinct_ms: NDArray[np.bool_]
    body_av: NDArray[np.float64]
    axis_av: NDArray[np.float64]
    moment_qa: NDArray[np.float64]
    charge_a: NDArray[np.float64]
    radius_m: NDArray[np.float64]
    dispersion_a: NDArray[np.float64]
    stretch_a: NDArray[np.float64]
    c6_aa: NDArray[np.float64]
    prefactor_aa: NDArray[np.float64]
    decay_aa: NDArray[np.float64]
    wall_aa: NDArray[np.float64]
    clash_aa: NDArray[np.float64]
    operation_scc: NDArray[np.float64]
    shift_sc: NDArray[np.float64]


class Pose(NamedTuple):
    """The variables: cell (rows are vectors), fractional centres, rotation matrices of the independent molecules."""

    cell_cv: NDArray[np.float64]
    centre_mc: NDArray[np.float64]
    rotation_mvv: NDArray[np.float64]


class Geometry(NamedTuple):
    """All molecules of the cell, operation first, in Cartesian axes.

    Attributes
    ----------
    cell_cv : numpy.ndarray, shape (3, 3)
        Cell vectors as rows, Angstrom.
    operation_svv : numpy.ndarray, shape (operations, 3, 3)
        The operations' rotations.
    centre_smv : numpy.ndarray, shape (operations, molecules, 3)
        Centres, Angstrom.
    offset_sav, axis_sav : numpy.ndarray, shape (operations, sites, 3)
        Sites relative to their centres, Angstrom, and their axes.
    moment_qsa : numpy.ndarray, shape (35, operations, sites)
        Multipoles as polynomials.
    """

    cell_cv: NDArray[np.float64]
    operation_svv: NDArray[np.float64]
    centre_smv: NDArray[np.float64]
    offset_sav: NDArray[np.float64]
    axis_sav: NDArray[np.float64]
    moment_qsa: NDArray[np.float64]


class Gradient(NamedTuple):
    """What the lattice sums add up, for the asymmetric unit.

    Attributes
    ----------
    energy_t : numpy.ndarray, shape (4,)
        Electrostatic, repulsion, dispersion, pressure times volume, eV.
    force_sav, axis_sav : numpy.ndarray, shape (operations, sites, 3)
        Derivatives by the places and by the axes of sites, each image by itself.
    slope_qsa : numpy.ndarray, shape (35, operations, sites)
        Derivatives by the polynomials of the multipoles.
    virial_vv : numpy.ndarray, shape (3, 3)
        Derivative by a strain that moves every site and leaves multipoles as they are, eV; upper triangle.
    """

    energy_t: NDArray[np.float64]
    force_sav: NDArray[np.float64]
    axis_sav: NDArray[np.float64]
    slope_qsa: NDArray[np.float64]
    virial_vv: NDArray[np.float64]


class DirectSums(NamedTuple):
    """A sum over pairs of sites in direct space.

    Attributes
    ----------
    cutoff : float
        Largest distance, Angstrom.
    by_molecule : bool
        The cutoff is of the molecules' centres, not of the sites.
    exp6, ewald_c6 : float
        1 where exp-6 is in the sum, and where its dispersion is screened; else 0.
    radial : Radial
        Screening and switches.
    product_n4 : numpy.ndarray, shape (n, 4)
        Which multipoles interact, see `polyscape.energy.tensors.products`.
    """

    cutoff: float
    by_molecule: bool
    exp6: float
    ewald_c6: float
    radial: Radial
    product_n4: NDArray[np.int64]


class ReciprocalSums(NamedTuple):
    """A sum over wave vectors.

    Attributes
    ----------
    alpha : float
        Ewald parameter, 1/Angstrom.
    k_cutoff : float
        Longest wave vector, 2 pi included, 1/Angstrom.
    included_ll : numpy.ndarray, shape (5, 5)
        1 for the pairs of ranks in the sum, else 0.
    ranks : int
        Ranks 0 .. ranks - 1 occur.
    ewald_c6 : float
        1 where dispersion is in the sum, else 0.
    """

    alpha: float
    k_cutoff: float
    included_ll: NDArray[np.float64]
    ranks: int
    ewald_c6: float


class Sums(NamedTuple):
    """The lattice energy's sums.

    Attributes
    ----------
    screened : DirectSums
        exp-6, and the screened part of what Ewald's method sums.
    bare : DirectSums
        The multipoles that are summed directly; nothing when its products are empty.
    reciprocal : ReciprocalSums
        The rest of Ewald's sums.
    self_energy, self_dispersion : float
        Energy of the sites with themselves and within their rigid molecules that the reciprocal sums contain, with
        the opposite sign, eV per asymmetric unit.
    pressure : float
        Hydrostatic, eV/Angstrom^3.
    """

    screened: DirectSums
    bare: DirectSums
    reciprocal: ReciprocalSums
    self_energy: float
    self_dispersion: float
    pressure: float


def sites_of(packing: Packing, conformers: Conformers, potential: Potential) -> Sites:
    """Gather the sites of a packing; molecules on special positions are made exactly symmetric.

    Raises
    ------
    ValueError
        When a pose names a site symmetry that its molecule does not have, or the cell breaks the group's symmetry.
    """
    group = SpaceGroup.from_hall(packing.hall_symbol)
    bodies, weights, distinct = [], [], []
    for index, pose in enumerate(packing.poses):
        site = site_operations(packing, index, conformers)
        conformer = conformers[pose.component, pose.conformer]
        molecule, _ = symmetrised(conformer, pose, site, group, packing.cell_cv)
        bodies.append(_upright(body_of(molecule, potential), pose.parity))
        weights.append(1.0 / len(site))
        distinct.append(np.isin(np.arange(len(group.operations)), coset_operations(site, group)))
    count_m = [len(body.position_av) for body in bodies]
    pairs = potential.pair_parameters([kind for body in bodies for kind in body.type_a])
    return Sites(
        first_m=np.cumsum([0, *count_m]),
        molecule_a=np.repeat(np.arange(len(bodies)), count_m),
        weight_m=np.array(weights),
        distinct_ms=np.array(distinct),
        body_av=np.ascontiguousarray(np.concatenate([body.position_av for body in bodies])),
        axis_av=np.ascontiguousarray(np.concatenate([body.axis_av for body in bodies])),
        moment_qa=operators(np.concatenate([body.multipole_aq for body in bodies])),
        charge_a=np.concatenate([body.charge_a for body in bodies]),
        radius_m=np.array([np.linalg.norm(body.position_av, axis=1).max() for body in bodies]),
        dispersion_a=pairs.sqrt_c6_a,
        stretch_a=pairs.stretch_a,
        c6_aa=pairs.c6_aa,
        prefactor_aa=pairs.prefactor_aa,
        decay_aa=pairs.decay_aa,
        wall_aa=pairs.wall_aa,
        clash_aa=np.log(np.maximum(pairs.prefactor_aa / CLASH_EV, 1.0)) / pairs.decay_aa,
        operation_scc=np.array([rotation for rotation, _ in group.operations]),
        shift_sc=np.array([shift for _, shift in group.operations]),
    )


def _upright(body: Body, parity: int) -> Body:
    """The body, or its mirror image by inversion: a multipole of rank l takes the factor (-1)^l."""
    if parity > 0:
        return body
    sign_q = (-1.0) ** np.floor(np.sqrt(np.arange(body.multipole_aq.shape[1])))
    return Body(-body.position_av, sign_q * body.multipole_aq, body.charge_a, body.type_a, -body.axis_av)


def pose_of(packing: Packing, conformers: Conformers) -> Pose:
    """The variables of a packing; molecules on special positions are put exactly there."""
    group = SpaceGroup.from_hall(packing.hall_symbol)
    poses = []
    for index, pose in enumerate(packing.poses):
        site = site_operations(packing, index, conformers)
        conformer: Conformer = conformers[pose.component, pose.conformer]
        poses.append(symmetrised(conformer, pose, site, group, packing.cell_cv)[1])
    return Pose(
        np.ascontiguousarray(packing.cell_cv),
        np.array([pose.translation_c for pose in poses], float),
        np.array([pose.parity * pose.rotation_vv() for pose in poses]),
    )


def with_charges(sites: Sites) -> Sites:
    """The sites with fitted charges in the place of their multipoles."""
    moment_qa = np.zeros_like(sites.moment_qa)
    moment_qa[0] = sites.charge_a * np.sqrt(COULOMB_EV_A)
    return sites._replace(moment_qa=moment_qa)
