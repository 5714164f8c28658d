"""Space groups and their operations, from gemmi; none typed by hand."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

import gemmi
import numpy as np
from numpy.typing import NDArray

COMMON10: Final = (61, 14, 19, 2, 4, 15, 33, 9, 29, 5)
"""The ten commonest space groups of organic crystals, in the order in which they are searched."""

_SCREW_AXIS: Final = re.compile(r"([2346])(?:_([1-5])|\(([1-5])\))")

Operation = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class SpaceGroup:
    """A space group in one setting.

    Attributes
    ----------
    number : int
        International Tables number.
    hall_symbol : str
        Hall symbol, which fixes the setting; with a change of basis in brackets, ``P 2yb (x+1/4,y,z)``, for one
        that no table lists.
    symbol : str
        Hermann-Mauguin symbol, short form.
    operations : tuple of (rotation, translation)
        All operations of the conventional cell, centring included, on fractional coordinates; the identity
        first.
    """

    number: int
    hall_symbol: str
    symbol: str
    operations: tuple[Operation, ...]

    @classmethod
    def from_hall(cls, hall_symbol: str) -> "SpaceGroup":
        """The group of a Hall symbol."""
        return _from_hall(hall_symbol)

    @classmethod
    def find(cls, name: int | str) -> "SpaceGroup":
        """The group of a number (standard setting), a Hermann-Mauguin symbol or a Hall symbol; screw axes may be written
        `21`, `2_1` or `2(1)`.

        Raises
        ------
        ValueError
            When there is no such group.
        """
        if isinstance(name, int):
            found = gemmi.find_spacegroup_by_number(name) if 1 <= name <= 230 else None
        else:
            found = gemmi.find_spacegroup_by_name(plain_symbol(name)) or _table_row_of_hall(name.strip())
        if found is None:
            raise ValueError(
                f"{name!r} is no space group; "
                "give a number from 1 to 230, a symbol such as 'P21/c', or a Hall symbol"
            )
        return _from_hall(found.hall)

    @property
    def crystal_system(self) -> str:
        """Name of the crystal system: triclinic, monoclinic, ..."""
        return gemmi.SpaceGroup(self.symbol_extended).crystal_system_str()

    @property
    def symbol_extended(self) -> str:
        """Hermann-Mauguin symbol with the setting (``R 3 :H``)."""
        row = _table_row_of_hall(self.hall_symbol)
        return row.xhm() if row is not None else self.symbol


def plain_symbol(name: str) -> str:
    """A Hermann-Mauguin symbol without marks of screw axes: `P2(1)/c` and `P2_1/c` are `P21/c`."""
    return _SCREW_AXIS.sub(r"\1\2\3", name.strip())


def only_setting(number: int) -> gemmi.SpaceGroup | None:
    """The group of a number of which one setting is tabulated with its usual lattice; None of all others."""
    if not 1 <= number <= 230:
        return None
    usual = gemmi.find_spacegroup_by_number(number)
    rows = [row for row in gemmi.spacegroup_table() if row.number == number and row.hm[0] == usual.hm[0]]
    return usual if len(rows) == 1 else None


@cache
def _from_hall(hall_symbol: str) -> SpaceGroup:
    group_operations = gemmi.symops_from_hall(hall_symbol)
    row = gemmi.find_spacegroup_by_ops(group_operations) or _table_row_of_hall(hall_symbol.split(" (")[0])
    if row is None:
        raise ValueError(f"Hall symbol {hall_symbol!r} names no tabulated space group")
    operations = []
    for operation in group_operations:
        seitz = np.array(operation.float_seitz())
        operations.append((seitz[:3, :3].copy(), seitz[:3, 3].copy() % 1.0))
    operations.sort(key=lambda pair: not (np.allclose(pair[0], np.eye(3)) and np.allclose(pair[1], 0)))
    return SpaceGroup(row.number, hall_symbol, row.short_name(), tuple(operations))


def _table_row_of_hall(hall_symbol: str) -> gemmi.SpaceGroup | None:
    return next((row for row in gemmi.spacegroup_table() if row.hall == hall_symbol), None)
