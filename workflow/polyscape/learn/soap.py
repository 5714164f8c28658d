"""Averaged short-range SOAP, reduced to principal components, with the force field's energy terms.

Smooth overlap of atomic positions (Bartok, Kondor, Csanyi, Phys. Rev. B 87 (2013) 184115,
https://doi.org/10.1103/PhysRevB.87.184115), by DScribe (Himanen et al., Comput. Phys. Commun. 247 (2020)
106949, https://doi.org/10.1016/j.cpc.2019.106949).  The power spectra of a cell's atoms are averaged, so
that the vector depends neither on the cell nor on its size.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from dscribe.descriptors import SOAP
from threadpoolctl import threadpool_limits

from polyscape.learn.protocol import Reals, Structure

_DECIMALS = 9
"""Vectors are rounded to this many decimals: rounding errors must not reach what is learned from them."""


@dataclass(frozen=True)
class SoapDescriptor:
    """Two blocks, each centred and of total variance 1 (terms: `terms_weight` squared) over the landscape.

    Attributes
    ----------
    cutoff_A : float
        Radius of the atomic environments.
    n_max, l_max : int
        Radial and angular functions.
    sigma_A : float
        Width of the Gaussians on the atoms.
    components : int
        Principal components kept, fewer where the landscape spans fewer.
    terms_weight : float
        Weight of the energy terms against the components.
    structures_per_process : int
        Fewest structures worth a further process, whose start costs seconds.
    """

    cutoff_A: float = 4.0
    n_max: int = 6
    l_max: int = 6
    sigma_A: float = 0.4
    components: int = 16
    terms_weight: float = 1.0
    structures_per_process: int = 500

    @property
    def id(self) -> str:
        """Name of the descriptor with its settings."""
        shape = f"r{self.cutoff_A:g}-n{self.n_max}-l{self.l_max}-s{self.sigma_A:g}"
        return f"soap-{shape}-pca{self.components}-terms{self.terms_weight:g}"

    def compute(self, structures: Sequence[Structure], cores: int = 1) -> Reals:
        """Vectors of all structures, shape (structures, components + energy terms)."""
        spectrum_sf = self._power_spectra(structures, cores)
        term_sf = np.array([structure.energy_terms for structure in structures], float)
        with threadpool_limits(limits=1):
            blocks = (
                principal_components(spectrum_sf, self.components),
                self.terms_weight * standardised(term_sf),
            )
        return np.asarray(np.round(np.concatenate(blocks, axis=1), _DECIMALS) + 0.0, np.float64)

    def _power_spectra(self, structures: Sequence[Structure], cores: int) -> Reals:
        """Averaged power spectra, shape (structures, spectrum)."""
        soap = SOAP(
            species=sorted({int(number) for structure in structures for number in structure.atoms.numbers}),
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


def standardised(value_sf: Reals) -> Reals:
    """Centred columns, scaled together to a total variance of 1; zeros where nothing varies."""
    centred_sf = value_sf - value_sf.mean(axis=0)
    total = float(np.sqrt(np.sum(centred_sf**2) / max(len(centred_sf), 1)))
    size = float(np.abs(value_sf).max(initial=0.0))
    return centred_sf / total if total > 1e-9 * max(size, 1.0) else np.zeros_like(centred_sf)


def principal_components(value_sf: Reals, components: int) -> Reals:
    """Scores on the principal components, scaled together; the sign makes each one's largest loading
    positive.

    Parameters
    ----------
    value_sf : numpy.ndarray, shape (structures, features)
        Vectors, neither centred nor scaled.
    components : int
        Most components kept; those with less than 1e-8 of the total variance are left out.

    Returns
    -------
    numpy.ndarray, shape (structures, <= components)
    """
    scaled_sf = standardised(value_sf)
    left_sk, weight_k, loading_kf = np.linalg.svd(scaled_sf, full_matrices=False)
    kept = np.flatnonzero(weight_k**2 > 1e-8 * max(float(np.sum(weight_k**2)), 1e-300))[:components]
    magnitude_kf = np.abs(loading_kf[kept])
    first_k = np.argmax(magnitude_kf > (1 - 1e-6) * magnitude_kf.max(axis=1, keepdims=True), axis=1)
    sign_k = np.sign(loading_kf[kept, first_k])
    return left_sk[:, kept] * weight_k[kept] * sign_k
