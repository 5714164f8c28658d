"""Removal of overlap from a trial crystal along its closest contacts.

Contacts are relaxed one at a time, the worst first (as in SHAKE, J.-P. Ryckaert, G. Ciccotti, H. J. C.
Berendsen, J. Comput. Phys. 23 (1977) 327, https://doi.org/10.1016/0021-9991(77)90098-5): an atom pair at
distance d below its threshold t is moved apart by the smallest change of the centres of the molecules and of
the logarithms of the axes,

    x <- x + (t - d) g / |g|^2,    g = grad d,

where axes may only grow, and tied axes grow together.  Orientations and angles of the cell stay as drawn.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.lattice import tied_axes
from polyscape.crystal.packing import Conformers, Packing
from polyscape.crystal.volume import van_der_waals_radii_A
from polyscape.status import Status

_MOST_STEPS: Final = 400
_LONGEST_STEP_A: Final = 1.0
_MARGIN: Final = 1.001
"""Contacts are opened this much beyond the threshold, so that the sequence of moves ends."""


@dataclass(frozen=True)
class Relieved:
    """A trial crystal without overlap.

    Attributes
    ----------
    packing : Packing
        The crystal; the one given, when the overlap could not be removed.
    expansion : float
        Factor by which the volume grew.
    status : Status
        ``OK`` or ``OVERLAP``.
    """

    packing: Packing
    expansion: float
    status: Status


@dataclass(frozen=True)
class Contacts:
    """The molecules of a cell as the contact search sees them.

    Attributes
    ----------
    operation_ovv : numpy.ndarray, shape (operations, 3, 3)
        Rotations on fractional coordinates.
    shift_oc : numpy.ndarray, shape (operations, 3)
        Translations.
    offset_oav : numpy.ndarray, shape (operations, atoms, 3)
        Atoms of all independent molecules from their centres under every operation, Angstrom.
    first_m : numpy.ndarray, shape (molecules + 1,)
        Where each independent molecule's atoms begin.
    radius_a : numpy.ndarray, shape (atoms,)
        Radii whose sums are the thresholds.
    """

    operation_ovv: NDArray[np.float64]
    shift_oc: NDArray[np.float64]
    offset_oav: NDArray[np.float64]
    first_m: NDArray[np.int64]
    radius_a: NDArray[np.float64]


def contacts_of(packing: Packing, conformers: Conformers, contact_factor: float) -> Contacts:
    """The arrays of the contact search; thresholds are `contact_factor` times sums of van der Waals radii."""
    group = SpaceGroup.from_hall(packing.hall_symbol)
    rotation_occ = np.array([rotation for rotation, _ in group.operations])
    shift_oc = np.array([shift for _, shift in group.operations])
    cell_cv = packing.cell_cv
    cartesian_ovv = cell_cv.T @ rotation_occ @ np.linalg.inv(cell_cv.T)
    rigid = [conformers[pose.component, pose.conformer] for pose in packing.poses]
    offsets = [m.position_av @ pose.rotation_vv().T for m, pose in zip(rigid, packing.poses, strict=True)]
    offset_oav = np.einsum("ovw,aw->oav", cartesian_ovv, np.concatenate(offsets))
    first_m = np.cumsum([0, *(len(m.atomic_number_a) for m in rigid)])
    radius_a = contact_factor * np.concatenate([van_der_waals_radii_A(m.atomic_number_a) for m in rigid])
    return Contacts(rotation_occ, shift_oc, offset_oav, first_m, radius_a)


def relieve(
    packing: Packing, conformers: Conformers, contact_factor: float, max_expansion: float
) -> Relieved:
    """Remove the overlap of a trial crystal.

    Parameters
    ----------
    packing : Packing
        Crystal as drawn; molecules on general positions.
    conformers : mapping
        The rigid molecules.
    contact_factor : float
        Two atoms of different molecules overlap below this fraction of the sum of their van der Waals radii.
    max_expansion : float
        Largest growth of the volume.
    """
    contacts = contacts_of(packing, conformers, contact_factor)
    tie_cc = np.zeros((3, 3))
    for axes in tied_axes(SpaceGroup.from_hall(packing.hall_symbol)):
        tie_cc[np.ix_(axes, axes)] = 1.0
    centre_mc = np.array([pose.translation_c for pose in packing.poses])
    cell_cv = packing.cell_cv.copy()
    arrays = (
        contacts.operation_ovv,
        contacts.shift_oc,
        contacts.offset_oav,
        contacts.first_m,
        contacts.radius_a,
    )
    done = _relax(centre_mc, cell_cv, *arrays, tie_cc, max_expansion)
    if not done:
        return Relieved(packing, 1.0, Status.OVERLAP)
    growth_c = np.linalg.norm(cell_cv, axis=1) / np.linalg.norm(packing.cell_cv, axis=1)
    a, b, c = (float(length * growth) for length, growth in zip(packing.cell[:3], growth_c, strict=True))
    poses = tuple(
        replace(pose, translation_c=(float(x), float(y), float(z)))
        for pose, (x, y, z) in zip(packing.poses, centre_mc % 1.0, strict=True)
    )
    relieved = Packing(packing.hall_symbol, (a, b, c, *packing.cell[3:]), poses)
    return Relieved(relieved, float(np.prod(growth_c)), Status.OK)


@njit(cache=True, nogil=True)
def _relax(centre_mc, cell_cv, rotation_occ, shift_oc, offset_oav, first_m, radius_a, tie_cc, max_expansion):
    """Relax contacts in place; whether this ended without overlap and within the largest expansion."""
    start = abs(np.linalg.det(cell_cv))
    scale = start ** (1.0 / 3.0)
    size_c = tie_cc.sum(axis=1)
    for _ in range(_MOST_STEPS):
        deficit, pair, between_c, unit_v = _worst_contact(
            centre_mc, cell_cv, rotation_occ, shift_oc, offset_oav, first_m, radius_a
        )
        if deficit <= 0.0:
            return abs(np.linalg.det(cell_cv)) <= max_expansion * start
        one, other, operation = pair
        # The atoms are u d = D + o apart, D = (W x_other + w + n - x_one) . cell; u is unit_v.
        # grad d is -u for the centre of one, R^T u for that of the other, u . D_c for ln a_c; axes are scaled
        # alike.
        inverse_vc = np.linalg.inv(cell_cv)
        gradient_mv = np.zeros((centre_mc.shape[0], 3))
        gradient_mv[one] -= unit_v
        gradient_mv[other] += inverse_vc @ (rotation_occ[operation].T @ (cell_cv @ unit_v))
        axis_c = np.maximum(tie_cc @ (between_c * (cell_cv @ unit_v)), 0.0) / scale
        squared = np.sum(gradient_mv**2) + np.sum(axis_c**2 / size_c)
        if squared < 1e-6:
            return False
        step = min(deficit / squared, _LONGEST_STEP_A / np.sqrt(squared))
        centre_mc += step * gradient_mv @ inverse_vc
        growth_c = np.exp(step * axis_c / size_c / scale)
        for c in range(3):
            cell_cv[c] *= growth_c[c]
        if abs(np.linalg.det(cell_cv)) > max_expansion * start:
            return False
    return False


@njit(cache=True, nogil=True)
def _worst_contact(centre_mc, cell_cv, rotation_occ, shift_oc, offset_oav, first_m, radius_a):
    """The atom pair of two molecules that lies deepest below its threshold.

    Returns
    -------
    deficit : float
        Threshold (with margin) less distance; 0 when nothing overlaps.
    pair : tuple of int
        Independent molecule one (identity operation), independent molecule and operation of the other.
    between_c : ndarray, shape (3,)
        Fractional vector between the centres.
    unit_v : ndarray, shape (3,)
        Direction from the one atom to the other.
    """
    molecules = centre_mc.shape[0]
    height_c = 1.0 / np.sqrt(np.sum(np.linalg.inv(cell_cv) ** 2, axis=0))
    reach_m = np.zeros(molecules)
    for m in range(molecules):
        for a in range(first_m[m], first_m[m + 1]):
            reach_m[m] = max(reach_m[m], np.sqrt(np.sum(offset_oav[0, a] ** 2)) + radius_a[a])
    deficit, pair = 0.0, (0, 0, 0)
    between_c, unit_v, image_c = np.zeros(3), np.zeros(3), np.zeros(3)
    for one in range(molecules):
        for other in range(molecules):
            reach = reach_m[one] + reach_m[other]
            for operation in range(rotation_occ.shape[0]):
                near_c = rotation_occ[operation] @ centre_mc[other] + shift_oc[operation] - centre_mc[one]
                near_c -= np.round(near_c)
                n = (reach / height_c + 0.5).astype(np.int64)
                for i in range(-n[0], n[0] + 1):
                    for j in range(-n[1], n[1] + 1):
                        for k in range(-n[2], n[2] + 1):
                            if operation == 0 and one == other and i == 0 and j == 0 and k == 0:
                                continue
                            image_c[0], image_c[1], image_c[2] = near_c[0] + i, near_c[1] + j, near_c[2] + k
                            dx = (
                                image_c[0] * cell_cv[0, 0]
                                + image_c[1] * cell_cv[1, 0]
                                + image_c[2] * cell_cv[2, 0]
                            )
                            dy = (
                                image_c[0] * cell_cv[0, 1]
                                + image_c[1] * cell_cv[1, 1]
                                + image_c[2] * cell_cv[2, 1]
                            )
                            dz = (
                                image_c[0] * cell_cv[0, 2]
                                + image_c[1] * cell_cv[1, 2]
                                + image_c[2] * cell_cv[2, 2]
                            )
                            if dx * dx + dy * dy + dz * dz > reach * reach:
                                continue
                            for a in range(first_m[one], first_m[one + 1]):
                                for b in range(first_m[other], first_m[other + 1]):
                                    x = dx + offset_oav[operation, b, 0] - offset_oav[0, a, 0]
                                    y = dy + offset_oav[operation, b, 1] - offset_oav[0, a, 1]
                                    z = dz + offset_oav[operation, b, 2] - offset_oav[0, a, 2]
                                    threshold = radius_a[a] + radius_a[b]
                                    squared = x * x + y * y + z * z
                                    if squared >= threshold * threshold:
                                        continue
                                    distance = np.sqrt(squared)
                                    if _MARGIN * threshold - distance > deficit:
                                        deficit, pair = (
                                            _MARGIN * threshold - distance,
                                            (one, other, operation),
                                        )
                                        between_c[:] = image_c
                                        unit_v[0], unit_v[1], unit_v[2] = x, y, z
    length = np.sqrt(np.sum(unit_v**2))
    if length > 0.0:
        unit_v /= length
    return deficit, pair, between_c, unit_v
