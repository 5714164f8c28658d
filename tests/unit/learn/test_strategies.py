import numpy as np
import pytest

from polyscape.learn.budget import Budget
from polyscape.learn.strategies import at_random, everything, farthest_points, in_order, lowest_energy


def _budget(structures, slots=4, top_slots=2, levels=2):
    cost_ls = np.arange(levels + 1)[:, None] * np.full(structures, 10.0)
    return Budget(slots, top_slots, cost_ls, cost_ls > 0, 0.5)


ENERGY = np.array([3.0, 0.0, 2.0, 1.0, 4.0, 5.0])


def test_the_lowest_energies_come_first_and_climb_highest():
    chosen = lowest_energy(ENERGY, _budget(6))
    assert [(c.structure, c.level) for c in chosen] == [(1, 2), (3, 2), (2, 1), (0, 1)]


def test_everything_goes_to_the_highest_level():
    chosen = everything(ENERGY, _budget(6, slots=10))
    assert [c.structure for c in chosen] == [1, 3, 2, 0, 4, 5]
    assert {c.level for c in chosen} == {2}


def test_on_a_ladder_of_one_level_every_slot_climbs_to_it():
    assert [c.level for c in lowest_energy(ENERGY, _budget(6, levels=1))] == [1, 1, 1, 1]


def test_what_may_not_be_computed_is_passed_over():
    budget = _budget(6)
    budget.allowed_ls[2, 1] = budget.allowed_ls[:, 3] = False
    chosen = in_order(np.argsort(ENERGY), budget)
    assert [(c.structure, c.level) for c in chosen] == [(2, 2), (0, 2), (1, 1), (4, 1)]


def test_chance_depends_on_the_generator_alone():
    draws = [
        [c.structure for c in at_random(50, _budget(50), np.random.default_rng(seed))] for seed in (1, 1, 2)
    ]
    assert draws[0] == draws[1] != draws[2]
    assert len(set(draws[0])) == 4


@pytest.mark.parametrize("known", [None, 3])
def test_farthest_points_go_to_the_other_end(known):
    X_sf, known_s = np.array([[0.0], [1.0], [2.0], [9.0], [10.0], [5.0]]), np.zeros(6, bool)
    if known is not None:
        known_s[known] = True
    chosen = [c.structure for c in farthest_points(X_sf, ENERGY, known_s, _budget(6, slots=2))]
    assert chosen == ([1, 4] if known is None else [0, 5])
