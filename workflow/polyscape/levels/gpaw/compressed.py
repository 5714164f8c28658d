"""Self-consistent hybrid functionals from semilocal orbitals, with the exchange operator compressed.

Applying exact exchange is what a hybrid costs: three Fourier transforms for every pair of orbitals of every pair of
k-points, for every trial orbital of every step.  The operator V need only be right on the occupied orbitals
psi_n of each k-point; with W_n = V psi_n and M_mn = <psi_m|W_n> (negative definite),

    V_c = sum_mn |W_m> (M^-1)_mn <W_n| = - sum_n |xi_n><xi_n|,    xi = W L^-H,    -M = L L^H,

acts on them as V does and costs no more than a projector.  V is made anew from the orbitals that V_c has led to until
the energy stays: each energy is

    E = sum f e + double counting - E_x[psi_0] + ...,

stationary about the orbitals psi_0 of V, so that its error is of second order in their change.  GPAW's own
self-consistent exchange leaves the fractional translations of screw axes and glide planes out when it rotates orbitals
(see `polyscape.levels.exchange`); here they are in, so that symmetry saves k-points.

References
----------
L. Lin, J. Chem. Theory Comput. 12, 2242 (2016), https://doi.org/10.1021/acs.jctc.6b00092
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from gpaw.mpi import world
from gpaw.new.pw.hamiltonian import PWHamiltonian
from gpaw.new.pw.hybrids import Psit, PWHybridHamiltonian
from scipy.linalg import solve_triangular

from polyscape.levels.exchange import Crystal, Orbitals, whole_zone
from polyscape.levels.gpaw.hybrid import irreducible_orbitals
from polyscape.levels.gpaw.remedies import Step
from polyscape.levels.gpaw.scf import WARM_MIXER, step_of
from polyscape.units import EV_PER_HARTREE

_CRITERIA: Final = {"energy": 2e-6, "density": 1e-4, "eigenstates": 4e-7}
_SAME_ENERGY_EV_PER_ELECTRON: Final = 1e-6
"""Change of the energy with a new operator at which the operator is right: the next change is thirty times less."""

_MOST_OPERATORS: Final = 12


class NotConvergedError(Exception):
    """The energy still changes with the exchange operator."""


class CompressedExchange(PWHamiltonian):
    """Kohn-Sham Hamiltonian with a compressed exchange operator.

    Parameters
    ----------
    exact : PWHybridHamiltonian
        The Hamiltonian with the exact operator.
    """

    def __init__(self, exact: PWHybridHamiltonian) -> None:
        super().__init__(exact.grid_local, exact.pw.dtype)
        self._exact = exact
        self._xi: list[tuple[Any, Any]] = []
        self._energies: tuple[float, ...] = ()

    def renew(self, dft: Any) -> None:
        """Make the operator of the present orbitals and density."""
        exact, ibzwfs = self._exact, dft.ibzwfs
        crystal = Crystal(exact.grid_local, exact.plan, dft.setups, dft.relpos_ac, exact.coulomb, ibzwfs.ibz)
        irreducible = irreducible_orbitals(crystal, dft)
        exact.mypsits = [_share(orbitals, dft.setups) for orbitals in whole_zone(crystal, irreducible)]
        exact.devc = exact.devv = exact.evv = exact.dekin = 0.0
        occupied = ibzwfs.number_of_occupied_bands()
        self._xi = []
        for wfs in ibzwfs.zero_padded_iter():
            psit_nG = wfs.psit_nX[:occupied]
            W_nG = psit_nG.new()
            W_nG.data[:] = 0.0
            exact.apply_orbital_dependent(
                ibzwfs, dft.density.D_asii, psit_nG, wfs.spin, W_nG, calculate_energy=True
            )
            self._xi.append((wfs.psit_nX.desc.kpt_c, _compressed(psit_nG, W_nG)))
        self._energies = exact.hybrid_energy_contributions()

    def hybrid_energy_contributions(self) -> tuple[float, ...]:
        """Core-core, valence-core and valence-valence energies of the operator's orbitals, and the double counting."""
        return self._energies

    def apply_orbital_dependent(
        self,
        ibzwfs: Any,
        D_asii: Any,
        psit_nG: Any,
        spin: int,
        out: Any = None,
        calculate_energy: bool = False,
        F_av: Any = None,
    ) -> None:
        """Add ``V_c psi`` to `out`."""
        kpt_c = psit_nG.desc.kpt_c
        xi_nG = next(xi_nG for other_c, xi_nG in self._xi if np.allclose(other_c, kpt_c))
        overlap_nm = xi_nG.matrix_elements(psit_nG, cc=True).data  # conjugate of <xi_n|psi_m>
        out.data -= overlap_nm.T.conj() @ xi_nG.data


def _share(orbitals: Orbitals, setups: Any) -> Psit:
    """Share of this rank in the orbitals of one k-point, as GPAW's exact operator wants them."""
    mine = slice(world.rank, None, world.size)
    Q_aniL = {
        a: np.einsum("ijL, nj -> niL", setup.Delta_iiL, orbitals.P_ani[a][mine].conj())
        for a, setup in enumerate(setups)
    }
    P_ani: Any = {a: orbitals.P_ani[a][mine] for a in range(len(setups))}
    ut_nR = orbitals.ut_nR if world.size == 1 else orbitals.ut_nR[mine]
    return Psit(ut_nR, P_ani, orbitals.f_n[mine], orbitals.psit_nG.desc.kpt_c, Q_aniL, 0)


def _compressed(psit_nG: Any, W_nG: Any) -> Any:
    """``xi = W L^-H`` of the operator's images W of the orbitals."""
    M_nn = psit_nG.matrix_elements(W_nG, cc=True).data
    L_nn = np.linalg.cholesky(-(M_nn + M_nn.conj().T) / 2)
    xi_nG = W_nG.new()
    xi_nG.data[:] = solve_triangular(L_nn, W_nG.data, lower=True)
    return xi_nG


def change_to_hybrid(
    dft: Any, functional: str, max_steps: int, mixer: Mapping[str, Any] = WARM_MIXER
) -> Iterator[Step]:
    """Take a semilocal calculation, or a hybrid one that failed, to the self-consistent hybrid one, step by step.

    Raises
    ------
    NotConvergedError
        When the energy still changes with the last operator.
    KohnShamConvergenceError
        When self-consistency with one operator takes more than `max_steps` steps.
    """
    dft.change(xc={"name": functional, "backend": "pw"}, mixer=dict(mixer), convergence=_CRITERIA)
    dft.scf_loop.maxiter = max_steps
    exchange = CompressedExchange(dft.scf_loop.hamiltonian)
    dft.scf_loop.hamiltonian = exchange
    dft.potential, dft.energies, _ = dft.pot_calc.calculate(dft.density, dft.ibzwfs, dft.potential.vHt_x)
    last_hartree = np.inf
    for _ in range(_MOST_OPERATORS):
        exchange.renew(dft)
        for context in dft.iconverge():
            yield step_of(context)
        change_hartree = abs(dft.energies.total_extrapolated - last_hartree)
        if change_hartree * EV_PER_HARTREE <= _SAME_ENERGY_EV_PER_ELECTRON * dft.density.nvalence:
            return
        last_hartree = dft.energies.total_extrapolated
    raise NotConvergedError
