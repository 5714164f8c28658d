"""Meta-GGAs in GPAW: where they start from, and those of libxc, from the library that comes with PySCF.

A meta-GGA sees the kinetic energy density, which a superposition of atomic densities has not: from there GPAW begins with
that of the cores alone and energies of 1e17 eV.  Self-consistency starts from PBE's orbitals.

Libxc bounds the density's gradient by the kinetic energy density, as if both were those of all electrons
(``sigma <= 8 n tau``, the curvature of the Fermi hole).  Pseudo densities do not obey: with the bound a functional is
another one, r2SCAN's energy of two HCN 15.6 eV higher.  Version 7 of libxc can be told to leave the bound out; GPAW may be
linked with an older one, which cannot.

References
----------
libxc: S. Lehtola, C. Steigemann, M. J. T. Oliveira, M. A. L. Marques, SoftwareX 7, 1 (2018),
https://doi.org/10.1016/j.softx.2017.11.002
r2SCAN: J. W. Furness, A. D. Kaplan, J. Ning, J. P. Perdew, J. Sun, J. Phys. Chem. Lett. 11, 8208 (2020),
https://doi.org/10.1021/acs.jpclett.0c02405
"""

import ctypes
from typing import Any, Final

import numpy as np
from gpaw.dft import XC
from gpaw.xc.kernel import XCKernel
from gpaw.xc.mgga import MGGA
from numpy.typing import NDArray

from polyscape.levels.check import LIBXC_NAMES

Reals = NDArray[np.float64]

_UNPOLARISED: Final = 1


class LibxcMetaGga(XCKernel):
    """The sum of functionals of libxc, evaluated without the bound on the gradient; no spin polarisation.

    Parameters
    ----------
    name : str
        Names of libxc, joined by a plus: ``MGGA_X_R2SCAN+MGGA_C_R2SCAN``.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.type = "MGGA"
        self._library = _libxc()
        self._functionals = [self._functional(part) for part in name.split("+")]

    def calculate(
        self,
        e_g: Any,
        n_sg: Any,
        dedn_sg: Any,
        sigma_xg: Any = None,
        dedsigma_xg: Any = None,
        tau_sg: Any = None,
        dedtau_sg: Any = None,
    ) -> None:
        """Energy density and its derivatives; all arguments are as GPAW's kernels have them."""
        n_g, sigma_g, tau_g = (np.ascontiguousarray(values[0]).ravel() for values in (n_sg, sigma_xg, tau_sg))
        total = np.zeros((4, n_g.size))
        for functional in self._functionals:
            total += self._evaluate(functional, n_g, sigma_g, tau_g)
        e_g[:] = (total[0] * n_g).reshape(e_g.shape)
        dedn_sg += total[1].reshape(dedn_sg.shape)
        dedsigma_xg[:] = total[2].reshape(dedsigma_xg.shape)
        dedtau_sg[:] = total[3].reshape(dedtau_sg.shape)

    def _functional(self, name: str) -> ctypes.c_void_p:
        pointer = ctypes.c_void_p(self._library.xc_func_alloc())
        number = self._library.xc_functional_get_number(name.encode())
        if self._library.xc_func_init(pointer, number, _UNPOLARISED):
            raise ValueError(f"libxc has no {name}")
        self._library.xc_func_set_fhc_enforcement(pointer, 0)
        return pointer

    def _evaluate(self, functional: ctypes.c_void_p, n_g: Reals, sigma_g: Reals, tau_g: Reals) -> Reals:
        """Energy per electron and the derivatives of the energy density by n, sigma and tau."""
        out = np.zeros((5, n_g.size))
        laplacian_g = np.zeros_like(n_g)
        inputs = (n_g, sigma_g, laplacian_g, tau_g)
        pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in (*inputs, *out)]
        self._library.xc_mgga_exc_vxc(functional, ctypes.c_size_t(n_g.size), *pointers)
        return out[[0, 1, 2, 4]]


def _libxc() -> Any:
    from pyscf.dft import libxc

    library = libxc._itrf
    library.xc_func_alloc.restype = ctypes.c_void_p
    return library


class LibxcXC(XC):
    """A meta-GGA of libxc as a parameter of GPAW's; it stands on PBE's setups."""

    def functional(self, **_: Any) -> MGGA:
        """GPAW's functional."""
        return MGGA(LibxcMetaGga(LIBXC_NAMES.get(self.name, self.name)))
