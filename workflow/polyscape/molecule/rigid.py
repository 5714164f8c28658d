"""A rigid molecule from atoms or sites anywhere in space."""

from dataclasses import dataclass

import numpy as np
from ase.data import atomic_masses
from numpy.typing import NDArray

from polyscape.molecule.frame import principal_frame
from polyscape.molecule.model import Conformer
from polyscape.molecule.multipoles import rotate_multipoles
from polyscape.molecule.read import bonds_by_distance
from polyscape.molecule.symmetry import superpose


@dataclass(frozen=True)
class RigidMolecule:
    """A molecule in its own frame and the way back, ``r = matrix_vv @ x + centre_v``.

    Attributes
    ----------
    conformer : Conformer
        In its principal frame, component 0, without types.
    matrix_vv : numpy.ndarray, shape (3, 3)
        Proper rotation from its frame to where it was.
    centre_v : numpy.ndarray, shape (3,)
        Its centre of mass there, Angstrom.
    """

    conformer: Conformer
    matrix_vv: NDArray[np.float64]
    centre_v: NDArray[np.float64]


def rigid_molecule(
    atomic_number_a: NDArray[np.int64],
    position_av: NDArray[np.float64],
    multipole_aq: NDArray[np.float64],
    charge_a: NDArray[np.float64],
) -> RigidMolecule:
    """A molecule in its principal frame, multipoles turned along.

    Parameters
    ----------
    atomic_number_a : numpy.ndarray, shape (atoms,)
        Atomic numbers.
    position_av : numpy.ndarray, shape (atoms, 3)
        Angstrom.
    multipole_aq : numpy.ndarray, shape (atoms, 25)
        e bohr^l, in the axes of the positions.
    charge_a : numpy.ndarray, shape (atoms,)
        Charges fitted to the potential, e; zero where there are none.
    """
    mass_a = atomic_masses[atomic_number_a]
    centre_v = mass_a @ position_av / mass_a.sum()
    centred_av = position_av - centre_v
    turn_vv = np.eye(3)
    if len(position_av) > 1:
        turn_vv, _ = superpose(centred_av, principal_frame(position_av, mass_a))
    conformer = Conformer(
        component=0,
        name="rigid",
        atomic_number_a=np.asarray(atomic_number_a),
        position_av=centred_av @ turn_vv.T,
        mass_a=mass_a,
        potential_type_a=("",) * len(mass_a),
        charge_a=charge_a,
        multipole_aq=rotate_multipoles(multipole_aq, turn_vv),
        bonds=tuple(bonds_by_distance(atomic_number_a, centred_av)),
    )
    return RigidMolecule(conformer, turn_vv.T, centre_v)
