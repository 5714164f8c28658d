"""A crystal of rigid molecules: cell, space group and the poses of its independent molecules.

An atom at x in the molecule's frame stands, for a pose with centre t (fractional), rotation R and parity p,
at ``r = p R x + cell^T t``.  The group's operations make the rest of the cell.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.cell import Cell
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.sites import coset_operations, site_operations
from polyscape.molecule.model import Conformer
from polyscape.units import G_PER_CM3_PER_AMU_PER_A3

Conformers = Mapping[tuple[int, str], Conformer]
"""The rigid molecules by (component, name)."""


@dataclass(frozen=True)
class Pose:
    """An independent molecule in a crystal.

    Attributes
    ----------
    component, conformer : int, str
        Which rigid molecule.
    site_symmetry : str
        Hermann-Mauguin symbol of the site's point group, ``1`` for a general position.
    translation_c : tuple of float
        Fractional coordinates of the centre of mass.
    quaternion : tuple of float
        Unit rotation quaternion (w, x, y, z).
    parity : int
        +1, or -1 for the mirror image of the conformer.
    """

    component: int
    conformer: str
    site_symmetry: str
    translation_c: tuple[float, float, float]
    quaternion: tuple[float, float, float, float]
    parity: int = 1

    @classmethod
    def of(
        cls,
        matrix_vv: NDArray[np.float64],
        centre_c: NDArray[np.float64],
        key: tuple[int, str],
        site_symmetry: str = "1",
    ) -> "Pose":
        """The pose of an orthogonal matrix, proper or not, and a fractional centre."""
        parity = 1 if np.linalg.det(matrix_vv) > 0 else -1
        x, y, z, w = (float(q) for q in Rotation.from_matrix(parity * matrix_vv).as_quat(canonical=True))
        tx, ty, tz = (float(value) for value in centre_c)
        return cls(*key, site_symmetry, (tx, ty, tz), (w, x, y, z), parity)

    def rotation_vv(self) -> NDArray[np.float64]:
        """Rotation matrix with the parity in it, shape (3, 3); columns act on the molecule's frame."""
        return self.parity * Rotation.from_quat(np.roll(self.quaternion, -1)).as_matrix()


@dataclass(frozen=True)
class Packing:
    """A crystal of rigid molecules.

    Attributes
    ----------
    hall_symbol : str
        Space group and setting.
    cell : tuple of float
        a, b, c in Angstrom and alpha, beta, gamma in degrees; a along x, b in the xy plane.
    poses : tuple of Pose
        The independent molecules.
    """

    hall_symbol: str
    cell: tuple[float, float, float, float, float, float]
    poses: tuple[Pose, ...]

    @property
    def cell_cv(self) -> NDArray[np.float64]:
        """Cell vectors as rows, in Angstrom, shape (3, 3)."""
        return np.asarray(Cell.fromcellpar(self.cell))

    @property
    def volume_A3(self) -> float:
        """Volume of the (conventional) cell in cubic Angstrom."""
        return float(abs(np.linalg.det(self.cell_cv)))

    def molecules(self, conformers: Conformers) -> tuple[tuple[int, ...], ...]:
        """For each pose the operations that make its distinct molecules; fewer than all on special positions."""
        group = SpaceGroup.from_hall(self.hall_symbol)
        return tuple(
            coset_operations(site_operations(self, m, conformers), group) for m in range(len(self.poses))
        )

    def density_g_per_cm3(self, conformers: Conformers) -> float:
        """Mass of the cell's molecules over its volume."""
        counts = zip(self.poses, self.molecules(conformers), strict=True)
        mass = sum(
            len(images) * conformers[pose.component, pose.conformer].mass_amu for pose, images in counts
        )
        return mass / self.volume_A3 * G_PER_CM3_PER_AMU_PER_A3

    def independent_atoms(
        self, conformers: Conformers
    ) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """Atomic numbers and fractional coordinates of each independent molecule, whole."""
        to_fraction = np.linalg.inv(self.cell_cv)
        found = []
        for pose in self.poses:
            conformer = conformers[pose.component, pose.conformer]
            offsets_ac = conformer.position_av @ pose.rotation_vv().T @ to_fraction
            found.append((conformer.atomic_number_a, offsets_ac + np.asarray(pose.translation_c)))
        return found

    def to_atoms(self, conformers: Conformers) -> Atoms:
        """All atoms of the conventional cell; each molecule's atoms stand together and unwrapped, molecules
        in turn, those of special positions once.
        """
        cell_cv = self.cell_cv
        group = SpaceGroup.from_hall(self.hall_symbol)
        numbers, positions = [], []
        independent = zip(
            self.poses, self.independent_atoms(conformers), self.molecules(conformers), strict=True
        )
        for pose, (numbers_a, fractional_ac), images in independent:
            offsets_ac = fractional_ac - np.asarray(pose.translation_c)
            for rotation_cc, translation_c in (group.operations[n] for n in images):
                centre_c = (rotation_cc @ np.asarray(pose.translation_c) + translation_c) % 1.0
                numbers.append(numbers_a)
                positions.append((offsets_ac @ rotation_cc.T + centre_c) @ cell_cv)
        return Atoms(np.concatenate(numbers), np.concatenate(positions), cell=cell_cv, pbc=True)
