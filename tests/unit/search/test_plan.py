"""Space groups of a search: any group in any setting, impossible ones in one line."""

import pytest

from polyscape.crystal.groups import COMMON10
from polyscape.errors import InputError
from polyscape.search.plan import check_space_groups, search_plan
from polyscape.settings.search import SearchSettings


def test_common_ten():
    assert tuple(group.number for group in search_plan(SearchSettings())) == COMMON10


def test_every_group_by_number():
    groups = search_plan(SearchSettings(space_groups=list(range(1, 231))))
    assert [group.number for group in groups] == list(range(1, 231))


@pytest.mark.parametrize(
    ("name", "number"), [("P21/c", 14), ("P 1 21/n 1", 14), ("-P 2ybc", 14), ("R 3 :R", 146)]
)
def test_symbols(name, number):
    assert search_plan(SearchSettings(space_groups=[name]))[0].number == number


@pytest.mark.parametrize("names", [["P21/q"], [231], [0], [], [14, "P 1 21/n 1"]])
def test_impossible_ones_are_one_line(names):
    with pytest.raises(InputError) as caught:
        check_space_groups(SearchSettings(space_groups=names), "config/config.yaml")
    assert caught.value.line().startswith("config/config.yaml: search.space_groups")
    assert "\n" not in caught.value.line()
