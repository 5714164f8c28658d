"""Exact-exchange energy of the valence orbitals of a crystal, for hybrids evaluated on semilocal orbitals.

With orbitals of the irreducible k-points (k2) and of the whole zone (k1), occupations f, weights w and K k-points,

    E = -1/2 g / K  sum_k2 w_k2 sum_k1 sum_{n1 n2} f_1 f_2  <rho_12 | v | rho_12>,
    rho_12 = conj(u_n1k1) u_n2k2 + PAW compensation charges,

g = 2 for closed shells, v the Coulomb interaction truncated to the Wigner-Seitz cell of the k-point supercell.  One
Fourier transform per pair of orbitals.  A pair of k-points has the energy of its images under the group, time reversal
and exchange of the two: one of them is computed, and where k1 is k2 or -k2 half of the pairs of orbitals.  GPAW's own
function also applies the exchange operator (three transforms and the empty bands), computes all pairs, and leaves the
fractional translations of screw axes and glide planes out when it rotates orbitals, which is wrong by eV.  This module
knows GPAW's objects by their methods only.

References
----------
R. Sundararaman, T. A. Arias, Phys. Rev. B 87, 165122 (2013), https://doi.org/10.1103/PhysRevB.87.165122
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Orbitals:
    """The occupied orbitals of one k-point.

    Attributes
    ----------
    psit_nG : PWArray
        Plane-wave coefficients on one rank.
    ut_nR : UGArray
        Periodic parts on the grid.
    P_ani : AtomArrays
        Projections on the PAW partial waves.
    f_n : numpy.ndarray, shape (bands,)
        Occupations from 0 to 1.
    weight : float
        Weight of the k-point.
    """

    psit_nG: Any
    ut_nR: Any
    P_ani: Any
    f_n: NDArray[np.float64]
    weight: float

    @property
    def kpt_c(self) -> NDArray[np.float64]:
        """The k-point in reciprocal lattice vectors."""
        return np.asarray(self.psit_nG.desc.kpt_c)


@dataclass(frozen=True)
class Crystal:
    """What the pair densities need besides the orbitals.

    Attributes
    ----------
    grid, plan : UGDesc, FFTPlans
        Grid and its Fourier transforms, on one rank.
    setups : Setups
        PAW setups.
    fractional_ac : numpy.ndarray, shape (atoms, 3)
        Fractional coordinates.
    coulomb : callable
        Coulomb interaction ``v_G`` of a plane-wave description.
    ibz : IBZ
        Irreducible and all k-points, and the symmetries between them.
    """

    grid: Any
    plan: Any
    setups: Any
    fractional_ac: NDArray[np.float64]
    coulomb: Callable[[Any], NDArray[np.float64]]
    ibz: Any

    def orbitals(self, psit_nG: Any, f_n: NDArray[np.float64], weight: float) -> Orbitals:
        """Orbitals on the grid with their projections."""
        projectors = psit_nG.desc.atom_centered_functions([s.pt_j for s in self.setups], self.fractional_ac)
        ut_nR = psit_nG.ifft(grid=self.grid, plan=self.plan)
        return Orbitals(psit_nG, ut_nR, projectors.integrate(psit_nG), f_n, weight)


def valence_exchange(crystal: Crystal, irreducible: Sequence[Orbitals], rank: int, ranks: int) -> float:
    """Share of this rank in the exchange energy, in the units of ``v``; exchange fraction not included.

    Parameters
    ----------
    crystal : Crystal
        Grid, setups and k-points.
    irreducible : sequence of Orbitals
        Orbitals of all irreducible k-points, on every rank.
    rank, ranks : int
        Rank of this process and their number; bands ``rank, rank + ranks, ...`` of the whole zone are its share.
    """
    class_Kk = classes_of_pairs(crystal.ibz, [one.kpt_c for one in irreducible])
    weight_by_class = dict.fromkeys(class_Kk.values(), 0.0)
    for (_, k), found in class_Kk.items():
        weight_by_class[found] += irreducible[k].weight
    total = 0.0
    zone = zip(crystal.ibz.bz2ibz_K, whole_zone(crystal, irreducible), strict=True)
    for K, (source, first) in enumerate(zone):
        for k, second in enumerate(irreducible):
            weight = weight_by_class.pop(class_Kk[K, k], None)
            if weight is not None:
                mine = np.arange(rank, len(first.f_n), ranks)
                alike = first is second or (k == source and _are_conjugate(first.kpt_c, second.kpt_c))
                total += weight * _pair_energy(crystal, first, second, mine, alike)
    return -total / len(crystal.ibz.bz)


def classes_of_pairs(
    ibz: Any, irreducible_kc: Sequence[NDArray[np.float64]]
) -> dict[tuple[int, int], tuple[int, int]]:
    """The class of each pair of a k-point of the zone and an irreducible one, by their indices.

    The energy of two k-points is that of (U k1, U k2) for every rotation of the group, of (-k1, -k2) and of (k2, k1).  A
    class is named by the least of its pairs of points of the zone.
    """
    kpt_Kc = np.asarray(ibz.bz.kpt_Kc)
    place = {_key(kpt_c): K for K, kpt_c in enumerate(kpt_Kc)}
    images_gK = []
    for U_cc in ibz.symmetries.rotation_scc:
        for sign in (1, -1):
            keys = [_key(sign * U_cc @ kpt_c) for kpt_c in kpt_Kc]
            if place.keys() >= set(keys):  # a mesh need not have all symmetry of the crystal
                images_gK.append([place[key] for key in keys])
    own_k = [place[_key(kpt_c)] for kpt_c in irreducible_kc]
    return {
        (K, k): min((min(g[K], g[own]), max(g[K], g[own])) for g in images_gK)
        for K in range(len(kpt_Kc))
        for k, own in enumerate(own_k)
    }


def _key(kpt_c: NDArray[np.float64]) -> tuple[int, ...]:
    """A k-point but for reciprocal lattice vectors, to 1e-6."""
    return tuple(int(value) % 1_000_000 for value in np.round(1e6 * np.asarray(kpt_c)))


def _are_conjugate(first_c: NDArray[np.float64], second_c: NDArray[np.float64]) -> bool:
    """Whether two k-points are each other's opposite and not the same, but for reciprocal lattice vectors."""
    return _key(first_c) == _key(-second_c) != _key(second_c)


def whole_zone(crystal: Crystal, irreducible: Sequence[Orbitals]) -> Iterator[Orbitals]:
    """The orbitals of every k-point by symmetry: ``psi_Uk(s) = psi_k(U^T s + t)``, its conjugate at -Uk.

    The symmetry operation takes fractional coordinates s to ``U^T s + t``; each coefficient therefore gets the phase
    ``exp(2 pi i (G + k) t)`` before it is moved to the rotated plane wave.  The orbitals opposite to an irreducible
    k-point are its own conjugates, whatever operation leads there too.
    """
    ibz = crystal.ibz
    operations = zip(ibz.bz.kpt_Kc, ibz.bz2ibz_K, ibz.s_K, ibz.time_reversal_K, strict=True)
    for kpt_c, k, s, conjugate in operations:
        source = irreducible[k]
        pw = source.psit_nG.desc
        U_cc, t_c = ibz.symmetries.rotation_scc[s], ibz.symmetries.translation_sc[s]
        if _are_conjugate(kpt_c, source.kpt_c):
            U_cc, t_c, conjugate = np.eye(3, dtype=int), np.zeros(3), True
        if not t_c.any() and not conjugate and (U_cc == np.eye(3)).all():
            yield source
            continue
        moved_nG = source.psit_nG.copy()
        moved_nG.data *= np.exp(2j * np.pi * (t_c @ (pw.indices_cG + pw.kpt_c[:, np.newaxis])))
        yield crystal.orbitals(moved_nG.transform(U_cc, bool(conjugate)), source.f_n, 0.0)


def _pair_energy(
    crystal: Crystal, first: Orbitals, second: Orbitals, mine_n: NDArray[np.int64], alike: bool
) -> float:
    """``sum_{n1 n2} f_1 f_2 <rho|v|rho>`` of two k-points, n1 among `mine_n`.

    Where the orbitals are the same, or each other's conjugates, both orders of a pair have one energy: n2 >= n1 then.
    """
    pw = second.psit_nG.desc.new(kpt=second.kpt_c - first.kpt_c)
    v_G = crystal.coulomb(pw)
    if np.issubdtype(pw.dtype, np.floating):  # half of the plane waves, the rest by conjugation
        v_G = 2 * v_G
        v_G[0] /= 2
    charges_aLG = crystal.setups.create_compensation_charges(pw, crystal.fractional_ac)
    unit_AaL = charges_aLG.empty(charges_aLG.layout.size)
    unit_AaL.data[:] = np.eye(len(unit_AaL.data))
    charges_AG = pw.zeros(len(unit_AaL.data))
    charges_aLG.add_to(charges_AG, unit_AaL)
    product_nR = crystal.grid.empty(len(second.f_n))
    energy = 0.0
    for n1 in mine_n:
        n2 = slice(n1 if alike else 0, None)
        np.multiply(second.ut_nR.data[n2], first.ut_nR.data[n1].conj(), out=product_nR.data[n2])
        rho_nG = product_nR[n2].fft(plan=crystal.plan, pw=pw).data
        Q_nA = [
            np.einsum(
                *("ijL,i,nj->nL", setup.Delta_iiL, first.P_ani[a][n1].conj(), second.P_ani[a][n2]),
                optimize=True,
            )
            for a, setup in enumerate(crystal.setups)
        ]
        rho_nG += np.concatenate(Q_nA, axis=1) @ charges_AG.data
        f_n = second.f_n[n2].copy()
        if alike:
            f_n[1:] *= 2.0
        energy += first.f_n[n1] * float(f_n @ (np.abs(rho_nG) ** 2 @ v_G))
    return energy * pw.dv
