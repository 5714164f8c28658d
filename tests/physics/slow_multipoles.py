"""Slow and obvious electrostatics of distributed multipoles: pairs, direct lattice sums, Ewald sums, term by term.

A multipole Q_lm at r_a acts on any potential as the operator ``Q_lm R_lm(grad) / (2 l - 1)!!`` (Stone, The Theory of
Intermolecular Forces, 2nd ed. 2013, section 3.3, https://doi.org/10.1093/acprof:oso/9780199672394.001.0001), so that
two sites interact with

    E = D_A(-grad) D_B(grad) f(r),   r = r_B - r_A,   f = 1/r   (or erfc(alpha r)/r, or erf(alpha r)/r) .

Polynomials are dictionaries {(a, b, c): coefficient of x^a y^b z^c}.  Derivatives of f are exact: with
g_n = ((1/r) d/dr)^n f a derivative is a sum of polynomials times g_n, for d(P g_n)/dx = dP/dx g_n + x P g_(n+1).
Nothing is shared with the library's sums.  Lengths in Angstrom, energies in eV, multipoles in e bohr^l.
"""

import itertools
from dataclasses import dataclass
from functools import cache
from math import factorial, prod, sqrt

import numpy as np
from scipy.special import erf, erfc

from polyscape.crystal.groups import SpaceGroup
from polyscape.units import ANGSTROM_PER_BOHR, COULOMB_EV_A

RANK = 4
PAIRS_OF_RANKS = [(i, j) for i in range(RANK + 1) for j in range(RANK + 1) if i + j <= RANK]


# ---------------------------------------------------------------------------------------------- polynomials
def times(p, q):
    """The product of two polynomials."""
    out = {}
    for (a, b, c), u in p.items():
        for (d, e, f), v in q.items():
            out[a + d, b + e, c + f] = out.get((a + d, b + e, c + f), 0) + u * v
    return out


def plus(p, q, factor=1):
    """The sum p + factor q."""
    out = dict(p)
    for exponents, value in q.items():
        out[exponents] = out.get(exponents, 0) + factor * value
    return out


def power(p, n):
    """The n-th power of a polynomial."""
    out = {(0, 0, 0): 1}
    for _ in range(n):
        out = times(out, p)
    return out


def value_at(p, point_nv):
    """The values of a polynomial at points, real or complex, shape (n,)."""
    x, y, z = np.asarray(point_nv).T
    return sum(
        (v * x**a * y**b * z**c for (a, b, c), v in p.items()), np.zeros(len(x), np.result_type(x, 1.0))
    )


@cache
def solid_harmonic(rank, m):
    """Complex regular solid harmonic R_lm, Racah's normalisation, as a polynomial.

    ``sqrt((l+m)! (l-m)!) sum_(p,q,s) (-(x+iy)/2)^p ((x-iy)/2)^q z^s / (p! q! s!)``, p + q + s = l, p - q = m.
    """
    out = {}
    for q in range(rank + 1):
        p, s = q + m, rank - m - 2 * q
        if p >= 0 and s >= 0:
            minus, other = {(1, 0, 0): -0.5, (0, 1, 0): -0.5j}, {(1, 0, 0): 0.5, (0, 1, 0): -0.5j}
            term = times(times(power(minus, p), power(other, q)), {(0, 0, s): 1.0})
            out = plus(out, term, 1.0 / (factorial(p) * factorial(q) * factorial(s)))
    return times(out, {(0, 0, 0): sqrt(factorial(rank + m) * factorial(rank - m))})


@cache
def real_harmonics(rank):
    """The 2 l + 1 real harmonics in Stone's order l0, l1c, l1s, l2c ...: R_lmc + i R_lms = (-1)^m sqrt(2) R_lm."""
    out = [{exponents: value.real for exponents, value in solid_harmonic(rank, 0).items()}]
    for m in range(1, rank + 1):
        scaled = times(solid_harmonic(rank, m), {(0, 0, 0): (-1) ** m * sqrt(2)})
        out.append({exponents: value.real for exponents, value in scaled.items()})
        out.append({exponents: value.imag for exponents, value in scaled.items()})
    return out


def operator(Q_q, rank, rotation_vv=None):
    """D_l(k) = sum_m Q_lm R_lm(k) / (2 l - 1)!! of a site in e Angstrom^l; of a turned body D_l(rotation^T k)."""
    out = {}
    for value, harmonic in zip(Q_q[rank**2 : (rank + 1) ** 2], real_harmonics(rank), strict=True):
        out = plus(out, harmonic, value * ANGSTROM_PER_BOHR**rank / prod(range(2 * rank - 1, 0, -2)))
    return out if rotation_vv is None else turned(out, rotation_vv)


def turned(p, rotation_vv):
    """The polynomial k -> p(rotation^T k)."""
    axes = np.eye(3, dtype=int)
    linear = [{tuple(axes[w]): rotation_vv[w, v] for w in range(3)} for v in range(3)]
    out = {}
    for exponents, value in p.items():
        term = {(0, 0, 0): value}
        for v in range(3):
            term = times(term, power(linear[v], exponents[v]))
        out = plus(out, term)
    return out


# ---------------------------------------------------------------------------------------------- derivatives
@cache
def derivative(a, b, c):
    """(d/dx)^a (d/dy)^b (d/dz)^c f = sum_n P_n g_n: the polynomials {n: P_n}, integer coefficients."""
    if a + b + c == 0:
        return {0: {(0, 0, 0): 1}}
    axis = next(v for v, exponent in enumerate((a, b, c)) if exponent)
    unit = tuple(int(v == axis) for v in range(3))
    out = {}
    for n, p in derivative(a - unit[0], b - unit[1], c - unit[2]).items():
        slope = {
            tuple(np.subtract(exponents, unit)): value * exponents[axis]
            for exponents, value in p.items()
            if exponents[axis]
        }
        out[n] = plus(out.get(n, {}), slope)
        out[n + 1] = plus(out.get(n + 1, {}), times(p, {unit: 1}))
    return out


def coulomb(r, order):
    """g_n of 1/r: (-1)^n (2n-1)!! / r^(2n+1), n = 0 .. order."""
    return [(-1) ** n * prod(range(2 * n - 1, 0, -2)) / r ** (2 * n + 1) for n in range(order + 1)]


def screened(alpha):
    """g_n of erfc(alpha r)/r, by b_n = ((2n-1) b_(n-1) + (2 alpha^2)^n exp(-alpha^2 r^2) / (alpha sqrt(pi))) / r^2."""
    return lambda r, order: _split(erfc(alpha * r) / r, 1.0, alpha, r, order)


def smooth(alpha):
    """g_n of erf(alpha r)/r; its limit (-2 alpha^2)^n 2 alpha / (sqrt(pi) (2n+1)) at r = 0."""

    def g(r, order):
        if np.all(r == 0.0):
            return [
                (-2 * alpha**2) ** n * 2 * alpha / (sqrt(np.pi) * (2 * n + 1)) + 0 * r
                for n in range(order + 1)
            ]
        return _split(erf(alpha * r) / r, -1.0, alpha, r, order)

    return g


def _split(first, sign, alpha, r, order):
    gauss = sign * np.exp(-((alpha * r) ** 2)) / (alpha * sqrt(np.pi))
    b = [first]
    for n in range(1, order + 1):
        b.append(((2 * n - 1) * b[-1] + (2 * alpha**2) ** n * gauss) / r**2)
    return [(-1) ** n * value for n, value in enumerate(b)]


def summed_derivatives(r_nv, g, order, weight_n=1.0):
    """sum_n w_n of every derivative of f to an order at the vectors r_n: {(a, b, c): sum}."""
    r_nv = np.asarray(r_nv, float)
    radial = g(np.linalg.norm(r_nv, axis=1), order)
    return {
        abc: sum(np.sum(weight_n * value_at(p, r_nv) * radial[n]) for n, p in derivative(*abc).items())
        for abc in itertools.product(range(order + 1), repeat=3)
        if sum(abc) <= order
    }


def interaction_ll(first_l, second_l, derivatives, pairs=PAIRS_OF_RANKS):
    """Energies {(l_A, l_B): eV} of two sites with operators by rank, from the (summed) derivatives of f."""
    out = {}
    for i, j in pairs:
        product = times(first_l[i], second_l[j])
        out[i, j] = COULOMB_EV_A * (-1) ** i * sum(value * derivatives[abc] for abc, value in product.items())
    return out


def pair_energy(QA_q, QB_q, r_v, ranks):
    """Energy in eV of the multipoles of rank l_A at the origin with those of rank l_B at r (Angstrom)."""
    i, j = ranks
    derivatives = summed_derivatives(np.array([r_v], float), coulomb, i + j)
    first_l, second_l = {i: operator(QA_q, i)}, {j: operator(QB_q, j)}
    return float(interaction_ll(first_l, second_l, derivatives, [(i, j)])[i, j])


# ---------------------------------------------------------------------------------------------- crystals
@dataclass(frozen=True)
class SlowCrystal:
    """All sites of a cell: Cartesian positions (Angstrom), the molecule of each, its operators by rank."""

    cell_cv: np.ndarray
    position_av: np.ndarray
    centre_mv: np.ndarray
    molecule_a: np.ndarray
    operator_al: list


def slow_crystal(packing, conformers):
    """The cell of a packing, all its molecules, unwrapped; images that coincide (special positions) count once."""
    positions, molecules, operators, centres = [], [], [], []
    for pose in packing.poses:
        conformer, own = conformers[pose.component, pose.conformer], len(centres)
        for rotation_cc, shift_c in SpaceGroup.from_hall(packing.hall_symbol).operations:
            turn_vv = cartesian(rotation_cc, packing.cell_cv) @ pose.rotation_vv()
            centre_v = (rotation_cc @ pose.translation_c + shift_c) @ packing.cell_cv
            place_av = centre_v + conformer.position_av @ turn_vv.T
            if any(_same_places(place_av, old_av, packing.cell_cv) for old_av in positions[own:]):
                continue
            molecules += [len(centres)] * len(place_av)
            centres.append(centre_v)
            positions.append(place_av)
            for Q_q in conformer.multipole_aq:
                operators.append([operator(Q_q, rank, turn_vv) for rank in range(RANK + 1)])
    return SlowCrystal(
        packing.cell_cv, np.concatenate(positions), np.array(centres), np.array(molecules), operators
    )


def lattice_of_sites(cell_cv, fractional_ac, multipole_aq):
    """A lattice of single sites, each a molecule, with multipoles in Cartesian axes."""
    position_av = np.asarray(fractional_ac, float) @ cell_cv
    operators = [[operator(Q_q, rank) for rank in range(RANK + 1)] for Q_q in multipole_aq]
    return SlowCrystal(
        np.asarray(cell_cv, float), position_av, position_av, np.arange(len(position_av)), operators
    )


def cartesian(rotation_cc, cell_cv):
    """An operation on fractional coordinates in Cartesian axes."""
    return cell_cv.T @ rotation_cc @ np.linalg.inv(cell_cv.T)


def _same_places(first_av, second_av, cell_cv):
    """Whether two molecules coincide modulo the lattice, atoms in any order."""
    offset_aac = (first_av[:, None] - second_av) @ np.linalg.inv(cell_cv)
    distance_aa = np.linalg.norm((offset_aac - np.round(offset_aac)) @ cell_cv, axis=2)
    return distance_aa.min(axis=1).max() < 0.1


def lattice_block(lattice_cv, radius):
    """All integer combinations of a lattice's vectors no longer than a radius, shape (n, 3)."""
    heights = 1.0 / np.linalg.norm(np.linalg.inv(lattice_cv), axis=0)
    ranges = [range(-n, n + 1) for n in np.ceil(radius / heights).astype(int)]
    point_nv = np.array(list(itertools.product(*ranges))) @ lattice_cv
    return point_nv[np.linalg.norm(point_nv, axis=1) <= radius]


def ewald_ll(crystal, alpha, decades=15.0):
    """Energy of a cell by pairs of ranks, shape (5, 5), eV: full Ewald sums in tin-foil boundary.

    Both series go on until exp(-x^2) = 10^-decades, x = alpha r = k / (2 alpha).
    """
    reach = sqrt(decades * np.log(10.0))
    near = _multipole_sum(crystal, screened(alpha), reach / alpha, site_step)
    return near + _reciprocal_ll(crystal, alpha, 2 * alpha * reach) - _within_molecules_ll(crystal, alpha)


def direct_ll(crystal, cutoff, spline=0.0):
    """The same, bare: pairs of sites, switched off by a cubic over `spline` beyond the cutoff."""

    def switch(site_n, centre_n, end):
        t = np.clip((site_n - cutoff) / (end - cutoff), 0.0, 1.0) if spline else site_n >= end
        return 1.0 - t**2 * (3.0 - 2.0 * t)

    return _multipole_sum(crystal, coulomb, cutoff + spline, switch)


def molecular_ll(crystal, cutoff):
    """The same for whole molecules whose centres are nearer than a cutoff."""
    return _multipole_sum(crystal, coulomb, cutoff, _centre_step)


def pair_sum(crystal, function, cutoff):
    """Half the sum of function(a, b, r_n) over all sites of the cell with sites of other molecules, r < cutoff."""
    return sum(
        0.5 * np.sum(function(a, b, np.linalg.norm(r_nv[weight_n > 0.0], axis=1)))
        for a, b, r_nv, weight_n in pairs_of_sites(crystal, cutoff, site_step)
    )


def site_step(site_n, centre_n, cutoff):
    return (site_n < cutoff).astype(float)


def _centre_step(site_n, centre_n, cutoff):
    return (centre_n < cutoff).astype(float)


def _multipole_sum(crystal, g, cutoff, weight):
    """Half the sum over all sites of the cell with the sites of other molecules, by ranks."""
    total = np.zeros((RANK + 1, RANK + 1))
    for a, b, r_nv, weight_n in pairs_of_sites(crystal, cutoff, weight):
        derivatives = summed_derivatives(r_nv, g, RANK, weight_n)
        for ranks, energy in interaction_ll(
            crystal.operator_al[a], crystal.operator_al[b], derivatives
        ).items():
            total[ranks] += 0.5 * energy
    return total


def pairs_of_sites(crystal, cutoff, weight):
    """All ordered pairs of sites: a, b, the vectors to all images of b in other molecules, and their weights."""
    spread = np.linalg.norm(crystal.position_av - crystal.centre_mv[crystal.molecule_a], axis=1).max()
    diameter = np.linalg.norm(crystal.centre_mv[:, None] - crystal.centre_mv, axis=2).max()
    block_nv = lattice_block(crystal.cell_cv, cutoff + 2 * spread + diameter)
    for a, b in itertools.product(range(len(crystal.position_av)), repeat=2):
        first, second = crystal.molecule_a[a], crystal.molecule_a[b]
        shift_nv = block_nv[np.linalg.norm(block_nv, axis=1) > 1e-9] if first == second else block_nv
        r_nv = crystal.position_av[b] - crystal.position_av[a] + shift_nv
        centre_nv = crystal.centre_mv[second] - crystal.centre_mv[first] + shift_nv
        weight_n = weight(np.linalg.norm(r_nv, axis=1), np.linalg.norm(centre_nv, axis=1), cutoff)
        if weight_n.any():
            yield a, b, r_nv[weight_n > 0.0], weight_n[weight_n > 0.0]


def _within_molecules_ll(crystal, alpha):
    """What the reciprocal sum contains of sites with themselves and within their molecules, by ranks."""
    total = np.zeros((RANK + 1, RANK + 1))
    for a, b in itertools.product(range(len(crystal.position_av)), repeat=2):
        if crystal.molecule_a[a] == crystal.molecule_a[b]:
            r_nv = (crystal.position_av[b] - crystal.position_av[a])[None]
            derivatives = summed_derivatives(r_nv, smooth(alpha), RANK)
            for (i, j), energy in interaction_ll(
                crystal.operator_al[a], crystal.operator_al[b], derivatives
            ).items():
                total[i, j] += 0.5 * energy
    return total


def _reciprocal_ll(crystal, alpha, k_cutoff):
    """(2 pi / V) sum_k exp(-k^2 / 4 alpha^2) / k^2 S_i(k)* S_j(k), S_l = sum_a D_l(i k) exp(i k r_a), by ranks."""
    k_nv = lattice_block(2 * np.pi * np.linalg.inv(crystal.cell_cv).T, k_cutoff)
    k2_n = np.sum(k_nv**2, axis=1)
    k_nv, k2_n = k_nv[k2_n > 1e-12], k2_n[k2_n > 1e-12]
    S_ln = np.zeros((RANK + 1, len(k_nv)), complex)
    for r_v, operator_l in zip(crystal.position_av, crystal.operator_al, strict=True):
        for rank in range(RANK + 1):
            S_ln[rank] += value_at(operator_l[rank], 1j * k_nv) * np.exp(1j * k_nv @ r_v)
    weight_n = 2 * np.pi / abs(np.linalg.det(crystal.cell_cv)) * np.exp(-k2_n / (4 * alpha**2)) / k2_n
    total = np.zeros((RANK + 1, RANK + 1))
    for i, j in PAIRS_OF_RANKS:
        total[i, j] = COULOMB_EV_A * np.sum(weight_n * (S_ln[i].conj() * S_ln[j]).real)
    return total
