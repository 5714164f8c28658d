import numpy as np
import pytest

from polyscape.learn.cokriging import CoKriging
from polyscape.learn.descriptor_choice import choose_descriptor
from polyscape.learn.registry import CANDIDATES, build_blocks, candidates
from polyscape.settings.learning import FeaturesSettings
from tests.unit.learn.toys import draw_ladder, observe


def _blocks(seed=0):
    """What the energies depend on, and noise."""
    X_sf, true_ls = draw_ladder(seed, tau=0.1)
    return {"good": X_sf, "noise": np.random.default_rng(5).normal(size=X_sf.shape)}, true_ls


def test_the_descriptor_that_predicts_is_chosen_and_the_scores_are_kept():
    blocks, true_ls = _blocks()
    data = observe(blocks["noise"], true_ls, (24, 10))
    found = choose_descriptor(CoKriging(), data, blocks, ("noise", "good"))
    assert found.descriptor == "good"
    assert found.score_by_descriptor["good"] > found.score_by_descriptor["noise"] + 0.1
    np.testing.assert_array_equal(found.data.X_sf, blocks["good"])
    np.testing.assert_array_equal(found.data.value_ls, data.value_ls)


@pytest.mark.parametrize("counts", [(0, 0), (7, 3)])
def test_too_few_points_take_the_first(counts):
    blocks, true_ls = _blocks()
    found = choose_descriptor(
        CoKriging(), observe(blocks["good"], true_ls, counts), blocks, ("noise+good", "good")
    )
    assert found.descriptor == "noise+good"
    assert found.data.X_sf.shape == (60, 6)
    assert found.score_by_descriptor == {}


def test_blocks_are_those_of_the_candidates_and_the_sums():
    assert candidates(FeaturesSettings()) == CANDIDATES
    named = FeaturesSettings(descriptor="amd+pairs")
    assert candidates(named) == ("amd+pairs",)
    assert list(build_blocks(named)) == ["amd", "pairs", "linear"]


@pytest.mark.parametrize("name", ["soap+soap", "coulomb", "", "auto+soap"])
def test_an_unknown_descriptor_is_refused(name):
    with pytest.raises(ValueError, match="joined by"):
        FeaturesSettings(descriptor=name)
