"""Names of trials, chunks and structures: made and read in one place."""

import re
from dataclasses import dataclass
from typing import Final, Literal

_TRIAL = re.compile(r"(?P<space_group>\d{3})(?P<kind>s|z[2-9])?-(?P<index>\d{7})")
_MOLECULE_PREFIX = "molecule:"

Kind = Literal["special"] | int
"""Crystals with molecules on special positions, or a number of formula units on general positions."""

SEARCH: Final = "search"
"""Origin of the trials of a series."""

IMPORT: Final = "import"
"""Folder of the imported crystals, beside those of the series."""


def series_name(space_group: int, kind: Kind = 1) -> str:
    """Name of the series of trials of a space group and a kind: ``014`` for Z' = 1, ``014s`` special, ``014z2``."""
    if not 1 <= space_group <= 230:
        raise ValueError(f"space group {space_group} is not in 1..230")
    return f"{space_group:03d}" + ("s" if kind == "special" else "" if kind == 1 else f"z{kind}")


def trial_id(space_group: int, sobol_index: int, kind: Kind = 1) -> str:
    """Id of a trial crystal: its series and its index in the series' Sobol' sequence, ``014-0000123``."""
    if not 0 <= sobol_index < 10**7:
        raise ValueError(f"Sobol' index {sobol_index} is not in 0..9999999")
    return f"{series_name(space_group, kind)}-{sobol_index:07d}"


def import_id(name: str, index: int) -> str:
    """Id of an imported crystal: the file's name without suffix and the place in the file, ``import-csp-0000003``."""
    return f"{IMPORT}-{name}-{index:07d}"


def known_form_id(name: str) -> str:
    """Id of a known form's own force-field minimum among the structures of a landscape."""
    return f"known_form-{name}"


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
    """A run of consecutive trials of one series (space group and kind of crystal) that one job works on."""

    space_group: int
    start: int
    count: int
    kind: Kind = 1

    @property
    def series(self) -> str:
        """Name of the series: the folder of its chunks."""
        return series_name(self.space_group, self.kind)

    @property
    def name(self) -> str:
        """File name of the chunk without suffix; depends on where it starts only."""
        return f"c{self.start:07d}"


def chunks(space_group: int, count: int, size: int, kind: Kind = 1) -> list[Chunk]:
    """The chunks that cover trials ``0 .. count - 1`` of a series."""
    return [Chunk(space_group, start, min(size, count - start), kind) for start in range(0, count, size)]


def molecule_id(component: int) -> str:
    """Structure id of an isolated molecule in the table of single points."""
    return f"{_MOLECULE_PREFIX}{component}"
