"""The variables of a minimisation as one vector of lengths: symmetric strains, centres, rotations.

From a pose a vector x leads along a smooth curve (t x, t >= 0): the cell is multiplied by exp(strain), fractional
centres move in a straight line, each molecule turns about a fixed axis of its own frame.  Strain times the size of
the asymmetric unit, centres in the axes of the starting cell and angles times the molecule's lever all are
Angstrom, so one metric serves them.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from polyscape.crystal.packing import Packing
from polyscape.energy.compiled import compiled
from polyscape.energy.images import triangular_frame
from polyscape.energy.linear import exponential, product, rotation
from polyscape.energy.sites import Pose, Sites

_COMPONENTS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


class Chart(NamedTuple):
    """The scales of the variables.

    Attributes
    ----------
    strain_kvv : numpy.ndarray, shape (strains, 3, 3)
        Orthonormal symmetric tensors that the point group leaves unchanged.
    size : float
        Cube root of the asymmetric unit's volume, Angstrom.
    start_vc : numpy.ndarray, shape (3, 3)
        Inverse of the starting cell.
    lever_mv : numpy.ndarray, shape (molecules, 3)
        Arc length of one radian about the body axes, Angstrom.
    """

    strain_kvv: NDArray[np.float64]
    size: float
    start_vc: NDArray[np.float64]
    lever_mv: NDArray[np.float64]


def strain_basis(operation_scc: NDArray[np.float64], cell_cv: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal basis of the strains that keep the symmetry, shape (1 to 6, 3, 3).

    The mean of Q e Q^T over the point group, Q in Cartesian axes, projects a strain on the invariant ones; the
    projections of xx, yy, zz, yz, xz, xy are orthonormalised in turn.
    """
    cartesian_svv = cell_cv.T @ operation_scc @ np.linalg.inv(cell_cv.T)
    basis: list[NDArray[np.float64]] = []
    for a, b in _COMPONENTS:
        strain_vv = np.zeros((3, 3))
        strain_vv[a, b] = strain_vv[b, a] = 1.0 if a == b else np.sqrt(0.5)
        strain_vv = np.mean(cartesian_svv @ strain_vv @ cartesian_svv.transpose(0, 2, 1), axis=0)
        strain_vv = 0.5 * (strain_vv + strain_vv.T)
        for known_vv in basis:
            strain_vv -= np.sum(strain_vv * known_vv) * known_vv
        norm = np.linalg.norm(strain_vv)
        if norm > 1e-6:
            basis.append(strain_vv / norm)
    return np.array(basis)


def chart_at(sites: Sites, pose: Pose) -> Chart:
    """The chart of a minimisation that starts from a pose."""
    volume = abs(np.linalg.det(pose.cell_cv)) / len(sites.operation_scc)
    return Chart(
        strain_basis(sites.operation_scc, pose.cell_cv),
        float(np.cbrt(volume)),
        np.ascontiguousarray(np.linalg.inv(pose.cell_cv), dtype=np.float64),
        sites.lever_mv,
    )


@compiled()
def moved(pose, chart, x):
    """The pose that the vector x leads to."""
    cell_cv, centre_mc, rotation_mvv = pose
    strains, molecules = chart.strain_kvv.shape[0], centre_mc.shape[0]
    strain_vv = np.zeros((3, 3))
    for k in range(strains):
        strain_vv += (x[k] / chart.size) * chart.strain_kvv[k]
    new_mc = centre_mc.copy()
    new_mvv = np.empty(rotation_mvv.shape)
    turn = np.empty(3)
    for m in range(molecules):
        for v in range(3):
            turn[v] = x[strains + 3 * (molecules + m) + v] / chart.lever_mv[m, v]
            for c in range(3):
                new_mc[m, c] += x[strains + 3 * m + v] * chart.start_vc[v, c]
        new_mvv[m] = product(rotation_mvv[m], rotation(turn))
    return Pose(product(cell_cv, exponential(strain_vv)), new_mc, new_mvv)


@compiled()
def pulled_back(pose, chart, gradient):
    """Derivative by x, at x = 0, of an energy with the rigid-body gradient (strain, centres, rotations)."""
    cell_cv, centre_mc, rotation_mvv = pose
    strain_vv, centre_mv, torque_mv = gradient
    strains, molecules = chart.strain_kvv.shape[0], centre_mc.shape[0]
    out = np.zeros(strains + 6 * molecules)
    for k in range(strains):
        out[k] = np.sum(chart.strain_kvv[k] * strain_vv) / chart.size
    for m in range(molecules):
        for v in range(3):
            for c in range(3):
                along = 0.0
                for w in range(3):
                    along += cell_cv[c, w] * centre_mv[m, w]
                out[strains + 3 * m + v] += chart.start_vc[v, c] * along
                out[strains + 3 * (molecules + m) + v] += rotation_mvv[m, c, v] * torque_mv[m, c]
            out[strains + 3 * (molecules + m) + v] /= chart.lever_mv[m, v]
    return out


def packing_at(pose: Pose, template: Packing, operation_scc: NDArray[np.float64]) -> Packing:
    """The packing of a pose: standard orientation (a along x, b in the xy plane), exact symmetry of the cell.

    The metric tensor is averaged over the point group, so that angles fixed by symmetry are so to the last bit.
    """
    _, frame = triangular_frame(pose.cell_cv)
    metric_cc = pose.cell_cv @ pose.cell_cv.T
    metric_cc = np.mean(operation_scc.transpose(0, 2, 1) @ metric_cc @ operation_scc, axis=0)
    lengths = np.sqrt(np.diag(metric_cc))
    cosines = metric_cc / np.outer(lengths, lengths)
    angles = np.degrees(np.arccos([cosines[1, 2], cosines[0, 2], cosines[0, 1]]))
    a, b, c, alpha, beta, gamma = (float(value) for value in (*lengths, *angles))
    poses = []
    for old, centre_c, rotation_vv in zip(template.poses, pose.centre_mc, pose.rotation_mvv, strict=True):
        quaternion = np.roll(Rotation.from_matrix(frame @ rotation_vv).as_quat(canonical=True), 1)
        w, x, y, z = (float(value) for value in quaternion)
        tx, ty, tz = (float(value % 1.0 % 1.0) for value in centre_c)  # twice: -1e-17 % 1.0 is 1.0
        poses.append(replace(old, translation_c=(tx, ty, tz), quaternion=(w, x, y, z)))
    return Packing(template.hall_symbol, (a, b, c, alpha, beta, gamma), tuple(poses))
