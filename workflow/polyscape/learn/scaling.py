"""Vectors of a landscape brought to one scale: centred, of total variance 1, reduced to their main directions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from polyscape.learn.protocol import Descriptor, Reals, Structure

_DECIMALS = 9
"""Vectors are rounded to this many decimals: rounding errors must not reach what is learned from them."""


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


@dataclass(frozen=True)
class Scaled:
    """A descriptor in principal components of total variance `weight` squared over the landscape.

    Attributes
    ----------
    raw : Descriptor
        What makes the vectors.
    components : int
        Principal components kept, fewer where the landscape spans fewer.
    weight : float
        Weight against other descriptors that it is combined with.
    """

    raw: Descriptor
    components: int = 16
    weight: float = 1.0

    @property
    def id(self) -> str:
        """Name of the descriptor with its settings."""
        return f"{self.raw.id}-pca{self.components}-w{self.weight:g}"

    def compute(self, structures: Sequence[Structure], cores: int = 1) -> Reals:
        """Vectors of all structures, shape (structures, <= components)."""
        raw_sf = self.raw.compute(structures, cores)
        with threadpool_limits(limits=1):
            score_sf = self.weight * principal_components(raw_sf, self.components)
        return np.asarray(np.round(score_sf, _DECIMALS) + 0.0, np.float64)


@dataclass(frozen=True)
class Combined:
    """Several descriptors side by side: the squares of their distances add up."""

    parts: tuple[Descriptor, ...]

    @property
    def id(self) -> str:
        """Name of the descriptor with its settings."""
        return "+".join(part.id for part in self.parts)

    def compute(self, structures: Sequence[Structure], cores: int = 1) -> Reals:
        """Vectors of all structures."""
        return np.concatenate([part.compute(structures, cores) for part in self.parts], axis=1)
