"""Atom-centred symmetry functions, averaged over the atoms of each element.

Behler, J. Chem. Phys. 134 (2011) 074106, https://doi.org/10.1063/1.3553717, eqs. 6 (radial, G2) and 8 (angular, G4), by
DScribe (see `polyscape.learn.soap`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from dscribe.descriptors import ACSF

from polyscape.learn.protocol import Reals, Structure, species

_SPACING_A: Final = 0.5
_NEAREST_A: Final = 1.5
_ANGULAR: Final = [(0.01, zeta, sign) for zeta in (1, 4) for sign in (-1, 1)]
"""eta (1/Angstrom^2), zeta, lambda of the angular functions."""


@dataclass(frozen=True)
class AcsfDescriptor:
    """Averages of radial functions every 0.5 Angstrom, and of a few angular ones.

    Attributes
    ----------
    cutoff_A : float
        Radius of the atomic environments.
    structures_per_process : int
        Fewest structures worth a further process, whose start costs seconds.
    """

    cutoff_A: float = 4.0
    structures_per_process: int = 500

    @property
    def id(self) -> str:
        """Name of the descriptor with its settings."""
        return f"acsf-r{self.cutoff_A:g}"

    def compute(self, structures: Sequence[Structure], cores: int = 1) -> Reals:
        """Means over the atoms of each element times its share of the atoms, shape (structures, features)."""
        elements = species(structures)
        functions = ACSF(
            r_cut=self.cutoff_A,
            g2_params=self._radial(),
            g4_params=[list(parameters) for parameters in _ANGULAR],
            species=elements,
            periodic=True,
        )
        cells = [structure.atoms for structure in structures]
        processes = max(1, min(cores, len(cells) // self.structures_per_process))
        found = functions.create(cells, n_jobs=processes)
        made = [found] if len(cells) == 1 else found
        return np.stack(
            [
                np.concatenate([values_af[atoms.numbers == z].sum(axis=0) for z in elements]) / len(atoms)
                for atoms, values_af in zip(cells, made, strict=True)
            ]
        )

    def _radial(self) -> list[list[float]]:
        """Eta and centre of the radial functions: neighbouring Gaussians cross at 0.78 of their height."""
        eta = 1.0 / (2 * (0.7 * _SPACING_A) ** 2)
        centres = np.arange(_NEAREST_A, self.cutoff_A, _SPACING_A)
        return [[eta, float(centre)] for centre in centres]
