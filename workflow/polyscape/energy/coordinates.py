"""The variables of a minimisation as one vector of lengths: symmetric strains, centres, rotations.

From a pose a vector x leads along a smooth curve (t x, t >= 0): the cell is multiplied by exp(strain), fractional
centres move in a straight line, each molecule turns about a fixed axis of its own frame.  Strain times the size of
the asymmetric unit, centres in the axes of the starting cell and angles times the molecule's lever all are
Angstrom, so one metric serves them.  Only what the symmetry leaves free is a variable: molecules on special positions
stay there, linear molecules have no rotation about themselves, and a crystal is not moved along a polar axis.
"""

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Conformers, Packing
from polyscape.crystal.sites import allowed_rotations, allowed_translations, site_operations
from polyscape.energy.compiled import compiled
from polyscape.energy.images import triangular_frame
from polyscape.energy.linear import exponential, product, rotation
from polyscape.energy.sites import Pose, Sites

_COMPONENTS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))

_SHORTEST_LEVER_A: Final = 0.3
"""Levers of nearly linear molecules are taken as long as this."""

_NO_LEVER_A: Final = 1e-4
"""About an axis with a shorter lever a rotation does nothing."""


class Chart(NamedTuple):
    """The directions of the variables, one after another: strains, then centres, then rotations.

    Attributes
    ----------
    strain_kvv : numpy.ndarray, shape (variables, 3, 3)
        Strain per Angstrom.
    centre_kmc : numpy.ndarray, shape (variables, molecules, 3)
        Shift of the fractional centres per Angstrom.
    turn_kmv : numpy.ndarray, shape (variables, molecules, 3)
        Rotation vector in the molecule's frame per Angstrom.
    """

    strain_kvv: NDArray[np.float64]
    centre_kmc: NDArray[np.float64]
    turn_kmv: NDArray[np.float64]


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


def chart_at(sites: Sites, pose: Pose, packing: Packing, conformers: Conformers) -> Chart:
    """The chart of a minimisation that starts from a pose of a packing."""
    strain_kvv = strain_basis(sites.operation_scc, pose.cell_cv)
    size = float(np.cbrt(abs(np.linalg.det(pose.cell_cv)) / len(sites.operation_scc)))
    centres, turns = _free_motions(sites, pose, packing, conformers)
    centre_kmv = _without_common_motion(centres, sites.operation_scc, pose.cell_cv)
    molecules = len(pose.centre_mc)
    first, second = len(strain_kvv), len(strain_kvv) + len(centre_kmv)
    total = second + len(turns)
    chart = Chart(np.zeros((total, 3, 3)), np.zeros((total, molecules, 3)), np.zeros((total, molecules, 3)))
    chart.strain_kvv[:first] = strain_kvv / size
    chart.centre_kmc[first:second] = centre_kmv @ np.linalg.inv(pose.cell_cv)
    chart.turn_kmv[second:] = turns
    return chart


def _free_motions(
    sites: Sites, pose: Pose, packing: Packing, conformers: Conformers
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shifts (n, molecules, 3), Cartesian, and rotation vectors (n, molecules, 3), body frame, of unit arc length."""
    group = SpaceGroup.from_hall(packing.hall_symbol)
    molecules = len(pose.centre_mc)
    centres, turns = [], []
    for m in range(molecules):
        position_av = sites.body_av[sites.first_m[m] : sites.first_m[m + 1]]
        axes_nv = np.linalg.svd(position_av)[2]
        shifts_nv = np.eye(3)
        if sites.weight_m[m] < 1.0:
            site = site_operations(packing, m, conformers)
            shifts_nv = allowed_translations(site, group, pose.cell_cv)
            axes_nv = allowed_rotations(site, group, pose.cell_cv) @ pose.rotation_mvv[m]
        for shift_v in shifts_nv:
            centres.append(_of_molecule(m, molecules, shift_v))
        for axis_v in axes_nv:
            lever = np.sqrt(np.mean(np.sum(np.cross(position_av, axis_v) ** 2, axis=1)))
            if lever > _NO_LEVER_A:
                turns.append(_of_molecule(m, molecules, axis_v / max(lever, _SHORTEST_LEVER_A)))
    shape = (-1, molecules, 3)
    return np.array(centres).reshape(shape), np.array(turns).reshape(shape)


def _of_molecule(m: int, molecules: int, vector_v: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.zeros((molecules, 3))
    out[m] = vector_v
    return out


def _without_common_motion(
    centre_kmv: NDArray[np.float64], operation_scc: NDArray[np.float64], cell_cv: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The shifts less those of the whole crystal, which cost nothing; orthonormal.

    The mean of Q over the point group projects on the directions in which the whole crystal may be moved.
    """
    cartesian_svv = cell_cv.T @ operation_scc @ np.linalg.inv(cell_cv.T)
    value_k, vector_vk = np.linalg.eigh(_symmetric(np.mean(cartesian_svv, axis=0)))
    polar_nv = vector_vk[:, value_k > 0.5].T
    if len(polar_nv) == 0 or len(centre_kmv) == 0:
        return centre_kmv
    shape = centre_kmv.shape
    flat_kx = centre_kmv.reshape(shape[0], -1)
    common_nx = np.repeat(polar_nv[:, None], shape[1], axis=1).reshape(len(polar_nv), -1) / np.sqrt(shape[1])
    flat_kx = flat_kx - (flat_kx @ common_nx.T) @ common_nx
    _, length_k, basis_kx = np.linalg.svd(flat_kx, full_matrices=False)
    return np.asarray(basis_kx[length_k > 0.5].reshape(-1, *shape[1:]))


def _symmetric(matrix_vv: NDArray[np.float64]) -> NDArray[np.float64]:
    return 0.5 * (matrix_vv + matrix_vv.T)


@compiled()
def moved(pose, chart, x):
    """The pose that the vector x leads to."""
    cell_cv, centre_mc, rotation_mvv = pose
    strain_vv = np.zeros((3, 3))
    new_mc = centre_mc.copy()
    turn_mv = np.zeros(centre_mc.shape)
    for k in range(x.shape[0]):
        for v in range(3):
            for w in range(3):
                strain_vv[v, w] += x[k] * chart.strain_kvv[k, v, w]
            for m in range(centre_mc.shape[0]):
                new_mc[m, v] += x[k] * chart.centre_kmc[k, m, v]
                turn_mv[m, v] += x[k] * chart.turn_kmv[k, m, v]
    new_mvv = np.empty(rotation_mvv.shape)
    for m in range(centre_mc.shape[0]):
        new_mvv[m] = product(rotation_mvv[m], rotation(turn_mv[m]))
    return Pose(product(cell_cv, exponential(strain_vv)), new_mc, new_mvv)


@compiled()
def pulled_back(pose, chart, gradient):
    """Derivative by x, at x = 0, of an energy with the rigid-body gradient (strain, centres, rotations)."""
    cell_cv, _, rotation_mvv = pose
    strain_vv, centre_mv, torque_mv = gradient
    out = np.zeros(chart.strain_kvv.shape[0])
    for k in range(out.shape[0]):
        for v in range(3):
            for w in range(3):
                out[k] += chart.strain_kvv[k, v, w] * strain_vv[v, w]
                for m in range(centre_mv.shape[0]):
                    out[k] += chart.centre_kmc[k, m, v] * cell_cv[v, w] * centre_mv[m, w]
                    out[k] += chart.turn_kmv[k, m, v] * rotation_mvv[m, w, v] * torque_mv[m, w]
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
