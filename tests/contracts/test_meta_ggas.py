"""Meta-GGAs in plane waves: the evaluation of libxc's, where self-consistency starts, symmetry, forces."""

import numpy as np
import pytest

from polyscape.levels.registry import backend
from polyscape.status import Status
from tests.contracts.test_gpaw import energies, ladder, screw

__all__ = ["screw"]  # the fixture: HCN twice in P2_1

pytestmark = pytest.mark.dft

GAMMA = {"k_spacing_per_A": 10.0}
R2SCAN = "MGGA_X_R2SCAN+MGGA_C_R2SCAN"


def evaluated(kernel, n, sigma, tau):
    """Energy density and its derivatives by n, sigma, tau, of a kernel of GPAW's without spin."""
    inputs = [np.ascontiguousarray(values.reshape(1, -1, 1, 1)) for values in (n, sigma, tau)]
    e, by_n, by_sigma, by_tau = np.zeros_like(inputs[0][0]), *np.zeros((3, *inputs[0].shape))
    kernel.calculate(e, inputs[0], by_n, inputs[1], by_sigma, inputs[2], by_tau)
    return np.array([values.ravel() for values in (e, by_n, by_sigma, by_tau)])


@pytest.fixture(scope="module")
def densities():
    """Densities, squared gradients and kinetic energy densities; a part beyond the bound of all-electron ones."""
    generator = np.random.default_rng(5)
    n = 10 ** generator.uniform(-2, 0.5, 400)
    sigma = n ** (8 / 3) * 10 ** generator.uniform(-1, 2, 400)
    tau = n ** (5 / 3) * 10 ** generator.uniform(-0.5, 1, 400)
    assert 0.1 < (sigma > 8 * n * tau).mean() < 0.6
    return n, sigma, tau


def test_tpss_of_libxc_is_gpaws_own_where_densities_are_physical(densities):
    """Beyond the bound GPAW's own bends; what is added there is taken away again in the spheres around the nuclei."""
    from gpaw.xc.kernel import XCKernel

    from polyscape.levels.gpaw.meta_gga import LibxcMetaGga

    n, sigma, tau = densities
    inside = sigma < 8 * n * tau
    physical = [values[inside] for values in densities]
    own = evaluated(XCKernel("TPSS"), *physical)
    assert np.allclose(evaluated(LibxcMetaGga("MGGA_X_TPSS+MGGA_C_TPSS"), *physical), own, rtol=1e-5, atol=0)


def test_libxc_leaves_its_bound_out(densities):
    from polyscape.levels.gpaw.meta_gga import LibxcMetaGga

    n, sigma, tau = densities
    bounded = evaluated(LibxcMetaGga(R2SCAN), n, np.minimum(sigma, 8 * n * tau), tau)
    free = evaluated(LibxcMetaGga(R2SCAN), *densities)
    changed = ~np.isclose(bounded[0], free[0], rtol=1e-9, atol=0)
    assert (changed == (sigma > 8 * n * tau)).mean() > 0.95


def test_derivatives_of_r2scan_are_those_of_its_energy_on_both_sides_of_the_bound(densities):
    from polyscape.levels.gpaw.meta_gga import LibxcMetaGga

    kernel = LibxcMetaGga(R2SCAN)
    slopes = evaluated(kernel, *densities)[1:]
    for index, slope in enumerate(slopes):
        ends = []
        for step in (1e-5, -1e-5):
            moved = [values * (1 + step * (index == k)) for k, values in enumerate(densities)]
            ends.append(evaluated(kernel, *moved)[0])
        found = (ends[0] - ends[1]) / (2e-5 * densities[index])
        # of second order in the step, but for a kink of the functional's switch
        assert np.median(np.abs(found - slope) / np.abs(slope)) < 1e-6
        assert np.quantile(np.abs(found - slope) / np.abs(slope), 0.95) < 1e-3


def test_r2scan_from_scratch_is_r2scan_from_the_level_below(screw, tmp_path):
    """The first attempt at it converges PBE by itself; from a superposition of atoms it would diverge."""
    pbe, r2scan = ladder(**GAMMA)[0], ladder(**GAMMA, functional="r2SCAN")[0]
    warm = list(backend(pbe).climb(screw, [pbe, r2scan], tmp_path))
    (cold,) = backend(pbe).climb(screw, [r2scan], tmp_path)
    assert [point.status for point in (*warm, cold)] == [Status.OK] * 3
    assert (warm[1].message, cold.message) == (None, None)
    assert warm[1].work.scf_steps < cold.work.scf_steps  # which counts those of PBE
    assert warm[1].energy_eV == pytest.approx(cold.energy_eV, abs=2e-4)  # what the criteria promise
    # with libxc's bound it is 15.6 eV higher
    assert warm[1].energy_eV == pytest.approx(-31.182, abs=2e-3)


@pytest.mark.slow
def test_the_screw_axis_saves_k_points_and_nothing_else(screw, tmp_path, monkeypatch):
    from polyscape.levels.gpaw import parameters

    level = ladder(functional="r2SCAN")[0]
    (with_axis,) = backend(level).climb(screw, [level], tmp_path)
    monkeypatch.setattr(parameters, "usable_symmetry", lambda *_: {"point_group": False})
    (without,) = backend(level).climb(screw, [level], tmp_path)
    assert with_axis.work.k_points < without.work.k_points
    assert with_axis.energy_eV == pytest.approx(
        without.energy_eV, abs=3e-4
    )  # self-consistency stops at 2e-4 eV


@pytest.mark.slow
@pytest.mark.parametrize("functional", ["TPSS", "revTPSS", "M06-L", "MGGA_X_SCAN+MGGA_C_SCAN"])
def test_other_meta_ggas_converge(screw, tmp_path, functional):
    energies(screw, tmp_path, [ladder(**GAMMA)[0], ladder(**GAMMA, functional=functional)[0]])
