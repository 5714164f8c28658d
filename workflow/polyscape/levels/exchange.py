"""Exact-exchange energy of the valence orbitals of a crystal, for hybrids evaluated on semilocal orbitals.

With orbitals of the irreducible k-points (k2) and of the whole zone (k1), occupations f, weights w and K k-points,

    E = -1/2 g / K  sum_k2 w_k2 sum_k1 sum_{n1 n2} f_1 f_2  <rho_12 | v | rho_12>,
    rho_12 = conj(u_n1k1) u_n2k2 + PAW compensation charges,

g = 2 for closed shells, v the Coulomb interaction truncated to the Wigner-Seitz cell of the k-point supercell.  One
Fourier transform per pair of orbitals; GPAW's own function also applies the exchange operator (three transforms and
the empty bands), and leaves the fractional translations of screw axes and glide planes out when it rotates orbitals,
which is wrong by eV.  This module knows GPAW's objects by their methods only.

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
    total = 0.0
    for first in whole_zone(crystal, irreducible):
        for second in irreducible:
            mine = np.arange(rank, len(first.f_n), ranks)
            total += second.weight * _pair_energy(crystal, first, second, mine)
    return -total / len(crystal.ibz.bz)


def whole_zone(crystal: Crystal, irreducible: Sequence[Orbitals]) -> Iterator[Orbitals]:
    """The orbitals of every k-point by symmetry: ``psi_Uk(s) = psi_k(U^T s + t)``, its conjugate at -Uk.

    The symmetry operation takes fractional coordinates s to ``U^T s + t``; each coefficient therefore gets the phase
    ``exp(2 pi i (G + k) t)`` before it is moved to the rotated plane wave.
    """
    ibz = crystal.ibz
    for k, s, conjugate in zip(ibz.bz2ibz_K, ibz.s_K, ibz.time_reversal_K, strict=True):
        source = irreducible[k]
        pw = source.psit_nG.desc
        U_cc, t_c = ibz.symmetries.rotation_scc[s], ibz.symmetries.translation_sc[s]
        if not t_c.any() and not conjugate and (U_cc == np.eye(3)).all():
            yield source
            continue
        moved_nG = source.psit_nG.copy()
        moved_nG.data *= np.exp(2j * np.pi * (t_c @ (pw.indices_cG + pw.kpt_c[:, np.newaxis])))
        yield crystal.orbitals(moved_nG.transform(U_cc, bool(conjugate)), source.f_n, 0.0)


def _pair_energy(crystal: Crystal, first: Orbitals, second: Orbitals, mine_n: NDArray[np.int64]) -> float:
    """``sum_{n1 n2} f_1 f_2 <rho|v|rho>`` of two k-points, n1 among `mine_n`."""
    pw = second.psit_nG.desc.new(kpt=second.psit_nG.desc.kpt_c - first.psit_nG.desc.kpt_c)
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
        np.multiply(second.ut_nR.data, first.ut_nR.data[n1].conj(), out=product_nR.data)
        rho_nG = product_nR.fft(plan=crystal.plan, pw=pw).data
        Q_nA = [
            np.einsum(
                "ijL,i,nj->nL", setup.Delta_iiL, first.P_ani[a][n1].conj(), second.P_ani[a], optimize=True
            )
            for a, setup in enumerate(crystal.setups)
        ]
        rho_nG += np.concatenate(Q_nA, axis=1) @ charges_AG.data
        energy += first.f_n[n1] * float(second.f_n @ (np.abs(rho_nG) ** 2 @ v_G))
    return energy * pw.dv
