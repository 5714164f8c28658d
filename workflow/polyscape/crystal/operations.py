"""Space groups from lists of operations: the closure of generators, and a Hall symbol for any setting.

A group in a setting that no table lists gets the Hall symbol of its standard setting with the change of basis behind it,
``-C 2yc (1/2*x+1/2*y,1/2*x-1/2*y,-z)``: coordinates x of the standard setting become ``V x + v`` here, operations
``(W, w)`` become ``V W V^-1`` and so on (S. R. Hall & R. W. Grosse-Kunstleve, International Tables B, appendix 1.4.2).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import gemmi
import numpy as np
import spglib
from numpy.typing import NDArray

from polyscape.crystal.groups import Operation, SpaceGroup

_DENOMINATOR: Final = 24
"""Translations of space-group operations and shifts between their origins are multiples of 1/24."""

_LARGEST_GROUP: Final = 192 * 4
"""The largest space groups of a face-centred cell have 192 operations; four times as many fill no cell sensibly."""

Key = tuple[int, ...]


def operation_key(rotation_cc: NDArray[np.float64], translation_c: NDArray[np.float64]) -> Key:
    """An operation modulo the lattice as integers, equal for equal operations."""
    return (
        *np.rint(rotation_cc).astype(int).ravel().tolist(),
        *(np.rint(_DENOMINATOR * np.asarray(translation_c)).astype(int) % _DENOMINATOR).tolist(),
    )


def parse_operation(triplet: str) -> Operation:
    """The operation ``(W, w)`` of a triplet such as ``-x,y+1/2,1/2-z``.

    Raises
    ------
    ValueError
        When the text is no symmetry operation.
    """
    try:
        seitz = np.array(gemmi.Op(triplet).float_seitz())
    except RuntimeError as error:
        raise ValueError(f"{triplet!r} is no symmetry operation ({error})") from error
    if round(abs(np.linalg.det(seitz[:3, :3])), 6) != 1.0:
        raise ValueError(f"{triplet!r} is no symmetry operation: it changes volumes")
    return seitz[:3, :3].copy(), seitz[:3, 3] % 1.0


def closed_group(generators: Iterable[Operation]) -> tuple[Operation, ...]:
    """All products of the generators modulo the lattice, the identity first.

    Raises
    ------
    ValueError
        When there is no end to them: the operations belong to no space group of this lattice.
    """
    identity: Operation = (np.eye(3), np.zeros(3))
    found = {operation_key(*identity): identity}
    first = [*generators]
    fresh = [identity]
    while fresh:
        made = []
        for outer_cc, outer_c in fresh:
            for inner_cc, inner_c in first:
                product = (outer_cc @ inner_cc, (outer_cc @ inner_c + outer_c) % 1.0)
                key = operation_key(*product)
                if key not in found:
                    found[key] = product
                    made.append(product)
        if len(found) > _LARGEST_GROUP:
            raise ValueError("the operations generate no finite space group")
        fresh = made
    return tuple(
        (rotation_cc, np.rint(_DENOMINATOR * translation_c) / _DENOMINATOR % 1.0)
        for rotation_cc, translation_c in found.values()
    )


def group_from_operations(generators: Sequence[Operation]) -> SpaceGroup:
    """The space group that operations generate, in their own setting, tabulated or not.

    Raises
    ------
    ValueError
        When they generate no space group.
    """
    operations = closed_group(generators)
    row = gemmi.find_spacegroup_by_ops(_group_operations(operations))
    if row is not None:
        return SpaceGroup.from_hall(row.hall)
    standard = standard_setting(operations)
    back_cc = np.linalg.inv(standard.P_cc)
    change = triplet_of(back_cc, -back_cc @ standard.p_c)
    group = SpaceGroup.from_hall(f"{standard.group.hall_symbol} ({change})")
    if {operation_key(*o) for o in group.operations} != {operation_key(*o) for o in operations}:
        raise ValueError(f"operations of {group.symbol} in a setting that cannot be expressed")
    return group


def triplet_of(rotation_cc: NDArray[np.float64], translation_c: NDArray[np.float64]) -> str:
    """The affine map as text, ``1/2*x+1/2*y,-z+1/4,x``; entries are rounded to multiples of 1/24."""
    rows = []
    for row, shift in zip(rotation_cc, translation_c, strict=True):
        text = ""
        for value, name in (*zip(row, ("*x", "*y", "*z"), strict=True), (shift, "")):
            fraction = Fraction(int(np.rint(_DENOMINATOR * value)), _DENOMINATOR)
            if fraction:
                text += f"{'+' if fraction > 0 else '-'}{abs(fraction)}{name}"
        rows.append(text.removeprefix("+").replace("1*", "") or "0")
    return ",".join(rows)


@dataclass(frozen=True)
class StandardSetting:
    """The way from a setting to the standard one, ``x_standard = P x + p``.

    Attributes
    ----------
    group : SpaceGroup
        The group in the standard setting.
    P_cc : numpy.ndarray, shape (3, 3)
        The matrix.
    p_c : numpy.ndarray, shape (3,)
        The shift.
    """

    group: SpaceGroup
    P_cc: NDArray[np.float64]
    p_c: NDArray[np.float64]


def standard_setting(operations: Sequence[Operation]) -> StandardSetting:
    """The standard setting of a group and the transformation that leads there.

    It is found from the symmetry of a dummy crystal, four unlike atoms in general positions.

    Raises
    ------
    ValueError
        When spglib does not find a tabulated setting.
    """
    found: Any = spglib.get_symmetry_dataset(_dummy_crystal(operations), symprec=1e-4)
    P_cc, p_c = found.transformation_matrix, found.origin_shift
    standard: list[Operation] = [(np.eye(3), P_cc @ shift_c) for shift_c in np.eye(3)]
    for rotation_cc, translation_c in operations:
        inner_cc = P_cc @ rotation_cc @ np.linalg.inv(P_cc)
        standard.append((inner_cc, P_cc @ translation_c + p_c - inner_cc @ p_c))
    row = gemmi.find_spacegroup_by_ops(_group_operations(closed_group(standard)))
    if row is None:
        raise ValueError(f"operations of space group {found.number} in a setting that cannot be expressed")
    return StandardSetting(SpaceGroup.from_hall(row.hall), P_cc, p_c)


def _group_operations(operations: Sequence[Operation]) -> gemmi.GroupOps:
    return gemmi.GroupOps([gemmi.Op(triplet_of(*operation)) for operation in operations])


def _dummy_crystal(operations: Sequence[Operation]) -> tuple[Any, Any, Any]:
    """A crystal of exactly this symmetry: cell, fractional coordinates, kinds of atoms."""
    generator = np.random.default_rng(17)
    rotations = np.array([rotation_cc for rotation_cc, _ in operations])
    skew_cc = np.eye(3) + 0.2 * generator.normal(size=(3, 3))
    metric_cc = np.mean(rotations.transpose(0, 2, 1) @ (skew_cc @ skew_cc.T) @ rotations, axis=0)
    points, kinds = [], []
    for kind in range(4):
        point_c = generator.random(3)
        points += [(rotation_cc @ point_c + translation_c) % 1.0 for rotation_cc, translation_c in operations]
        kinds += [kind + 1] * len(operations)
    return 10.0 * np.linalg.cholesky(metric_cc), np.array(points), kinds
