"""Simple ways to choose structures, which learn nothing: to compare with, and to compute everything."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from polyscape.learn.budget import Basket, Budget, Choice
from polyscape.learn.protocol import Indices, Reals


def in_order(order: Indices, budget: Budget) -> list[Choice]:
    """The first structures of an order that may be computed; the first slots climb to the highest level.

    Parameters
    ----------
    order : numpy.ndarray of int
        Structures, the first choice first.
    budget : Budget
        Slots and what may be chosen.
    """
    basket = Basket(budget)
    for level in budget.shared_levels():
        open_s = basket.open_ls()[level]
        found = next((int(structure) for structure in order if open_s[structure]), None)
        if found is not None:
            basket.take(Choice(found, level, 0.0))
    return basket.chosen


def lowest_energy(energy_s: Reals, budget: Budget) -> list[Choice]:
    """The structures of lowest energy that may be computed."""
    return in_order(np.argsort(energy_s, kind="stable"), budget)


def everything(energy_s: Reals, budget: Budget) -> list[Choice]:
    """Every structure that may be computed, the lowest energy first, to the highest level."""
    return lowest_energy(energy_s, replace(budget, top_slots=budget.slots))


def at_random(structures: int, budget: Budget, generator: np.random.Generator) -> list[Choice]:
    """Structures drawn without looking."""
    return in_order(generator.permutation(structures), budget)


def farthest_points(X_sf: Reals, energy_s: Reals, known_s: NDArray[np.bool_], budget: Budget) -> list[Choice]:
    """Each slot takes the structure farthest from all that are known or chosen; the first of all has the lowest
    energy (Gonzalez, Theor. Comput. Sci. 38 (1985) 293, https://doi.org/10.1016/0304-3975(85)90224-5).

    Parameters
    ----------
    X_sf : numpy.ndarray, shape (structures, features)
        Descriptors.
    energy_s : numpy.ndarray, shape (structures,)
        Energies of the force field, kJ/mol.
    known_s : numpy.ndarray of bool, shape (structures,)
        Structures computed before.
    budget : Budget
        Slots and what may be chosen.
    """
    distance_s = np.full(len(X_sf), np.inf)
    for structure in np.flatnonzero(known_s):
        distance_s = np.minimum(distance_s, distances(X_sf, int(structure)))
    return spread(distance_s, X_sf, budget, lambda distance_s, level: _farthest(distance_s, energy_s))


def spread(
    distance_s: Reals, X_sf: Reals, budget: Budget, value: Callable[[Reals, int], Reals]
) -> list[Choice]:
    """Greedy choice by a value that depends on the distance to what was chosen before.

    Parameters
    ----------
    distance_s : numpy.ndarray, shape (structures,)
        Distance of each structure to what is known; infinite where nothing is.
    X_sf : numpy.ndarray, shape (structures, features)
        Descriptors.
    budget : Budget
        Slots and what may be chosen.
    value : callable
        From these distances and a level to the value of each structure.
    """
    basket = Basket(budget)
    for level in budget.shared_levels():
        open_s = basket.open_ls()[level]
        if not open_s.any():
            continue
        value_s = np.where(open_s, value(distance_s, level), -np.inf)
        best = int(np.argmax(value_s))
        basket.take(Choice(best, level, float(value_s[best])))
        distance_s = np.minimum(distance_s, distances(X_sf, best))
    return basket.chosen


def distances(X_sf: Reals, structure: int) -> Reals:
    """Distance of every structure to one."""
    return np.asarray(np.linalg.norm(X_sf - X_sf[structure], axis=1))


def _farthest(distance_s: Reals, energy_s: Reals) -> Reals:
    """The distance; before there is any, lower energies come first."""
    return np.where(np.isinf(distance_s), -energy_s, distance_s)
