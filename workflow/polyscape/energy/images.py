"""The lattice points within a sphere: an exact enumeration that stays quick in skewed cells."""

import numpy as np

from polyscape.energy.compiled import compiled

MAX_IMAGES = 20_000
"""Most images of one molecule around another; more mean a cell far denser than any crystal."""


@compiled()
def triangular_frame(cell_cv):
    """Lower-triangular form of a cell: cell_cv = triangular @ frame, frame's rows orthonormal (Gram-Schmidt)."""
    triangular = np.zeros((3, 3))
    frame = np.zeros((3, 3))
    for c in range(3):
        rest = cell_cv[c].copy()
        for k in range(c):
            triangular[c, k] = (
                cell_cv[c, 0] * frame[k, 0] + cell_cv[c, 1] * frame[k, 1] + cell_cv[c, 2] * frame[k, 2]
            )
            rest -= triangular[c, k] * frame[k]
        triangular[c, c] = np.sqrt(rest[0] * rest[0] + rest[1] * rest[1] + rest[2] * rest[2])
        frame[c] = rest / triangular[c, c]
    return triangular, frame


@compiled()
def lattice_points(offset_v, radius, lattice, out_nv, start, skip_origin):
    """Vectors offset + n cell shorter than `radius`, written to out_nv[start:].

    In the triangular frame the third component depends on n_3 alone, the second on n_3 and n_2: each index runs over
    the interval that its sphere, circle or chord leaves (Fincke & Pohst, Math. Comp. 44 (1985) 463,
    https://doi.org/10.1090/S0025-5718-1985-0777278-8).

    Parameters
    ----------
    offset_v : array, shape (3,)
        Vector between the two centres, Angstrom.
    radius : float
        Radius of the sphere.
    lattice : (triangular, frame)
        From `triangular_frame`.
    out_nv : array, shape (capacity, 3)
        Filled from row `start`.
    skip_origin : bool
        Leave out n = 0 (the molecule itself).

    Returns
    -------
    int
        The row after the last one written, or -1 when the capacity does not suffice.
    """
    t, frame = lattice
    y0 = frame[0, 0] * offset_v[0] + frame[0, 1] * offset_v[1] + frame[0, 2] * offset_v[2]
    y1 = frame[1, 0] * offset_v[0] + frame[1, 1] * offset_v[1] + frame[1, 2] * offset_v[2]
    y2 = frame[2, 0] * offset_v[0] + frame[2, 1] * offset_v[1] + frame[2, 2] * offset_v[2]
    n = start
    for k in range(int(np.ceil((-radius - y2) / t[2, 2])), int(np.floor((radius - y2) / t[2, 2])) + 1):
        z = y2 + k * t[2, 2]
        y = y1 + k * t[2, 1]
        half = np.sqrt(max(radius * radius - z * z, 0.0))
        for j in range(int(np.ceil((-half - y) / t[1, 1])), int(np.floor((half - y) / t[1, 1])) + 1):
            yy = y + j * t[1, 1]
            x = y0 + k * t[2, 0] + j * t[1, 0]
            chord = np.sqrt(max(half * half - yy * yy, 0.0))
            for i in range(int(np.ceil((-chord - x) / t[0, 0])), int(np.floor((chord - x) / t[0, 0])) + 1):
                if skip_origin and i == 0 and j == 0 and k == 0:
                    continue
                if n >= out_nv.shape[0]:
                    return -1
                xx = x + i * t[0, 0]
                for v in range(3):
                    out_nv[n, v] = xx * frame[0, v] + yy * frame[1, v] + z * frame[2, v]
                n += 1
    return n
