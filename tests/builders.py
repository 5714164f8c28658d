"""Small real molecules and crystals for tests, built from bond lengths and angles; no stage needs to run first."""

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from polyscape.crystal.packing import Packing, Pose
from polyscape.molecule.model import Conformer
from polyscape.molecule.multipoles import solid_harmonics

_MASS = {1: 1.008, 6: 12.011, 7: 14.007, 8: 15.999, 17: 35.453}


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


_SIZES = (0.0, 0.5, 0.9, 0.8, 1.5)
"""Usual sizes of atomic multipoles of ranks 0 to 4 (HF/6-31G*), e bohr^l; the charges are kept."""


def with_multipoles(molecule, seed):
    """The conformer with random multipoles to rank 4 of realistic size, which have none of its symmetry."""
    size_q = np.repeat(_SIZES, [2 * rank + 1 for rank in range(5)])
    noise_aq = np.random.default_rng(seed).uniform(-1.0, 1.0, (len(molecule.mass_a), 25))
    multipole_aq = size_q * noise_aq
    multipole_aq[:, 0] = molecule.charge_a
    return replace(molecule, multipole_aq=multipole_aq)


def with_centric_multipoles(molecule, seed):
    """The same for a molecule with an inversion centre at its origin, which the multipoles share."""
    distance_aa = np.linalg.norm(molecule.position_av[:, None] + molecule.position_av, axis=2)
    parity_q = np.repeat([1.0, -1.0, 1.0, -1.0, 1.0], [2 * rank + 1 for rank in range(5)])
    random_aq = with_multipoles(molecule, seed).multipole_aq
    image_aq = parity_q * random_aq[distance_aa.argmin(axis=1)]
    return replace(molecule, multipole_aq=0.5 * (random_aq + image_aq))


def with_axial_multipoles(molecule, seed):
    """The same for a linear molecule along x: only the components with m = 0 about x, R_q(x) times a size."""
    size_aq = with_multipoles(replace(molecule, charge_a=np.ones(len(molecule.mass_a))), seed)
    size_al = size_aq.multipole_aq[:, [0, 1, 4, 9, 16]]
    size_al[:, 0] = molecule.charge_a
    along_q = solid_harmonics(np.array([[1.0, 0.0, 0.0]]))[0]
    return replace(molecule, multipole_aq=np.repeat(size_al, [1, 3, 5, 7, 9], axis=1) * along_q)


def formamide():
    """Formamide (planar, polar): C=O 1.22, C-N 1.35, N-H 1.01, C-H 1.10 A; charges of the usual size."""
    atoms = [
        (6, (0.000, 0.000, 0.0), "C", 0.69),
        (8, (1.025, 0.660, 0.0), "O", -0.59),
        (7, (-1.200, 0.617, 0.0), "N", -0.97),
        (1, (-0.050, -1.099, 0.0), "H_c", 0.02),
        (1, (-1.220, 1.627, 0.0), "H_p", 0.43),
        (1, (-2.060, 0.090, 0.0), "H_p", 0.42),
    ]
    numbers, positions, types, charges = zip(*atoms, strict=True)
    bonds = [(0, 1), (0, 2), (0, 3), (2, 4), (2, 5)]
    return conformer(numbers, positions, types, charges, bonds, name="formamide")


def formyl_chloride():
    """Formyl chloride (planar): C=O 1.18, C-Cl 1.77, C-H 1.10 A; charges of the usual size."""
    atoms = [
        (6, (0.000, 0.000, 0.0), "C", 0.40),
        (8, (0.340, 1.130, 0.0), "O", -0.40),
        (17, (1.320, -1.180, 0.0), "Cl", -0.12),
        (1, (-1.060, -0.290, 0.0), "H_c", 0.12),
    ]
    numbers, positions, types, charges = zip(*atoms, strict=True)
    return conformer(numbers, positions, types, charges, [(0, 1), (0, 2), (0, 3)], name="chloride")


def linear_triatomic():
    """CO2, along x, 1.16 A; charges of the usual size."""
    positions = [[0.0, 0.0, 0.0], [1.16, 0.0, 0.0], [-1.16, 0.0, 0.0]]
    return conformer(
        [6, 8, 8], positions, ["C", "O", "O"], [0.7, -0.35, -0.35], [(0, 1), (0, 2)], name="linear"
    )


def multipole_conformers():
    """Conformers with multipoles to rank 4: without symmetry, with an inversion centre, axial."""
    return {
        (0, "ttt"): with_multipoles(oxalic_acid(), 1),
        (0, "centric"): with_centric_multipoles(replace(oxalic_acid(), name="centric"), 2),
        (0, "formamide"): with_multipoles(formamide(), 3),
        (0, "linear"): with_axial_multipoles(linear_triatomic(), 4),
        (0, "chloride"): with_multipoles(formyl_chloride(), 5),
    }


def _pose(name, centre, angles, parity=1, site="1"):
    """A pose turned by angles about x, y, z in degrees."""
    x, y, z, w = Rotation.from_euler("xyz", angles, degrees=True).as_quat()
    return Pose(0, name, site, centre, (w, x, y, z), parity)


def multipole_packings():
    """Crystals of `multipole_conformers` off symmetry, without close contacts: groups, Z', parities, kinds of molecule."""
    formamide_a = _pose("formamide", (0.21, 0.17, 0.08), (25, -40, 70))
    formamide_b = _pose("formamide", (0.69, 0.63, 0.56), (-60, 15, 160), parity=-1)
    return {
        "P1, Z' = 2, one mirrored": Packing(
            "P 1", (5.6, 6.9, 5.9, 83.0, 98.0, 104.0), (formamide_a, formamide_b)
        ),
        "P2_1/c": oxalic_packing(),
        "P2_1/c, Z' = 2": Packing(
            "-P 2ybc",
            (7.4, 9.1, 9.6, 90.0, 97.0, 90.0),
            (
                _pose("formamide", (0.19, 0.14, 0.11), (25, -40, 70)),
                _pose("formamide", (0.72, 0.11, 0.32), (-60, 15, 160), parity=-1),
            ),
        ),
        "Pna2_1, mirrored": Packing(
            "P 2c -2n",
            (9.6, 6.1, 6.4, 90.0, 90.0, 90.0),
            (_pose("formamide", (0.13, 0.21, 0.4), (70, 20, -15), parity=-1),),
        ),
        "R-3": Packing(
            "-R 3",
            (16.0, 16.0, 8.1, 90.0, 90.0, 120.0),
            (_pose("ttt", (0.21, 0.05, 0.37), (15, 62, -24)),),
        ),
        "P2_13, linear molecule": Packing(
            "P 2ac 2ab 3",
            (9.3, 9.3, 9.3, 90.0, 90.0, 90.0),
            (_pose("linear", (0.12, 0.31, 0.07), (35, 12, -64)),),
        ),
    }


def chlorine_packing():
    """Formyl chloride in P2_12_12_1, Z' = 1, mirrored, with chlorine contacts of the usual length."""
    pose = _pose("chloride", (0.86, 0.7, 0.29), (-9, -80, 96), parity=-1)
    return Packing("P 2ac 2ab", (5.8, 6.4, 7.7, 90.0, 90.0, 90.0), (pose,))


def special_packings():
    """Centric molecules on inversion centres of P2_1/c, alone and beside a molecule on a general position."""
    centric = _pose("centric", (0.0, 0.5, 0.0), (30, -20, 45), site="-1")
    general = _pose("formamide", (0.32, 0.18, 0.27), (70, 20, -15))
    return {
        "P2_1/c, Z' = 1/2": Packing("-P 2ybc", (5.7, 7.6, 6.2, 90.0, 104.0, 90.0), (centric,)),
        "P2_1/c, Z' = 1/2 + 1": Packing("-P 2ybc", (8.1, 8.6, 9.0, 90.0, 104.0, 90.0), (centric, general)),
    }
