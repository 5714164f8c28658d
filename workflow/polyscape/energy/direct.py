"""Direct-space lattice sums over pairs of sites: repulsion, and the short-ranged parts of charges and dispersion.

For a pair at distance r, with x = alpha r,

    u(r) = A exp(-r/rho)  +  q q' erfc(x) / r  -  C6 (1 + x^2 + x^4/2) exp(-x^2) / r^6 ,

charges after Ewald (Ann. Phys. 369 (1921) 253, https://doi.org/10.1002/andp.19213690304), dispersion after Williams
(Acta Cryst. A27 (1971) 452, https://doi.org/10.1107/S0567739471000998).  Inside the wall of a pair C6/r^6 is replaced
by its Taylor series (`polyscape.energy.potentials.wall_radius`).
"""

import math

import numpy as np

from polyscape.energy.compiled import compiled
from polyscape.energy.images import MAX_IMAGES, lattice_points, triangular_frame
from polyscape.energy.special import erfcx_simd, exp_simd

CLASH_A = 1e-3
"""Sites nearer than this cannot be summed over: the singular parts of Ewald's terms no longer cancel."""

SUM_COLUMNS = 13
"""Of `_pair_sums`: repulsion, charges, dispersion, the force on the first site (3), the virial (6), least r^2."""


@compiled(fastmath=True)
def _pair_sums(vector_vn, n, pair, alpha, out):
    """Sums over the n vectors from a site to the images of another.

    Parameters
    ----------
    vector_vn : array, shape (4, capacity)
        Components and squared length of the vectors.
    pair : (prefactor, decay, charge product, C6)
        Constants of the pair.
    out : array, shape (13,)
        Overwritten; see `SUM_COLUMNS`.
    """
    prefactor, decay, charges, c6 = pair
    alpha2 = alpha * alpha
    gauss_charge = charges * 2.0 * alpha / math.sqrt(math.pi)
    gauss_c6 = c6 * alpha2 * alpha2 * alpha2
    repulsion = coulomb = dispersion = fx = fy = fz = 0.0
    wxx = wyy = wzz = wxy = wxz = wyz = 0.0
    least = 1e300
    for m in range(n):
        r2 = vector_vn[3, m]
        least = min(least, r2)
        inverse2 = 1.0 / r2
        r = math.sqrt(r2)
        inverse = r * inverse2
        x2 = alpha2 * r2
        gauss = exp_simd(-x2)
        u_rep = prefactor * exp_simd(-decay * r)
        u_q = charges * erfcx_simd(alpha * r) * gauss * inverse
        u_c6 = c6 * (1.0 + x2 * (1.0 + 0.5 * x2)) * gauss * inverse2 * inverse2 * inverse2
        repulsion += u_rep
        coulomb += u_q
        dispersion -= u_c6
        slope = (6.0 * u_c6 - u_q + (gauss_c6 - gauss_charge) * gauss) * inverse2 - decay * u_rep * inverse
        dx, dy, dz = vector_vn[0, m], vector_vn[1, m], vector_vn[2, m]
        hx, hy, hz = slope * dx, slope * dy, slope * dz
        fx -= hx
        fy -= hy
        fz -= hz
        wxx += hx * dx
        wyy += hy * dy
        wzz += hz * dz
        wxy += hx * dy
        wxz += hx * dz
        wyz += hy * dz
    out[0], out[1], out[2] = repulsion, coulomb, dispersion
    out[3], out[4], out[5] = fx, fy, fz
    out[6], out[7], out[8], out[9], out[10], out[11] = wxx, wyy, wzz, wxy, wxz, wyz
    out[12] = least


@compiled()
def _add_wall(vector_vn, n, c6, wall, out):
    """Replace -C6/r^6 inside the wall by -C6 (1 + 6 y + 21 y^2) / wall^6, y = (wall - r) / wall."""
    for m in range(n):
        r2 = vector_vn[3, m]
        if r2 >= wall * wall:
            continue
        r = math.sqrt(r2)
        y = (wall - r) / wall
        scale = c6 / wall**6
        singular = c6 / r2**3
        out[2] += singular - scale * (1.0 + y * (6.0 + 21.0 * y))
        slope = (-6.0 * singular / r + scale * (6.0 + 42.0 * y) / wall) / r
        h = slope * vector_vn[:3, m]
        out[3:6] -= h
        out[6] += h[0] * vector_vn[0, m]
        out[7] += h[1] * vector_vn[1, m]
        out[8] += h[2] * vector_vn[2, m]
        out[9] += h[0] * vector_vn[1, m]
        out[10] += h[0] * vector_vn[2, m]
        out[11] += h[1] * vector_vn[2, m]


@compiled()
def _neighbours(first, second, geometry, reach, image_nv, image_s):
    """Centres of the images of molecule `second` within `reach` of `first`; their number, or -1 if too many."""
    cell_cv, centre_smv, _ = geometry
    lattice = triangular_frame(cell_cv)
    n = 0
    for s in range(centre_smv.shape[0]):
        offset = centre_smv[s, second] - centre_smv[0, first]
        start = n
        n = lattice_points(offset, reach, lattice, image_nv, start, s == 0 and first == second)
        if n < 0:
            return -1
        image_s[start:n] = s
    return n


@compiled(fastmath=True)
def _place(first, last, n, image_nv, image_s, offset_sav, out_avn):
    """Sites of all images, relative to the centre of the first molecule."""
    for j in range(first, last):
        for m in range(n):
            s = image_s[m]
            for v in range(3):
                out_avn[j - first, v, m] = image_nv[m, v] + offset_sav[s, j, v]


@compiled(fastmath=True)
def _within(site_vn, n, x_v, cutoff, vector_vn):
    """Vectors from x to the sites within the cutoff, closely packed; their number."""
    x, y, z = x_v[0], x_v[1], x_v[2]
    count = 0
    cutoff2 = cutoff * cutoff
    for m in range(n):
        dx, dy, dz = site_vn[0, m] - x, site_vn[1, m] - y, site_vn[2, m] - z
        r2 = dx * dx + dy * dy + dz * dz
        vector_vn[0, count] = dx
        vector_vn[1, count] = dy
        vector_vn[2, count] = dz
        vector_vn[3, count] = r2
        count += r2 < cutoff2
    return count


@compiled()
def direct_sums(sites, sums, geometry, energy_t, force_av, virial_vv):
    """Add the direct sums of the independent molecules with all others.

    Parameters
    ----------
    sites, sums : Sites, Sums
        The crystal and the split of the sums.
    geometry : (cell_cv, centre_smv, offset_sav)
        Cell, centres of all molecules of the cell, sites relative to their centres (operation first), Angstrom.
    energy_t : array, shape (3,)
        Electrostatic, repulsion, dispersion: added to, eV per asymmetric unit.
    force_av, virial_vv : arrays, shapes (sites, 3), (3, 3)
        Derivatives by the sites' positions and by a strain that moves every site: added to.

    Returns
    -------
    float
        Shortest distance between molecules over its wall radius, at most 1 (no pair inside its wall);
        negative when sites coincide or the cell is so dense that the sum was given up.
    """
    _, _, offset_sav = geometry
    most = np.max(sites.first_m[1:] - sites.first_m[:-1])
    image_nv = np.empty((MAX_IMAGES, 3))
    image_s = np.empty(MAX_IMAGES, np.int64)
    out = np.empty(SUM_COLUMNS)
    closest = 1.0
    for mi in range(sites.first_m.shape[0] - 1):
        for mj in range(sites.first_m.shape[0] - 1):
            reach = sums.cutoff + sites.radius_m[mi] + sites.radius_m[mj]
            n = _neighbours(mi, mj, geometry, reach, image_nv, image_s)
            if n < 0:
                return -1.0
            site_avn = np.empty((most, 3, n))
            vector_vn = np.empty((4, n + 1))
            _place(sites.first_m[mj], sites.first_m[mj + 1], n, image_nv, image_s, offset_sav, site_avn)
            for i in range(sites.first_m[mi], sites.first_m[mi + 1]):
                for j in range(sites.first_m[mj], sites.first_m[mj + 1]):
                    count = _within(
                        site_avn[j - sites.first_m[mj]], n, offset_sav[0, i], sums.cutoff, vector_vn
                    )
                    c6 = sites.dispersion_a[i] * sites.dispersion_a[j]
                    charges = sites.charge_a[i] * sites.charge_a[j]
                    pair = (sites.prefactor_aa[i, j], sites.decay_aa[i, j], charges, c6)
                    _pair_sums(vector_vn, count, pair, sums.alpha, out)
                    if out[12] < CLASH_A * CLASH_A:
                        return -1.0
                    wall = sites.wall_aa[i, j]
                    if out[12] < wall * wall:
                        closest = min(closest, math.sqrt(out[12]) / wall)
                        _add_wall(vector_vn, count, c6, wall, out)
                    _accumulate(out, i, energy_t, force_av, virial_vv)
    return closest


@compiled()
def _accumulate(out, i, energy_t, force_av, virial_vv):
    """Half of each pair's energy and virial, for its other half belongs to the other site."""
    energy_t[0] += 0.5 * out[1]
    energy_t[1] += 0.5 * out[0]
    energy_t[2] += 0.5 * out[2]
    for v in range(3):
        force_av[i, v] += out[3 + v]
        virial_vv[v, v] += 0.5 * out[6 + v]
    for (a, b), k in (((0, 1), 9), ((0, 2), 10), ((1, 2), 11)):
        virial_vv[a, b] += 0.5 * out[k]
        virial_vv[b, a] += 0.5 * out[k]
