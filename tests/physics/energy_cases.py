"""Crystals off symmetry and the slow, obvious sums that the energy tests compare with."""

import itertools
from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Packing, Pose
from polyscape.energy.potentials import load_potential
from polyscape.energy.sites import pose_of, sites_of, sums_of
from tests.builders import conformer, oxalic_acid, oxalic_packing

CUTOFF_A, DECADES = 10.0, 9.0


def quaternion(*angles):
    """A rotation from three angles in degrees."""
    x, y, z, w = Rotation.from_euler("xyz", angles, degrees=True).as_quat()
    return (w, x, y, z)


def carbon_dioxide():
    """CO2: linear, so that one rotation does nothing."""
    positions = [[0.0, 0.0, 0.0], [1.16, 0.0, 0.0], [-1.16, 0.0, 0.0]]
    return conformer([6, 8, 8], positions, ["C", "O", "O"], [0.7, -0.35, -0.35], [(0, 1), (0, 2)])


CONFORMERS = {(0, "ttt"): oxalic_acid(), (0, "rigid"): carbon_dioxide()}


def pose(centre, angles, name="ttt", parity=1):
    """A pose of one of `CONFORMERS`."""
    return Pose(0, name, "1", centre, quaternion(*angles), parity)


PACKINGS = {
    "monoclinic": oxalic_packing(),
    "two molecules, triclinic": Packing(
        "-P 1",
        (7.1, 8.3, 9.7, 82.0, 101.0, 77.0),
        (pose((0.21, 0.34, 0.13), (10, 40, 70)), pose((0.68, 0.79, 0.31), (-50, 20, 130), parity=-1)),
    ),
    "cubic, linear molecule": Packing(
        "P 2ac 2ab 3", (9.3, 9.3, 9.3, 90.0, 90.0, 90.0), (pose((0.12, 0.31, 0.07), (35, 12, -64), "rigid"),)
    ),
    "rhombohedral": Packing(
        "-R 3", (16.0, 16.0, 8.1, 90.0, 90.0, 120.0), (pose((0.21, 0.05, 0.37), (15, 62, -24)),)
    ),
}


def problem(packing, conformers=CONFORMERS, cutoff=CUTOFF_A, decades=DECADES):
    """Sites, sums and pose of a packing."""
    sites = sites_of(packing, conformers, load_potential("fit"))
    return sites, sums_of(sites, cutoff, decades), pose_of(packing)


def expand_to_p1(packing, multiples=(1, 1, 1)):
    """The same crystal with every molecule of a (multiplied) cell independent, in P1."""
    cell_cv = packing.cell_cv
    poses = []
    for old in packing.poses:
        for rotation_cc, translation_c in SpaceGroup.from_hall(packing.hall_symbol).operations:
            cartesian_vv = cell_cv.T @ rotation_cc @ np.linalg.inv(cell_cv.T)
            matrix_vv = cartesian_vv @ old.rotation_vv()
            parity = int(np.sign(np.linalg.det(matrix_vv)))
            x, y, z, w = Rotation.from_matrix(parity * matrix_vv).as_quat()
            centre_c = rotation_cc @ old.translation_c + translation_c
            for shift in itertools.product(*(range(n) for n in multiples)):
                centre = tuple(float(v) for v in (centre_c + shift) / multiples)
                poses.append(replace(old, translation_c=centre, quaternion=(w, x, y, z), parity=parity))
    a, b, c, *angles = packing.cell
    cell = (a * multiples[0], b * multiples[1], c * multiples[2], *angles)
    return Packing("P 1", cell, tuple(poses))


def slow_pair_sum(packing, conformers, function, cutoff):
    """sum function(i, j, r) / 2 over pairs of atoms of different molecules, r < cutoff, per molecule of the cell.

    Loops over all atoms of a P1 cell and all cells of a large block; nothing is shared with the library's sums.
    """
    expanded = expand_to_p1(packing)
    cell_cv = packing.cell_cv
    molecules = [
        conformers[p.component, p.conformer].position_av @ p.rotation_vv().T
        + np.array(p.translation_c) @ cell_cv
        for p in expanded.poses
    ]
    heights = 1.0 / np.linalg.norm(np.linalg.inv(cell_cv), axis=0)
    counts = [int(np.ceil((cutoff + 25.0) / height)) for height in heights]
    block = np.array(list(itertools.product(*(range(-n, n + 1) for n in counts)))) @ cell_cv
    total = 0.0
    for first, second in itertools.product(range(len(molecules)), repeat=2):
        shifts = block if first != second else block[np.linalg.norm(block, axis=1) > 1e-9]
        for i, x_v in enumerate(molecules[first]):
            for j, y_v in enumerate(molecules[second]):
                r = np.linalg.norm(y_v - x_v + shifts, axis=1)
                total += 0.5 * np.sum(function(i, j, r[r < cutoff]))
    return total / len(molecules)
