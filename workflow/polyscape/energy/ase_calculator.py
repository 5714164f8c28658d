"""The lattice energy as an ASE calculator, so that others' optimisers, dynamics and filters can use it.

Molecules are rigid: a calculator takes the crystal of a `Packing` in its conventional cell, and finds for each set of
positions the rigid molecules that lie nearest to the atoms.  Forces on atoms reproduce the net force F and the torque T of
every molecule: of all such forces those that would move a rigid body,

    f_a = (m_a / M) F + m_a w x (x_a - c) ,   I w = T ,

with the masses m_a, the centre c and the moment of inertia I; they leave the molecule undeformed when accelerations follow
them.  The stress is that of rigid molecules, whose centres follow the strain: it differs from the atoms' virial by what
holds the molecules together.
"""

from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.geometry import cell_to_cellpar
from ase.stress import full_3x3_to_voigt_6_stress
from numpy.typing import NDArray

from polyscape.crystal.asymmetric import placed
from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Packing, Pose
from polyscape.crystal.sites import cartesian
from polyscape.energy.model import RigidLatticeEnergy
from polyscape.molecule.model import Conformer
from polyscape.molecule.symmetry import superpose
from polyscape.units import KJ_PER_MOL_PER_EV

_DEFORMED_A = 0.1


class RigidMoleculeCalculator(Calculator):
    """Energy (eV per cell), forces (eV/Angstrom) and stress (eV/Angstrom^3) of rigid molecules.

    Every molecule of the cell is free: the symmetry of the packing is not imposed.

    Parameters
    ----------
    model : RigidLatticeEnergy
        The model; its pressure does not enter.
    packing : Packing
        Says which atoms form which molecule: they stand as in ``packing.to_atoms(model.conformers)``.

    Raises
    ------
    ValueError
        At a calculation, when the atoms are not those of the packing, or a molecule is deformed by more than 0.1
        Angstrom.
    """

    implemented_properties = ["energy", "forces", "stress"]  # noqa: RUF012 (an instance variable to ASE's types)

    def __init__(self, model: RigidLatticeEnergy, packing: Packing) -> None:
        super().__init__()
        self._model = model
        self._poses = _all_poses(packing, model)
        numbers = [self._conformer(pose).atomic_number_a for pose in self._poses]
        self._numbers = np.concatenate(numbers)
        self._first = np.cumsum([0, *(len(one) for one in numbers)])

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Any = None,
        system_changes: Any = all_changes,
    ) -> None:
        """Called by ASE."""
        super().calculate(atoms, properties, system_changes)
        structure: Any = self.atoms
        if not np.array_equal(structure.numbers, self._numbers) or not structure.pbc.all():
            raise ValueError(
                "the atoms are not those of the calculator's packing, periodic in all directions"
            )
        frame_vv, packing = self._packing(structure)
        terms, gradient = self._model.evaluate(packing)
        units = self._units(packing)
        scale = units / KJ_PER_MOL_PER_EV
        forces = [
            _atom_forces(
                self._conformer(pose),
                pose.rotation_vv(),
                -scale * gradient.centre_mv[m],
                -scale * gradient.rotation_mv[m],
            )
            for m, pose in enumerate(packing.poses)
        ]
        stress_vv = frame_vv.T @ (scale * gradient.strain_vv) @ frame_vv / structure.get_volume()
        self.results = {
            "energy": scale * terms.total,
            "forces": np.concatenate(forces) @ frame_vv,
            "stress": full_3x3_to_voigt_6_stress(stress_vv),
        }

    def _conformer(self, pose: Pose) -> Conformer:
        return self._model.conformers[pose.component, pose.conformer]

    def _units(self, packing: Packing) -> float:
        """Formula units in the cell."""
        return self._model.formula_units(packing, self._model.sites(packing))

    def _packing(self, atoms: Atoms) -> tuple[NDArray[np.float64], Packing]:
        """The rigid molecules nearest to the atoms, in the standard orientation of the cell, and the turn to it."""
        standard, frame_vv = atoms.cell.standard_form()
        position_av = atoms.positions @ frame_vv.T
        poses = []
        for pose, first, last in zip(self._poses, self._first[:-1], self._first[1:], strict=True):
            conformer = self._conformer(pose)
            weight_a = np.sqrt(conformer.mass_a / conformer.mass_amu)[:, None]
            centre_v = (weight_a**2 * position_av[first:last]).sum(axis=0)
            offset_av = position_av[first:last] - centre_v
            turn_vv, _ = superpose(weight_a * conformer.position_av, weight_a * offset_av, pose.parity < 0)
            misfit_av = conformer.position_av @ turn_vv.T - offset_av
            if np.linalg.norm(misfit_av, axis=1).max() > _DEFORMED_A:
                raise ValueError(
                    f"molecule {pose.conformer} is deformed: the calculator's molecules are rigid"
                )
            centre_c = centre_v @ np.linalg.inv(np.asarray(standard))
            poses.append(Pose.of(turn_vv, centre_c, (pose.component, pose.conformer)))
        a, b, c, alpha, beta, gamma = (float(value) for value in cell_to_cellpar(atoms.cell))
        return frame_vv, Packing("P 1", (a, b, c, alpha, beta, gamma), tuple(poses))


def _all_poses(packing: Packing, model: RigidLatticeEnergy) -> list[Pose]:
    """The molecules of the cell in the order of `Packing.to_atoms`."""
    operations = SpaceGroup.from_hall(packing.hall_symbol).operations
    return [
        placed(pose, cartesian(operations[n][0], packing.cell_cv), np.asarray(pose.translation_c))
        for pose, images in zip(packing.poses, packing.molecules(model.conformers), strict=True)
        for n in images
    ]


def _atom_forces(
    conformer: Conformer,
    matrix_vv: NDArray[np.float64],
    force_v: NDArray[np.float64],
    torque_v: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Forces on the atoms of a rigid molecule, shape (atoms, 3); about a line of atoms there is no torque."""
    arm_av = conformer.position_av @ matrix_vv.T
    mass_a = conformer.mass_a
    inertia_vv = np.einsum("a,aw,aw->", mass_a, arm_av, arm_av) * np.eye(3) - np.einsum(
        "a,av,aw->vw", mass_a, arm_av, arm_av
    )
    spin_v = np.linalg.pinv(inertia_vv, rcond=1e-9, hermitian=True) @ torque_v
    return mass_a[:, None] * (force_v / mass_a.sum() + np.cross(spin_v, arm_av))
