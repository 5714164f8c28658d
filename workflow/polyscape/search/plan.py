"""Which space groups a search covers, from the settings to operations."""

from polyscape.crystal.groups import COMMON10, SpaceGroup
from polyscape.errors import InputError
from polyscape.settings.search import SearchSettings

_KEY = "search.space_groups"


def search_plan(settings: SearchSettings) -> list[SpaceGroup]:
    """The space groups of the search in the order in which they are searched.

    Raises
    ------
    InputError
        When a name is no space group, or two entries are the same group.
    """
    return check_space_groups(settings, "search settings")


def check_space_groups(settings: SearchSettings, where: str) -> list[SpaceGroup]:
    """The space groups of the settings; `where` names the config file in errors.

    A trial's id holds the number of its group, so a group may stand in the list once, in one setting.

    Raises
    ------
    InputError
        When the list is empty, a name is no space group, or two entries are the same group.
    """
    names: list[int | str] = (
        list(COMMON10) if settings.space_groups == "common10" else list(settings.space_groups)
    )
    if not names:
        raise InputError(
            where, _KEY, names, "the list is empty", "name at least one group, or write 'common10'"
        )
    groups: dict[int, SpaceGroup] = {}
    for name in names:
        try:
            group = SpaceGroup.find(name)
        except ValueError as error:
            problem, _, remedy = str(error).partition("; ")
            raise InputError(where, _KEY, name, problem, remedy or "see config/README.md") from error
        if group.number in groups:
            earlier = groups[group.number].symbol_extended
            problem = f"is space group {group.number} again (as {earlier} before)"
            raise InputError(
                where,
                _KEY,
                name,
                problem,
                "keep one setting of each group: all settings hold the same crystals",
            )
        groups[group.number] = group
    return list(groups.values())
