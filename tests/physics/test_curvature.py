"""The Hessian by symmetry against one that differences every variable; ways down from saddles keep what they promise."""

from dataclasses import replace

import numpy as np
import pytest

from polyscape.crystal.groups import SpaceGroup
from polyscape.energy.curvature import SADDLE_EV_PER_A2, _difference, below_saddle, curvature_at
from polyscape.energy.model import build_model
from polyscape.energy.rigid import RigidMinimiser
from polyscape.settings.search import EnergySettings, MinimiserSettings
from tests.builders import conformers, oxalic_packing, with_multipoles


def mild(molecule):
    """Multipoles too small to let hydrogen bonds collapse."""
    full = with_multipoles(molecule, 1)
    scale_q = np.where(np.arange(25) == 0, 1.0, 0.15)
    return replace(full, multipole_aq=scale_q * full.multipole_aq)


RIGID = {key: mild(molecule) for key, molecule in conformers().items()}


@pytest.fixture(scope="module")
def relaxed():
    """A stationary point of oxalic acid in P2_1/c, which may be a saddle in a subgroup."""
    minimiser = RigidMinimiser(build_model(RIGID, EnergySettings()), MinimiserSettings(leave_saddles="never"))
    return minimiser, minimiser.minimise(oxalic_packing())


def test_symmetry_gives_the_columns_that_are_not_differenced(relaxed):
    minimiser, end = relaxed
    found = curvature_at(minimiser.energy, end.packing)
    sites, sums, pose = found.problem
    all_xx = np.array(
        [_difference(sites, sums, pose, found.chart, x) for x in range(len(found.hessian_xx))]
    ).T
    # what is left of the gradient makes turns about different axes differ in the order of the steps
    np.testing.assert_allclose(found.hessian_xx, 0.5 * (all_xx + all_xx.T), atol=1e-3)
    assert np.abs(found.hessian_xx).max() > 1.0


def test_the_crystal_as_a_whole_moves_for_nothing(relaxed):
    minimiser, end = relaxed
    found = curvature_at(minimiser.energy, end.packing)
    molecules = len(found.whole.poses)
    for v in range(3):
        shift_x = np.zeros(len(found.hessian_xx))
        shift_x[6 + v :: 6] = 1.0 / np.sqrt(molecules)
        assert np.abs(found.hessian_xx @ shift_x).max() < 1e-3  # as above


def test_operations_leave_the_hessian_as_it_is(relaxed):
    minimiser, end = relaxed
    found = curvature_at(minimiser.energy, end.packing)
    for action_xx in found.action_txx:
        np.testing.assert_allclose(action_xx @ action_xx.T, np.eye(len(action_xx)), atol=1e-10)
        np.testing.assert_allclose(action_xx @ found.hessian_xx @ action_xx.T, found.hessian_xx, atol=1e-3)


def test_saddles_are_left_for_lower_minima_of_subgroups(relaxed):
    minimiser, _ = relaxed
    left = 0
    for hall in ("-P 2ac 2ab", "P 2c -2n", "-C 2yc"):
        start = replace(oxalic_packing(), hall_symbol=hall, cell=(13.0, 9.0, 9.0, 90.0, 90.0, 90.0))
        end = minimiser.minimise(start)
        lower = minimiser.leave_saddle(end)
        assert curvature_at(minimiser.energy, lower.packing).lowest() > SADDLE_EV_PER_A2
        if lower is not end:
            left += 1
            assert lower.terms.total < end.terms.total
            group, parent = (SpaceGroup.from_hall(e.packing.hall_symbol) for e in (lower, end))
            assert len(group.operations) < len(parent.operations)
    assert left > 0  # not vacuous


def test_points_below_a_saddle_are_below_it(relaxed):
    minimiser, end = relaxed
    curvature = curvature_at(minimiser.energy, end.packing)
    for packing in below_saddle(minimiser.energy, end.packing, curvature):
        terms, _ = minimiser.energy.evaluate(packing)
        assert terms.total < end.terms.total
