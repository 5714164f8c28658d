"""What the molecules of a crystal do to each other's electrons: the field at every site, and the energy that it is worth.

    F_a = -grad phi at site a of all other molecules' multipoles to rank 3,    P_x = -1/2 sum_{a in x} alpha |F_a|^2

with the same polarisability alpha = 1 Angstrom^3 at all sites (Stone, The Theory of Intermolecular Forces, 2nd ed., 2013,
section 4.2, https://doi.org/10.1093/acprof:oso/9780199672394.001.0001).  A rigid force field leaves it out, or rather,
holds its average; how much each kind of atom is polarised is learned.  The sites are the force field's (W99rev moves
hydrogens); a polar crystal stands in a conductor, as in all its lattice sums.  No damping, and no answer of the other
molecules to the change: it describes a crystal to what learns from it, and no energy is made of it.

The field is the derivative of the lattice energy by a dipole at the site, which all lattice sums give at no further cost,
less that of the molecule's own smooth charges, which Ewald's method has in its reciprocal sum.  A molecule on a special
position has the mean over its site symmetry: the lattice sums see one image for each of its neighbours only.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from polyscape.crystal.packing import Packing
from polyscape.crystal.sites import site_operations
from polyscape.energy.crystal_sum import lattice_sums
from polyscape.energy.kinds import all_kinds, kinds_of_sites
from polyscape.energy.model import FINE_DECADES, RigidLatticeEnergy
from polyscape.energy.sites import Sites, pose_of
from polyscape.energy.splitting import Splitting, smooth_energy, sums_of
from polyscape.energy.tensors import TERMS
from polyscape.units import KJ_PER_MOL_PER_EV

_DIPOLE = slice(1, 4)
"""Coefficients of x, y, z: a dipole's polynomial."""

_Reals = NDArray[np.float64]


def polarisation(model: RigidLatticeEnergy, packing: Packing) -> dict[str, float]:
    """The energy of the field at the atoms of each kind (`polyscape.energy.kinds`), kJ/mol per formula unit.

    Parameters
    ----------
    model : RigidLatticeEnergy
        The conformers and their multipoles.
    packing : Packing
        A crystal.

    Returns
    -------
    dict of str to float
        All kinds of the campaign's molecules, in order; never positive.
    """
    sites = model.sites(packing)
    field_av = site_fields(model, packing, sites)
    share_a = sites.weight_m[sites.molecule_a] * KJ_PER_MOL_PER_EV / model.formula_units(packing, sites)
    energy_a = -0.5 * share_a * np.sum(field_av**2, axis=1)
    return _by_kind(all_kinds(model.conformers), kinds_of_sites(packing, model.conformers), energy_a)


def site_fields(model: RigidLatticeEnergy, packing: Packing, sites: Sites | None = None) -> _Reals:
    """The field of all other molecules at the sites of the independent ones, in the crystal's axes.

    Returns
    -------
    numpy.ndarray, shape (sites, 3)
        In (eV/Angstrom^3)^(1/2): times sqrt(e^2 / 4 pi epsilon_0) it is the force on a unit charge.

    Raises
    ------
    ValueError
        When the cell is too odd to sum over.
    """
    sites = model.sites(packing) if sites is None else sites
    pose = pose_of(packing, model.conformers)
    sums = sums_of(sites, Splitting.full(model.splitting.cutoff_A, FINE_DECADES))
    geometry, gradient, _ = lattice_sums(sites, sums, pose)
    if not np.isfinite(gradient.energy_t).all():
        raise ValueError(f"no lattice sums of a cell of {packing.cell}")
    slope_av = np.einsum("svw,vsa->aw", geometry.operation_svv, gradient.slope_qsa[_DIPOLE])
    slope_av /= sites.weight_m[sites.molecule_a][:, None]
    alpha, product_n4 = sums.reciprocal.alpha, sums.screened.product_n4
    for m, rotation_vv in enumerate(pose.rotation_mvv):
        own = slice(sites.first_m[m], sites.first_m[m + 1])
        moment_qa, position_av = sites.moment_qa[:, own], sites.body_av[own]
        slope_av[own] -= _smooth_slopes(position_av, moment_qa, alpha, product_n4) @ rotation_vv.T
        slope_av[own] = np.mean(
            [
                slope_av[own][list(step.permutation_a)] @ geometry.operation_svv[step.operation]
                for step in site_operations(packing, m, model.conformers)
            ],
            axis=0,
        )
    return -slope_av


def _smooth_slopes(position_av: _Reals, moment_qa: _Reals, alpha: float, product_n4: NDArray) -> _Reals:
    """Derivatives by the sites' dipoles of a molecule's energy in its own potential erf(alpha r)/r, its own axes."""
    count = len(position_av)
    v, a, b = (index.ravel() for index in np.indices((3, count, count)))
    probe_qp = np.zeros((TERMS, len(v)))
    probe_qp[_DIPOLE.start + v, np.arange(len(v))] = 1.0
    energy_p = smooth_energy(probe_qp, moment_qa[:, b], position_av[b] - position_av[a], alpha, product_n4)
    return np.asarray(energy_p.reshape(3, count, count).sum(axis=2).T)


def _by_kind(names: Sequence[str], kind_a: Sequence[str], value_a: _Reals) -> dict[str, float]:
    """Sums of values by the kinds of their sites."""
    kinds = np.array(kind_a)
    return {name: float(value_a[kinds == name].sum()) for name in names}
