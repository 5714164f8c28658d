"""The molecule's frame: centre of mass at the origin, principal axes of inertia along x, y, z, right-handed."""

import numpy as np
from numpy.typing import NDArray

_CLEAR_A = 0.1
"""A projection shorter than this (Angstrom) does not fix the direction of an axis: it may be numerical noise."""

_DEGENERATE = 1e-3
"""Second moments that differ by less than this fraction of the largest are degenerate."""


def principal_frame(position_av: NDArray[np.float64], mass_a: NDArray[np.float64]) -> NDArray[np.float64]:
    """Positions in the principal frame, the longest axis of the molecule along x.

    The axes diagonalise ``sum_a m_a r_a r_a^T``, largest second moment first.  Within a (possibly degenerate)
    eigenspace the axes are the orthonormalised projections of the atoms in their order, so that the first atom
    clearly off an axis lies on its positive side; the last axis then makes the frame right-handed.

    Parameters
    ----------
    position_av : numpy.ndarray, shape (atoms, 3)
        Positions in Angstrom.
    mass_a : numpy.ndarray, shape (atoms,)
        Masses in amu.
    """
    centred_av = position_av - mass_a @ position_av / mass_a.sum()
    return centred_av @ _axes_wv(centred_av, mass_a).T


def _axes_wv(centred_av: NDArray[np.float64], mass_a: NDArray[np.float64]) -> NDArray[np.float64]:
    """The axes as rows of a proper rotation matrix."""
    moment_w, vector_vw = np.linalg.eigh(np.einsum("a,av,aw->vw", mass_a, centred_av, centred_av))
    moment_w, vector_vw = moment_w[::-1], vector_vw[:, ::-1]
    axes: list[NDArray[np.float64]] = []
    while len(axes) < 3:
        first = len(axes)
        same = moment_w[first] - moment_w[first:] < _DEGENERATE * moment_w[0]
        space_vw = vector_vw[:, first : first + int(np.argmin(same)) if not same.all() else 3]
        axes.extend(_span(space_vw @ space_vw.T, centred_av, space_vw.shape[1]))
    axes_wv = np.array(axes)
    axes_wv[2] *= np.sign(np.linalg.det(axes_wv))
    return axes_wv


def _span(
    projector_vv: NDArray[np.float64], centred_av: NDArray[np.float64], size: int
) -> list[NDArray[np.float64]]:
    """Orthonormal vectors of an eigenspace: the projected atoms in their order, the Cartesian axes where none is left."""
    found: list[NDArray[np.float64]] = []
    for vector_v in (*centred_av, *np.eye(3)):
        rest_v = projector_vv @ vector_v
        for axis_v in found:
            rest_v = rest_v - axis_v * (axis_v @ rest_v)
        length = np.linalg.norm(rest_v)
        if length > _CLEAR_A and len(found) < size:
            found.append(rest_v / length)
    return found
