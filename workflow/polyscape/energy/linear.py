"""Linear algebra of 3 x 3 matrices inside compiled code, without calls into BLAS."""

import numpy as np

from polyscape.energy.compiled import compiled

_TAYLOR_TERMS = 16


@compiled()
def product(a, b):
    """The matrix product a b."""
    out = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            for k in range(3):
                out[i, j] += a[i, k] * b[k, j]
    return out


@compiled()
def determinant(a):
    """The determinant."""
    return (
        a[0, 0] * (a[1, 1] * a[2, 2] - a[1, 2] * a[2, 1])
        - a[0, 1] * (a[1, 0] * a[2, 2] - a[1, 2] * a[2, 0])
        + a[0, 2] * (a[1, 0] * a[2, 1] - a[1, 1] * a[2, 0])
    )


@compiled()
def inverse(a):
    """The inverse, by cofactors."""
    out = np.empty((3, 3))
    scale = 1.0 / determinant(a)
    for i in range(3):
        for j in range(3):
            p, q = (j + 1) % 3, (j + 2) % 3
            m, n = (i + 1) % 3, (i + 2) % 3
            out[i, j] = (a[p, m] * a[q, n] - a[p, n] * a[q, m]) * scale
    return out


@compiled()
def exponential(a):
    """exp(a) by its Taylor series; for the short steps of an optimiser, ||a|| < 1."""
    term = np.eye(3)
    out = np.eye(3)
    for n in range(1, _TAYLOR_TERMS):
        term = product(term, a) / n
        out += term
    return out


@compiled()
def rotation(vector):
    """Rotation matrix of a rotation vector w: exp([w]x), by Rodrigues' formula."""
    x, y, z = vector[0], vector[1], vector[2]
    angle2 = x * x + y * y + z * z
    angle = np.sqrt(angle2)
    if angle < 1e-4:
        a, b = 1.0 - angle2 / 6.0, 0.5 - angle2 / 24.0
    else:
        a, b = np.sin(angle) / angle, (1.0 - np.cos(angle)) / angle2
    out = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            out[i, j] = b * vector[i] * vector[j]
        out[i, i] += 1.0 - b * angle2
    out[0, 1] -= a * z
    out[1, 0] += a * z
    out[0, 2] += a * y
    out[2, 0] -= a * y
    out[1, 2] -= a * x
    out[2, 1] += a * x
    return out
