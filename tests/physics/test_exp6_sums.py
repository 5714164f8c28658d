"""Sums of r^-6 against literature constants; the wall inside of contacts; the strains that symmetry leaves free."""

import numpy as np
import pytest

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Packing, Pose
from polyscape.energy.coordinates import strain_basis
from polyscape.energy.potentials import load_potential
from tests.builders import conformer
from tests.physics.multipole_cases import CONFORMERS, PACKINGS, Case, ewald, mask
from tests.physics.test_multipole_gradients import check

FCC = [(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)]
LATTICE_SUMS = {"sc": ([(0, 0, 0)], 1.0, 8.4019239746), "fcc": (FCC, np.sqrt(0.5), 14.4539210437)}
"""sum (r_nn / r)^6 over a lattice: Burrows et al., J. Math. Phys. 61 (2020) 123503, https://doi.org/10.1063/5.0021159."""


@pytest.mark.parametrize("name", LATTICE_SUMS)
def test_sums_of_r_to_the_minus_6(name):
    positions, nearest, constant = LATTICE_SUMS[name]
    a = 4.0
    oxygen = conformer([8], [[0.0, 0.0, 0.0]], ["O"], [0.0], [], name="atom")
    poses = tuple(Pose(0, "atom", "1", position, (1.0, 0.0, 0.0, 0.0)) for position in positions)
    packing = Packing("P 1", (a, a, a, 90.0, 90.0, 90.0), poses)
    case = Case(packing, {(0, "atom"): oxygen}, ewald(mask(), decades=11.0))
    c6 = load_potential("fit").types["O"].C6_eV_A6
    found = -2.0 * case.terms()[2] / len(positions) / c6 * (nearest * a) ** 6
    assert found == pytest.approx(constant, abs=1e-8)  # terms beyond both cutoffs are 1e-11


def test_inside_the_wall():
    case = Case(PACKINGS["P1, Z' = 2, one mirrored"], CONFORMERS, ewald(mask()))
    outside = case.terms()[2]
    walled = Case(case.packing, CONFORMERS, case.splitting)
    walled.__dict__["sites"] = case.sites._replace(wall_aa=case.sites.wall_aa + 2.5)  # beyond some contacts
    assert walled.terms()[2] > outside + 1e-3  # the wall takes attraction away
    check(walled, floor=1e-5)


@pytest.mark.parametrize(
    ("hall", "cell", "strains"),
    [
        ("P 1", (5.0, 6.0, 7.0, 80.0, 95.0, 100.0), 6),
        ("-P 2ybc", (5.0, 6.0, 7.0, 90.0, 105.0, 90.0), 4),
        ("-P 2ac 2ab", (5.0, 6.0, 7.0, 90.0, 90.0, 90.0), 3),
        ("-P 4", (5.0, 5.0, 7.0, 90.0, 90.0, 90.0), 2),
        ("-R 3", (5.0, 5.0, 7.0, 90.0, 90.0, 120.0), 2),
        ("P 2ac 2ab 3", (5.0, 5.0, 5.0, 90.0, 90.0, 90.0), 1),
    ],
)
def test_symmetric_strains(hall, cell, strains):
    operation_scc = np.array([rotation for rotation, _ in SpaceGroup.from_hall(hall).operations])
    cell_cv = Packing(hall, cell, ()).cell_cv
    basis = strain_basis(operation_scc, cell_cv)
    assert len(basis) == strains
    np.testing.assert_allclose(np.einsum("kvw,lvw->kl", basis, basis), np.eye(strains), atol=1e-12)
    if strains == 1:
        np.testing.assert_allclose(basis[0], np.eye(3) / np.sqrt(3), atol=1e-12)
    for strain_vv in basis:
        strained_cv = cell_cv @ (np.eye(3) + 0.01 * strain_vv)
        metric = strained_cv @ strained_cv.T
        for rotation_cc in operation_scc:
            np.testing.assert_allclose(rotation_cc.T @ metric @ rotation_cc, metric, atol=1e-10)
