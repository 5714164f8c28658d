"""Minimisation of the lattice energy inside compiled code: quasi-Newton steps with a line search."""

from typing import NamedTuple

import numpy as np

from polyscape.energy.compiled import compiled
from polyscape.energy.coordinates import moved, pulled_back
from polyscape.energy.crystal_sum import crystal_energy
from polyscape.energy.linear import determinant
from polyscape.energy.quasi_newton import ACCEPT, TOO_LONG, direction, interpolate, judge, update

CONVERGED, STEP_LIMIT, STALLED, ESCAPED, COLLAPSED = 0, 1, 2, 3, 4
"""How a descent ended."""

MAX_LINE_EVALUATIONS = 25
HEAL_STEPS = 30
"""In so many steps molecules that clash at the start have to part."""

PATIENCE = 30
"""Steps that together have to lower the energy by more than its noise, else the descent has stalled."""

MAX_LENGTH_A = 500.0
"""Longest cell vector of anything that is still a crystal of small molecules."""


class Limits(NamedTuple):
    """When to stop, and how boldly to go.

    Attributes
    ----------
    max_steps : int
        Steps before STEP_LIMIT.
    tolerance : float
        Largest component of the scaled gradient at convergence, eV/Angstrom.
    longest_step : float
        Largest component of a step, Angstrom.
    noise : float
        Numerical noise of the energy, eV.
    largest_volume : float
        Cell volume beyond which the crystal has flown apart, Angstrom^3.
    """

    max_steps: int
    tolerance: float
    longest_step: float
    noise: float
    largest_volume: float


@compiled()
def _evaluate(sites, sums, pose, chart):
    """The pose, its energy terms, their sum's gradient by the variables, and the closest contact."""
    energy_t, gradient, closest = crystal_energy(sites, sums, pose)
    return pose, energy_t, pulled_back(pose, chart, gradient), closest


@compiled()
def _out_of_bounds(pose, largest_volume):
    """Whether the cell is no crystal any more."""
    longest = np.sqrt(np.max(np.sum(pose.cell_cv * pose.cell_cv, axis=1)))
    return not (abs(determinant(pose.cell_cv)) < largest_volume and longest < MAX_LENGTH_A)


@compiled()
def _line_search(problem, here, step, limits):
    """A point along `step` that satisfies the weak Wolfe conditions, by bracketing and cubic interpolation.

    Parameters
    ----------
    problem : (sites, sums, chart)
        What is minimised.
    here : (pose, energy_t, gradient, closest)
        Where the line starts.

    Returns
    -------
    found : bool
        False when no lower point was found.
    there : (pose, energy_t, gradient, closest)
        The point; `here` when none was found.
    t, evaluations : float, int
        Length along `step` and evaluations spent.
    """
    sites, sums, chart = problem
    pose, energy_t, gradient, _ = here
    start = (np.sum(energy_t), np.sum(gradient * step))
    low, high = (0.0, start[0], start[1]), (np.inf, 0.0, 0.0)
    longest = max(1.0, limits.longest_step / np.max(np.abs(step)))
    best, best_t, found = here, 0.0, False
    t = 1.0
    for n in range(1, MAX_LINE_EVALUATIONS + 1):
        there = _evaluate(sites, sums, moved(pose, chart, t * step), chart)
        point = (np.sum(there[1]), np.sum(there[2] * step))
        verdict = judge(start, point, t, limits.noise)
        if verdict == TOO_LONG:
            high = (t, point[0], point[1])
        else:
            best, best_t, found = there, t, True
            if verdict == ACCEPT or t >= longest:
                return found, best, best_t, n
            low = (t, point[0], point[1])
        t = interpolate(low, high) if np.isfinite(high[0]) else min(2.0 * t, longest)
    return found, best, best_t, MAX_LINE_EVALUATIONS


@compiled()
def descend(problem, pose, inverse_hessian, limits, fresh):
    """Minimise from a pose.

    Parameters
    ----------
    problem : (sites, sums, chart)
        What is minimised, see `polyscape.energy.sites` and `polyscape.energy.coordinates`.
    inverse_hessian : array, shape (n, n)
        First metric, Angstrom^2/eV; left as updated, a good start for a finer pass.
    limits : Limits
        When to stop.
    fresh : bool
        The metric is the identity and takes its scale from the first step; False for one that was updated before.

    Returns
    -------
    here : (pose, energy_t, gradient, closest)
        Where it ended.
    steps, evaluations, end : int
        The end is one of CONVERGED, STEP_LIMIT, STALLED, ESCAPED, COLLAPSED.
    """
    sites, sums, chart = problem
    here = _evaluate(sites, sums, pose, chart)
    evaluations = 1
    if not np.isfinite(np.sum(here[1])):
        return here, 0, evaluations, ESCAPED
    mark = np.sum(here[1])
    for steps in range(limits.max_steps):
        if np.max(np.abs(here[2])) < limits.tolerance:
            return here, steps, evaluations, CONVERGED
        if (steps + 1) % PATIENCE == 0:
            if mark - np.sum(here[1]) < limits.noise:
                return here, steps, evaluations, STALLED
            mark = np.sum(here[1])
        step = direction(inverse_hessian, here[2], limits.longest_step)
        found, there, t, spent = _line_search(problem, here, step, limits)
        evaluations += spent
        if not found:
            if fresh:
                return here, steps, evaluations, STALLED
            inverse_hessian[:] = np.eye(step.shape[0])
            fresh = True
            continue
        update(inverse_hessian, t * step, there[2] - here[2], fresh)
        fresh = False
        here = there
        if here[3] < 1.0 and steps >= HEAL_STEPS:
            return here, steps + 1, evaluations, COLLAPSED
        if _out_of_bounds(here[0], limits.largest_volume):
            return here, steps + 1, evaluations, ESCAPED
    return here, limits.max_steps, evaluations, STEP_LIMIT
