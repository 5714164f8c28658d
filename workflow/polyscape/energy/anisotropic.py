"""Repulsion between sites that are not spheres: halogens, flattened along their bond.

For a vector of length r and direction u from the first site to the second, with unit vectors n_1, n_2 along their bonds,

    U = A exp(-(r - s) / rho) ,   s = a_1 P_2(n_1 . u) + a_2 P_2(n_2 . u) ,   P_2(x) = (3 x^2 - 1) / 2 ,

so that s lengthens (a > 0) or shortens (a < 0) the contact distance seen along the bond.  It is Stone's expansion of the
shape of a pair, exp(-alpha (r - rho)), with the two terms of rho in which one site alone is of rank 2; their S functions
are P_2 of the angle between axis and line (Stone, The Theory of Intermolecular Forces, 2nd ed., Oxford 2013,
https://doi.org/10.1093/acprof:oso/9780199672394.001.0001; for chlorine Day & Price, J. Am. Chem. Soc. 125 (2003) 16434,
https://doi.org/10.1021/ja0383625).  In DMACRYS's input they are the ``ANIS`` lines ``0 0 2 0 2`` and ``0 0 0 2 2``, by its
manual ``k1 k2 l1 l2 j rho``, after an A that is exp(alpha rho_00); OCC (github.com/peterspackman/occ) reads them so too.
W99rev's a_2 are taken to be these rho: that follows from their lines, no published lattice energy has been compared.
"""

import math

from polyscape.energy.compiled import compiled
from polyscape.energy.special import exp_simd

BEND = 7
"""Of `anisotropic_repulsion`: energy, derivative by the first axis (3), derivative by the second axis (3)."""


@compiled(fastmath=True)
def anisotropic_repulsion(vector_vn, n, pair, axes, force_vn, out):
    """Repulsion of a site with the images of another, all of one orientation.

    The axes count as independent vectors in ``n . u``: the derivative by a turn of site i is n_i x dU/dn_i.

    Parameters
    ----------
    vector_vn : array, shape (4, capacity)
        Components and squared length of the vectors, Angstrom.
    n : int
        How many vectors there are.
    pair : (prefactor, decay, stretch_first, stretch_second)
        A in eV, 1/rho in 1/Angstrom, a_1 and a_2 in Angstrom; 0 for a sphere.
    axes : (axis_first_v, axis_second_v)
        Unit vectors along the bonds; of no account for a sphere.
    force_vn : array, shape (3, capacity)
        Derivatives of U by the vectors, eV/Angstrom: added to.
    out : array, shape (7,)
        Overwritten; see `BEND`, eV.
    """
    prefactor, decay, a1, a2 = pair
    n1, n2 = axes
    n1x, n1y, n1z, n2x, n2y, n2z = n1[0], n1[1], n1[2], n2[0], n2[1], n2[2]
    energy = t1x = t1y = t1z = t2x = t2y = t2z = 0.0
    for m in range(n):
        r = math.sqrt(vector_vn[3, m])
        inverse = 1.0 / r
        ux, uy, uz = vector_vn[0, m] * inverse, vector_vn[1, m] * inverse, vector_vn[2, m] * inverse
        c1 = n1x * ux + n1y * uy + n1z * uz
        c2 = n2x * ux + n2y * uy + n2z * uz
        s = a1 * (1.5 * c1 * c1 - 0.5) + a2 * (1.5 * c2 * c2 - 0.5)
        u = prefactor * exp_simd(-decay * (r - s))
        energy += u
        # dU = -decay U (dr - sum_i g_i dc_i), with dc_i = (n_i - c_i u) . dvector / r + u . dn_i
        slope = decay * u
        g1, g2 = 3.0 * a1 * c1 * slope, 3.0 * a2 * c2 * slope
        along = -slope - (g1 * c1 + g2 * c2) * inverse
        force_vn[0, m] += along * ux + (g1 * n1x + g2 * n2x) * inverse
        force_vn[1, m] += along * uy + (g1 * n1y + g2 * n2y) * inverse
        force_vn[2, m] += along * uz + (g1 * n1z + g2 * n2z) * inverse
        t1x += g1 * ux
        t1y += g1 * uy
        t1z += g1 * uz
        t2x += g2 * ux
        t2y += g2 * uy
        t2z += g2 * uz
    out[0] = energy
    out[1], out[2], out[3] = t1x, t1y, t1z
    out[4], out[5], out[6] = t2x, t2y, t2z
