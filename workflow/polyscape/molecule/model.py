"""The molecule as the crystal stages see it: rigid sites with types, charges and multipoles."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Conformer:
    """A rigid molecule in its own frame: centre of mass at the origin, principal axes along x, y, z.

    Attributes
    ----------
    component : int
        Index of the component in the config.
    name : str
        Name of the conformer.
    atomic_number_a : numpy.ndarray, shape (atoms,)
        Atomic numbers.
    position_av : numpy.ndarray, shape (atoms, 3)
        Positions in Angstrom.
    mass_a : numpy.ndarray, shape (atoms,)
        Masses in amu.
    potential_type_a : tuple of str
        Atom types of the potential.
    charge_a : numpy.ndarray, shape (atoms,)
        Charges fitted to the electrostatic potential, in e.
    multipole_aq : numpy.ndarray, shape (atoms, 25)
        Distributed multipoles to rank 4 in e bohr^l, Stone's real order.
    bonds : tuple of (int, int)
        Bonded pairs of atoms.
    intramolecular_kJ_per_mol : float
        Energy above the component's lowest conformer.
    stoichiometry : int
        Molecules of this component per formula unit.
    chiral : bool
        Whether the molecule is chiral by configuration: its mirror image is another substance.
    """

    component: int
    name: str
    atomic_number_a: NDArray[np.int64]
    position_av: NDArray[np.float64]
    mass_a: NDArray[np.float64]
    potential_type_a: tuple[str, ...]
    charge_a: NDArray[np.float64]
    multipole_aq: NDArray[np.float64]
    bonds: tuple[tuple[int, int], ...]
    intramolecular_kJ_per_mol: float = 0.0
    stoichiometry: int = 1
    chiral: bool = False

    def __post_init__(self) -> None:
        """Refuse arrays whose shapes disagree."""
        atoms = len(self.atomic_number_a)
        shapes = {
            "position_av": (self.position_av.shape, (atoms, 3)),
            "mass_a": (self.mass_a.shape, (atoms,)),
            "charge_a": (self.charge_a.shape, (atoms,)),
            "multipole_aq": (self.multipole_aq.shape, (atoms, 25)),
            "potential_type_a": ((len(self.potential_type_a),), (atoms,)),
        }
        for name, (found, wanted) in shapes.items():
            if found != wanted:
                raise ValueError(f"{name} has shape {found}, not {wanted}")

    @property
    def mass_amu(self) -> float:
        """Mass of the molecule."""
        return float(self.mass_a.sum())
