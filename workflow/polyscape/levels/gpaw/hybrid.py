"""Energy of a hybrid functional on converged orbitals: ``E - E_xc + E_xc^semilocal + E_x^exact``."""

from typing import Any

import numpy as np
from gpaw.mpi import broadcast, world
from gpaw.new.pw.hybrids import PWHybridHamiltonian, _semilocal_xc_energy, truncated_coulomb
from gpaw.new.xc import create_functional

from polyscape.levels.exchange import Crystal, Orbitals, valence_exchange
from polyscape.units import EV_PER_HARTREE


class _CoreExchange(PWHybridHamiltonian):
    """The parts of the exact exchange that need the atomic density matrices only."""

    def _apply1(self, *_: Any) -> float:
        return 0.0


def hybrid_terms_eV(dft: Any, functional: str) -> dict[str, float]:
    """Terms of a hybrid functional's energy on the orbitals and the density of a converged calculation.

    The interaction is truncated to the Wigner-Seitz cell of the k-point supercell, or screened where the functional
    screens it: there is no singularity at q = 0 to be integrated.
    """
    ibzwfs, density = dft.ibzwfs, dft.density
    xc = create_functional({"name": functional, "backend": "pw"}, dft.pot_calc.fine_grid)
    pw = next(iter(ibzwfs)).psit_nX.desc
    core = _CoreExchange(
        *(density.grid, pw, xc, dft.setups, dft.relpos_ac, density.D_asii.layout.atomdist, dft.log),
        *(ibzwfs.ibz.bz, ibzwfs.kpt_comm, ibzwfs.band_comm, dft.comm),
    )
    core.devc = core.devv = core.evv = core.dekin = 0.0
    for wfs in ibzwfs.zero_padded_iter():
        core.apply_orbital_dependent(ibzwfs, density.D_asii, wfs.psit_nX, spin=0, calculate_energy=True)
    core_hartree = sum(core.hybrid_energy_contributions()[:3])
    grid = density.grid.new(comm=None, dtype=pw.dtype)
    coulomb = truncated_coulomb(grid.cell_cv, ibzwfs.ibz.bz, xc.exx_omega, xc.exx_yukawa)
    crystal = Crystal(grid, grid.fft_plans(), dft.setups, dft.relpos_ac, coulomb, ibzwfs.ibz)
    share = valence_exchange(crystal, irreducible_orbitals(crystal, dft), world.rank, world.size)
    valence_hartree = xc.exx_fraction * world.sum_scalar(share)
    return {
        **terms_eV(dft),
        "xc": float(_semilocal_xc_energy(dft, functional)) * EV_PER_HARTREE,
        "exact_exchange": float(core_hartree + valence_hartree) * EV_PER_HARTREE,
    }


def irreducible_orbitals(crystal: Crystal, dft: Any) -> list[Orbitals]:
    """The occupied orbitals of the irreducible k-points, on every rank."""
    ibzwfs = dft.ibzwfs
    bands = ibzwfs.number_of_occupied_bands()
    _, occupation_skn = ibzwfs.get_all_eigs_and_occs(broadcast=True)
    orbitals = []
    for k, weight in enumerate(ibzwfs.ibz.weight_k):
        wfs = ibzwfs.get_wfs_on_master(kpt=k, n1=0, n2=bands)
        data = broadcast(None if wfs is None else np.ascontiguousarray(wfs.psit_nX.data))
        pw = next(iter(ibzwfs)).psit_nX.desc.new(comm=None, kpt=ibzwfs.ibz.kpt_kc[k])
        psit_nG = pw.empty(bands)
        psit_nG.data[:] = data
        orbitals.append(crystal.orbitals(psit_nG, occupation_skn[0, k, :bands], float(weight)))
    return orbitals


def terms_eV(dft: Any) -> dict[str, float]:
    """Terms of a calculation's energy, extrapolated to zero smearing; they add up to it."""
    energies = dft.energies
    total = energies.total_extrapolated * EV_PER_HARTREE
    terms = {"kinetic": energies.kinetic * EV_PER_HARTREE}
    for name in ("coulomb", "zero", "xc"):
        terms[name] = energies._energies[name] * EV_PER_HARTREE
    names = ("hybrid_xc_cc", "hybrid_xc_vc", "hybrid_xc_vv")
    exchange = sum(energies._energies.get(name, 0.0) for name in names) * EV_PER_HARTREE
    if exchange:
        terms["exact_exchange"] = exchange
    terms["smearing"] = total - sum(terms.values())
    return {name: float(value) for name, value in terms.items()}
