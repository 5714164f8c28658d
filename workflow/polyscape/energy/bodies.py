"""The rigid molecule as the lattice energy sees it: sites with types, multipoles, charges and bond axes.

Sites are the atoms in their order.  A potential may move a site along its bond towards the atom that it is bonded to
(W99rev's hydrogens): its multipoles are then expanded about the new place, exactly to the rank that they have, and its
charge is shared with that atom so that charge and dipole of the pair stay what they were.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyscape.energy.exp6 import Potential
from polyscape.molecule.model import Conformer
from polyscape.molecule.multipoles import shift_multipoles
from polyscape.units import ANGSTROM_PER_BOHR


@dataclass(frozen=True)
class Body:
    """A rigid molecule's interaction sites, in the conformer's frame.

    Attributes
    ----------
    position_av : numpy.ndarray, shape (sites, 3)
        Angstrom.
    multipole_aq : numpy.ndarray, shape (sites, 25)
        Distributed multipoles to rank 4 about the sites, e bohr^l, Stone's real order.
    charge_a : numpy.ndarray, shape (sites,)
        Charges fitted to the electrostatic potential, e.
    type_a : tuple of str
        Types of the potential.
    axis_av : numpy.ndarray, shape (sites, 3)
        Unit vector along the bond to the site where its repulsion is anisotropic, zero elsewhere.
    """

    position_av: NDArray[np.float64]
    multipole_aq: NDArray[np.float64]
    charge_a: NDArray[np.float64]
    type_a: tuple[str, ...]
    axis_av: NDArray[np.float64]


def body_of(conformer: Conformer, potential: Potential) -> Body:
    """The sites of a conformer whose atoms are typed by the potential.

    Raises
    ------
    ValueError
        When a type is unknown to the potential, or a site that has to lie on a bond has none or several.
    """
    types = conformer.potential_type_a
    kinds = [potential.type_named(name) for name in types]
    moved_a = np.array([kind.moved_A for kind in kinds])
    on_bond_a = (moved_a != 0.0) | np.array([kind.stretch_A != 0.0 for kind in kinds])
    partner_a = _partners(conformer, on_bond_a)
    bond_av = np.where(on_bond_a[:, None], conformer.position_av - conformer.position_av[partner_a], 0.0)
    length_a = np.where(on_bond_a, np.linalg.norm(bond_av, axis=1), 1.0)
    unit_av = bond_av / length_a[:, None]
    shift_av = -moved_a[:, None] * unit_av
    shared_a = conformer.charge_a * moved_a / (length_a - moved_a)
    charge_a = conformer.charge_a + shared_a
    np.subtract.at(charge_a, partner_a, shared_a)
    stretched_a = np.array([kind.stretch_A != 0.0 for kind in kinds])
    return Body(
        position_av=conformer.position_av + shift_av,
        multipole_aq=shift_multipoles(conformer.multipole_aq, shift_av / ANGSTROM_PER_BOHR),
        charge_a=charge_a,
        type_a=types,
        axis_av=np.where(stretched_a[:, None], unit_av, 0.0),
    )


def _partners(conformer: Conformer, on_bond_a: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The atom at the other end of the bond that a site lies on; the site itself where it needs no bond."""
    partner_a = np.arange(len(on_bond_a))
    for a in np.flatnonzero(on_bond_a):
        others = [sum(bond) - a for bond in conformer.bonds if a in bond]
        if len(others) != 1:
            kind = conformer.potential_type_a[a]
            raise ValueError(
                f"atom {a + 1} of {conformer.name} has {len(others)} bonds; type {kind} needs exactly one"
            )
        partner_a[a] = others[0]
    return partner_a
