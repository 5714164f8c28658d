"""Small real molecules and crystals for tests, built from bond lengths and angles; no stage needs to run first."""

import numpy as np

from polyscape.crystal.packing import Packing, Pose
from polyscape.molecule.model import Conformer

_MASS = {1: 1.008, 6: 12.011, 7: 14.007, 8: 15.999}


def conformer(numbers, positions, types, charges, bonds, name="rigid"):
    """A conformer in its principal frame with charges only."""
    mass_a = np.array([_MASS[number] for number in numbers])
    position_av = np.asarray(positions, float)
    position_av = position_av - mass_a @ position_av / mass_a.sum()
    inertia_vv = np.einsum("a,av,aw->vw", mass_a, position_av, position_av)
    _, axes = np.linalg.eigh(inertia_vv)
    axes = axes[:, ::-1]
    if np.linalg.det(axes) < 0:
        axes[:, 2] *= -1
    charge_a = np.asarray(charges, float)
    multipole_aq = np.zeros((len(numbers), 25))
    multipole_aq[:, 0] = charge_a
    return Conformer(
        component=0,
        name=name,
        atomic_number_a=np.asarray(numbers),
        position_av=position_av @ axes,
        mass_a=mass_a,
        potential_type_a=tuple(types),
        charge_a=charge_a,
        multipole_aq=multipole_aq,
        bonds=tuple(bonds),
    )


def oxalic_acid():
    """tTt oxalic acid (planar, C2h): C-C 1.54, C=O 1.20, C-O 1.34, O-H 0.97 A; charges of the usual size."""
    half = [
        (6, (0.770, 0.000, 0.0), "C", 0.72),
        (8, (1.392, 1.026, 0.0), "O", -0.55),
        (8, (1.326, -1.219, 0.0), "O", -0.59),
        (1, (2.291, -1.124, 0.0), "H_p", 0.42),
    ]
    atoms = half + [(number, (-x, -y, z), kind, charge) for number, (x, y, z), kind, charge in half]
    bonds = [(0, 1), (0, 2), (2, 3), (4, 5), (4, 6), (6, 7), (0, 4)]
    numbers, positions, types, charges = zip(*atoms, strict=True)
    return conformer(numbers, positions, types, charges, bonds, name="ttt")


def conformers():
    """The conformers of a campaign on oxalic acid."""
    return {(0, "ttt"): oxalic_acid()}


def oxalic_packing():
    """An unspecial P2_1/c packing of oxalic acid with no close contacts."""
    pose = Pose(0, "ttt", "1", (0.27, 0.31, 0.22), (0.8, 0.3, -0.4, np.sqrt(1 - 0.89)), 1)
    return Packing("-P 2ybc", (8.1, 7.6, 7.9, 90.0, 104.0, 90.0), (pose,))
