"""From all molecules of a cell to the independent ones: the space group, its setting, special positions."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import spglib
from ase import Atoms
from ase.cell import Cell
from numpy.typing import NDArray

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.lattice import cell_parameters, symmetrised
from polyscape.crystal.operations import group_from_operations, standard_setting
from polyscape.crystal.packing import Conformers, Packing, Pose
from polyscape.crystal.sites import cartesian, find_site, site_symbol
from polyscape.molecule.model import Conformer

SYMMETRY_TOLERANCE_A: Final = 0.02
"""Largest misfit of an atom to its symmetry image, as in `polyscape.crystal.reduction`."""

SAME_MOLECULE_A: Final = 0.1
"""Molecules whose atoms lie nearer than this are one."""


def symmetry_of(atoms: Atoms, tolerance_A: float = SYMMETRY_TOLERANCE_A) -> SpaceGroup:
    """The space group of a crystal in the setting of its own cell, translations of a supercell included.

    Operations that do not map the cell's lattice on itself, as a threefold axis of a cell doubled along one edge, are
    left out: reduce a supercell first.
    A tolerance at which spglib finds no consistent group is made tighter.

    Raises
    ------
    ValueError
        When atoms coincide.
    """
    crystal: Any = (np.asarray(atoms.cell), atoms.get_scaled_positions(), atoms.numbers)
    for tolerance in tolerance_A / 2.0 ** np.arange(6):
        found = spglib.get_symmetry_dataset(crystal, symprec=float(tolerance))
        if found is not None:
            operations = zip(found.rotations.astype(float), found.translations, strict=True)
            return group_from_operations([*operations])
    raise ValueError(f"spglib finds no symmetry: atoms coincide in a cell of {len(atoms)} atoms")


def asymmetric_unit(
    packing: Packing,
    conformers: Conformers,
    group: SpaceGroup | None = None,
    tolerance_A: float = SAME_MOLECULE_A,
) -> Packing:
    """The independent molecules of a crystal that is given by all molecules of a cell.

    Parameters
    ----------
    packing : Packing
        A crystal in P 1.
    conformers : mapping
        Its rigid molecules.
    group : SpaceGroup, optional
        The symmetry in the setting of the same cell; by default that of the rigid molecules as they stand.
    tolerance_A : float
        Misfit at which two molecules are images of each other.

    Returns
    -------
    Packing
        In the same cell (its lengths and angles made exact) and the setting of `group`; poses of molecules on special
        positions name their site symmetry.

    Raises
    ------
    ValueError
        When the group does not map the molecules on themselves.
    """
    group = group or symmetry_of(packing.to_atoms(conformers))
    metric_cc = symmetrised(packing.cell_cv @ packing.cell_cv.T, group)
    exact = Packing(group.hall_symbol, cell_parameters(metric_cc), packing.poses)
    left = list(packing.poses)
    kept = []
    while left:
        pose = left[0]
        images = _images(pose, group, exact.cell_cv)
        same = [other for other in left if _among(other, images, conformers, exact.cell_cv, tolerance_A)]
        site = find_site(pose, conformers[pose.component, pose.conformer], group, exact.cell_cv, tolerance_A)
        if len(same) != len(group.operations) // len(site):
            raise ValueError(
                f"{len(same)} images of a molecule in a cell of {group.symbol} with {len(group.operations)} "
                f"operations and a site of symmetry {site_symbol(site, group)}"
            )
        kept.append(replace(pose, site_symmetry=site_symbol(site, group)))
        left = [other for other in left if other not in same]
    return replace(exact, poses=tuple(kept))


def _images(pose: Pose, group: SpaceGroup, cell_cv: NDArray[np.float64]) -> list[Pose]:
    """A molecule under every operation of the group."""
    return [
        placed(
            pose, cartesian(rotation_cc, cell_cv), rotation_cc @ np.array(pose.translation_c) + translation_c
        )
        for rotation_cc, translation_c in group.operations
    ]


def placed(pose: Pose, turn_vv: NDArray[np.float64], centre_c: NDArray[np.float64]) -> Pose:
    """A pose turned by an orthogonal matrix, proper or not, with a new centre."""
    key = (pose.component, pose.conformer)
    return Pose.of(turn_vv @ pose.rotation_vv(), centre_c, key, pose.site_symmetry)


def _among(
    pose: Pose, images: list[Pose], conformers: Conformers, cell_cv: NDArray[np.float64], tolerance_A: float
) -> bool:
    """Whether a molecule coincides with one of the images modulo the lattice."""
    conformer = conformers[pose.component, pose.conformer]
    for image in images:
        if (image.component, image.conformer) != (pose.component, pose.conformer):
            continue
        shift_c = np.subtract(image.translation_c, pose.translation_c)
        offset_v = (shift_c - np.round(shift_c)) @ cell_cv
        if np.linalg.norm(offset_v) < tolerance_A and _overlay(conformer, image, pose) < tolerance_A:
            return True
    return False


def _overlay(conformer: Conformer, first: Pose, second: Pose) -> float:
    """Largest distance of an atom in one orientation to the nearest like atom in another, centres alike."""
    offset_aav = (conformer.position_av @ first.rotation_vv().T)[:, None] - (
        conformer.position_av @ second.rotation_vv().T
    )[None]
    unlike_aa = conformer.atomic_number_a[:, None] != conformer.atomic_number_a[None]
    return float(np.where(unlike_aa, np.inf, np.linalg.norm(offset_aav, axis=2)).min(axis=1).max())


def independent_molecules(
    molecules: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]],
    cell_cv: NDArray[np.float64],
    group: SpaceGroup,
    tolerance_A: float = SAME_MOLECULE_A,
) -> tuple[int, ...]:
    """Which molecules of a cell are no images of earlier ones.

    Parameters
    ----------
    molecules : sequence of (atomic numbers, positions in Angstrom)
        All molecules of the cell, whole.
    cell_cv : numpy.ndarray, shape (3, 3)
        Cell vectors as rows, Angstrom.
    group : SpaceGroup
        In the setting of this cell.
    tolerance_A : float
        Misfit of atoms at which two molecules are images of each other.
    """
    fractional = [position_av @ np.linalg.inv(cell_cv) for _, position_av in molecules]
    chosen: list[int] = []
    left = [*range(len(molecules))]
    while left:
        first = left[0]
        images = [fractional[first] @ w_cc.T + w_c for w_cc, w_c in group.operations]
        same = [
            m
            for m in left
            if np.array_equal(np.sort(molecules[m][0]), np.sort(molecules[first][0]))
            and any(
                _coincide((molecules[first][0], image_ac), (molecules[m][0], fractional[m]), cell_cv)
                < tolerance_A
                for image_ac in images
            )
        ]
        chosen.append(first)
        left = [m for m in left if m not in same]
    return tuple(chosen)


def _coincide(
    first: tuple[NDArray[np.int64], NDArray[np.float64]],
    second: tuple[NDArray[np.int64], NDArray[np.float64]],
    cell_cv: NDArray[np.float64],
) -> float:
    """Largest distance of an atom of one molecule to the nearest like atom of another, modulo the lattice."""
    shift_c = first[1].mean(axis=0) - second[1].mean(axis=0)
    offset_v = (shift_c - np.round(shift_c)) @ cell_cv
    if np.linalg.norm(offset_v) > 1.0:  # no need to look at atoms
        return float("inf")
    offset_aav = ((first[1] - np.round(shift_c))[:, None] - second[1][None]) @ cell_cv
    unlike_aa = first[0][:, None] != second[0][None]
    return float(np.where(unlike_aa, np.inf, np.linalg.norm(offset_aav, axis=2)).min(axis=1).max())


def inverted(packing: Packing) -> Packing:
    """The mirror image of a crystal, by inversion through the origin: operations (W, w) become (W, -w)."""
    group = group_from_operations(
        [
            (rotation_cc, -translation_c)
            for rotation_cc, translation_c in SpaceGroup.from_hall(packing.hall_symbol).operations
        ]
    )
    opposite = (
        (-pose.translation_c[0], -pose.translation_c[1], -pose.translation_c[2]) for pose in packing.poses
    )
    poses = tuple(
        replace(pose, translation_c=centre_c, parity=-pose.parity)
        for pose, centre_c in zip(packing.poses, opposite, strict=True)
    )
    return replace(packing, hall_symbol=group.hall_symbol, poses=poses)


def in_standard_setting(packing: Packing) -> Packing:
    """The same crystal in the conventional cell and standard setting of its space group.

    The independent molecules stay what they are: with x' = P x + p for fractional coordinates, the cell vectors are the
    columns of ``A P^-1``.
    """
    group = SpaceGroup.from_hall(packing.hall_symbol)
    standard = standard_setting(group.operations)
    cell_cv = np.linalg.inv(standard.P_cc).T @ packing.cell_cv
    metric_cc = symmetrised(cell_cv @ cell_cv.T, standard.group)
    _, turn_vv = Cell(cell_cv).standard_form()
    poses = tuple(
        placed(pose, turn_vv, (standard.P_cc @ np.array(pose.translation_c) + standard.p_c) % 1.0)
        for pose in packing.poses
    )
    return Packing(standard.group.hall_symbol, cell_parameters(metric_cc), poses)
