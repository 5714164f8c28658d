"""Reciprocal-space lattice sums of multipoles and dispersion.

Per cell of volume V, over k != 0, b = |k| / (2 alpha), with the structure factors of rank l and of sqrt(C6)

    S_l(k) = sum_a i^l D_l,a(k) exp(i k r_a) ,   S_c(k) = sum_a sqrt(C6_a) exp(i k r_a) ,
    E_q = 2 pi / V  sum exp(-b^2) / k^2  sum_ll' m_ll' Re S_l^* S_l'
    E_c = - pi^(3/2) alpha^3 / (6 V)  sum f(b) |S_c|^2 ,   f(b) = (1 - 2 b^2) exp(-b^2) + 2 sqrt(pi) b^3 erfc(b)

D_l are the polynomials of `polyscape.energy.tensors`, m_ll' says which terms are in the sum.  E_c has a finite term at
k = 0, f(0) = 1.  Structure factors of multipoles: Aguado & Madden, J. Chem. Phys. 119 (2003) 7471, section II,
https://doi.org/10.1063/1.1605941; of dispersion: Williams, Acta Cryst. A27 (1971) 452,
https://doi.org/10.1107/S0567739471000998; Essmann et al., J. Chem. Phys. 103 (1995) 8577, eq. 5.2,
https://doi.org/10.1063/1.470117.

Only the asymmetric unit is summed over at each wave vector: with its structure factor F,
S_l(h) = sum_s exp(2 pi i h t_s) F_l(W_s^T h), and the derivative of the energy by F_l is that by S_l times the number
of operations, for S has the symmetry of the group.
"""

import math

import numpy as np

from polyscape.energy.compiled import compiled
from polyscape.energy.linear import determinant, inverse
from polyscape.energy.special import sincos_turns
from polyscape.energy.tensors import FIRST_l, deformation, monomials
from polyscape.molecule.multipoles import RANK

MAX_WAVE_VECTORS = 200_000
"""Most reciprocal vectors tried; more mean a cell far out of shape."""

_ROOT_PI = math.sqrt(math.pi)

_I_TO = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))
"""Real and imaginary parts of i^0 .. i^3."""

_MARGIN = 1.0 + 1e-6
"""Wave vectors a little beyond the cutoff are listed, so that the images of all within are found despite rounding."""


@compiled()
def _wave_vectors(cell_cv, k_cutoff):
    """Half of the wave vectors within the cutoff: indices (3, n), Cartesian (3, n), and the place of each index.

    `place[h + H, k + K, l + L]` is 1 + the column of (h, k, l), minus that of (-h, -k, -l), or 0.  No vectors at all
    when there would be too many.
    """
    reciprocal_vc = inverse(cell_cv) * (2.0 * math.pi)
    order = np.empty(3, np.int64)
    for c in range(3):
        order[c] = int(_MARGIN * k_cutoff * math.sqrt(np.sum(cell_cv[c] ** 2)) / (2.0 * math.pi))
    if (2 * order[0] + 1) * (2 * order[1] + 1) * (2 * order[2] + 1) > MAX_WAVE_VECTORS:
        return np.empty((3, 0), np.int64), np.empty((3, 0)), np.empty((0, 0, 0), np.int64)
    place = np.zeros((2 * order[0] + 1, 2 * order[1] + 1, 2 * order[2] + 1), np.int64)
    index_cn = np.empty((3, place.size // 2), np.int64)
    wave_vn = np.empty((3, place.size // 2))
    n = 0
    limit = (_MARGIN * k_cutoff) ** 2
    k_v = np.empty(3)
    for h in range(order[0] + 1):
        for k in range(-order[1] if h > 0 else 0, order[1] + 1):
            for m in range(1 if h == 0 and k == 0 else -order[2], order[2] + 1):
                for v in range(3):
                    k_v[v] = h * reciprocal_vc[v, 0] + k * reciprocal_vc[v, 1] + m * reciprocal_vc[v, 2]
                if k_v[0] * k_v[0] + k_v[1] * k_v[1] + k_v[2] * k_v[2] > limit:
                    continue
                index_cn[0, n], index_cn[1, n], index_cn[2, n] = h, k, m
                wave_vn[:, n] = k_v
                n += 1
                place[order[0] + h, order[1] + k, order[2] + m] = n
                place[order[0] - h, order[1] - k, order[2] - m] = -n
    return index_cn[:, :n].copy(), wave_vn[:, :n].copy(), place


@compiled(fastmath=True)
def _phase(index_cn, fraction_c, cos_n, sin_n):
    """exp(2 pi i h x) of a point at all wave vectors."""
    x, y, z = fraction_c[0], fraction_c[1], fraction_c[2]
    for n in range(index_cn.shape[1]):
        cos_n[n], sin_n[n] = sincos_turns(index_cn[0, n] * x + index_cn[1, n] * y + index_cn[2, n] * z)


@compiled(fastmath=True)
def _amplitudes(moment_qa, a, weight, monomial_qn, out_ln):
    """The amplitude weight D_l(k) of a site at all wave vectors, by rank; shape (5, n)."""
    out_ln[:] = 0.0
    for rank in range(out_ln.shape[0]):
        for q in range(FIRST_l[rank], FIRST_l[rank + 1]):
            factor = weight * moment_qa[q, a]
            for n in range(out_ln.shape[1]):
                out_ln[rank, n] += factor * monomial_qn[q, n]


@compiled(fastmath=True)
def _add_site(amplitude_ln, dispersion, wave, factors):
    """Add a site to the structure factors of the asymmetric unit: i^l D_l exp(i k r), and sqrt(C6) exp(i k r)."""
    cos_n, sin_n = wave
    real_ln, imaginary_ln = factors
    for rank in range(amplitude_ln.shape[0]):
        c, s = _I_TO[rank % 4]
        for n in range(amplitude_ln.shape[1]):
            real_ln[rank, n] += amplitude_ln[rank, n] * (c * cos_n[n] - s * sin_n[n])
            imaginary_ln[rank, n] += amplitude_ln[rank, n] * (c * sin_n[n] + s * cos_n[n])
    for n in range(amplitude_ln.shape[1]):
        real_ln[RANK + 1, n] += dispersion * cos_n[n]
        imaginary_ln[RANK + 1, n] += dispersion * sin_n[n]


@compiled(fastmath=True)
def _whole_cell(sites, waves, unit, ranks):
    """Structure factors of the cell from those of the asymmetric unit, ranks 0 .. 4 and dispersion."""
    index_cn, place = waves
    real_ln, imaginary_ln = unit
    count = index_cn.shape[1]
    cell_real_ln, cell_imaginary_ln = np.zeros(real_ln.shape), np.zeros(real_ln.shape)
    cos_n, sin_n = np.empty(count), np.empty(count)
    for s in range(sites.operation_scc.shape[0]):
        _phase(index_cn, sites.shift_sc[s], cos_n, sin_n)
        w = sites.operation_scc[s]
        for n in range(count):
            h, k, m = index_cn[0, n], index_cn[1, n], index_cn[2, n]
            p = round(w[0, 0] * h + w[1, 0] * k + w[2, 0] * m) + place.shape[0] // 2
            q = round(w[0, 1] * h + w[1, 1] * k + w[2, 1] * m) + place.shape[1] // 2
            r = round(w[0, 2] * h + w[1, 2] * k + w[2, 2] * m) + place.shape[2] // 2
            if not (0 <= p < place.shape[0] and 0 <= q < place.shape[1] and 0 <= r < place.shape[2]):
                continue  # beyond the cutoff, like the vector itself
            column = place[p, q, r]
            if column == 0:
                continue
            sign = 1.0 if column > 0 else -1.0
            column = abs(column) - 1
            for row in range(ranks):
                rank = row if row < ranks - 1 else RANK + 1
                a, b = real_ln[rank, column], sign * imaginary_ln[rank, column]
                cell_real_ln[rank, n] += cos_n[n] * a - sin_n[n] * b
                cell_imaginary_ln[rank, n] += cos_n[n] * b + sin_n[n] * a
    return cell_real_ln, cell_imaginary_ln


@compiled()
def _weights(sums, wave_vn, volume, operations, cell, gradient):
    """Add the energies; turn the structure factors in place into the derivatives of the energy by those of the unit.

    Half of the wave vectors stand for all, so that each counts twice.
    """
    real_ln, imaginary_ln = cell
    a2 = sums.alpha * sums.alpha
    scale_c = sums.ewald_c6 * _ROOT_PI**3 * sums.alpha * a2 / (3.0 * volume)
    masked_re, masked_im = np.empty(RANK + 1), np.empty(RANK + 1)
    for n in range(wave_vn.shape[1]):
        k2 = wave_vn[0, n] ** 2 + wave_vn[1, n] ** 2 + wave_vn[2, n] ** 2
        inside = 1.0 if k2 <= sums.k_cutoff * sums.k_cutoff else 0.0
        b2 = k2 / (4.0 * a2)
        b = math.sqrt(b2)
        gauss, tail = inside * math.exp(-b2), inside * _ROOT_PI * b * math.erfc(b)
        g_q = 4.0 * math.pi / volume * gauss / k2
        g_c = -scale_c * ((1.0 - 2.0 * b2) * gauss + 2.0 * b2 * tail)
        s_q = 0.0
        for i in range(RANK + 1):
            masked_re[i] = masked_im[i] = 0.0
            for j in range(RANK + 1):
                masked_re[i] += sums.included_ll[i, j] * real_ln[j, n]
                masked_im[i] += sums.included_ll[i, j] * imaginary_ln[j, n]
            s_q += real_ln[i, n] * masked_re[i] + imaginary_ln[i, n] * masked_im[i]
        c_re, c_im = real_ln[RANK + 1, n], imaginary_ln[RANK + 1, n]
        s_q, s_c = s_q / operations, (c_re * c_re + c_im * c_im) / operations
        gradient.energy_t[0] += g_q * s_q
        gradient.energy_t[2] += g_c * s_c
        factor = 2.0 * (1.0 / k2 + 0.25 / a2) * g_q * s_q - 1.5 / a2 * scale_c * (gauss - tail) * s_c
        _add_virial(gradient.virial_vv, g_q * s_q + g_c * s_c, factor, wave_vn[:, n])
        for i in range(RANK + 1):
            real_ln[i, n], imaginary_ln[i, n] = 2.0 * g_q * masked_re[i], 2.0 * g_q * masked_im[i]
        real_ln[RANK + 1, n], imaginary_ln[RANK + 1, n] = 2.0 * g_c * c_re, 2.0 * g_c * c_im


@compiled()
def _add_virial(virial_vv, energy, factor, k_v):
    """Strain derivative of energy = w(k)/V |S|^2: -energy on the diagonal, factor k k, factor = -w'/(k V) |S|^2."""
    for a in range(3):
        virial_vv[a, a] -= energy
        for b in range(3):
            virial_vv[a, b] += factor * k_v[a] * k_v[b]


@compiled(fastmath=True)
def _site_slopes(amplitude_ln, site, wave, weights, work):
    """Derivatives of the energy by a site's phase (n) and, for each rank, by its amplitude D_l (5, n)."""
    weight, dispersion = site
    cos_n, sin_n = wave
    real_ln, imaginary_ln = weights
    by_phase_n, by_amplitude_ln = work
    top = RANK + 1
    for n in range(cos_n.shape[0]):
        by_phase_n[n] = dispersion * (imaginary_ln[top, n] * cos_n[n] - real_ln[top, n] * sin_n[n])
    for rank in range(amplitude_ln.shape[0]):
        c, s = _I_TO[rank % 4]
        for n in range(cos_n.shape[0]):
            re, im = c * cos_n[n] - s * sin_n[n], c * sin_n[n] + s * cos_n[n]
            by_amplitude_ln[rank, n] = weight * (real_ln[rank, n] * re + imaginary_ln[rank, n] * im)
            by_phase_n[n] += amplitude_ln[rank, n] * (imaginary_ln[rank, n] * re - real_ln[rank, n] * im)


@compiled(fastmath=True)
def _dot(a_n, b_n):
    """Sum of products."""
    total = 0.0
    for n in range(a_n.shape[0]):
        total += a_n[n] * b_n[n]
    return total


@compiled()
def reciprocal_sums(sites, sums, geometry, gradient):
    """Add the reciprocal sums.

    Parameters
    ----------
    sites, sums, geometry, gradient : Sites, ReciprocalSums, Geometry, Gradient
        See `polyscape.energy.sites`.

    Returns
    -------
    bool
        False when the cell has too many wave vectors and the sum was given up.
    """
    total, operations = sites.body_av.shape[0], sites.operation_scc.shape[0]
    volume = abs(determinant(geometry.cell_cv))
    index_cn, wave_vn, place = _wave_vectors(geometry.cell_cv, sums.k_cutoff)
    count = index_cn.shape[1]
    if place.size == 0:
        return False
    ranks = sums.ranks
    monomial_qn = monomials(wave_vn, FIRST_l[ranks])
    phase_a2n, amplitude_aln = np.empty((total, 2, count)), np.empty((total, ranks, count))
    unit = (np.zeros((RANK + 2, count)), np.zeros((RANK + 2, count)))
    back = inverse(geometry.cell_cv)
    fraction_c = np.empty(3)
    root_c6 = 0.0
    for a in range(total):
        m = sites.molecule_a[a]
        for c in range(3):
            fraction_c[c] = 0.0
            for v in range(3):
                fraction_c[c] += (geometry.centre_smv[0, m, v] + geometry.offset_sav[0, a, v]) * back[v, c]
        _phase(index_cn, fraction_c, phase_a2n[a, 0], phase_a2n[a, 1])
        _amplitudes(geometry.moment_qsa[:, 0], a, sites.weight_m[m], monomial_qn, amplitude_aln[a])
        dispersion = sites.weight_m[m] * sites.dispersion_a[a]
        root_c6 += dispersion
        _add_site(amplitude_aln[a], dispersion, (phase_a2n[a, 0], phase_a2n[a, 1]), unit)
    cell = _whole_cell(sites, (index_cn, place), unit, ranks + 1)
    _weights(sums, wave_vn, volume, operations, cell, gradient)
    origin = -sums.ewald_c6 * _ROOT_PI**3 * sums.alpha**3 / (6.0 * volume) * root_c6**2 * operations
    gradient.energy_t[2] += origin
    _add_virial(gradient.virial_vv, origin, 0.0, np.zeros(3))
    slope_qa = np.zeros((geometry.moment_qsa.shape[0], total))
    work = (np.empty(count), np.empty((ranks, count)))
    for a in range(total):
        m = sites.molecule_a[a]
        site = (sites.weight_m[m], sites.weight_m[m] * sites.dispersion_a[a])
        _site_slopes(amplitude_aln[a], site, (phase_a2n[a, 0], phase_a2n[a, 1]), cell, work)
        for v in range(3):
            gradient.force_sav[0, a, v] += _dot(work[0], wave_vn[v])
        for rank in range(1, ranks):
            for q in range(FIRST_l[rank], FIRST_l[rank + 1]):
                slope_qa[q, a] = _dot(work[1][rank], monomial_qn[q])
    gradient.slope_qsa[:, 0] += slope_qa
    bent_vv = deformation(geometry.moment_qsa[:, 0], slope_qa, 0, total)
    for u in range(3):
        for w in range(3):
            gradient.virial_vv[u, w] -= 0.5 * (bent_vv[u, w] + bent_vv[w, u])
    return True
