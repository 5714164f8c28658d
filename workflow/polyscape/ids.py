"""Names of trials, chunks and structures: made and read in one place."""

import re
from dataclasses import dataclass

_TRIAL = re.compile(r"(?P<space_group>\d{3})-(?P<index>\d{7})")
_MOLECULE_PREFIX = "molecule:"


def trial_id(space_group: int, sobol_index: int) -> str:
    """Id of a trial crystal: space-group number and index in the group's Sobol' sequence, ``014-0000123``."""
    if not 1 <= space_group <= 230:
        raise ValueError(f"space group {space_group} is not in 1..230")
    if not 0 <= sobol_index < 10**7:
        raise ValueError(f"Sobol' index {sobol_index} is not in 0..9999999")
    return f"{space_group:03d}-{sobol_index:07d}"


def parse_trial_id(text: str) -> tuple[int, int]:
    """Space-group number and Sobol' index of a trial id."""
    match = _TRIAL.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a trial id such as '014-0000123'")
    return int(match["space_group"]), int(match["index"])


def discovery_order(text: str) -> tuple[int, int, str]:
    """Sort key of structures: Sobol' index first, so that a longer search never renames a known structure.

    Imported structures and known forms, whose ids carry no index, come after all trials.
    """
    match = _TRIAL.fullmatch(text)
    if match is None:
        return 10**7, 0, text
    return int(match["index"]), int(match["space_group"]), text


@dataclass(frozen=True)
class Chunk:
    """A run of consecutive trials of one space group that one job works on."""

    space_group: int
    start: int
    count: int

    @property
    def name(self) -> str:
        """File name of the chunk without suffix; depends on where it starts only."""
        return f"c{self.start:07d}"


def chunks(space_group: int, count: int, size: int) -> list[Chunk]:
    """The chunks that cover trials ``0 .. count - 1`` of a space group."""
    return [Chunk(space_group, start, min(size, count - start)) for start in range(0, count, size)]


def molecule_id(component: int) -> str:
    """Structure id of an isolated molecule in the table of single points."""
    return f"{_MOLECULE_PREFIX}{component}"
