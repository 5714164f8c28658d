import numpy as np
import pytest

from polyscape.learn.protocol import Structure
from polyscape.learn.scaling import Combined, Scaled, principal_components, standardised
from polyscape.learn.soap import SoapDescriptor
from polyscape.learn.sums import TermsDescriptor
from tests.builders import conformers
from tests.unit.learn.landscapes import packing


def _structures(count):
    generator = np.random.default_rng(0)
    return [
        Structure(packing(generator, "-P 1", 2).to_atoms(conformers()), (float(i),)) for i in range(count)
    ]


@pytest.mark.slow
def test_two_processes_give_the_same_bytes():
    structures = _structures(9)
    parallel = SoapDescriptor(structures_per_process=3).compute(structures, cores=2)
    np.testing.assert_array_equal(parallel, SoapDescriptor().compute(structures, cores=1))


def test_blocks_have_unit_variance_and_the_weight_asked_for():
    parts = Scaled(SoapDescriptor(), 100), Scaled(TermsDescriptor(), 100, weight=0.25)
    X_sf = Combined(parts).compute(_structures(12))
    assert X_sf[:, :-1].var(axis=0).sum() == pytest.approx(1.0, abs=1e-6)
    assert X_sf[:, -1].var() == pytest.approx(0.25**2, abs=1e-6)


def test_components_are_orthogonal_falling_and_rebuild_the_distances():
    value_sf = np.random.default_rng(1).normal(size=(30, 6)) @ np.diag([5, 3, 2, 1, 0.5, 0.1])
    score_sk = principal_components(value_sf, 6)
    gram_kk = score_sk.T @ score_sk
    np.testing.assert_allclose(gram_kk, np.diag(np.diag(gram_kk)), atol=1e-10)
    assert (np.diff(np.diag(gram_kk)) < 0).all()
    wanted = np.linalg.norm(standardised(value_sf)[3] - standardised(value_sf)[7])
    assert np.linalg.norm(score_sk[3] - score_sk[7]) == pytest.approx(wanted, rel=1e-10)


def test_the_sign_of_a_component_does_not_depend_on_the_order_of_structures():
    value_sf = np.random.default_rng(2).normal(size=(20, 5))
    order = np.random.default_rng(3).permutation(20)
    here, there = principal_components(value_sf, 3), principal_components(value_sf[order], 3)
    np.testing.assert_allclose(there, here[order], atol=1e-10)


def test_what_does_not_vary_is_zero_or_left_out():
    assert principal_components(np.ones((4, 3)), 2).shape == (4, 0)
    np.testing.assert_array_equal(standardised(np.full((4, 2), -87.3)), np.zeros((4, 2)))
