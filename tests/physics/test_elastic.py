"""Elastic constants: the Hessian's against energies of strained crystals whose molecules are relaxed at fixed cells."""

import numpy as np
import pytest

from polyscape.energy.coordinates import Chart, chart_at
from polyscape.energy.curvature import VOIGT, curvature_at, elastic_constants_GPa
from polyscape.energy.descent import CONVERGED, Limits, descend
from polyscape.energy.dmacrys.case import read_case
from polyscape.energy.model import FINE_DECADES, RigidLatticeEnergy
from polyscape.energy.potentials import load_potential
from polyscape.energy.rigid import RigidMinimiser
from polyscape.energy.splitting import CHARGES, Splitting
from polyscape.settings.search import MinimiserSettings
from polyscape.units import GPA_PER_EV_PER_A3
from tests.builders import conformers, oxalic_packing

SETTINGS = MinimiserSettings(gradient_tolerance_kJ_per_mol_A=1e-5)
"""Strained energies differ by 1e-5 eV; molecules must be relaxed to far less."""

STRAIN = 2e-3
"""Fourth-order terms are (strain / 0.1)^2 of the constants, 0.04 %; the energy's noise of 1e-9 eV is 1e-5 of the
differences."""

PAIRS = [(i, i) for i in range(6)] + [(0, 1), (0, 2), (1, 2), (0, 4), (2, 4), (3, 5)]


def relaxed_energy(model, packing, strain_vv):
    """Energy in eV per cell of the strained crystal, whose molecules move and turn while the cell stays."""
    sites, sums, pose = model.prepare(packing)
    chart = chart_at(sites, pose, packing, model.conformers)
    inner = Chart(*(part[6:] for part in chart))  # the first six are the strains, all free in P 1
    strained = pose._replace(cell_cv=np.ascontiguousarray(pose.cell_cv @ (np.eye(3) + strain_vv)))
    limits = Limits(1000, 1e-7, 0.5, 1e-10, np.inf)
    here, _, _, end = descend((sites, sums, inner), strained, np.eye(len(inner.strain_kvv)), limits, True)
    assert end == CONVERGED
    return float(np.sum(here[1]))


def voigt_strain(components):
    """The strain tensor of {index: value} in Voigt's order; shears are engineering shears."""
    strain_vv = np.zeros((3, 3))
    for index, value in components:
        a, b = VOIGT[index]
        strain_vv[a, b] += 0.5 * value
        strain_vv[b, a] += 0.5 * value
    return strain_vv


def second_derivative(energy, i, j):
    """Central difference of the energy by two strains, eV."""
    if i == j:
        ends = energy(voigt_strain([(i, STRAIN)])) + energy(voigt_strain([(i, -STRAIN)]))
        return (ends - 2.0 * energy(np.zeros((3, 3)))) / STRAIN**2
    total = sum(
        a * b * energy(voigt_strain([(i, a * STRAIN), (j, b * STRAIN)]))
        for a in (1.0, -1.0)
        for b in (1.0, -1.0)
    )
    return total / (4.0 * STRAIN**2)


def check(model, packing):
    """Both ways to the elastic constants of the minimum below a crystal."""
    end = RigidMinimiser(model, SETTINGS).minimise(packing, from_trial=False)
    assert end.status == "ok"
    curvature = curvature_at(model, end.packing)
    assert curvature.lowest() > -1e-3  # a minimum; the three shifts of the whole crystal are zero to 1e-4
    stiffness_GPa = elastic_constants_GPa(curvature)
    np.testing.assert_allclose(stiffness_GPa, stiffness_GPa.T, atol=1e-10)
    whole = curvature.whole
    for i, j in PAIRS:
        slow = second_derivative(lambda strain_vv: relaxed_energy(model, whole, strain_vv), i, j)
        slow *= GPA_PER_EV_PER_A3 / whole.volume_A3
        # both differences leave (2e-3)^2 times the next order; halving or doubling the steps moves urea's by 0.01 GPa
        assert stiffness_GPa[i, j] == pytest.approx(slow, abs=1e-3 * stiffness_GPa.max()), (i, j)
    return stiffness_GPa


def test_oxalic_acid():
    model = RigidLatticeEnergy(
        conformers(), load_potential("fit"), Splitting.full(10.0, FINE_DECADES, CHARGES)
    )
    trial = RigidMinimiser(model, SETTINGS).minimise(oxalic_packing()).packing
    stiffness_GPa = check(model, trial)
    forbidden = [stiffness_GPa[i, j] for i in (0, 1, 2, 4) for j in (3, 5)]  # by the twofold axis along y
    np.testing.assert_allclose(forbidden, 0.0, atol=1e-3 * stiffness_GPa.max())


def test_urea(reference):
    """Ewald's sums: the curvature of a cubic spline jumps at its ends, so that constants depend on the step."""
    case = read_case(reference("dmacrys") / "UREAXX22.json")
    model = RigidLatticeEnergy(case.conformers, case.potential, Splitting.full(10.0, FINE_DECADES))
    check(model, case.packing)
