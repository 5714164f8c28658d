"""From a joint posterior to a ranking: draws keep correlated errors, which cancel between similar packings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from polyscape.learn.linalg import normal_draws
from polyscape.learn.protocol import Points, Posterior, Reals

LOWEST = 5
"""P(lowest 5) is the probability of being among this many of lowest energy."""

MORE = 10
"""The same for a wider choice."""


@dataclass(frozen=True)
class Ranking:
    """The ranking of a landscape; arrays of shape (structures,) in the landscape's order.

    Attributes
    ----------
    rank_s : numpy.ndarray
        Rank by the mean, 1 is the lowest.
    p_first_s, p_lowest_s, p_more_s : numpy.ndarray
        Probability of rank 1, of a rank of at most `LOWEST`, and of at most `MORE`.
    p_below_ks : numpy.ndarray, shape (references, structures)
        Probability of a lower energy than each of the structures asked for.
    rank_low_s, rank_high_s : numpy.ndarray
        5 and 95 % quantiles of the rank, widened where needed to hold the rank by the mean.
    sd_relative_s : numpy.ndarray
        Standard deviation of the energy relative to the structure of rank 1, kJ/mol.
    """

    rank_s: NDArray[np.int64]
    p_first_s: Reals
    p_lowest_s: Reals
    p_more_s: Reals
    p_below_ks: Reals
    rank_low_s: NDArray[np.int64]
    rank_high_s: NDArray[np.int64]
    sd_relative_s: Reals


def ranks(value_ds: Reals) -> NDArray[np.int64]:
    """Ranks along the last axis, 1 for the lowest; equal values in their order."""
    order_ds = np.argsort(value_ds, axis=-1, kind="stable")
    rank_ds = np.empty(value_ds.shape, np.int64)
    np.put_along_axis(
        rank_ds, order_ds, np.broadcast_to(np.arange(1, value_ds.shape[-1] + 1), value_ds.shape), axis=-1
    )
    return rank_ds


def rank_structures(
    mean_s: Reals, K_ss: Reals, draws: int, generator: np.random.Generator, references: Sequence[int] = ()
) -> Ranking:
    """The ranking of structures whose energies have a joint normal distribution.

    Parameters
    ----------
    mean_s : numpy.ndarray, shape (structures,)
        Means, kJ/mol.
    K_ss : numpy.ndarray, shape (structures, structures)
        Covariance, (kJ/mol)^2.
    draws : int
        Joint draws behind the probabilities.
    generator : numpy.random.Generator
        Source of the draws.
    references : sequence of int
        Structures that the others are compared with: the known forms.
    """
    with threadpool_limits(limits=1):
        energy_ds = normal_draws(mean_s, K_ss, draws, generator)
    rank_ds = ranks(energy_ds)
    below = [np.mean(energy_ds < energy_ds[:, [reference]], axis=0) for reference in references]
    rank_s = ranks(mean_s)
    first = int(np.argmin(rank_s))
    variance_s = np.diag(K_ss) + K_ss[first, first] - 2 * K_ss[first]
    low_s, high_s = np.quantile(rank_ds, [0.05, 0.95], axis=0, method="nearest").astype(np.int64)
    return Ranking(
        rank_s=rank_s,
        p_first_s=np.mean(rank_ds == 1, axis=0),
        p_lowest_s=np.mean(rank_ds <= LOWEST, axis=0),
        p_more_s=np.mean(rank_ds <= MORE, axis=0),
        p_below_ks=np.array(below).reshape(len(references), len(mean_s)),
        rank_low_s=np.minimum(low_s, rank_s),
        rank_high_s=np.maximum(high_s, rank_s),
        sd_relative_s=np.sqrt(np.clip(variance_s, 0.0, None)),
    )


def relative_sd_ls(posterior: Posterior, reference_l: Sequence[int]) -> Reals:
    """Standard deviation of every energy less that of its level's reference, kJ/mol, (levels, structures).

    ``var(E_s - E_r) = K_ss + K_rr - 2 K_sr``: what a level's errors have in common cancels; 0 at level 0.

    Parameters
    ----------
    posterior : Posterior
        The joint posterior.
    reference_l : sequence of int
        The structure that each level's energies are compared with.
    """
    sd_ls = posterior.sd_ls()
    relative_ls = np.zeros_like(sd_ls)
    for level in range(1, len(sd_ls)):
        reference = int(reference_l[level])
        everywhere = Points.at_level(level, range(sd_ls.shape[1]))
        shared_s = posterior.covariance_pp(everywhere, Points.at_level(level, [reference]))[:, 0]
        variance_s = sd_ls[level] ** 2 + sd_ls[level, reference] ** 2 - 2 * shared_s
        variance_s[reference] = 0.0
        relative_ls[level] = np.sqrt(np.clip(variance_s, 0.0, None))
    return relative_ls
