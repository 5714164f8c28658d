"""Linear algebra of covariance matrices: Cholesky factors with as little jitter as will do, and draws."""

import numpy as np
from scipy.linalg import LinAlgError
from scipy.linalg import cholesky as _cholesky

from polyscape.learn.protocol import Reals

_JITTERS = (0.0, 1e-12, 1e-10, 1e-8, 1e-6)
"""Parts of the mean variance added to the diagonal, one after another, until the factor exists."""


class NotPositiveDefiniteError(Exception):
    """A covariance matrix has no Cholesky factor even with the largest jitter: its entries are wrong."""


def cholesky_lower(K_pp: Reals) -> Reals:
    """Lower Cholesky factor of a covariance matrix, with a growing jitter where rounding made it indefinite.

    Parameters
    ----------
    K_pp : numpy.ndarray, shape (points, points)
        Symmetric, positive semidefinite but for rounding.

    Raises
    ------
    NotPositiveDefiniteError
        When a jitter of 1e-6 of the mean variance is not enough.
    """
    if not len(K_pp):
        return np.zeros((0, 0))
    scale = max(float(np.mean(np.diag(K_pp))), np.finfo(float).tiny)
    for jitter in _JITTERS:
        try:
            return _cholesky(K_pp + jitter * scale * np.eye(len(K_pp)), lower=True)
        except LinAlgError:
            continue
    raise NotPositiveDefiniteError(
        f"a {len(K_pp)} x {len(K_pp)} covariance matrix of mean variance {scale:.3g}"
    )


def normal_draws(mean_s: Reals, K_ss: Reals, draws: int, generator: np.random.Generator) -> Reals:
    """Draws of a joint normal distribution, shape (draws, structures)."""
    lower_ss = cholesky_lower(K_ss)
    return mean_s + generator.standard_normal((draws, len(mean_s))) @ lower_ss.T
