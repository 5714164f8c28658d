"""The benchmark of learning, on an invented landscape: what it counts, and that every method runs."""

from itertools import pairwise

import numpy as np
import pytest

from polyscape.learn.registry import LINEAR
from tests.benchmarks import learning_curve
from tests.benchmarks.learning_curve import Replay
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
    data, part = made[-1]
    assert data.structures == 36  # nine tenths
    counts = [data.computed_ls[1:].sum(axis=1).tolist() for data, _ in made]
    assert counts[0] == [4, 2]
    assert all(later[0] >= earlier[0] for earlier, later in pairwise(counts))
    fractions = [learning_curve.spent(data, part, part.paid_ls) for data, _ in made]
    assert fractions == sorted(fractions)
    assert fractions[-2] < 0.2 <= fractions[-1]


def test_everything_known_costs_everything_and_leaves_no_error():
    truth = _truth()
    data = learning_curve.described(truth.value_ls, truth)
    perfect = Prediction(truth.value_ls[-1] + 7.0, np.ones(40))  # an offset does not count
    scf, nscf = None, None
    for said in learning_curve.line(Replay("polyscape", 0, 4, 1.0, scf_factor=100.0), data, truth, perfect):
        assert said["cost_fraction"] == pytest.approx(1.0)
        assert said["mae_kJ_per_mol"] == pytest.approx(0.0, abs=1e-9)
        assert said["rank_of_true_minimum"] == 1
        nscf, scf = (said["core_h"], scf) if said["cost_basis"] == "nscf" else (nscf, said["core_h"])
    assert scf == pytest.approx(101 / 3 * nscf)


@pytest.mark.parametrize("method", ["polyscape", *PEERS])
def test_every_method_predicts_what_it_was_not_told(method):
    """On a landscape drawn from the model; the slope of the linear correction, of a dozen points, costs it a little."""
    truth = _truth()
    data, part = list(learning_curve.rounds(Replay(method, seed=0, batch=12, until=0.3), truth))[-1]
    prediction = PEERS.get(method, ours)(data)
    said = next(learning_curve.line(Replay(method, 0, 12, 0.3), data, part, prediction))
    blind_s = part.value_ls[0] - part.value_ls[-1]
    assert said["mae_kJ_per_mol"] < 1.1 * np.abs(blind_s - blind_s.mean()).mean()
    assert np.isfinite(prediction.sd_s).all()
