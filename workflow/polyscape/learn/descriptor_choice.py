"""Which combination of descriptors predicts a landscape best: each computed structure is left out in turn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from polyscape.learn.protocol import Learner, Posterior, Reals, TrainingData

FEWEST = 8
"""With fewer computed structures the first combination is taken unasked."""


@dataclass(frozen=True)
class Described:
    """Training data in the descriptors chosen.

    Attributes
    ----------
    descriptor : str
        Names of its blocks, joined by ``+``.
    data : TrainingData
        The data in these descriptors.
    score_by_descriptor : mapping
        Mean logarithm of the density of left-out structures for each combination tried; empty without a choice.
    """

    descriptor: str
    data: TrainingData
    score_by_descriptor: Mapping[str, float]


def choose_descriptor(
    learner: Learner, data: TrainingData, blocks: Mapping[str, Reals], names: Sequence[str]
) -> Described:
    """The combination under which the left-out structures are likeliest; of equals the first.

    Parameters
    ----------
    learner : Learner
        What is to learn from the descriptors.
    data : TrainingData
        What is known; its own descriptors do not count.
    blocks : mapping of str to numpy.ndarray, shape (structures, features)
        Descriptors by name.
    names : sequence of str
        Combinations of blocks, joined by ``+``.
    """
    made = {name: replace(data, X_sf=combined(blocks, name)) for name in names}
    first = Described(names[0], made[names[0]], {})
    if len(names) == 1 or data.computed_ls[1:].any(axis=0).sum() < FEWEST:
        return first
    scores = {name: log_density(learner.fit(one)) for name, one in made.items()}
    best = max(names, key=lambda name: scores[name])
    return Described(best, made[best], scores)


def combined(blocks: Mapping[str, Reals], name: str) -> Reals:
    """The vectors of a combination of blocks."""
    return np.concatenate([blocks[part] for part in name.split("+")], axis=1)


def log_density(posterior: Posterior) -> float:
    """Mean logarithm of the density of a structure's computed values when the others predict them (Rasmussen &
    Williams 2006, eq. 5.10), hyperparameters as they are; kJ/mol.
    """
    total, structures = 0.0, np.unique(posterior.points.structure_p)
    for structure in structures:
        rows = np.flatnonzero(posterior.points.structure_p == structure)
        error_b, covariance_bb = posterior.left_out(rows)
        _, volume = np.linalg.slogdet(2 * np.pi * covariance_bb)
        total -= 0.5 * (volume + error_b @ np.linalg.solve(covariance_bb, error_b))
    return float(total / max(len(structures), 1))
