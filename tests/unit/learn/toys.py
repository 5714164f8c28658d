"""Invented numbers for the learner: an autoregressive ladder drawn from the model that co-kriging assumes."""

import numpy as np
from sklearn.gaussian_process.kernels import Matern

from polyscape.learn.protocol import TrainingData

NOISE = 0.2


def draw_ladder(seed, structures=60, levels=2, sigma=2.0, tau=0.5, length=1.0, rho=(1.1, 0.9)):
    """Descriptors and true values at every level, level 0 the force field, shape (levels + 1, structures)."""
    generator = np.random.default_rng(seed)
    X_sf = generator.normal(size=(structures, 3)) / np.sqrt(6)
    K_ss = Matern(length, nu=2.5)(X_sf) + 1e-10 * np.eye(structures)
    value_ls = [generator.uniform(-100, -80, structures)]
    for level in range(levels):
        scale = sigma / 2**level
        smooth_s = scale * np.linalg.cholesky(K_ss) @ generator.normal(size=structures)
        own_s = tau / 2**level * generator.normal(size=structures)
        value_ls.append(rho[level % len(rho)] * value_ls[-1] + 5.0 * (level + 1) + smooth_s + own_s)
    return X_sf, np.array(value_ls)


def observe(X_sf, true_ls, counts, seed=0, noise=NOISE):
    """Nested random training sets of the given sizes, with noise."""
    generator = np.random.default_rng([seed, 99])
    order = generator.permutation(len(X_sf))
    value_ls = np.full(true_ls.shape, np.nan)
    value_ls[0] = true_ls[0]
    for level, count in enumerate(counts, start=1):
        value_ls[level, order[:count]] = true_ls[level, order[:count]] + noise * generator.normal(size=count)
    return TrainingData(X_sf, value_ls)
