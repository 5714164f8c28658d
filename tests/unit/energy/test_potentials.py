import numpy as np
import pytest

from polyscape.energy.exp6 import wall_radius
from polyscape.energy.potentials import load_potential


@pytest.fixture
def fit():
    return load_potential("fit")


def test_hydrogen_is_typed_by_its_neighbour(fit):
    methanol = [6, 1, 1, 1, 8, 1]
    bonds = [(0, 1), (0, 2), (0, 3), (0, 4), (4, 5)]
    assert fit.assign_types(methanol, bonds) == ("C", "H_c", "H_c", "H_c", "O", "H_p")


@pytest.mark.parametrize(
    ("numbers", "bonds", "words"),
    [
        ([35, 6], [(0, 1)], "element Br"),
        ([1, 14], [(0, 1)], "element H bonded to Si"),
        ([1], [], "element H"),
    ],
)
def test_an_element_without_parameters_is_named(fit, numbers, bonds, words):
    with pytest.raises(ValueError, match=words):
        fit.assign_types(numbers, bonds)


def test_an_unknown_type_and_an_unknown_potential_are_named(fit):
    with pytest.raises(ValueError, match="no type 'H'"):
        fit.pair_parameters(["C", "H"])
    with pytest.raises(ValueError, match="no potential 'w98'; there are fit"):
        load_potential("w98")


def test_combining_rules(fit):
    pairs = fit.pair_parameters(["C", "O"])
    carbon, oxygen = fit.types["C"], fit.types["O"]
    assert pairs.prefactor_aa[0, 1] == pytest.approx(np.sqrt(carbon.A_eV * oxygen.A_eV), rel=1e-14)
    assert pairs.decay_aa[0, 1] == pytest.approx(0.5 / carbon.rho_A + 0.5 / oxygen.rho_A, rel=1e-14)
    assert pairs.sqrt_c6_a[0] * pairs.sqrt_c6_a[1] == pytest.approx(
        np.sqrt(carbon.C6_eV_A6 * oxygen.C6_eV_A6), rel=1e-14
    )


def test_the_wall_stands_at_the_inner_inflection():
    A, decay, c6 = 3832.147, 3.6, 25.28695
    r = wall_radius(A, decay, c6)
    assert A * decay**2 * np.exp(-decay * r) == pytest.approx(42.0 * c6 / r**8, rel=1e-9)
    assert 0.8 < r < 1.2
    assert wall_radius(A, decay, 0.0) == 0.0
