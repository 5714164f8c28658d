"""Series of a search: any group in any setting, kinds of crystal, shares; impossible ones in one line."""

import pytest

from polyscape.crystal.groups import COMMON10, SpaceGroup
from polyscape.errors import InputError
from polyscape.search.plan import (
    COMMON25,
    WITHOUT_SPECIAL_POSITIONS,
    check_space_groups,
    is_sohncke,
    search_plan,
)
from polyscape.search.wyckoff import special_positions
from polyscape.settings.search import SearchSettings


def numbers(**settings):
    return [group.number for group, _ in check_space_groups(SearchSettings(**settings), "c.yaml")]


def trials(**settings):
    """Trials of each series by the number of its group and its kind."""
    return {(s.group.number, s.kind): s.trials for s in search_plan(SearchSettings(**settings), "c.yaml")}


def test_presets():
    assert numbers() == list(COMMON10)
    assert numbers(space_groups="common25") == list(COMMON25)
    assert len(set(COMMON25)) == 25
    assert numbers(space_groups="all") == list(range(1, 231))


def test_every_group_by_number():
    assert numbers(space_groups=list(range(1, 231))) == list(range(1, 231))


@pytest.mark.parametrize(
    ("name", "number"), [("P21/c", 14), ("P 1 21/n 1", 14), ("-P 2ybc", 14), ("R 3 :R", 146)]
)
def test_symbols(name, number):
    assert numbers(space_groups=[name]) == [number]


def test_counts_of_groups_and_shares_of_kinds():
    found = trials(
        space_groups=[14, {"group": "P-1", "trials": 10}, 19],
        trials_per_space_group=100,
        z_prime=[1, {"kind": "special", "share": 0.25}, {"kind": 2, "share": 3.0}],
    )
    assert found == {
        (14, 1): 100,
        (2, 1): 10,
        (19, 1): 100,
        (14, "special"): 25,
        (2, "special"): 3,  # 2.5 rounded up; P2_12_12_1 has no special positions
        (14, 2): 300,
        (2, 2): 30,
        (19, 2): 300,
    }


def test_the_65_sohncke_groups():
    assert sum(is_sohncke(SpaceGroup.find(n)) for n in range(1, 231)) == 65
    assert len(numbers(space_groups="all", chirality="enantiopure")) == 65
    assert numbers(chirality="enantiopure") == [19, 4, 5]


@pytest.mark.slow  # computes the special positions of all groups
def test_groups_without_special_positions():
    found = {n for n in range(1, 231) if not special_positions(SpaceGroup.find(n))}
    assert found == WITHOUT_SPECIAL_POSITIONS


@pytest.mark.parametrize(
    "search",
    [
        *({"space_groups": names} for names in (["P21/q"], [231], [0], [], [14, "P 1 21/n 1"])),
        {"space_groups": [19, 14], "chirality": "enantiopure"},
        {"z_prime": [1, {"kind": 1, "share": 2.0}]},
    ],
)
def test_impossible_ones_are_one_line(search):
    with pytest.raises(InputError) as caught:
        search_plan(SearchSettings(**search), "config/config.yaml")
    assert caught.value.line().startswith("config/config.yaml: search.")
    assert "\n" not in caught.value.line()


def test_imported_crystals_alone_need_no_group():
    assert search_plan(SearchSettings.model_validate({"space_groups": [], "import": ["a.cif"]})) == []
