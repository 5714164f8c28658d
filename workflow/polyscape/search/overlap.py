"""Removal of overlap from a trial crystal along its closest contacts.

Contacts are relaxed one at a time, the worst first (as in SHAKE, J.-P. Ryckaert, G. Ciccotti, H. J. C.
Berendsen, J. Comput. Phys. 23 (1977) 327, https://doi.org/10.1016/0021-9991(77)90098-5): an atom pair at
distance d below its threshold t is moved apart by the smallest change of the centres of the molecules and of
the logarithms of the axes,

    x <- x + (t - d) g / |g|^2,    g = grad d,

where axes may only grow, and tied axes grow together.  Orientations and angles of the cell stay as drawn, and molecules
on special positions move along them only.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.lattice import tied_axes
from polyscape.crystal.packing import Conformers, Packing
from polyscape.crystal.sites import SITE_TOLERANCE_A, Site, coset_operations, site_operations
from polyscape.crystal.volume import van_der_waals_radii_A
from polyscape.status import Status

_MOST_STEPS: Final = 400
_LONGEST_STEP_A: Final = 1.0
_ON_SITE_A: Final = 1e-4
"""A molecule nearer than this to a site of higher symmetry stands on it."""

_MARGIN: Final = 1.001
"""Contacts are opened this much beyond the threshold, so that the sequence of moves ends."""

_inner: Final = njit(nogil=True)
"""Of functions that only `_relax` calls.  It alone is cached, whole: made of parts from other processes' caches its
results may differ in the last bits."""


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


class Contacts(NamedTuple):
    """The molecules of a cell as the contact search sees them.

    Attributes
    ----------
    operation_occ : numpy.ndarray, shape (operations, 3, 3)
        Rotations on fractional coordinates.
    shift_oc : numpy.ndarray, shape (operations, 3)
        Translations.
    offset_oav : numpy.ndarray, shape (operations, atoms, 3)
        Atoms of all independent molecules from their centres under every operation, Angstrom.
    first_m : numpy.ndarray, shape (molecules + 1,)
        Where each independent molecule's atoms begin.
    radius_a : numpy.ndarray, shape (atoms,)
        Radii whose sums are the thresholds.
    distinct_mo : numpy.ndarray, shape (molecules, operations)
        Operations that make the distinct images of each independent molecule; all but on special positions.
    free_mvv : numpy.ndarray, shape (molecules, 3, 3)
        Projectors on the directions in which each may move.
    """

    operation_occ: NDArray[np.float64]
    shift_oc: NDArray[np.float64]
    offset_oav: NDArray[np.float64]
    first_m: NDArray[np.int64]
    radius_a: NDArray[np.float64]
    distinct_mo: NDArray[np.bool_]
    free_mvv: NDArray[np.float64]


class Contact(NamedTuple):
    """The atom pair of two molecules that lies deepest below its threshold.

    Attributes
    ----------
    deficit_A : float
        Threshold (with margin) less distance; 0 when nothing overlaps.
    one, other : int
        Independent molecules; the one under the identity.
    operation : int
        Operation that makes the other.
    between_c : numpy.ndarray, shape (3,)
        Fractional vector between the centres.
    unit_v : numpy.ndarray, shape (3,)
        Direction from the one atom to the other.
    """

    deficit_A: float
    one: int
    other: int
    operation: int
    between_c: NDArray[np.float64]
    unit_v: NDArray[np.float64]


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
    sites = [_site(packing, m, conformers) for m in range(len(packing.poses))]
    distinct_mo = np.zeros((len(sites), len(group.operations)), bool)
    for m, site in enumerate(sites):
        distinct_mo[m, _distinct(packing.hall_symbol, site)] = True
    free_mvv = np.array([cartesian_ovv[[member.operation for member in site]].mean(axis=0) for site in sites])
    return Contacts(rotation_occ, shift_oc, offset_oav, first_m, radius_a, distinct_mo, free_mvv)


def _site(packing: Packing, index: int, conformers: Conformers) -> Site:
    """The operations of a molecule's site; nearly those of a higher symmetry where it overlaps its own image.

    Raises
    ------
    ValueError
        When the molecule does not have the symmetry that its pose names.
    """
    tolerance_A = SITE_TOLERANCE_A
    while True:
        try:
            return site_operations(packing, index, conformers, tolerance_A)
        except ValueError:
            tolerance_A /= 4.0
            if tolerance_A < _ON_SITE_A:
                raise


def _on_their_sites(packing: Packing, conformers: Conformers) -> bool:
    """Whether the lattice energy will find every molecule on the site that it names, and on no higher one."""
    try:
        for index in range(len(packing.poses)):
            site_operations(packing, index, conformers)
    except ValueError:
        return False
    return True


def _distinct(hall_symbol: str, site: Site) -> list[int]:
    """Operations whose images of a molecule on a site are distinct."""
    if len(site) == 1:
        return list(range(len(SpaceGroup.from_hall(hall_symbol).operations)))
    bare = tuple(replace(member, permutation_a=()) for member in site)
    return list(_cosets(hall_symbol, bare))


@lru_cache(maxsize=256)
def _cosets(hall_symbol: str, site: Site) -> tuple[int, ...]:
    return coset_operations(site, SpaceGroup.from_hall(hall_symbol))


def relieve(
    packing: Packing, conformers: Conformers, contact_factor: float, max_expansion: float
) -> Relieved:
    """Remove the overlap of a trial crystal.

    Parameters
    ----------
    packing : Packing
        Crystal as drawn.
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
    done = _relax(centre_mc, cell_cv, contacts, tie_cc, max_expansion)
    if not done:
        return Relieved(packing, 1.0, Status.OVERLAP)
    growth_c = np.linalg.norm(cell_cv, axis=1) / np.linalg.norm(packing.cell_cv, axis=1)
    a, b, c = (float(length * growth) for length, growth in zip(packing.cell[:3], growth_c, strict=True))
    poses = tuple(
        replace(pose, translation_c=(float(x), float(y), float(z)))
        for pose, (x, y, z) in zip(packing.poses, centre_mc % 1.0, strict=True)
    )
    relieved = Packing(packing.hall_symbol, (a, b, c, *packing.cell[3:]), poses)
    if not _on_their_sites(relieved, conformers):
        return Relieved(packing, 1.0, Status.OVERLAP)
    return Relieved(relieved, float(np.prod(growth_c)), Status.OK)


@njit(cache=True, nogil=True)
def _relax(centre_mc, cell_cv, contacts, tie_cc, max_expansion):
    """Relax contacts in place; whether this ended without overlap and within the largest expansion."""
    start = abs(np.linalg.det(cell_cv))
    reach_m = _reaches(contacts)
    for _ in range(_MOST_STEPS):
        contact = _worst_contact(centre_mc, cell_cv, contacts, reach_m)
        if contact.deficit_A <= 0.0:
            return abs(np.linalg.det(cell_cv)) <= max_expansion * start
        moved = _open(contact, centre_mc, cell_cv, contacts, tie_cc, start ** (1.0 / 3.0))
        if not moved or abs(np.linalg.det(cell_cv)) > max_expansion * start:
            return False
    return False


@_inner
def _open(contact, centre_mc, cell_cv, contacts, tie_cc, scale):
    """Move centres and axes in place so that a contact opens; False where no move can open it.

    The atoms are u d = D + o apart, D = (W x_other + w + n - x_one) . cell.  grad d is -u for the centre of one,
    R^T u for that of the other, u . D_c for ln a_c; lengths of axes are scaled alike.
    """
    unit_v, size_c = contact.unit_v, tie_cc.sum(axis=1)
    inverse_vc = np.linalg.inv(cell_cv)
    gradient_mv = np.zeros((centre_mc.shape[0], 3))
    gradient_mv[contact.one] -= unit_v
    gradient_mv[contact.other] += inverse_vc @ (
        contacts.operation_occ[contact.operation].T @ (cell_cv @ unit_v)
    )
    for m in (contact.one, contact.other):
        gradient_mv[m] = contacts.free_mvv[m] @ gradient_mv[m]
    axis_c = np.maximum(tie_cc @ (contact.between_c * (cell_cv @ unit_v)), 0.0) / scale
    squared = np.sum(gradient_mv**2) + np.sum(axis_c**2 / size_c)
    if squared < 1e-6:
        return False
    step = min(contact.deficit_A / squared, _LONGEST_STEP_A / np.sqrt(squared))
    centre_mc += step * gradient_mv @ inverse_vc
    growth_c = np.exp(step * axis_c / size_c / scale)
    for c in range(3):
        cell_cv[c] *= growth_c[c]
    return True


@_inner
def _reaches(contacts):
    """How far each molecule reaches from its centre, radii included, shape (molecules,)."""
    reach_m = np.zeros(len(contacts.first_m) - 1)
    for m in range(len(reach_m)):
        for a in range(contacts.first_m[m], contacts.first_m[m + 1]):
            distance = np.sqrt(np.sum(contacts.offset_oav[0, a] ** 2))
            reach_m[m] = max(reach_m[m], distance + contacts.radius_a[a])
    return reach_m


@_inner
def _worst_contact(centre_mc, cell_cv, contacts, reach_m):
    """The deepest contact of the crystal: every pair of independent molecules, operation and image in reach."""
    height_c = 1.0 / np.sqrt(np.sum(np.linalg.inv(cell_cv) ** 2, axis=0))
    molecules, operations = len(reach_m), len(contacts.operation_occ)
    deficit, pair = 0.0, (0, 0, 0)
    between_c, apart_v, image_c, centre_v = np.zeros(3), np.zeros(3), np.zeros(3), np.zeros(3)
    for index in range(molecules * molecules * operations):
        one, other = index // (molecules * operations), index // operations % molecules
        operation = index % operations
        reach = reach_m[one] + reach_m[other]
        if not contacts.distinct_mo[other, operation]:
            continue
        near_c = contacts.operation_occ[operation] @ centre_mc[other] + contacts.shift_oc[operation]
        near_c -= centre_mc[one]
        near_c -= np.round(near_c)
        layers_c = (reach / height_c + 0.5).astype(np.int64)
        images = np.prod(2 * layers_c + 1)
        for image in range(images):
            if operation == 0 and one == other and image == images // 2:
                continue  # the molecule itself
            _place(image, layers_c, near_c, image_c)
            for v in range(3):
                centre_v[v] = (
                    image_c[0] * cell_cv[0, v] + image_c[1] * cell_cv[1, v] + image_c[2] * cell_cv[2, v]
                )
            if centre_v[0] ** 2 + centre_v[1] ** 2 + centre_v[2] ** 2 > reach * reach:
                continue
            deeper = _deepest(contacts, (one, other, operation), centre_v, deficit, apart_v)
            if deeper > deficit:
                deficit, pair = deeper, (one, other, operation)
                between_c[:] = image_c
    length = np.sqrt(np.sum(apart_v**2))
    if length > 0.0:
        apart_v /= length
    return Contact(deficit, pair[0], pair[1], pair[2], between_c, apart_v)


@_inner
def _place(image, layers_c, near_c, image_c):
    """Write into `image_c` the fractional vector of an image, counted through the layers, the last axis fastest."""
    rest = image
    for c in (2, 1, 0):
        image_c[c] = near_c[c] + (rest % (2 * layers_c[c] + 1) - layers_c[c])
        rest //= 2 * layers_c[c] + 1


@_inner
def _deepest(contacts, pair, centre_v, deficit, apart_v):
    """The largest deficit of two molecules' atoms, if above the one given; the atoms' vector goes into `apart_v`."""
    one, other, operation = pair
    for a in range(contacts.first_m[one], contacts.first_m[one + 1]):
        for b in range(contacts.first_m[other], contacts.first_m[other + 1]):
            x = centre_v[0] + contacts.offset_oav[operation, b, 0] - contacts.offset_oav[0, a, 0]
            y = centre_v[1] + contacts.offset_oav[operation, b, 1] - contacts.offset_oav[0, a, 1]
            z = centre_v[2] + contacts.offset_oav[operation, b, 2] - contacts.offset_oav[0, a, 2]
            threshold = contacts.radius_a[a] + contacts.radius_a[b]
            squared = x * x + y * y + z * z
            if squared >= threshold * threshold:
                continue
            found = _MARGIN * threshold - np.sqrt(squared)
            if found > deficit:
                deficit = found
                apart_v[0], apart_v[1], apart_v[2] = x, y, z
    return deficit
