"""Direct-space lattice sums over pairs of sites, term by term as `polyscape.energy.pairs` writes them."""

import math

import numpy as np

from polyscape.energy.anisotropic import anisotropic_repulsion
from polyscape.energy.compiled import compiled
from polyscape.energy.images import MAX_IMAGES, lattice_points, triangular_frame
from polyscape.energy.pairs import (
    DISPERSION,
    FAR_A,
    FORCE,
    PADDING,
    REPULSION,
    RESULTS,
    SUMS,
    VIRIAL,
    charge_sums,
    multipole_sums,
)
from polyscape.energy.tensors import HOBSON_FACTOR, HOBSON_FROM, HOBSON_TERMS, HOBSON_TO, TERMS

CLASH_A = 1e-3
"""Sites nearer than this cannot be summed over: the singular parts of Ewald's terms no longer cancel."""


@compiled()
def _neighbours(first, crystal, sums, image_nv, start_ms):
    """Centres of the molecules around an independent one, image by image.

    Returns
    -------
    int
        Their number, or -1 if too many; those of molecule m by operation s stand in rows start_ms[m, s] ..
        start_ms[m, s + 1].
    """
    sites, geometry = crystal
    lattice = triangular_frame(geometry.cell_cv)
    operations = geometry.centre_smv.shape[0]
    n = 0
    for m in range(sites.first_m.shape[0] - 1):
        reach = sums.cutoff
        if not sums.by_molecule:
            reach += sites.radius_m[first] + sites.radius_m[m]
        for s in range(operations):
            start_ms[m, s] = n
            if sites.distinct_ms[m, s]:
                offset = geometry.centre_smv[s, m] - geometry.centre_smv[0, first]
                n = lattice_points(offset, reach, lattice, image_nv, n, s == 0 and first == m)
                if n < 0:
                    return -1
        start_ms[m, operations] = n
    return n


@compiled(fastmath=True)
def _within(image_nv, start, end, offset_v, cutoff, vector_vn):
    """Vectors image + offset shorter than the cutoff, closely packed and padded; number without padding, least r^2."""
    x, y, z = offset_v[0], offset_v[1], offset_v[2]
    count = 0
    least = FAR_A * FAR_A
    cutoff2 = cutoff * cutoff
    for m in range(start, end):
        dx, dy, dz = image_nv[m, 0] + x, image_nv[m, 1] + y, image_nv[m, 2] + z
        r2 = dx * dx + dy * dy + dz * dz
        vector_vn[0, count] = dx
        vector_vn[1, count] = dy
        vector_vn[2, count] = dz
        vector_vn[3, count] = r2
        count += r2 < cutoff2
        least = min(least, r2)
    for m in range(count, count + PADDING):
        vector_vn[0, m], vector_vn[1, m], vector_vn[2, m], vector_vn[3, m] = FAR_A, 0.0, 0.0, FAR_A * FAR_A
    return count, least


@compiled(fastmath=True)
def _near_site(image_nv, start, end, offset_v, radius, near_nv):
    """The images whose centres, seen from a site of the first molecule, are nearer than the radius; their number."""
    x, y, z = offset_v[0], offset_v[1], offset_v[2]
    count = 0
    for m in range(start, end):
        near_nv[count, 0] = image_nv[m, 0]
        near_nv[count, 1] = image_nv[m, 1]
        near_nv[count, 2] = image_nv[m, 2]
        dx, dy, dz = image_nv[m, 0] - x, image_nv[m, 1] - y, image_nv[m, 2] - z
        count += dx * dx + dy * dy + dz * dz < radius * radius
    return count


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
        out[DISPERSION] += singular - scale * (1.0 + y * (6.0 + 21.0 * y))
        slope = (-6.0 * singular / r + scale * (6.0 + 42.0 * y) / wall) / r
        _add_push(vector_vn[:, m], slope * vector_vn[:3, m], out)


@compiled()
def _add_push(vector_v, slope_v, out):
    """Add a derivative by one vector to the results of a pair."""
    for v in range(3):
        out[FORCE + v] += slope_v[v]
        out[VIRIAL + v] += slope_v[v] * vector_v[v]
    out[VIRIAL + 3] += 0.5 * (slope_v[0] * vector_v[1] + slope_v[1] * vector_v[0])
    out[VIRIAL + 4] += 0.5 * (slope_v[0] * vector_v[2] + slope_v[2] * vector_v[0])
    out[VIRIAL + 5] += 0.5 * (slope_v[1] * vector_v[2] + slope_v[2] * vector_v[1])


@compiled()
def _add_anisotropic(sites, geometry, gradient, places, vectors, out):
    """Add the repulsion of a pair of sites one of which at least is no sphere, and its torques."""
    i, j, s, weight = places
    vector_vn, count = vectors
    force_vn, bend = np.zeros((3, count)), np.zeros(7)
    axes = (geometry.axis_sav[0, i], geometry.axis_sav[s, j])
    pair = (sites.prefactor_aa[i, j], sites.decay_aa[i, j], sites.stretch_a[i], sites.stretch_a[j])
    anisotropic_repulsion(vector_vn, count, pair, axes, force_vn, bend)
    out[REPULSION] += bend[0]
    for v in range(3):
        gradient.axis_sav[0, i, v] += weight * bend[1 + v]
        gradient.axis_sav[s, j, v] += weight * bend[4 + v]
    for m in range(count):
        _add_push(vector_vn[:, m], force_vn[:, m], out)


@compiled(fastmath=True)
def _pair_polynomials(moment_qx, i, product_n4, work, out_xc):
    """Coefficients of A_0 .. A_4 of site i with every site of the cell, shape (operations * sites, 46)."""
    total_qx, work_cx = work
    columns = moment_qx.shape[1]
    if product_n4.shape[0] == 1:
        for x in range(columns):
            out_xc[x, 0] = moment_qx[0, i] * moment_qx[0, x]
        return
    total_qx[:] = 0.0
    for n in range(product_n4.shape[0]):
        a, b, p, sign = product_n4[n]
        factor = sign * moment_qx[a, i]
        for x in range(columns):
            total_qx[p, x] += factor * moment_qx[b, x]
    work_cx[:] = 0.0
    for n in range(HOBSON_TO.shape[0]):
        to, source, factor = HOBSON_TO[n], HOBSON_FROM[n], HOBSON_FACTOR[n]
        for x in range(columns):
            work_cx[to, x] += factor * total_qx[source, x]
    for x in range(columns):
        for c in range(HOBSON_TERMS):
            out_xc[x, c] = work_cx[c, x]


@compiled(fastmath=True)
def _add_slopes(moment_qx, i, product_n4, sum_xc, slope_qx, work):
    """Derivatives by the polynomials D of site i and of all others, from the sums of b_j times monomials."""
    work_qx, work_cx = work
    columns = moment_qx.shape[1]
    if product_n4.shape[0] <= 1:
        return
    for c in range(HOBSON_TERMS):
        for x in range(columns):
            work_cx[c, x] = sum_xc[x, c]
    work_qx[:] = 0.0
    for n in range(HOBSON_TO.shape[0]):
        to, source, factor = HOBSON_TO[n], HOBSON_FROM[n], HOBSON_FACTOR[n]
        for x in range(columns):
            work_qx[source, x] += factor * work_cx[to, x]
    for n in range(product_n4.shape[0]):
        a, b, p, sign = product_n4[n]
        total = 0.0
        factor = sign * moment_qx[a, i]
        for x in range(columns):
            total += moment_qx[b, x] * work_qx[p, x]
            slope_qx[b, x] += factor * work_qx[p, x]
        slope_qx[a, i] += sign * total


@compiled()
def _site_with_molecule(sites, sums, geometry, gradient, places, images, polynomials):
    """A site with another molecule's images by one operation; returns as `direct_sums`."""
    i, mj, s, weight, mirrored = places
    image_nv, start, end, near_nv, vector_vn = images
    coefficient_xc, sum_xc = polynomials
    total = sites.body_av.shape[0]
    offset_sav, force_sav, virial_vv = geometry.offset_sav, gradient.force_sav, gradient.virial_vv
    prefactor_aa, decay_aa, c6_aa, wall_aa = sites.prefactor_aa, sites.decay_aa, sites.c6_aa, sites.wall_aa
    clash_aa = sites.clash_aa
    dispersion_a, stretch_a, product_n4 = sites.dispersion_a, sites.stretch_a, sums.product_n4
    radial, exp6, ewald_c6 = sums.radial, sums.exp6, sums.exp6 * sums.ewald_c6
    cutoff = FAR_A if sums.by_molecule else sums.cutoff
    if not sums.by_molecule:
        end = _near_site(image_nv, start, end, offset_sav[0, i], cutoff + sites.radius_m[mj], near_nv)
        start, image_nv = 0, near_nv
    electrostatic = repulsion = dispersion = 0.0
    out, offset_v = np.zeros(RESULTS), np.empty(3)
    closest = 1.0
    for j in range(i if mirrored else sites.first_m[mj], sites.first_m[mj + 1]):
        for v in range(3):
            offset_v[v] = offset_sav[s, j, v] - offset_sav[0, i, v]
        count, least = _within(image_nv, start, end, offset_v, cutoff, vector_vn)
        if count == 0:
            continue
        if least < CLASH_A * CLASH_A:
            return -1.0
        share = 0.5 * weight if mirrored and i == j else weight
        padded = (count + PADDING - 1) // PADDING * PADDING
        bent = exp6 * (abs(stretch_a[i]) + abs(stretch_a[j])) > 0.0
        c6 = ewald_c6 * dispersion_a[i] * dispersion_a[j]
        pair = (0.0 if bent else exp6 * prefactor_aa[i, j], decay_aa[i, j], c6, exp6 * c6_aa[i, j] - c6)
        column = s * total + j
        coefficient_c = coefficient_xc[column]
        if product_n4.shape[0] <= 1:
            charge_sums(vector_vn, padded, pair, radial, coefficient_c, out)
            electrostatic += share * coefficient_c[0] * out[SUMS]
        else:
            multipole_sums(vector_vn, padded, pair, radial, coefficient_c, out)
            for c in range(HOBSON_TERMS):
                electrostatic += share * coefficient_c[c] * out[SUMS + c]
                sum_xc[column, c] = share * out[SUMS + c]
        if bent:
            _add_anisotropic(sites, geometry, gradient, (i, j, s, share), (vector_vn, count), out)
        wall = exp6 * wall_aa[i, j]
        if least < wall * wall:
            _add_wall(vector_vn, count, c6_aa[i, j], wall, out)
        clash = clash_aa[i, j]
        if least < clash * clash:
            closest = min(closest, math.sqrt(least) / clash)
        repulsion += share * out[REPULSION]
        dispersion += share * out[DISPERSION]
        for v in range(3):
            force_sav[0, i, v] -= share * out[FORCE + v]
            force_sav[s, j, v] += share * out[FORCE + v]
            virial_vv[v, v] += share * out[VIRIAL + v]
        virial_vv[0, 1] += share * out[VIRIAL + 3]
        virial_vv[0, 2] += share * out[VIRIAL + 4]
        virial_vv[1, 2] += share * out[VIRIAL + 5]
    gradient.energy_t[0] += electrostatic
    gradient.energy_t[1] += repulsion
    gradient.energy_t[2] += dispersion
    return closest


@compiled()
def direct_sums(sites, sums, geometry, gradient):
    """Add the direct sums of the independent molecules with all others.

    Molecules on general positions: E(i, s j) = E(j, s^-1 i), so that each unordered pair of sites is met once.  On
    special positions the operations that make the images are a choice of cosets, and both orders are summed.

    Parameters
    ----------
    sites, sums, geometry : Sites, DirectSums, Geometry
        See `polyscape.energy.sites`.
    gradient : Gradient
        Added to; the virial's upper triangle only.

    Returns
    -------
    float
        Shortest distance between molecules over its clash radius, at most 1 (no clash);
        negative when sites coincide or the cell is so dense that the sum was given up.
    """
    operations, total = geometry.offset_sav.shape[:2]
    molecules = sites.first_m.shape[0] - 1
    moment_qx = geometry.moment_qsa.reshape((TERMS, operations * total))
    slope_qx = gradient.slope_qsa.reshape((TERMS, operations * total))
    work = (np.empty(slope_qx.shape), np.empty((HOBSON_TERMS, operations * total)))
    polynomials = (np.zeros((operations * total, HOBSON_TERMS)), np.zeros((operations * total, HOBSON_TERMS)))
    image_nv = np.empty((MAX_IMAGES, 3))
    start_ms = np.empty((molecules, operations + 1), np.int64)
    closest = 1.0
    for mi in range(molecules):
        n = _neighbours(mi, (sites, geometry), sums, image_nv, start_ms)
        if n < 0:
            return -1.0
        near_nv, vector_vn = np.empty((n + 1, 3)), np.empty((4, n + PADDING))
        for i in range(sites.first_m[mi], sites.first_m[mi + 1]):
            _pair_polynomials(moment_qx, i, sums.product_n4, work, polynomials[0])
            polynomials[1][:] = 0.0
            for mj in range(molecules):
                general = sites.weight_m[mi] == 1.0 and sites.weight_m[mj] == 1.0
                if general and mj < mi:
                    continue
                weight = 1.0 if general else 0.5 * sites.weight_m[mi]
                for s in range(operations):
                    start, end = start_ms[mj, s], start_ms[mj, s + 1]
                    if start == end:
                        continue
                    places = (i, mj, s, weight, general and mi == mj)
                    images = (image_nv, start, end, near_nv, vector_vn)
                    near = _site_with_molecule(sites, sums, geometry, gradient, places, images, polynomials)
                    if near < 0.0:
                        return near
                    closest = min(closest, near)
            _add_slopes(moment_qx, i, sums.product_n4, polynomials[1], slope_qx, work)
    return closest
