"""Averaged short-range SOAP.

Smooth overlap of atomic positions (Bartok, Kondor, Csanyi, Phys. Rev. B 87 (2013) 184115,
https://doi.org/10.1103/PhysRevB.87.184115), by DScribe (Himanen et al., Comput. Phys. Commun. 247 (2020)
106949, https://doi.org/10.1016/j.cpc.2019.106949).  The power spectra of a cell's atoms are averaged, so
that the vector depends neither on the cell nor on its size.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from dscribe.descriptors import SOAP

from polyscape.learn.protocol import Reals, Structure, species


@dataclass(frozen=True)
class SoapDescriptor:
    """Averaged power spectra.

    Attributes
    ----------
    cutoff_A : float
        Radius of the atomic environments.
    n_max, l_max : int
        Radial and angular functions.
    sigma_A : float
        Width of the Gaussians on the atoms.
    structures_per_process : int
        Fewest structures worth a further process, whose start costs seconds.
    """

    cutoff_A: float = 3.0
    n_max: int = 6
    l_max: int = 6
    sigma_A: float = 0.3
    structures_per_process: int = 500

    @property
    def id(self) -> str:
        """Name of the descriptor with its settings."""
        return f"soap-r{self.cutoff_A:g}-n{self.n_max}-l{self.l_max}-s{self.sigma_A:g}"

    def compute(self, structures: Sequence[Structure], cores: int = 1) -> Reals:
        """Averaged power spectra, shape (structures, spectrum)."""
        soap = SOAP(
            species=species(structures),
            r_cut=self.cutoff_A,
            n_max=self.n_max,
            l_max=self.l_max,
            sigma=self.sigma_A,
            average="outer",
            periodic=True,
        )
        cells = [structure.atoms for structure in structures]
        processes = max(1, min(cores, len(cells) // self.structures_per_process))
        return np.asarray(soap.create(cells, n_jobs=processes)).reshape(len(cells), -1)
