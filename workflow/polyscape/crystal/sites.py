"""Site symmetry: which operations of the space group map an independent molecule on itself.

An operation (W, w) carries the molecule at ``r = M x + A t`` (columns of A: the cell vectors) to the one with matrix
``Q M``, ``Q = A W A^-1``, at ``W t + w``.  It belongs to the site when a lattice vector n brings the centre back,
``W t + w + n = t``, and every atom falls on a like one: ``Q M x_a = M x_b``, ``b = permutation_a[a]``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import spglib
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.operations import operation_key
from polyscape.molecule.model import Conformer
from polyscape.molecule.multipoles import rotate_multipoles

if TYPE_CHECKING:  # a packing counts its molecules with this module
    from polyscape.crystal.packing import Conformers, Packing, Pose

SITE_TOLERANCE_A: Final = 0.1
"""Largest misfit of an atom to its image: published coordinates and gas-phase molecules keep their symmetry to about
0.02 A, and like atoms of one molecule are never nearer than 1 A."""

_ROTATION_STEPS: Final = 20
_EIGENVALUE: Final = 0.5
"""Projectors have eigenvalues 0 and 1."""


@dataclass(frozen=True)
class SiteOperation:
    """An operation of the space group that maps a molecule on itself.

    Attributes
    ----------
    operation : int
        Index in `SpaceGroup.operations`.
    translation_c : tuple of int
        Lattice vector added after it, in cell vectors.
    permutation_a : tuple of int
        Atom a goes to the place of atom ``permutation_a[a]``.
    """

    operation: int
    translation_c: tuple[int, int, int]
    permutation_a: tuple[int, ...]


Site = tuple[SiteOperation, ...]
"""The operations of a site, the identity first."""


def site_operations(
    packing: "Packing", index: int, conformers: "Conformers", tolerance_A: float = SITE_TOLERANCE_A
) -> Site:
    """The operations that map an independent molecule on itself; of a general position the identity alone.

    Raises
    ------
    ValueError
        When the pose names a site symmetry that the molecule does not have there.
    """
    pose = packing.poses[index]
    conformer = conformers[pose.component, pose.conformer]
    group = SpaceGroup.from_hall(packing.hall_symbol)
    if pose.site_symmetry == "1":
        return (_identity(len(conformer.atomic_number_a)),)
    site = find_site(pose, conformer, group, packing.cell_cv, tolerance_A)
    found = site_symbol(site, group)
    if found != pose.site_symmetry:
        raise ValueError(
            f"molecule {index} ({pose.conformer}) stands on a site of symmetry {found}, not {pose.site_symmetry}"
        )
    return site


def find_site(
    pose: "Pose",
    conformer: Conformer,
    group: SpaceGroup,
    cell_cv: NDArray[np.float64],
    tolerance_A: float = SITE_TOLERANCE_A,
) -> Site:
    """The operations that map a molecule on itself within a tolerance, whatever its pose says.

    A tolerance at which they form no group is halved until they do.
    """
    while True:
        site = tuple(
            found
            for n in range(len(group.operations))
            if (found := _site_operation(n, pose, conformer, (group, cell_cv), tolerance_A)) is not None
        )
        if _is_closed(site, group):
            return site
        tolerance_A /= 2.0


def _identity(atoms: int) -> SiteOperation:
    return SiteOperation(0, (0, 0, 0), tuple(range(atoms)))


def _site_operation(
    n: int,
    pose: "Pose",
    conformer: Conformer,
    crystal: tuple[SpaceGroup, NDArray[np.float64]],
    tolerance_A: float,
) -> SiteOperation | None:
    """Operation n as one of the site; None when it moves the molecule."""
    group, cell_cv = crystal
    rotation_cc, translation_c = group.operations[n]
    centre_c = np.asarray(pose.translation_c)
    moved_c = rotation_cc @ centre_c + translation_c
    shift_c = np.round(centre_c - moved_c)
    atom_av = conformer.position_av @ pose.rotation_vv().T
    image_av = atom_av @ cartesian(rotation_cc, cell_cv).T + (moved_c + shift_c - centre_c) @ cell_cv
    distance_aa = np.linalg.norm(image_av[:, None] - atom_av[None], axis=2)
    kind_a = np.array(
        [f"{z} {t}" for z, t in zip(conformer.atomic_number_a, conformer.potential_type_a, strict=True)]
    )
    distance_aa[kind_a[:, None] != kind_a[None]] = np.inf
    permutation_a = np.argmin(distance_aa, axis=1)
    if distance_aa.min(axis=1).max() > tolerance_A or len(set(permutation_a)) < len(permutation_a):
        return None
    x, y, z = (int(value) for value in shift_c)
    return SiteOperation(n, (x, y, z), tuple(int(b) for b in permutation_a))


def _is_closed(site: Site, group: SpaceGroup) -> bool:
    """Whether the rotations of the site's operations form a group."""
    members = {group.operations[s.operation][0].astype(int).tobytes() for s in site}
    rotations = [group.operations[s.operation][0].astype(int) for s in site]
    return all((first @ second).tobytes() in members for first in rotations for second in rotations)


def coset_operations(site: Site, group: SpaceGroup) -> tuple[int, ...]:
    """Operations whose images are the distinct molecules of the cell, one for each, the identity first.

    The molecule's images under g and under g h are the same for every h of the site.
    """
    index = {operation_key(*operation): n for n, operation in enumerate(group.operations)}
    covered: set[int] = set()
    chosen = []
    for n, (rotation_cc, translation_c) in enumerate(group.operations):
        if n in covered:
            continue
        chosen.append(n)
        for member in site:
            inner_cc, inner_c = group.operations[member.operation]
            covered.add(index[operation_key(rotation_cc @ inner_cc, rotation_cc @ inner_c + translation_c)])
    return tuple(chosen)


def site_symbol(site: Site, group: SpaceGroup) -> str:
    """Hermann-Mauguin symbol of the site's point group (``mm2``, ``-1``, ``2/m``), without its direction."""
    rotations = np.array([group.operations[member.operation][0] for member in site])
    found = spglib.get_pointgroup(np.rint(rotations).astype("intc"))
    if found is None:
        raise ValueError(f"operations of a site that form no point group: {rotations.tolist()}")
    return str(found[0]).strip()


def cartesian(rotation_cc: NDArray[np.float64], cell_cv: NDArray[np.float64]) -> NDArray[np.float64]:
    """An operation's rotation in Cartesian axes, ``Q = A W A^-1`` with the cell vectors as columns of A."""
    return cell_cv.T @ rotation_cc @ np.linalg.inv(cell_cv.T)


def site_matrices(site: Site, group: SpaceGroup, cell_cv: NDArray[np.float64]) -> NDArray[np.float64]:
    """The site's operations in Cartesian axes, shape (operations, 3, 3)."""
    return np.array([cartesian(group.operations[member.operation][0], cell_cv) for member in site])


def allowed_translations(site: Site, group: SpaceGroup, cell_cv: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal Cartesian directions in which a molecule may move on its site, shape (0 to 3, 3).

    The mean of Q over the site projects a vector on those that all operations keep.
    """
    return _kept(np.mean(site_matrices(site, group, cell_cv), axis=0))


def allowed_rotations(site: Site, group: SpaceGroup, cell_cv: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal Cartesian axes about which a molecule may turn on its site, shape (0 to 3, 3).

    Rotation vectors are axial: the mean of det(Q) Q projects on those that all operations keep.
    """
    matrices = site_matrices(site, group, cell_cv)
    return _kept(np.mean(np.linalg.det(matrices)[:, None, None] * matrices, axis=0))


def _kept(projector_vv: NDArray[np.float64]) -> NDArray[np.float64]:
    value_k, vector_vk = np.linalg.eigh(0.5 * (projector_vv + projector_vv.T))
    return np.ascontiguousarray(vector_vk[:, value_k > _EIGENVALUE].T)


def symmetrised(
    conformer: Conformer, pose: "Pose", site: Site, group: SpaceGroup, cell_cv: NDArray[np.float64]
) -> tuple[Conformer, "Pose"]:
    """A molecule made exactly symmetric and put exactly on its site.

    The centre is averaged over its images and the molecule turned until it fits its images best.  Then positions,
    multipoles and charges are averaged over the site, in the body frame ``O = M^-1 Q M``:
    ``x_a <- mean of O^T x_b``, ``b = permutation_a[a]``, and likewise the multipoles.
    """
    if len(site) == 1:
        return conformer, pose
    Q_svv = site_matrices(site, group, cell_cv)
    permutation_sa = np.array([member.permutation_a for member in site])
    turned = _turned(conformer, pose, Q_svv, permutation_sa)
    matrix_vv = turned.rotation_vv()
    O_svv = matrix_vv.T @ Q_svv @ matrix_vv
    images = list(zip(O_svv, permutation_sa, strict=True))
    position_av = np.mean([conformer.position_av[b] @ O_vv for O_vv, b in images], axis=0)
    multipole_aq = np.mean(
        [rotate_multipoles(conformer.multipole_aq[b], O_vv.T) for O_vv, b in images], axis=0
    )
    charge_a = np.mean([conformer.charge_a[b] for _, b in images], axis=0)
    molecule = replace(conformer, position_av=position_av, multipole_aq=multipole_aq, charge_a=charge_a)
    return molecule, replace(turned, translation_c=_fixed_point(pose.translation_c, site, group))


def _fixed_point(centre_c: Sequence[float], site: Site, group: SpaceGroup) -> tuple[float, float, float]:
    """The point of the site nearest to a centre: the mean of its images."""
    images = [
        group.operations[member.operation][0] @ np.asarray(centre_c)
        + group.operations[member.operation][1]
        + member.translation_c
        for member in site
    ]
    x, y, z = (float(value) for value in np.mean(images, axis=0))
    return x, y, z


def _turned(
    conformer: Conformer, pose: "Pose", Q_svv: NDArray[np.float64], permutation_sa: NDArray[np.int64]
) -> "Pose":
    """The pose turned so that the molecule misses its images least, by Gauss-Newton steps.

    The misfit ``Q y_a - y_b``, y = M x, changes by ``Q (u x y_a) - u x y_b`` under a rotation vector u; the shortest u
    is taken, so that a linear molecule does not turn about itself.
    """
    matrix_vv = pose.rotation_vv()
    for _ in range(_ROTATION_STEPS):
        atom_av = conformer.position_av @ matrix_vv.T
        misfit, slope = [], []
        for Q_vv, permutation_a in zip(Q_svv, permutation_sa, strict=True):
            misfit.append(atom_av @ Q_vv.T - atom_av[permutation_a])
            slope.append(np.einsum("vw,awk->avk", Q_vv, _turning(atom_av)) - _turning(atom_av)[permutation_a])
        left_xk, value_k, right_kv = np.linalg.svd(np.concatenate(slope).reshape(-1, 3), full_matrices=False)
        held_k = value_k > 1e-6 * np.linalg.norm(atom_av)  # turns that the site leaves free stay as they are
        turn_k = -(np.concatenate(misfit).ravel() @ left_xk[:, held_k]) / value_k[held_k]
        turn_v = turn_k @ right_kv[held_k]
        matrix_vv = Rotation.from_rotvec(turn_v).as_matrix() @ matrix_vv
        if np.abs(turn_v).max() < 1e-14:
            break
    x, y, z, w = (float(q) for q in Rotation.from_matrix(pose.parity * matrix_vv).as_quat(canonical=True))
    return replace(pose, quaternion=(w, x, y, z))


def _turning(atom_av: NDArray[np.float64]) -> NDArray[np.float64]:
    """The matrices of ``u -> u x y`` for each atom, shape (atoms, 3, 3)."""
    x, y, z = atom_av.T
    none = np.zeros_like(x)
    return np.array([[none, z, -y], [-z, none, x], [y, -x, none]]).transpose(2, 0, 1)
