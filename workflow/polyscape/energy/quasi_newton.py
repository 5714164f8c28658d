"""The algebra of a quasi-Newton minimisation: search directions, BFGS updates, the next step of a line search.

It sees vectors and numbers only; what they describe is the caller's affair.
Nocedal & Wright, Numerical Optimization (2006), chapters 3 and 6, https://doi.org/10.1007/978-0-387-40065-5.
"""

import numpy as np

from polyscape.energy.compiled import compiled

SUFFICIENT_DECREASE = 1e-4
"""c1 of the Wolfe conditions (eq. 3.6a)."""

CURVATURE = 0.9
"""c2 of the weak Wolfe conditions (eq. 3.6b)."""

ACCEPT, TOO_LONG, TOO_SHORT = 0, 1, 2
"""What a point on the line is."""


@compiled()
def direction(inverse_hessian, gradient, longest):
    """-H g, shortened so that no component exceeds `longest`; steepest descent when H g does not descend."""
    n = gradient.shape[0]
    step = np.zeros(n)
    for i in range(n):
        for j in range(n):
            step[i] -= inverse_hessian[i, j] * gradient[j]
    descent = np.sum(step * gradient)
    if not descent < -1e-12 * np.sqrt(np.sum(step * step) * np.sum(gradient * gradient)):
        step = -gradient
    largest = np.max(np.abs(step))
    if largest > longest:
        step *= longest / largest
    return step


@compiled()
def update(inverse_hessian, step, change, first):
    """BFGS update of the inverse Hessian in place (eq. 6.17); skipped where the curvature is not positive.

    Parameters
    ----------
    inverse_hessian : array, shape (n, n)
        Changed in place.
    step, change : arrays, shape (n,)
        Of position and gradient.
    first : bool
        Scale the identity to the curvature met before the update (eq. 6.20).
    """
    n = step.shape[0]
    curvature = np.sum(step * change)
    if curvature <= 1e-8 * np.sqrt(np.sum(step * step) * np.sum(change * change)):
        return
    if first:
        inverse_hessian *= curvature / np.sum(change * change) / inverse_hessian[0, 0]
    h_change = np.zeros(n)
    for i in range(n):
        for j in range(n):
            h_change[i] += inverse_hessian[i, j] * change[j]
    factor = (1.0 + np.sum(change * h_change) / curvature) / curvature
    for i in range(n):
        for j in range(n):
            inverse_hessian[i, j] += factor * step[i] * step[j]
            inverse_hessian[i, j] -= (h_change[i] * step[j] + step[i] * h_change[j]) / curvature


@compiled()
def judge(start, point, t, noise):
    """Whether a point of a line search satisfies the weak Wolfe conditions.

    Where energies differ by less than their noise the slopes decide (approximate Wolfe conditions: Hager & Zhang,
    SIAM J. Optim. 16 (2005) 170, eq. 4.1, https://doi.org/10.1137/030601880).

    Parameters
    ----------
    start, point : (energy, slope)
        At 0 and at t.
    """
    energy0, slope0 = start
    energy, slope = point
    decreased = energy <= energy0 + SUFFICIENT_DECREASE * t * slope0
    flat = energy <= energy0 + noise and slope <= (2.0 * SUFFICIENT_DECREASE - 1.0) * slope0
    if not (decreased or flat):
        return TOO_LONG
    if slope < CURVATURE * slope0:
        return TOO_SHORT
    return ACCEPT


@compiled()
def interpolate(low, high):
    """The minimum of the cubic through two ends (t, energy, slope), kept off the ends (eq. 3.59)."""
    t0, e0, g0 = low
    t1, e1, g1 = high
    middle = 0.5 * (t0 + t1)
    if not (np.isfinite(e1) and np.isfinite(g1)):
        return t0 + 0.2 * (t1 - t0)
    d1 = g0 + g1 - 3.0 * (e0 - e1) / (t0 - t1)
    square = d1 * d1 - g0 * g1
    if square < 0.0:
        return middle
    d2 = np.sqrt(square)
    bottom = g1 - g0 + 2.0 * d2
    if bottom == 0.0:
        return middle
    t = t1 - (t1 - t0) * (g1 + d2 - d1) / bottom
    margin = 0.1 * (t1 - t0)
    return min(max(t, t0 + margin), t1 - margin)
