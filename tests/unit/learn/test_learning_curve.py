"""The benchmark of learning, on an invented landscape: what it counts, and that every method runs."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from polyscape.learn.registry import LINEAR
from tests.benchmarks import learning_curve, learning_table
from tests.benchmarks.learning_curve import Replay, Round
from tests.benchmarks.peers import PEERS, Prediction, ours
from tests.data.landscapes.load import Truth
from tests.unit.learn.toys import draw_ladder


def _truth(structures=40):
    X_sf, value_ls = draw_ladder(0, structures=structures)
    price_ls = np.array([0.0, 30.0, 90.0])[:, None] * np.linspace(1.0, 2.0, structures)
    blocks = {"soap": X_sf, LINEAR: np.zeros((structures, 0))}
    return Truth(blocks, ("soap",), value_ls, np.zeros_like(value_ls), value_ls[0], price_ls, price_ls)


def test_a_replay_buys_batches_until_its_part_is_spent():
    replay = Replay("random", seed=1, batch=4, until=0.2)
    made = list(learning_curve.rounds(replay, _truth()))
    data, part = made[-1].data, made[-1].part
    assert data.structures == 36  # nine tenths
    counts = [known.data.computed_ls[1:].sum(axis=1).tolist() for known in made]
    assert counts[0] == [4, 2]
    assert all(later[0] >= earlier[0] for earlier, later in pairwise(counts))
    fractions = [known.core_s / part.paid_ls[-1].sum() for known in made]
    assert fractions == sorted(fractions)
    assert fractions[-2] < 0.2 <= fractions[-1]


def test_everything_known_costs_everything_and_leaves_no_error():
    truth = _truth()
    perfect = Prediction(truth.value_ls[-1] + 7.0, np.ones(40))  # an offset does not count
    data, core_h = learning_curve.described(truth.value_ls, truth), {}
    for factor, climb_s in ((None, 90.0), (100.0, 3030.0)):
        replay = Replay("polyscape", 0, 4, 1.0, scf_factor=factor)
        everything = Round(data, truth, 40 * 1.5 * climb_s)  # 40 structures, of 1 to 2 times the price
        said = learning_curve.line(replay, everything, perfect)
        assert said["cost_fraction"] == pytest.approx(1.0)
        assert said["mae_kJ_per_mol"] == pytest.approx(0.0, abs=1e-9)
        assert said["rank_of_true_minimum"] == 1
        core_h[said["cost_basis"]] = said["core_h"]
    assert core_h["scf"] == pytest.approx(101 / 3 * core_h["nscf"])


def test_a_known_structure_that_climbs_pays_its_climb_again():
    """With more than one point of each structure, what was spent is more than what the known points cost."""
    known = list(learning_curve.rounds(Replay("random", seed=2, batch=12, until=2.0), _truth()))[-1]
    assert known.data.computed_ls.all()
    assert known.core_s > 1.01 * known.part.paid_ls[-1].sum()


def test_dear_hybrids_are_bought_less_often():
    """The choice weighs the prices of its basis: for a hybrid of a hundred times the price, more of the level below."""
    share = {}
    for factor in (None, 100.0):
        replay = Replay("polyscape", seed=0, batch=4, until=0.25, scf_factor=factor)
        known = list(learning_curve.rounds(replay, _truth()))[-1]
        below, top = known.data.computed_ls[1:].sum(axis=1)
        share[replay.basis] = top / below
    assert share["scf"] < share["nscf"]


@pytest.mark.parametrize("method", ["polyscape", *PEERS])
def test_every_method_predicts_what_it_was_not_told(method):
    """On a landscape drawn from the model; the slope of the linear correction, of a dozen points, costs it a little."""
    if method == "smt_mfk":
        pytest.importorskip("smt")
    replay = Replay(method, seed=0, batch=12, until=0.3)
    known = list(learning_curve.rounds(replay, _truth()))[-1]
    prediction = PEERS.get(method, ours)(known.data)
    said = learning_curve.line(replay, known, prediction)
    blind_s = known.part.value_ls[0] - known.part.value_ls[-1]
    assert said["mae_kJ_per_mol"] < 1.1 * np.abs(blind_s - blind_s.mean()).mean()
    assert np.isfinite(prediction.sd_s).all()


def test_the_table_reads_what_each_seed_knew_for_no_more_than_a_price(tmp_path):
    """Seed 1 begins at 4 %, so nothing is said of both at 2 %; at 10 % seed 0 has what it knew at 6 %."""
    known = [(0, 0.02, 3.0), (0, 0.06, 1.0), (0, 0.12, 0.5), (1, 0.04, 2.0), (1, 0.09, 1.5)]
    lines = pd.DataFrame(
        {
            "cost_basis": "nscf",
            "method": "polyscape",
            "seed": seed,
            "cost_fraction": fraction,
            "points": [8, 4],
        }
        | dict.fromkeys(learning_table.SHOWN, error)
        for seed, fraction, error in known
    )
    table = learning_table.at_fractions(lines, (0.02, 0.05, 0.1))
    assert table.fraction.tolist() == [0.05, 0.1]
    assert table.mae_kJ_per_mol.tolist() == [2.5, 1.25]
    assert "| nscf | polyscape | 10 | 8 + 4 |" in learning_table.markdown(table)
    learning_table.figure(lines, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 10_000
