"""Lattice sums against literature constants and against slow, obvious summation."""

import itertools

import numpy as np
import pytest

from polyscape.crystal.packing import Packing, Pose
from polyscape.energy.crystal_sum import crystal_energy
from polyscape.energy.potentials import load_potential
from polyscape.units import COULOMB_EV_A
from tests.builders import conformer
from tests.physics.energy_cases import CONFORMERS, PACKINGS, expand_to_p1, problem, slow_pair_sum

FCC = [(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)]
MADELUNG = {
    # name: (cations, anions, nearest distance over a, Madelung constant referred to that distance)
    "NaCl": (FCC, [(x + 0.5, y, z) for x, y, z in FCC], 0.5, 1.7475645946),
    "CsCl": ([(0, 0, 0)], [(0.5, 0.5, 0.5)], np.sqrt(3) / 2, 1.7626747731),
    "ZnS": (FCC, [(x + 0.25, y + 0.25, z + 0.25) for x, y, z in FCC], np.sqrt(3) / 4, 1.6380550534),
}
"""Crandall & Delord, Am. J. Phys. 55 (1987) 1060; Borwein, Borwein & Taylor, J. Math. Phys. 26 (1985) 2999,
https://doi.org/10.1063/1.526675; ZnS: OEIS A182566 (Sakamoto, J. Chem. Phys. 28 (1958) 164)."""

LATTICE_SUMS = {"sc": ([(0, 0, 0)], 1.0, 8.4019239746), "fcc": (FCC, np.sqrt(0.5), 14.4539210437)}
"""sum (r_nn / r)^6 over a lattice: Burrows et al., J. Math. Phys. 61 (2020) 123503, https://doi.org/10.1063/5.0021159."""


def atoms(name, charge, positions):
    """Single-atom molecules at fractional positions."""
    molecule = conformer([8], [[0.0, 0.0, 0.0]], ["O"], [charge], [], name=name)
    return {(0, name): molecule}, [
        Pose(0, name, "1", position, (1.0, 0.0, 0.0, 0.0)) for position in positions
    ]


@pytest.mark.parametrize("name", MADELUNG)
def test_madelung_constants(name):
    cations, anions, nearest, constant = MADELUNG[name]
    a = 5.0
    first, first_poses = atoms("cation", 1.0, cations)
    second, second_poses = atoms("anion", -1.0, anions)
    packing = Packing("P 1", (a, a, a, 90.0, 90.0, 90.0), tuple(first_poses + second_poses))
    sites, sums, pose = problem(packing, first | second, decades=11.0)
    energy_t, _, _ = crystal_energy(sites, sums, pose)
    found = -energy_t[0] / len(cations) * nearest * a / COULOMB_EV_A
    assert found == pytest.approx(constant, abs=1e-8)  # terms beyond both cutoffs are 1e-11


@pytest.mark.parametrize("name", LATTICE_SUMS)
def test_sums_of_r_to_the_minus_6(name):
    positions, nearest, constant = LATTICE_SUMS[name]
    a = 4.0
    conformers, poses = atoms("atom", 0.0, positions)
    packing = Packing("P 1", (a, a, a, 90.0, 90.0, 90.0), tuple(poses))
    sites, sums, pose = problem(packing, conformers, decades=11.0)
    energy_t, _, _ = crystal_energy(sites, sums, pose)
    c6 = load_potential("fit").types["O"].C6_eV_A6
    found = -2.0 * energy_t[2] / len(positions) / c6 * (nearest * a) ** 6
    assert found == pytest.approx(constant, abs=1e-8)  # as above


@pytest.mark.parametrize("name", ["monoclinic", "cubic, linear molecule"])
def test_repulsion_and_dispersion_against_slow_summation(name):
    packing = PACKINGS[name]
    sites, sums, pose = problem(packing)
    energy_t, _, closest = crystal_energy(sites, sums, pose)
    assert closest == 1.0

    def repulsion(i, j, r):
        return sites.prefactor_aa[i, j] * np.exp(-sites.decay_aa[i, j] * r)

    def dispersion(i, j, r):
        return -sites.dispersion_a[i] * sites.dispersion_a[j] / r**6

    slow = slow_pair_sum(packing, CONFORMERS, repulsion, 12.0)
    assert energy_t[1] == pytest.approx(slow, rel=1e-9)  # repulsion beyond 10 A is below 1e-12 eV
    # the tail beyond R is an integral over a uniform crystal: -(2 pi / 3) (sum sqrt C6)^2 per volume / R^3
    cutoff = 30.0
    density = len(sites.operation_scc) / packing.volume_A3
    tail = -2.0 * np.pi / 3.0 * density * np.sum(sites.dispersion_a) ** 2 / cutoff**3
    slow = slow_pair_sum(packing, CONFORMERS, dispersion, cutoff) + tail
    assert energy_t[2] == pytest.approx(slow, rel=1e-5)  # shells of atoms at 30 A are not quite a continuum


def test_charges_of_neutral_molecules_against_slow_summation():
    # molecules without dipole (inversion centre) are summed whole: terms fall as r^-5
    packing = PACKINGS["cubic, linear molecule"]
    sites, sums, pose = problem(packing)
    energy_t, _, _ = crystal_energy(sites, sums, pose)
    assert energy_t[0] == pytest.approx(
        _by_whole_molecules(packing, sites, 40.0), abs=2e-6
    )  # 40^-2 of a r^-5 sum


def _by_whole_molecules(packing, sites, cutoff):
    """Coulomb energy of whole molecules whose centres lie within a cutoff, per molecule."""
    cell_cv = packing.cell_cv
    body_av = CONFORMERS[0, packing.poses[0].conformer].position_av
    expanded = expand_to_p1(packing).poses
    offsets = [body_av @ p.rotation_vv().T for p in expanded]
    centres = [np.array(p.translation_c) @ cell_cv for p in expanded]
    count = int(np.ceil(cutoff / packing.cell[0])) + 1
    block = np.array(list(itertools.product(range(-count, count + 1), repeat=3))) @ cell_cv
    total = 0.0
    for offset_av, centre_v in zip(offsets, centres, strict=True):
        shift_nv = centre_v - centres[0] + block
        distance = np.linalg.norm(shift_nv, axis=1)
        shift_nv = shift_nv[(distance < cutoff) & (distance > 1e-6)]
        for i, x_v in enumerate(offsets[0]):
            for j, y_v in enumerate(offset_av):
                r = np.linalg.norm(shift_nv + y_v - x_v, axis=1)
                total += 0.5 * sites.charge_a[i] * sites.charge_a[j] * np.sum(1.0 / r)
    return total
