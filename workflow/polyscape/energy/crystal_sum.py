"""Energy and gradient of a crystal of rigid molecules: all lattice sums, and the chain rule to rigid-body motions."""

import math

import numpy as np

from polyscape.energy.compiled import compiled
from polyscape.energy.direct import direct_sums
from polyscape.energy.linear import inverse, product
from polyscape.energy.reciprocal import reciprocal_sums


@compiled()
def crystal_geometry(sites, pose):
    """Cell, the molecules' centres (operations, molecules, 3) and the sites relative to them, Angstrom.

    A site at body coordinates x stands at centre + Q_s R x, with Q_s = cell^T W_s cell^-T the operation in Cartesian
    axes, and centre = (W_s t + shift_s) cell.
    """
    cell_cv, centre_mc, rotation_mvv = pose
    operations, total = sites.operation_scc.shape[0], sites.body_av.shape[0]
    molecules = centre_mc.shape[0]
    centre_smv = np.zeros((operations, molecules, 3))
    offset_sav = np.zeros((operations, total, 3))
    transposed = cell_cv.T.copy()
    back = inverse(transposed)
    for s in range(operations):
        cartesian = product(product(transposed, sites.operation_scc[s]), back)
        for m in range(molecules):
            turn = product(cartesian, rotation_mvv[m])
            for c in range(3):
                fraction = sites.shift_sc[s, c]
                for d in range(3):
                    fraction += sites.operation_scc[s, c, d] * centre_mc[m, d]
                for v in range(3):
                    centre_smv[s, m, v] += fraction * cell_cv[c, v]
            for a in range(sites.first_m[m], sites.first_m[m + 1]):
                for v in range(3):
                    for w in range(3):
                        offset_sav[s, a, v] += turn[v, w] * sites.body_av[a, w]
    return cell_cv, centre_smv, offset_sav


@compiled()
def _rigid_gradient(sites, offset_av, force_av, virial_vv):
    """From derivatives by sites to those by strain at fixed shape, centres and rotations.

    dE/dstrain = virial - sum_a dE/dr_a (x) u_a, symmetrised: a strain moves the centres, not the sites about them.
    dE/drotation = sum_a u_a x dE/dr_a.
    """
    molecules = sites.first_m.shape[0] - 1
    centre_mv = np.zeros((molecules, 3))
    torque_mv = np.zeros((molecules, 3))
    rigid_vv = virial_vv.copy()
    for m in range(molecules):
        for a in range(sites.first_m[m], sites.first_m[m + 1]):
            u, g = offset_av[a], force_av[a]
            for v in range(3):
                centre_mv[m, v] += g[v]
                torque_mv[m, v] += u[(v + 1) % 3] * g[(v + 2) % 3] - u[(v + 2) % 3] * g[(v + 1) % 3]
                for w in range(3):
                    rigid_vv[v, w] -= 0.5 * (g[v] * u[w] + g[w] * u[v])
    return rigid_vv, centre_mv, torque_mv


@compiled()
def crystal_energy(sites, sums, pose):
    """Energy of the asymmetric unit and its derivatives.

    Parameters
    ----------
    sites, sums, pose : Sites, Sums, Pose
        See `polyscape.energy.sites`.

    Returns
    -------
    energy_t : array, shape (3,)
        Electrostatic, repulsion, dispersion, eV per asymmetric unit; not finite when the cell was too odd to sum over.
    gradient : (strain_vv, centre_mv, rotation_mv)
        Derivatives, eV, eV/Angstrom, eV/radian.  The strain's holds before projection on symmetric strains.
    closest : float
        See `polyscape.energy.direct.direct_sums`.
    """
    geometry = crystal_geometry(sites, pose)
    energy_t = np.zeros(3)
    force_av = np.zeros(sites.body_av.shape)
    virial_vv = np.zeros((3, 3))
    closest = direct_sums(sites, sums, geometry, energy_t, force_av, virial_vv)
    summed = closest >= 0.0 and reciprocal_sums(sites, sums, geometry, energy_t, force_av, virial_vv)
    energy_t[0] += sums.self_energy
    energy_t[2] += sums.self_dispersion
    if not summed:
        energy_t[:] = math.inf
    return energy_t, _rigid_gradient(sites, geometry[2][0], force_av, virial_vv), closest
