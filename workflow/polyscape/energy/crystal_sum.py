"""Energy and gradient of a crystal of rigid molecules: all lattice sums, and the chain rule to rigid-body motions."""

import math

import numpy as np

from polyscape.energy.compiled import compiled
from polyscape.energy.direct import direct_sums
from polyscape.energy.linear import determinant, inverse, product
from polyscape.energy.reciprocal import reciprocal_sums
from polyscape.energy.sites import Geometry, Gradient
from polyscape.energy.tensors import TERMS, deformation, rotated, torque_of


@compiled()
def crystal_geometry(sites, pose):
    """All molecules of the cell, see `polyscape.energy.sites.Geometry`.

    A site at body coordinates x stands at centre + Q_s R x, with Q_s = cell^T W_s cell^-T the operation in Cartesian
    axes, and centre = (W_s t + shift_s) cell.
    """
    cell_cv, centre_mc, rotation_mvv = pose
    operations, total = sites.operation_scc.shape[0], sites.body_av.shape[0]
    molecules = centre_mc.shape[0]
    centre_smv = np.zeros((operations, molecules, 3))
    offset_sav, axis_sav = np.zeros((operations, total, 3)), np.zeros((operations, total, 3))
    operation_svv = np.empty((operations, 3, 3))
    moment_qsa = np.empty((TERMS, operations, total))
    transposed = cell_cv.T.copy()
    back = inverse(transposed)
    for s in range(operations):
        operation_svv[s] = product(product(transposed, sites.operation_scc[s]), back)
        for m in range(molecules):
            turn = product(operation_svv[s], rotation_mvv[m])
            for c in range(3):
                fraction = sites.shift_sc[s, c]
                for d in range(3):
                    fraction += sites.operation_scc[s, c, d] * centre_mc[m, d]
                for v in range(3):
                    centre_smv[s, m, v] += fraction * cell_cv[c, v]
            first, last = sites.first_m[m], sites.first_m[m + 1]
            for a in range(first, last):
                for v in range(3):
                    for w in range(3):
                        offset_sav[s, a, v] += turn[v, w] * sites.body_av[a, w]
                        axis_sav[s, a, v] += turn[v, w] * sites.axis_av[a, w]
            moment_qsa[:, s, first:last] = rotated(sites.moment_qa[:, first:last], turn)
    return Geometry(cell_cv, operation_svv, centre_smv, offset_sav, axis_sav, moment_qsa)


@compiled()
def no_gradient(geometry):
    """Zeros to add to."""
    return Gradient(
        np.zeros(4),
        np.zeros(geometry.offset_sav.shape),
        np.zeros(geometry.offset_sav.shape),
        np.zeros(geometry.moment_qsa.shape),
        np.zeros((3, 3)),
    )


@compiled()
def rigid_gradient(sites, geometry, gradient):
    """From derivatives by sites to those by strain at fixed shape, centres and rotations.

    A strain moves the centres, not the sites about them: dE/dstrain = virial - sum_sa dE/dr_sa (x) u_sa, symmetrised.
    Image s moves and turns with its original: dE/dcentre = sum_s Q_s^T F_s, dE/drotation = sum_s det(Q_s) Q_s^T T_s
    with T = sum_a u_a x dE/du_a + n_a x dE/dn_a + what the multipoles add.
    """
    molecules = sites.first_m.shape[0] - 1
    centre_mv, turn_mv = np.zeros((molecules, 3)), np.zeros((molecules, 3))
    rigid_vv = gradient.virial_vv.copy()
    for v in range(3):
        for w in range(v):
            rigid_vv[v, w] = rigid_vv[w, v]
    force_v, torque_v = np.empty(3), np.empty(3)
    for s in range(geometry.operation_svv.shape[0]):
        q = geometry.operation_svv[s]
        sign = 1.0 if determinant(q) > 0.0 else -1.0
        for m in range(molecules):
            first, last = sites.first_m[m], sites.first_m[m + 1]
            force_v[:] = 0.0
            torque_v[:] = 0.0
            bent_vv = deformation(geometry.moment_qsa[:, s], gradient.slope_qsa[:, s], first, last)
            torque_of(bent_vv, torque_v)
            for a in range(first, last):
                u, g = geometry.offset_sav[s, a], gradient.force_sav[s, a]
                n, b = geometry.axis_sav[s, a], gradient.axis_sav[s, a]
                for v in range(3):
                    p, r = (v + 1) % 3, (v + 2) % 3
                    force_v[v] += g[v]
                    torque_v[v] += u[p] * g[r] - u[r] * g[p] + n[p] * b[r] - n[r] * b[p]
                    for w in range(3):
                        rigid_vv[v, w] -= 0.5 * (g[v] * u[w] + g[w] * u[v])
            for v in range(3):
                for w in range(3):
                    centre_mv[m, v] += q[w, v] * force_v[w]
                    turn_mv[m, v] += sign * q[w, v] * torque_v[w]
    return rigid_vv, centre_mv, turn_mv


@compiled()
def lattice_sums(sites, sums, pose):
    """All lattice sums of a crystal, site by site.

    Returns
    -------
    geometry, gradient : Geometry, Gradient
        The molecules of the cell; energies of the asymmetric unit and derivatives by its sites.  What Ewald's sums
        hold of a molecule with itself is taken out of the energies, not out of the derivatives by multipoles: a rigid
        molecule's motions do not change it.
    closest : float
        See `polyscape.energy.direct.direct_sums`.
    """
    geometry = crystal_geometry(sites, pose)
    gradient = no_gradient(geometry)
    closest = direct_sums(sites, sums.screened, geometry, gradient)
    if closest >= 0.0 and sums.bare.product_n4.shape[0] > 0:
        closest = min(closest, direct_sums(sites, sums.bare, geometry, gradient))
    summed = closest >= 0.0 and reciprocal_sums(sites, sums.reciprocal, geometry, gradient)
    gradient.energy_t[0] += sums.self_energy
    gradient.energy_t[2] += sums.self_dispersion
    gradient.energy_t[3] += sums.pressure * abs(determinant(pose.cell_cv)) / sites.operation_scc.shape[0]
    for v in range(3):
        gradient.virial_vv[v, v] += gradient.energy_t[3]
    if not summed:
        gradient.energy_t[:] = math.inf
    return geometry, gradient, closest


@compiled()
def crystal_energy(sites, sums, pose):
    """Energy of the asymmetric unit and its derivatives.

    Parameters
    ----------
    sites, sums, pose : Sites, Sums, Pose
        See `polyscape.energy.sites`.

    Returns
    -------
    energy_t : array, shape (4,)
        Electrostatic, repulsion, dispersion, pressure times volume, eV per asymmetric unit; not finite when the cell
        was too odd to sum over.
    gradient : (strain_vv, centre_mv, rotation_mv)
        Derivatives, eV, eV/Angstrom, eV/radian.  The strain's holds before projection on symmetric strains.
    closest : float
        See `polyscape.energy.direct.direct_sums`.
    """
    geometry, gradient, closest = lattice_sums(sites, sums, pose)
    return gradient.energy_t, rigid_gradient(sites, geometry, gradient), closest
