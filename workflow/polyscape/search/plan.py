"""What a search covers: series of trials, each of one space group and one kind of crystal."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from polyscape.crystal.groups import COMMON10, SpaceGroup
from polyscape.errors import InputError
from polyscape.ids import Kind
from polyscape.settings.search import GroupTrials, KindTrials, SearchSettings

_KEY = "search.space_groups"

COMMON25: Final = (*COMMON10, 1, 7, 60, 56, 13, 18, 43, 62, 11, 12, 148, 88, 96, 76, 36)
"""Common groups of organic crystals, those that only molecules on special positions make common (62, 11, 12) included.

A. J. C. Wilson, V. L. Karen, A. Mighell, International Tables for Crystallography C (2006), chapter 9.7,
https://doi.org/10.1107/97809553602060000623.
"""

WITHOUT_SPECIAL_POSITIONS: Final = frozenset({1, 4, 7, 9, 19, 29, 33, 76, 78, 144, 145, 169, 170})
"""The groups of screw axes, glide planes and translations alone (section 9.7.4 of the same chapter)."""

_PRESETS: Final = {"common10": COMMON10, "common25": COMMON25, "all": tuple(range(1, 231))}


@dataclass(frozen=True)
class Series:
    """The trials of one space group and one kind of crystal: one Sobol' sequence.

    Attributes
    ----------
    group : SpaceGroup
        Space group and setting.
    kind : "special" or int
        Molecules on special positions, or the number of formula units on general positions.
    trials : int
        How many.
    """

    group: SpaceGroup
    kind: Kind
    trials: int


def is_sohncke(group: SpaceGroup) -> bool:
    """Whether a group has proper operations only, so that crystals of one hand may have it."""
    return all(np.linalg.det(rotation_cc) > 0 for rotation_cc, _ in group.operations)


def search_plan(settings: SearchSettings, where: str = "search settings") -> list[Series]:
    """The series of the search: kind by kind in the order given, within a kind group by group.

    Raises
    ------
    InputError
        When a name is no space group, two entries are the same group or kind, or nothing is searched or imported.
    """
    groups = check_space_groups(settings, where)
    kinds = _kinds(settings, where)
    return [
        Series(group, kind, int(np.ceil(share * trials - 1e-9)))
        for kind, share in kinds.items()
        for group, trials in groups
        if kind != "special" or group.number not in WITHOUT_SPECIAL_POSITIONS
    ]


def check_space_groups(settings: SearchSettings, where: str) -> list[tuple[SpaceGroup, int]]:
    """The space groups of the settings and their trials; `where` names the config file in errors.

    A trial's id holds the number of its group, so a group may stand in the list once, in one setting.  In an
    enantiopure search a preset stands for its Sohncke groups.

    Raises
    ------
    InputError
        When the list is empty and nothing is imported, a name is no space group, two entries are the same group, or
        a group cannot hold an enantiopure crystal.
    """
    preset = isinstance(settings.space_groups, str)
    entries: list[int | str | GroupTrials] = (
        list(_PRESETS[settings.space_groups])
        if isinstance(settings.space_groups, str)
        else list(settings.space_groups)
    )
    if not entries and not settings.imported:
        remedy = "name at least one group, write 'common10', or import crystals (search.import)"
        raise InputError(where, _KEY, entries, "the list is empty", remedy)
    groups: dict[int, tuple[SpaceGroup, int]] = {}
    for entry in entries:
        name, trials = (
            (entry.group, entry.trials)
            if isinstance(entry, GroupTrials)
            else (entry, settings.trials_per_space_group)
        )
        group = _find(name, where)
        if settings.chirality == "enantiopure" and not is_sohncke(group):
            if preset:
                continue
            problem = (
                f"{group.symbol} turns molecules into their mirror images, and the search is enantiopure"
            )
            remedy = "take it out (only the 65 Sohncke groups are left), or set search.chirality: racemic"
            raise InputError(where, _KEY, name, problem, remedy)
        if group.number in groups:
            earlier = groups[group.number][0].symbol_extended
            problem = f"is space group {group.number} again (as {earlier} before)"
            remedy = "keep one setting of each group: all settings hold the same crystals"
            raise InputError(where, _KEY, name, problem, remedy)
        groups[group.number] = (group, trials)
    return list(groups.values())


def _find(name: int | str, where: str) -> SpaceGroup:
    try:
        return SpaceGroup.find(name)
    except ValueError as error:
        problem, _, remedy = str(error).partition("; ")
        raise InputError(where, _KEY, name, problem, remedy or "see config/README.md") from error


def _kinds(settings: SearchSettings, where: str) -> dict[Kind, float]:
    """The kinds of crystal and their shares."""
    kinds: dict[Kind, float] = {}
    for entry in settings.z_prime:
        kind, share = (entry.kind, entry.share) if isinstance(entry, KindTrials) else (entry, 1.0)
        if kind in kinds:
            raise InputError(where, "search.z_prime", kind, "is listed twice", "keep one of them")
        kinds[kind] = share
    return kinds
