from dataclasses import replace

import numpy as np
import pytest

from polyscape.learn.acquisition import first_batch, later_batch, ranking_variance
from polyscape.learn.budget import Budget
from polyscape.learn.cokriging import CoKriging
from polyscape.learn.protocol import Points
from tests.unit.learn.toys import draw_ladder, observe


def _budget(structures, slots=6, top_slots=3, exponent=0.5, levels=2):
    cost_ls = np.vstack(
        [np.zeros(structures), *(np.full(structures, 30.0 * 3**level) for level in range(levels))]
    )
    allowed_ls = np.ones(cost_ls.shape, bool)
    allowed_ls[0] = False
    return Budget(slots, top_slots, cost_ls, allowed_ls, exponent)


def test_the_first_batch_fills_the_slots_with_different_structures_the_highest_level_first():
    generator = np.random.default_rng(0)
    chosen = first_batch(generator.normal(size=(40, 3)), generator.uniform(0, 20, 40), 5.0, _budget(40))
    assert [choice.level for choice in chosen] == [2, 2, 2, 1, 1, 1]
    assert len({choice.structure for choice in chosen}) == 6


def test_the_first_batch_starts_at_the_lowest_energy_and_prefers_small_cells():
    energy_s, X_sf = np.array([0.0, 0.0, 3.0]), np.zeros((3, 2))
    budget = _budget(3, slots=1, top_slots=1)
    budget.cost_ls[:, 0] *= 4
    assert first_batch(X_sf, energy_s, 5.0, budget)[0].structure == 1
    assert first_batch(X_sf, energy_s, 5.0, _budget(3, 1, 1, exponent=0.0))[0].structure == 0


def test_the_first_batch_spreads():
    """Two clusters of equal energies: the second choice lies in the other cluster."""
    X_sf = np.array([[0.0], [0.1], [0.2], [5.0], [5.1]])
    chosen = first_batch(X_sf, np.zeros(5), 5.0, _budget(5, 2, 1))
    assert {choice.structure < 3 for choice in chosen} == {True, False}


def test_forbidden_structures_are_not_chosen_and_a_short_supply_leaves_slots_empty():
    budget = _budget(4)
    budget.allowed_ls[:, 1] = False
    chosen = first_batch(np.arange(4.0)[:, None], np.zeros(4), 5.0, budget)
    assert {choice.structure for choice in chosen} == {0, 2, 3}


def _posterior(seed=0, counts=(8, 4), structures=30):
    X_sf, true_ls = draw_ladder(seed, structures=structures)
    data = observe(X_sf, true_ls, counts, seed)
    return data, CoKriging().fit(data)


def test_a_later_batch_respects_the_budget_and_repeats_nothing():
    data, posterior = _posterior()
    budget = _budget(30)
    budget.allowed_ls[1:] &= ~data.computed_ls[1:]
    chosen = later_batch(posterior, np.full(30, 1 / 6), data.computed_ls, budget, owed=3)
    assert [choice.level for choice in chosen[:3]] == [2, 2, 2]
    assert len({choice.structure for choice in chosen}) == 6
    assert not any(data.computed_ls[choice.level, choice.structure] for choice in chosen)
    assert all(choice.value > 0 for choice in chosen)


@pytest.mark.parametrize("structures", [30, 700])
def test_the_value_of_a_choice_is_the_fall_of_the_rankings_variance(structures):
    """Against the slow way: compute the point in earnest and look at the covariance afterwards; with more structures than
    are candidates, too, those that may not be chosen included.
    """
    data, posterior = _posterior(1, structures=structures)
    weight_s = np.random.default_rng(0).uniform(0.1, 1, structures)
    budget = _budget(structures, 1, 1, exponent=0.0)
    budget.allowed_ls[:, structures // 2 :] = False
    budget.allowed_ls[1:] &= ~data.computed_ls[1:]
    choice = later_batch(posterior, weight_s, data.computed_ls, budget)[0]
    everywhere = Points.at_level(2, range(structures))
    before = ranking_variance(posterior.covariance_pp(everywhere, everywhere), weight_s)
    new = [level for level in (1, 2) if not data.computed_ls[level, choice.structure]]
    points = Points(
        np.append(posterior.points.level_p, new),
        np.append(posterior.points.structure_p, [choice.structure] * len(new)),
    )
    value_p = np.zeros(len(points))
    computed = type(posterior)(posterior.ladder, points, value_p, posterior.noise_kJ_per_mol)
    after = ranking_variance(computed.covariance_pp(everywhere, everywhere), weight_s)
    assert choice.value == pytest.approx(before - after, rel=1e-6)


@pytest.mark.parametrize("why", ["not allowed", "too dear"])
def test_slots_are_filled_where_hundreds_of_what_matters_may_not_be_computed(why):
    data, posterior = _posterior(1, structures=500)
    weight_s = np.where(np.arange(500) < 420, 1.0, 0.1)
    budget = replace(_budget(500), core_s_left=2000.0)
    if why == "not allowed":
        budget.allowed_ls[:, :420] = False
    else:
        budget.cost_ls[1:, :420] *= 100
    budget.allowed_ls[1:] &= ~data.computed_ls[1:]
    chosen = later_batch(posterior, weight_s, data.computed_ls, budget)
    assert len(chosen) == budget.slots
    assert min(choice.structure for choice in chosen) >= 420


def test_what_counts_does_not_shrink_as_a_landscape_grows():
    """Weights add up to one: in a landscape of thousands each is small, and all of the window still counts."""
    values = []
    for structures in (200, 2000):
        X_sf, true_ls = draw_ladder(0, structures=200)
        copies = structures // 200
        data = observe(np.tile(X_sf, (copies, 1)), np.tile(true_ls, copies), (0, 0))
        five_s = np.where(np.arange(structures) % 200 < 5, 1.0, 0.0)
        weight_s = 0.5 * five_s / five_s.sum() + 0.5 / structures
        posterior = CoKriging().fit(data)
        values.append(later_batch(posterior, weight_s, data.computed_ls, _budget(structures, 1, 1))[0].value)
    assert values[1] == pytest.approx(values[0], rel=0.3)


def test_structures_that_matter_are_chosen():
    """With all the weight on a few structures not computed yet, the highest level goes to them."""
    data, posterior = _posterior(2)
    heavy = np.flatnonzero(~data.computed_ls[1])[:3]
    weight_s = np.full(30, 1e-6)
    weight_s[heavy] = 1.0
    chosen = later_batch(posterior, weight_s, data.computed_ls, _budget(30))
    assert {choice.structure for choice in chosen[:3]} <= set(heavy)


def test_cheaper_structures_win_ties():
    data, posterior = _posterior(3, counts=(0, 0))
    budget = _budget(30, 1, 1, exponent=1.0)
    budget.cost_ls[1:, 10:] *= 100
    assert later_batch(posterior, np.ones(30), data.computed_ls, budget)[0].structure < 10


def test_on_a_ladder_of_one_level_every_slot_climbs_to_it():
    X_sf, true_ls = draw_ladder(4, structures=30, levels=1)
    data = observe(X_sf, true_ls, (5,))
    chosen = later_batch(CoKriging().fit(data), np.ones(30), data.computed_ls, _budget(30, 4, 2, levels=1))
    assert [choice.level for choice in chosen] == [1, 1, 1, 1]


def test_ranking_variance_ignores_what_all_share():
    K_ss = np.diag([1.0, 2.0, 3.0])
    assert ranking_variance(K_ss + 50.0, np.ones(3)) == pytest.approx(ranking_variance(K_ss, np.ones(3)))


def test_level_and_structure_are_weighed_together():
    """Where the second level costs hardly more than the first, it is worth it; where it costs a fortune, it is not."""
    data, posterior = _posterior(5)
    cheap, dear = _budget(30, exponent=1.0), _budget(30, exponent=1.0)
    cheap.cost_ls[2] = 1.01 * cheap.cost_ls[1]
    dear.cost_ls[2] = 1e4 * dear.cost_ls[1]
    weight_s = np.full(30, 1 / 6)
    levels = [
        {choice.level for choice in later_batch(posterior, weight_s, data.computed_ls, budget)}
        for budget in (cheap, dear)
    ]
    assert levels == [{2}, {1}]


@pytest.mark.parametrize("batch", ["first", "later"])
def test_a_batch_costs_no_more_than_what_is_left(batch):
    data, posterior = _posterior(6)
    budget = replace(_budget(30), core_s_left=400.0)  # levels cost 30 and 90
    chosen = (
        first_batch(data.X_sf, data.value_ls[0], 5.0, replace(budget, top_slots=6))
        if batch == "first"
        else later_batch(posterior, np.full(30, 1 / 6), data.computed_ls, budget, owed=6)
    )
    cost = sum(budget.cost_ls[choice.level, choice.structure] for choice in chosen)
    assert 300.0 < cost <= 400.0
