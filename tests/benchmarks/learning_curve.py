"""What a part of the single points tells about a landscape of which all are known: JSON lines.

Replays campaigns on a landscape of tests/data/landscapes with the real learner and the real choice of points, batch after
batch, and compares the highest level's predicted with its computed energies after each.  Energies are relative: their mean
difference over the landscape is taken out.  Each seed sees a random nine tenths of the structures.

The cost fraction is the core seconds of the points bought, all levels, over those of climbing to the highest level with
every structure.  On the basis `nscf` they are as measured; on `scf` the highest level costs what its self-consistent hybrid
would: the price of the level below times the geometric mean of the ratios measured on some structures
(`tests/data/landscapes/hybrids.py`).  Each basis has campaigns of its own, whose choices weigh its prices.

A known structure that climbs higher later pays its whole climb again, as in a campaign: orbitals are not kept.

Methods: `polyscape`; `random`, `lowest_energy`, `farthest_points` choose otherwise and learn alike; `single_level_gp` (the
highest level learned from the force field alone), `linear` (offset and factor by least squares) and `smt_mfk`
(multi-fidelity kriging of the package smt: `pip install smt`, or other `--methods`) learn otherwise from random points.
Each method learns at each basis for itself.

    python -m tests.benchmarks.learning_curve tests/data/landscapes/oxalic_acid_full --seeds 20
"""

import argparse
import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr
from tests.benchmarks.peers import PEERS, Prediction, ours
from tests.data.landscapes.hybrids import prices as hybrid_prices
from tests.data.landscapes.load import Truth, load

from polyscape.learn.budget import Budget
from polyscape.learn.choose import Judge, Situation, choose, may_be_chosen
from polyscape.learn.descriptor_choice import choose_descriptor
from polyscape.learn.protocol import TrainingData
from polyscape.learn.registry import LINEAR, build_learner
from polyscape.settings.learning import AUTO, LearningSettings
from polyscape.settings.selection import SelectionSettings

OURS = "polyscape"
METHODS = (OURS, "random", "lowest_energy", "farthest_points", *PEERS)
NSCF, SCF = "nscf", "scf"
PART = 0.9


@dataclass(frozen=True)
class Replay:
    """One replayed campaign: method, seed, and what its rounds may buy."""

    method: str
    seed: int
    batch: int
    until: float
    scf_factor: float | None = None

    @property
    def basis(self) -> str:
        """Name of the cost basis."""
        return NSCF if self.scf_factor is None else SCF

    def prices(self, cost_ls: NDArray[np.float64]) -> NDArray[np.float64]:
        """Core seconds to climb to each level on the cost basis, from those of the computed levels."""
        if self.scf_factor is None:
            return cost_ls
        below_s = cost_ls[-2] - cost_ls[-3]
        return np.concatenate([cost_ls[:-1], [cost_ls[-2] + self.scf_factor * below_s]])

    @property
    def settings(self) -> SelectionSettings:
        """The selection's settings; a peer learns from random points."""
        strategy = "random" if self.method in PEERS else self.method
        if self.method == OURS:
            strategy = "ranking"
        share = 1.0 if self.method in ("single_level_gp", "linear") else 0.5
        return SelectionSettings(
            strategy=strategy, batch=self.batch, top_level_share=share, settled_probability=1.0
        )


@dataclass(frozen=True)
class Round:
    """What a campaign knows after a round, of which landscape, and the core seconds that it has spent."""

    data: TrainingData
    part: Truth
    core_s: float


def rounds(replay: Replay, truth: Truth) -> Iterator[Round]:
    """A campaign's rounds, until a part of the full price is spent or nothing is left to choose."""
    generator = np.random.default_rng(replay.seed)
    count = len(truth.energy_s)
    part = truth.part(np.sort(generator.permutation(count)[: round(PART * count)]))
    value_ls = np.full_like(part.value_ls, np.nan)
    value_ls[0] = part.value_ls[0]
    judge = Judge(build_learner(LearningSettings()), 1000, generator)
    nowhere_ls = np.zeros(value_ls.shape, bool)
    paid_ls, predicted_ls = replay.prices(part.paid_ls), replay.prices(part.predicted_ls)
    data, core_s = described(value_ls, part), 0.0
    while core_s < replay.until * paid_ls[-1].sum():
        now = Situation(data, part.energy_s, part.added_ls[-1], nowhere_ls)
        batch = choose(now, budget(data, predicted_ls, replay.settings), replay.settings, judge)
        if not batch.chosen:
            return
        value_ls = data.value_ls.copy()
        for choice in batch.chosen:
            core_s += float(paid_ls[choice.level, choice.structure])
            value_ls[1 : choice.level + 1, choice.structure] = part.value_ls[
                1 : choice.level + 1, choice.structure
            ]
        data = described(value_ls, part)
        yield Round(data, part, core_s)


def described(value_ls: NDArray[np.float64], part: Truth) -> TrainingData:
    """What is known, in the descriptors that a campaign takes for it."""
    linear_sj = part.blocks[LINEAR]
    data = TrainingData(linear_sj, value_ls, linear_sj)
    return choose_descriptor(build_learner(LearningSettings()), data, part.blocks, part.descriptors).data


def budget(data: TrainingData, predicted_ls: NDArray[np.float64], settings: SelectionSettings) -> Budget:
    """What a round may choose: whatever was not computed."""
    nowhere_ls = np.zeros(predicted_ls.shape, bool)
    allowed_ls = may_be_chosen(data, nowhere_ls, ~nowhere_ls, settings.batch)
    return Budget(settings.batch, settings.top_slots, predicted_ls, allowed_ls, settings.cost_exponent)


def line(replay: Replay, known: Round, prediction: Prediction) -> dict[str, object]:
    """What is printed of a round."""
    data, part = known.data, known.part
    true_s = part.value_ls[-1] + part.added_ls[-1]
    mean_s = prediction.mean_s + part.added_ls[-1]
    error_s = mean_s - true_s - np.mean(mean_s - true_s)
    predicted_s = ~data.computed_ls[-1]
    inside_s = np.abs(error_s) <= 1.96 * prediction.sd_s
    return {
        "method": replay.method,
        "seed": replay.seed,
        "cost_basis": replay.basis,
        "cost_fraction": known.core_s / float(replay.prices(part.paid_ls)[-1].sum()),
        "core_h": known.core_s / 3600,
        "points": data.computed_ls[1:].sum(axis=1).tolist(),
        "structures": data.structures,
        "mae_kJ_per_mol": float(np.abs(error_s).mean()),
        "mae_of_predicted_kJ_per_mol": float(np.abs(error_s[predicted_s]).mean()),
        "max_error_kJ_per_mol": float(np.abs(error_s).max()),
        "spearman": float(spearmanr(mean_s, true_s).statistic),
        "coverage_95": float(inside_s[predicted_s].mean()),
        "rank_of_true_minimum": int(np.sum(mean_s < mean_s[np.argmin(true_s)]) + 1),
    }


def main() -> None:
    """Replay and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("landscape", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--methods", nargs="*", default=METHODS, choices=METHODS)
    parser.add_argument("--bases", nargs="*", default=(NSCF, SCF), choices=(NSCF, SCF), help="cost bases")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--until", type=float, default=0.3, help="stop at this part of the full price")
    parser.add_argument(
        "--descriptor", default=AUTO, help="a combination, or what a campaign chooses round by round (auto)"
    )
    parser.add_argument(
        "--scf-factor", type=float, help="price of the self-consistent hybrid over the level below (measured)"
    )
    options = parser.parse_args()
    if "smt_mfk" in options.methods and importlib.util.find_spec("smt") is None:
        parser.error("the method smt_mfk needs the package smt: pip install smt, or name other --methods")
    ratios = hybrid_prices(options.landscape)
    measured = float(np.exp(np.log(ratios).mean())) if len(ratios) else None
    factor_by_basis = {NSCF: None, SCF: options.scf_factor or measured}
    if SCF in options.bases and factor_by_basis[SCF] is None:
        parser.error("no self-consistent hybrid is measured there: give --scf-factor, or --bases nscf")
    truth = load(options.landscape, options.descriptor)
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        for method, basis in product(options.methods, options.bases):
            replay = Replay(method, seed, options.batch, options.until, factor_by_basis[basis])
            for known in rounds(replay, truth):
                said = line(replay, known, PEERS.get(method, ours)(known.data))
                print(json.dumps({"landscape": options.landscape.name} | said), flush=True)


if __name__ == "__main__":
    main()
