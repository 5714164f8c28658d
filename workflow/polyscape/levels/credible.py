"""Whether a lattice energy can be believed, whatever program made it: against that of the level below.

Two levels of theory, or a level and the force field, describe one packing of the same molecules.  Whatever they leave out
or get wrong, their lattice energies per formula unit of n atoms differ by at most

    |E - E_below| <= 100 kJ/mol + 10 kJ/mol n + |E_below| / 4.

- 10 kJ/mol an atom is what a level may lack: dispersion, 6 kJ/mol an atom in naphthalene (110 for 18 atoms) and 8 in CO2.
- 100 kJ/mol is for what does not grow with the molecule: hydrogen bonds and conformers that one of them misjudges (each
  some tens), a proton that moves in a relaxation, heavy atoms, of which iodine has 30 of dispersion.
- A quarter of the energy is for salts, whose hundreds of kJ/mol are electrostatic: fixed charges miss a tenth of them.

A failed calculation is wrong by electronvolts a cell, 1 eV being 96 kJ/mol.  The bound is not for small errors: what is
within it is data, however unusual, and to be learned.
"""

from typing import Final

_ANYHOW_KJ_PER_MOL: Final = 100.0
_ATOM_KJ_PER_MOL: Final = 10.0
_SHARE: Final = 0.25


def largest_difference_kJ_per_mol(below_kJ_per_mol: float, atoms: int) -> float:
    """The most that a lattice energy may differ from that of the level below, per formula unit.

    Parameters
    ----------
    below_kJ_per_mol : float
        Lattice energy of the level below.
    atoms : int
        Atoms of a formula unit.
    """
    return _ANYHOW_KJ_PER_MOL + _ATOM_KJ_PER_MOL * atoms + _SHARE * abs(below_kJ_per_mol)


def problem_with_lattice_energy(
    energy_kJ_per_mol: float, below_kJ_per_mol: float, below: str, atoms: int
) -> str | None:
    """What is incredible about a lattice energy; None if nothing is.

    Parameters
    ----------
    energy_kJ_per_mol, below_kJ_per_mol : float
        Lattice energies per formula unit, of the level and of the one below.
    below : str
        Name of the level below.
    atoms : int
        Atoms of a formula unit.
    """
    difference = energy_kJ_per_mol - below_kJ_per_mol
    if abs(difference) <= (most := largest_difference_kJ_per_mol(below_kJ_per_mol, atoms)):
        return None
    return (
        f"lattice energy of {energy_kJ_per_mol:.0f} kJ/mol is {abs(difference):.0f} "
        f"{'above' if difference > 0 else 'below'} that of {below} ({below_kJ_per_mol:.0f}), more than {most:.0f}: "
        "one of them is wrong"
    )
