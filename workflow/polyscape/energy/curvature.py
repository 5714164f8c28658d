"""The Hessian of the lattice energy in all rigid-body motions that repeat in every cell: minimum or saddle, elasticity.

The variables are the strains and the places and turns of all molecules of the (conventional) cell, each independent of
the others.  Gradients are differenced for the strains and the independent molecules only; the symmetry gives the rest:
with R_t the action of operation t on the variables, H R_t = R_t H.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from polyscape.crystal.asymmetric import asymmetric_unit, placed
from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.operations import group_from_operations
from polyscape.crystal.packing import Packing
from polyscape.crystal.sites import cartesian
from polyscape.energy.coordinates import Chart, moved, packing_at, pulled_back, strain_basis
from polyscape.energy.crystal_sum import crystal_energy
from polyscape.energy.model import RigidLatticeEnergy
from polyscape.energy.sites import Pose, Sites, Sums
from polyscape.units import GPA_PER_EV_PER_A3

STEP_A: Final = 2e-3
"""Of the central differences: errors of the fourth derivative, and of the energy's noise, below 1e-4 eV/A^2."""

SADDLE_EV_PER_A2: Final = -2e-3
"""Curvatures above this are taken as zero: lattice modes of molecules have 0.05 to 10."""

PUSH_A: Final = (0.1, 0.3)
"""How far a crystal is pushed off a saddle; further if that does not lower the energy."""

_SAME_CURVATURE: Final = 1e-3
_KEPT: Final = 1e-3
_SHORTEST_LEVER_A: Final = 0.3

VOIGT: Final = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


@dataclass(frozen=True)
class Curvature:
    """The second derivatives of the energy at a stationary point.

    Attributes
    ----------
    hessian_xx : numpy.ndarray, shape (6 + 6 molecules, 6 + 6 molecules)
        eV/Angstrom^2 per cell; six strains (times the cell's size), then three shifts and three turns (arc lengths)
        of each molecule of the cell, Cartesian axes.
    action_txx : numpy.ndarray, shape (operations, variables, variables)
        What each operation of the group does to the variables.
    whole : Packing
        The crystal with all molecules of the cell independent, in P 1.
    chart : Chart
        The variables.
    problem : (Sites, Sums, Pose)
        The crystal as the compiled sums see it.
    """

    hessian_xx: NDArray[np.float64]
    action_txx: NDArray[np.float64]
    whole: Packing
    chart: Chart
    problem: tuple[Sites, Sums, Pose]

    def lowest(self) -> float:
        """The lowest curvature, eV/Angstrom^2; about 0 for a minimum, for the crystal as a whole can be moved."""
        return float(np.linalg.eigvalsh(self.hessian_xx)[0])


def curvature_at(model: RigidLatticeEnergy, packing: Packing) -> Curvature:
    """The Hessian of a crystal at a stationary point of its own symmetry."""
    group = SpaceGroup.from_hall(packing.hall_symbol)
    whole, image_n = _whole_cell(packing, model, group)
    sites, sums, pose = model.prepare(whole)
    chart = _cartesian_chart(sites, pose, image_n)
    first_n = [n for n in range(len(image_n)) if n == 0 or image_n[n] != image_n[n - 1]]
    columns = [*range(6), *(6 + 6 * n + k for n in first_n for k in range(6))]
    hessian_xx = np.zeros((len(chart.strain_kvv),) * 2)
    for x in columns:
        hessian_xx[:, x] = _difference(sites, sums, pose, chart, x)
    action_txx = _actions(group, whole, image_n)
    for t, action_xx in enumerate(action_txx):
        Q_vv = cartesian(group.operations[t][0], whole.cell_cv)
        turns = {0: Q_vv, 3: np.linalg.det(Q_vv) * Q_vv}
        for n in first_n:
            for part, turn_vv in turns.items():
                own = slice(6 + 6 * n + part, 9 + 6 * n + part)
                image = np.flatnonzero(np.abs(action_xx[:, own]).max(axis=1) > 1e-6)
                block = slice(int(image[0]) // 3 * 3, int(image[0]) // 3 * 3 + 3)
                hessian_xx[:, block] = action_xx @ hessian_xx[:, own] @ turn_vv.T
    hessian_xx[:6, 6:] = hessian_xx[6:, :6].T
    return Curvature(0.5 * (hessian_xx + hessian_xx.T), action_txx, whole, chart, (sites, sums, pose))


def _whole_cell(
    packing: Packing, model: RigidLatticeEnergy, group: SpaceGroup
) -> tuple[Packing, NDArray[np.int64]]:
    """All molecules of the cell as independent ones, in P 1, and of which pose each is an image."""
    poses, image_n = [], []
    for m, images in enumerate(packing.molecules(model.conformers)):
        pose = packing.poses[m]
        for s in images:
            rotation_cc, shift_c = group.operations[s]
            centre_c = rotation_cc @ np.asarray(pose.translation_c) + shift_c
            turn_vv = cartesian(rotation_cc, packing.cell_cv)
            poses.append(replace(placed(pose, turn_vv, centre_c), site_symmetry="1"))
            image_n.append(m)
    return Packing("P 1", packing.cell, tuple(poses)), np.array(image_n)


def _cartesian_chart(sites: Sites, pose: Pose, image_n: NDArray[np.int64]) -> Chart:
    """Six strains, then three shifts and three turns about Cartesian axes of each molecule, all as lengths."""
    molecules = len(pose.centre_mc)
    size = float(np.cbrt(abs(np.linalg.det(pose.cell_cv))))
    total = 6 + 6 * molecules
    chart = Chart(np.zeros((total, 3, 3)), np.zeros((total, molecules, 3)), np.zeros((total, molecules, 3)))
    chart.strain_kvv[:6] = strain_basis(sites.operation_scc, pose.cell_cv) / size
    back_vc = np.linalg.inv(pose.cell_cv)
    for n in range(molecules):
        own = sites.body_av[sites.first_m[n] : sites.first_m[n + 1]]
        lever = max(float(np.sqrt(np.mean(np.sum(own**2, axis=1)) * 2.0 / 3.0)), _SHORTEST_LEVER_A)
        for v in range(3):
            chart.centre_kmc[6 + 6 * n + v, n] = back_vc[v]
            chart.turn_kmv[9 + 6 * n + v, n] = pose.rotation_mvv[n][v] / lever
    return chart


def _difference(sites: Sites, sums: Sums, pose: Pose, chart: Chart, x: int) -> NDArray[np.float64]:
    """Central difference of the gradient along one variable."""
    slopes = []
    for step in (STEP_A, -STEP_A):
        along = np.zeros(len(chart.strain_kvv))
        along[x] = step
        there = moved(pose, chart, along)
        _, gradient, _ = crystal_energy(sites, sums, there)
        slopes.append(pulled_back(there, chart, gradient))
    return (slopes[0] - slopes[1]) / (2.0 * STEP_A)


def _actions(group: SpaceGroup, whole: Packing, image_n: NDArray[np.int64]) -> NDArray[np.float64]:
    """The operations on the variables: strains Q e Q^T, shifts Q u, turns det(Q) Q w, molecule to molecule."""
    basis_kvv = strain_basis(np.eye(3)[None], whole.cell_cv)
    centre_nc = np.array([pose.translation_c for pose in whole.poses])
    total = 6 + 6 * len(centre_nc)
    action_txx = np.zeros((len(group.operations), total, total))
    for t, (rotation_cc, shift_c) in enumerate(group.operations):
        Q_vv = cartesian(rotation_cc, whole.cell_cv)
        action_txx[t, :6, :6] = np.einsum("kvw,vx,wy,lxy->kl", basis_kvv, Q_vv, Q_vv, basis_kvv)
        for n, centre_c in enumerate(centre_nc):
            offset_nc = centre_nc - (rotation_cc @ centre_c + shift_c)
            distance_n = np.linalg.norm((offset_nc - np.round(offset_nc)) @ whole.cell_cv, axis=1)
            distance_n[image_n != image_n[n]] = np.inf
            to, own = 6 + 6 * int(np.argmin(distance_n)), 6 + 6 * n
            action_txx[t, to : to + 3, own : own + 3] = Q_vv
            action_txx[t, to + 3 : to + 6, own + 3 : own + 6] = np.linalg.det(Q_vv) * Q_vv
    return action_txx


def below_saddle(model: RigidLatticeEnergy, packing: Packing, curvature: Curvature) -> Iterator[Packing]:
    """Crystals on the way down from a saddle, in the largest subgroup that the way down keeps; none from a minimum.

    Both ways along the lowest mode, the nearer points first; only points of lower energy.
    """
    value_k, mode_xk = np.linalg.eigh(curvature.hessian_xx)
    if value_k[0] > SADDLE_EV_PER_A2:
        return
    lowest_xk = mode_xk[:, value_k < value_k[0] * (1.0 - _SAME_CURVATURE)]
    mode_x = _most_symmetric(lowest_xk, curvature.action_txx)
    kept = np.flatnonzero(np.abs(curvature.action_txx @ mode_x - mode_x).max(axis=1) < _KEPT)
    operations = SpaceGroup.from_hall(packing.hall_symbol).operations
    subgroup = group_from_operations([operations[t] for t in kept])
    sites, sums, pose = curvature.problem
    energy_t, _, _ = crystal_energy(sites, sums, pose)
    for push in PUSH_A:
        for sign in (1.0, -1.0):
            there = moved(pose, curvature.chart, sign * push / np.abs(mode_x).max() * mode_x)
            pushed_t, _, _ = crystal_energy(sites, sums, there)
            if np.sum(pushed_t) < np.sum(energy_t):
                displaced = packing_at(there, curvature.whole, sites.operation_scc)
                yield asymmetric_unit(displaced, model.conformers, subgroup)


def _most_symmetric(mode_xk: NDArray[np.float64], action_txx: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of the modes of one curvature a combination that as many operations as possible keep."""
    best_x, most = mode_xk[:, 0], 0
    for action_xx in action_txx:
        within_kk = mode_xk.T @ action_xx @ mode_xk
        value_k, combination_kk = np.linalg.eigh(0.5 * (within_kk + within_kk.T))
        mode_x = mode_xk @ combination_kk[:, -1]
        kept = int(np.sum(np.abs(action_txx @ mode_x - mode_x).max(axis=1) < _KEPT))
        if value_k[-1] > 1.0 - _KEPT and kept > most:
            best_x, most = mode_x, kept
    return best_x


def elastic_constants_GPa(curvature: Curvature) -> NDArray[np.float64]:
    """Stiffness C_ij in Voigt's order (xx, yy, zz, yz, xz, xy), molecules relaxed, shape (6, 6), GPa.

    C = (H_ee - H_ei H_ii^+ H_ie) / V with e the strains (engineering shears) and i the molecules' motions; the crystal
    must be free of stress (Born & Huang, Dynamical Theory of Crystal Lattices, 1954, section 11).
    """
    hessian_xx = curvature.hessian_xx
    cell_cv = curvature.whole.cell_cv
    volume = abs(np.linalg.det(cell_cv))
    inner = np.linalg.pinv(hessian_xx[6:, 6:], rcond=1e-6, hermitian=True)
    relaxed_kk = hessian_xx[:6, :6] - hessian_xx[:6, 6:] @ inner @ hessian_xx[6:, :6]
    basis_kvv = strain_basis(np.eye(3)[None], cell_cv)
    voigt_kj = np.array([[0.5 * (e[a, b] + e[b, a]) for a, b in VOIGT] for e in basis_kvv])
    size2 = np.cbrt(volume) ** 2
    return np.asarray(voigt_kj.T @ relaxed_kk @ voigt_kj * size2 / volume * GPA_PER_EV_PER_A3)
