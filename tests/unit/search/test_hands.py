"""Which hands the molecules of an enantiopure search may have."""

from collections import Counter
from dataclasses import replace

import pytest

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Packing, Pose
from polyscape.search.hands import is_of_one_hand, of_the_searched_hand, telling_hands
from polyscape.search.sampling import draw_packing, make_recipe, scramble_key, sobol_points
from polyscape.search.special import make_special
from polyscape.settings.search import Sampling
from tests import builders

PEROXIDE = builders.conformer(
    [8, 8, 1, 1],
    [(0.73, 0, 0), (-0.73, 0, 0), (0.85, 0.8, 0.5), (-0.85, 0.8, -0.5)],
    "OOHH",
    [0.0] * 4,
    [(0, 1), (0, 2), (1, 3)],
    "gauche",
)
FLAT = replace(builders.oxalic_acid(), name="flat")
CHIRAL = replace(PEROXIDE, name="enantiomer", chiral=True)


def unit(*molecules):
    return {(i, one.name): replace(one, component=i) for i, one in enumerate(molecules)}


def trials(rigid, kind=1, enantiopure=True):
    """64 trials in C2."""
    group = SpaceGroup.find("C2")
    recipe = make_recipe(rigid, Sampling(), 1, enantiopure)
    special = make_special(rigid, group, recipe)
    dimensions = special.dimensions if kind == "special" else recipe.dimensions
    points = sobol_points(1, scramble_key(5, kind), dimensions, 0, 64)
    return [
        special.draw(point) if kind == "special" else draw_packing(point, group, recipe) for point in points
    ]


def hands(rigid, enantiopure=True):
    """How often the molecules of trials on general positions have which hands."""
    return Counter(tuple(pose.parity for pose in p.poses) for p in trials(rigid, 1, enantiopure))


@pytest.mark.parametrize("chiral", [0, 1])
def test_a_partner_without_stereocentres_has_either_hand(chiral):
    """Whatever the order of the components, and as often the one as the other."""
    found = hands(unit(*((CHIRAL, PEROXIDE) if chiral == 0 else (PEROXIDE, CHIRAL))))
    assert found == {(1, 1): 32, ((1, -1) if chiral == 0 else (-1, 1)): 32}


@pytest.mark.parametrize("chiral", [0, 1])
def test_so_it_has_on_special_positions(chiral):
    rigid = unit(*((CHIRAL, PEROXIDE) if chiral == 0 else (PEROXIDE, CHIRAL)))
    poses = [pose for packing in trials(rigid, "special") for pose in packing.poses]
    assert {pose.parity for pose in poses if pose.component == chiral} == {1}
    assert {pose.parity for pose in poses if pose.component != chiral} == {1, -1}


def test_partners_that_are_their_own_mirror_images_are_drawn_as_before():
    assert hands(unit(FLAT, CHIRAL)) == {(1, 1): 64}


def test_without_stereocentres_all_are_of_the_hand_given():
    """The user knows of a chiral axis that no SMILES shows."""
    assert hands(unit(PEROXIDE, FLAT)) == {(1, 1): 64}


def test_a_racemic_search_draws_both_hands_but_of_the_first():
    assert set(hands(unit(CHIRAL, FLAT), enantiopure=False)) == {(1, 1), (1, -1)}


def crystal(*parities, hall="P 2yb"):
    poses = [
        Pose(i, name, "1", (0.1, 0.2 + 0.3 * i, 0.3), (1.0, 0.0, 0.0, 0.0), parity)
        for i, (name, parity) in enumerate(zip(("enantiomer", "gauche"), parities, strict=True))
    ]
    return Packing(hall, (8.0, 9.0, 10.0, 90.0, 100.0, 90.0), tuple(poses))


def test_a_partner_without_stereocentres_does_not_tell_the_hand():
    telling = telling_hands(unit(CHIRAL, PEROXIDE))
    assert is_of_one_hand(crystal(1, -1), telling)
    assert not is_of_one_hand(crystal(1, 1, hall="-P 2ybc"), telling)
    assert of_the_searched_hand(crystal(1, -1), telling) == crystal(1, -1)
    turned = of_the_searched_hand(crystal(-1, -1), telling)
    assert [pose.parity for pose in turned.poses] == [1, 1]


def test_where_none_has_stereocentres_the_shapes_tell():
    telling = telling_hands(unit(PEROXIDE, FLAT))
    assert telling == {(0, "gauche")}
    assert not telling_hands(unit(FLAT))
