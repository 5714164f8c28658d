"""Reciprocal-space lattice sums of charges and dispersion.

Per cell of volume V, over k != 0, with S_q(k) = sum q exp(i k r) and S_c likewise of sqrt(C6), b = |k| / (2 alpha),

    E_q = 2 pi / V       sum exp(-b^2) / k^2  |S_q|^2
    E_c = - pi^(3/2) alpha^3 / (6 V)  sum f(b) |S_c|^2 ,   f(b) = (1 - 2 b^2) exp(-b^2) + 2 sqrt(pi) b^3 erfc(b)

E_c has a finite term at k = 0, f(0) = 1.  Geometric-mean C6 makes dispersion one more structure factor: Williams, Acta
Cryst. A27 (1971) 452, https://doi.org/10.1107/S0567739471000998; Essmann et al., J. Chem. Phys. 103 (1995) 8577,
eq. 5.2, https://doi.org/10.1063/1.470117.
"""

import math

import numpy as np

from polyscape.energy.compiled import compiled
from polyscape.energy.linear import determinant, inverse

MAX_WAVE_VECTORS = 200_000
"""Most reciprocal vectors tried; more mean a cell far out of shape."""

_ROOT_PI = math.sqrt(math.pi)


@compiled()
def _phases(geometry, molecule_a, reciprocal_cv, order_c):
    """exp(2 pi i h s) of every site of the cell, for each axis and h = 0 .. order; shape (3, h, 2, sites)."""
    _, centre_smv, offset_sav = geometry
    total = offset_sav.shape[1]
    phase = np.empty((3, np.max(order_c) + 1, 2, centre_smv.shape[0] * total))
    for c in range(3):
        for s in range(centre_smv.shape[0]):
            for a in range(total):
                angle = 0.0
                for v in range(3):
                    angle += reciprocal_cv[c, v] * (centre_smv[s, molecule_a[a], v] + offset_sav[s, a, v])
                m = s * total + a
                phase[c, 0, 0, m], phase[c, 0, 1, m] = 1.0, 0.0
                if order_c[c] > 0:
                    phase[c, 1, 0, m], phase[c, 1, 1, m] = math.cos(angle), math.sin(angle)
        for h in range(2, order_c[c] + 1):
            for m in range(phase.shape[3]):
                a, b = phase[c, h - 1, 0, m], phase[c, h - 1, 1, m]
                cos, sin = phase[c, 1, 0, m], phase[c, 1, 1, m]
                phase[c, h, 0, m], phase[c, h, 1, m] = a * cos - b * sin, a * sin + b * cos
    return phase


@compiled(fastmath=True)
def _structure_factors(phase, hkl, weights, wave_m):
    """S_q and S_c at one wave vector; fills wave_m with exp(i k r) of every site."""
    charge_m, dispersion_m = weights
    h, k, n = hkl
    sign_k = -1.0 if k < 0 else 1.0
    sign_n = -1.0 if n < 0 else 1.0
    first, second, third = phase[0, h], phase[1, abs(k)], phase[2, abs(n)]
    q_re = q_im = c_re = c_im = 0.0
    for m in range(wave_m.shape[1]):
        a, b = first[0, m], first[1, m]
        c, d = second[0, m], sign_k * second[1, m]
        e, f = third[0, m], sign_n * third[1, m]
        ac, bc = a * c - b * d, a * d + b * c
        cos, sin = ac * e - bc * f, ac * f + bc * e
        wave_m[0, m] = cos
        wave_m[1, m] = sin
        q_re += charge_m[m] * cos
        q_im += charge_m[m] * sin
        c_re += dispersion_m[m] * cos
        c_im += dispersion_m[m] * sin
    return q_re, q_im, c_re, c_im


@compiled()
def _add_virial(virial_vv, energy, factor, k_v):
    """Strain derivative of energy = w(k)/V |S|^2: -energy on the diagonal, factor k k, factor = -w'/(k V) |S|^2."""
    for a in range(3):
        virial_vv[a, a] -= energy
        for b in range(3):
            virial_vv[a, b] += factor * k_v[a] * k_v[b]


@compiled()
def reciprocal_sums(sites, sums, geometry, energy_t, force_av, virial_vv):
    """Add the reciprocal sums; arguments as `polyscape.energy.direct.direct_sums`.

    Returns
    -------
    bool
        False when the cell has too many wave vectors and the sum was given up.
    """
    cell_cv, centre_smv, _ = geometry
    operations = centre_smv.shape[0]
    volume = abs(determinant(cell_cv))
    inverse_vc = inverse(cell_cv)
    reciprocal_cv = np.empty((3, 3))
    order_c = np.empty(3, np.int64)
    for c in range(3):
        order_c[c] = int(sums.k_cutoff * math.sqrt(np.sum(cell_cv[c] ** 2)) / (2.0 * math.pi))
        reciprocal_cv[c] = 2.0 * math.pi * inverse_vc[:, c]
    if (order_c[0] + 1) * (2 * order_c[1] + 1) * (2 * order_c[2] + 1) > MAX_WAVE_VECTORS:
        return False
    phase = _phases(geometry, sites.molecule_a, reciprocal_cv, order_c)
    charge_m, dispersion_m = np.empty(phase.shape[3]), np.empty(phase.shape[3])
    for s in range(operations):
        charge_m[s * force_av.shape[0] : (s + 1) * force_av.shape[0]] = sites.charge_a
        dispersion_m[s * force_av.shape[0] : (s + 1) * force_av.shape[0]] = sites.dispersion_a
    wave_m = np.empty((2, phase.shape[3]))
    a2 = sums.alpha * sums.alpha
    scale_c = math.pi * _ROOT_PI * sums.alpha * a2 / (3.0 * volume)  # half space: twice the prefactor
    origin = -0.5 * scale_c * np.sum(dispersion_m) ** 2 / operations
    energy_t[2] += origin
    k_v = np.zeros(3)
    _add_virial(virial_vv, origin, 0.0, k_v)
    for h in range(order_c[0] + 1):
        for k in range(-order_c[1] if h > 0 else 0, order_c[1] + 1):
            for n in range(1 if h == 0 and k == 0 else -order_c[2], order_c[2] + 1):
                for v in range(3):
                    k_v[v] = h * reciprocal_cv[0, v] + k * reciprocal_cv[1, v] + n * reciprocal_cv[2, v]
                k2 = k_v[0] * k_v[0] + k_v[1] * k_v[1] + k_v[2] * k_v[2]
                if k2 > sums.k_cutoff * sums.k_cutoff:
                    continue
                q_re, q_im, c_re, c_im = _structure_factors(
                    phase, (h, k, n), (charge_m, dispersion_m), wave_m
                )
                b2 = k2 / (4.0 * a2)
                b = math.sqrt(b2)
                gauss, tail = math.exp(-b2), _ROOT_PI * b * math.erfc(b)
                g_q = 4.0 * math.pi / volume * gauss / k2
                g_c = -scale_c * ((1.0 - 2.0 * b2) * gauss + 2.0 * b2 * tail)
                s_q, s_c = (q_re * q_re + q_im * q_im) / operations, (c_re * c_re + c_im * c_im) / operations
                energy_t[0] += g_q * s_q
                energy_t[2] += g_c * s_c
                factor = 2.0 * (1.0 / k2 + 0.25 / a2) * g_q * s_q - 1.5 / a2 * scale_c * (gauss - tail) * s_c
                _add_virial(virial_vv, g_q * s_q + g_c * s_c, factor, k_v)
                for a in range(force_av.shape[0]):
                    cos, sin = wave_m[0, a], wave_m[1, a]
                    pull = 2.0 * g_q * sites.charge_a[a] * (q_im * cos - q_re * sin)
                    pull += 2.0 * g_c * sites.dispersion_a[a] * (c_im * cos - c_re * sin)
                    for v in range(3):
                        force_av[a, v] += pull * k_v[v]
    return True
