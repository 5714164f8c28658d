"""Energy of one site with the images of another: exp-6 and multipoles to rank 4, as one loop that compilers vectorise.

For a vector (x, y, z) of length r from the first site to an image of the second,

    u(r) = w(r) [A exp(-r/rho) - C' / r^6]  -  C (1 + a^2 + a^4/2) exp(-a^2) / r^6  +  v(r) sum_j b_j(r) A_j(x, y, z) ,

a = alpha r.  C is the part of C6 that is a product over sites and is summed by Ewald's method (Williams, Acta Cryst. A27
(1971) 452, https://doi.org/10.1107/S0567739471000998), C' the rest.  A_j are the polynomials of a pair of multipole sites
(`polyscape.energy.tensors`), the same for all images by lattice translations, and b_j the radial functions of a screened
charge (Smith, CCP5 Newsletter 46 (1998) 18; Aguado & Madden, J. Chem. Phys. 119 (2003) 7471, eq. 2.18,
https://doi.org/10.1063/1.1605941),

    b_0 = erfc(a) / r ,   b_(j+1) = [(2 j + 1) b_j + (2 alpha^2)^j 2 alpha / sqrt(pi) exp(-a^2)] / r^2 ,

of a bare charge for alpha = 0.  w and v switch from 1 to 0 by a cubic.
"""

import math
from typing import NamedTuple

from polyscape.energy.compiled import compiled
from polyscape.energy.special import erfcx_simd, exp_simd

REPULSION, DISPERSION, FORCE, VIRIAL, SUMS = 0, 1, 2, 5, 11
"""Places of the results: energies, gradient by the vector (3), its symmetrised product with the vector (xx yy zz xy xz
yz), and the sums of v b_j times each monomial in the order of `polyscape.energy.tensors.HOBSON_TO`."""

RESULTS = SUMS + 46

PADDING = 4
"""Vectors stand in groups of four, filled up with one that is too long to count, so that no scalar rest is left over."""

FAR_A = 1e6


class Radial(NamedTuple):
    """What the radial functions depend on.

    Attributes
    ----------
    alpha : float
        Ewald parameter, 1/Angstrom; 0 for bare multipoles.
    plain_start, multipole_start : float
        Where w and v begin to fall, Angstrom.
    width : float
        Over which they fall, Angstrom.
    """

    alpha: float
    plain_start: float
    multipole_start: float
    width: float


@compiled(fastmath=True)
def _exp6(pair, radial, r, gauss):
    """Repulsion, dispersion and (1/r) du/dr of both at a distance; `gauss` is exp(-a^2)."""
    prefactor, decay, c6, c6_plain = pair
    alpha2 = radial.alpha * radial.alpha
    inverse2 = 1.0 / (r * r)
    inverse = r * inverse2
    a2 = alpha2 * r * r
    t = min(max((r - radial.plain_start) / radial.width, 0.0), 1.0)
    w = 1.0 - t * t * (3.0 - 2.0 * t)
    inverse6 = inverse2 * inverse2 * inverse2
    u_rep = prefactor * exp_simd(-decay * r)
    u_plain = c6_plain * inverse6
    u_c6 = c6 * (1.0 + a2 * (1.0 + 0.5 * a2)) * gauss * inverse6
    slope = w * (6.0 * u_plain * inverse2 - decay * u_rep * inverse)
    slope += (u_rep - u_plain) * 6.0 * t * (t - 1.0) / radial.width * inverse
    slope += 6.0 * u_c6 * inverse2 + c6 * alpha2 * alpha2 * alpha2 * gauss * inverse2
    return w * u_rep, -w * u_plain - u_c6, slope


@compiled(fastmath=True)
def charge_sums(vector_vn, n, pair, radial, coefficient_c, out):
    """The results for two charges; the other places of `out` are left alone.  Arguments as `multipole_sums`."""
    alpha2 = radial.alpha * radial.alpha
    charges = coefficient_c[0]
    gauss_charge = 2.0 * radial.alpha / math.sqrt(math.pi)
    repulsion = dispersion = s0 = fx = fy = fz = 0.0
    wxx = wyy = wzz = wxy = wxz = wyz = 0.0
    for m in range(n):
        x, y, z, r2 = vector_vn[0, m], vector_vn[1, m], vector_vn[2, m], vector_vn[3, m]
        inverse2 = 1.0 / r2
        r = math.sqrt(r2)
        inverse = r * inverse2
        gauss = exp_simd(-alpha2 * r2)
        u_repulsion, u_dispersion, slope = _exp6(pair, radial, r, gauss)
        repulsion += u_repulsion
        dispersion += u_dispersion
        b0 = erfcx_simd(radial.alpha * r) * gauss * inverse
        s0 += b0
        slope -= charges * (b0 + gauss_charge * gauss) * inverse2
        hx, hy, hz = slope * x, slope * y, slope * z
        fx += hx
        fy += hy
        fz += hz
        wxx += hx * x
        wyy += hy * y
        wzz += hz * z
        wxy += hx * y
        wxz += hx * z
        wyz += hy * z
    out[0], out[1], out[2], out[3], out[4] = repulsion, dispersion, fx, fy, fz
    out[5], out[6], out[7], out[8], out[9], out[10] = wxx, wyy, wzz, wxy, wxz, wyz
    out[11] = s0


@compiled(fastmath=True)
def multipole_sums(vector_vn, n, pair, radial, coefficient_c, out):
    """Sums over the n vectors from a site to the images of another.

    Parameters
    ----------
    vector_vn : array, shape (4, capacity)
        Components and squared length of the vectors.
    pair : (prefactor, decay, c6, c6_plain)
        Constants of exp-6: A, 1/rho, C, C'.
    radial : Radial
        Screening and switches.
    coefficient_c : array, shape (46,)
        Of the polynomials A_0 .. A_4, signs included.
    out : array, shape (`RESULTS`,)
        Overwritten.
    """
    c = coefficient_c
    alpha2 = radial.alpha * radial.alpha
    q1 = 2.0 * radial.alpha / math.sqrt(math.pi)
    q2 = 2.0 * alpha2 * q1
    q3 = 2.0 * alpha2 * q2
    q4 = 2.0 * alpha2 * q3
    q5 = 2.0 * alpha2 * q4
    repulsion = dispersion = fx = fy = fz = 0.0
    wxx = wyy = wzz = wxy = wxz = wyz = 0.0
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = s8 = s9 = s10 = s11 = s12 = s13 = s14 = s15 = 0.0
    s16 = s17 = s18 = s19 = s20 = s21 = s22 = s23 = s24 = s25 = s26 = s27 = s28 = s29 = s30 = s31 = 0.0
    s32 = s33 = s34 = s35 = s36 = s37 = s38 = s39 = s40 = s41 = s42 = s43 = s44 = s45 = 0.0
    for m in range(n):
        x, y, z, r2 = vector_vn[0, m], vector_vn[1, m], vector_vn[2, m], vector_vn[3, m]
        inverse2 = 1.0 / r2
        r = math.sqrt(r2)
        inverse = r * inverse2
        gauss = exp_simd(-alpha2 * r2)
        u_repulsion, u_dispersion, slope = _exp6(pair, radial, r, gauss)
        repulsion += u_repulsion
        dispersion += u_dispersion
        # radial functions of a screened charge
        b0 = erfcx_simd(radial.alpha * r) * gauss * inverse
        b1 = (b0 + q1 * gauss) * inverse2
        b2 = (3.0 * b1 + q2 * gauss) * inverse2
        b3 = (5.0 * b2 + q3 * gauss) * inverse2
        b4 = (7.0 * b3 + q4 * gauss) * inverse2
        b5 = (9.0 * b4 + q5 * gauss) * inverse2
        # the polynomials A_0 .. A_4 and their derivatives
        xx, xy, xz, yy, yz, zz = x * x, x * y, x * z, y * y, y * z, z * z
        xxx, xxy, xxz, xyy, xyz = x * xx, x * xy, x * xz, x * yy, x * yz
        xzz, yyy, yyz, yzz, zzz = x * zz, y * yy, y * yz, y * zz, z * zz
        xxxx, xxxy, xxxz, xxyy, xxyz = x * xxx, x * xxy, x * xxz, x * xyy, x * xyz
        xxzz, xyyy, xyyz, xyzz, xzzz = x * xzz, x * yyy, x * yyz, x * yzz, x * zzz
        yyyy, yyyz, yyzz, yzzz, zzzz = y * yyy, y * yyz, y * yzz, y * zzz, z * zzz
        a0 = c[0]
        a1 = c[1] * x + c[2] * y + c[3] * z + c[4]
        a2 = c[5] * xx + c[6] * xy + c[7] * xz + c[8] * yy + c[9] * yz + c[10] * zz + c[11] * x + c[12] * y
        a2 += c[13] * z + c[14]
        a3 = c[15] * xxx + c[16] * xxy + c[17] * xxz + c[18] * xyy + c[19] * xyz + c[20] * xzz + c[21] * yyy
        a3 += c[22] * yyz + c[23] * yzz + c[24] * zzz + c[25] * xx + c[26] * xy + c[27] * xz + c[28] * yy
        a3 += c[29] * yz + c[30] * zz
        a4 = c[31] * xxxx + c[32] * xxxy + c[33] * xxxz + c[34] * xxyy + c[35] * xxyz + c[36] * xxzz
        a4 += c[37] * xyyy + c[38] * xyyz + c[39] * xyzz + c[40] * xzzz + c[41] * yyyy + c[42] * yyyz
        a4 += c[43] * yyzz + c[44] * yzzz + c[45] * zzzz
        d1x = c[1]
        d2x = 2.0 * c[5] * x + c[6] * y + c[7] * z + c[11]
        d3x = 3.0 * c[15] * xx + 2.0 * c[16] * xy + 2.0 * c[17] * xz + c[18] * yy + c[19] * yz + c[20] * zz
        d3x += 2.0 * c[25] * x + c[26] * y + c[27] * z
        d4x = 4.0 * c[31] * xxx + 3.0 * c[32] * xxy + 3.0 * c[33] * xxz + 2.0 * c[34] * xyy
        d4x += 2.0 * c[35] * xyz + 2.0 * c[36] * xzz + c[37] * yyy + c[38] * yyz + c[39] * yzz + c[40] * zzz
        d1y = c[2]
        d2y = c[6] * x + 2.0 * c[8] * y + c[9] * z + c[12]
        d3y = c[16] * xx + 2.0 * c[18] * xy + c[19] * xz + 3.0 * c[21] * yy + 2.0 * c[22] * yz + c[23] * zz
        d3y += c[26] * x + 2.0 * c[28] * y + c[29] * z
        d4y = c[32] * xxx + 2.0 * c[34] * xxy + c[35] * xxz + 3.0 * c[37] * xyy + 2.0 * c[38] * xyz
        d4y += c[39] * xzz + 4.0 * c[41] * yyy + 3.0 * c[42] * yyz + 2.0 * c[43] * yzz + c[44] * zzz
        d1z = c[3]
        d2z = c[7] * x + c[9] * y + 2.0 * c[10] * z + c[13]
        d3z = c[17] * xx + c[19] * xy + 2.0 * c[20] * xz + c[22] * yy + 2.0 * c[23] * yz + 3.0 * c[24] * zz
        d3z += c[27] * x + c[29] * y + 2.0 * c[30] * z
        d4z = c[33] * xxx + c[35] * xxy + 2.0 * c[36] * xxz + c[38] * xyy + 2.0 * c[39] * xyz
        d4z += 3.0 * c[40] * xzz + c[42] * yyy + 2.0 * c[43] * yyz + 3.0 * c[44] * yzz + 4.0 * c[45] * zzz
        t = min(max((r - radial.multipole_start) / radial.width, 0.0), 1.0)
        v = 1.0 - t * t * (3.0 - 2.0 * t)
        slope -= v * (b1 * a0 + b2 * a1 + b3 * a2 + b4 * a3 + b5 * a4)
        energy = b0 * a0 + b1 * a1 + b2 * a2 + b3 * a3 + b4 * a4
        slope += energy * 6.0 * t * (t - 1.0) / radial.width * inverse
        b0, b1, b2, b3, b4 = v * b0, v * b1, v * b2, v * b3, v * b4
        hx = slope * x + b1 * d1x + b2 * d2x + b3 * d3x + b4 * d4x
        hy = slope * y + b1 * d1y + b2 * d2y + b3 * d3y + b4 * d4y
        hz = slope * z + b1 * d1z + b2 * d2z + b3 * d3z + b4 * d4z
        fx += hx
        fy += hy
        fz += hz
        wxx += hx * x
        wyy += hy * y
        wzz += hz * z
        wxy += 0.5 * (hx * y + hy * x)
        wxz += 0.5 * (hx * z + hz * x)
        wyz += 0.5 * (hy * z + hz * y)
        s0 += b0
        s1 += b1 * x
        s2 += b1 * y
        s3 += b1 * z
        s4 += b1
        s5 += b2 * xx
        s6 += b2 * xy
        s7 += b2 * xz
        s8 += b2 * yy
        s9 += b2 * yz
        s10 += b2 * zz
        s11 += b2 * x
        s12 += b2 * y
        s13 += b2 * z
        s14 += b2
        s15 += b3 * xxx
        s16 += b3 * xxy
        s17 += b3 * xxz
        s18 += b3 * xyy
        s19 += b3 * xyz
        s20 += b3 * xzz
        s21 += b3 * yyy
        s22 += b3 * yyz
        s23 += b3 * yzz
        s24 += b3 * zzz
        s25 += b3 * xx
        s26 += b3 * xy
        s27 += b3 * xz
        s28 += b3 * yy
        s29 += b3 * yz
        s30 += b3 * zz
        s31 += b4 * xxxx
        s32 += b4 * xxxy
        s33 += b4 * xxxz
        s34 += b4 * xxyy
        s35 += b4 * xxyz
        s36 += b4 * xxzz
        s37 += b4 * xyyy
        s38 += b4 * xyyz
        s39 += b4 * xyzz
        s40 += b4 * xzzz
        s41 += b4 * yyyy
        s42 += b4 * yyyz
        s43 += b4 * yyzz
        s44 += b4 * yzzz
        s45 += b4 * zzzz
    out[0], out[1], out[2], out[3], out[4] = repulsion, dispersion, fx, fy, fz
    out[5], out[6], out[7], out[8], out[9], out[10] = wxx, wyy, wzz, wxy, wxz, wyz
    out[11], out[12], out[13], out[14], out[15], out[16], out[17], out[18] = s0, s1, s2, s3, s4, s5, s6, s7
    out[19], out[20], out[21], out[22], out[23], out[24], out[25], out[26] = (
        s8,
        s9,
        s10,
        s11,
        s12,
        s13,
        s14,
        s15,
    )
    out[27], out[28], out[29], out[30], out[31], out[32], out[33], out[34] = (
        s16,
        s17,
        s18,
        s19,
        s20,
        s21,
        s22,
        s23,
    )
    out[35], out[36], out[37], out[38], out[39], out[40], out[41], out[42] = (
        s24,
        s25,
        s26,
        s27,
        s28,
        s29,
        s30,
        s31,
    )
    out[43], out[44], out[45], out[46], out[47], out[48], out[49], out[50] = (
        s32,
        s33,
        s34,
        s35,
        s36,
        s37,
        s38,
        s39,
    )
    out[51], out[52], out[53], out[54], out[55], out[56] = s40, s41, s42, s43, s44, s45
