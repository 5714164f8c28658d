"""The space group of a file that may leave out the identity and the lattice centring.

The listed operations are closed first.  Where ``Z`` asks for more, the centring is the one whose contacts between
molecules are best, among those that give the wanted number of operations; where ``Z`` can be read in two ways (it counts
asymmetric units, or molecules when these are alike), the reading that fills the cell as crystals are filled is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from ase.cell import Cell
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from polyscape.crystal.groups import Operation, SpaceGroup
from polyscape.crystal.operations import closed_group, group_from_operations, parse_operation
from polyscape.crystal.volume import van_der_waals_radii_A
from polyscape.energy.dmacrys.document import Document
from polyscape.energy.dmacrys.superposition import Molecule

_CENTRINGS: Final = {
    "C": ("x+1/2,y+1/2,z",),
    "I": ("x+1/2,y+1/2,z+1/2",),
    "A": ("x,y+1/2,z+1/2",),
    "B": ("x+1/2,y,z+1/2",),
    "R": ("x+2/3,y+1/3,z+1/3",),
    "R (reverse)": ("x+1/3,y+2/3,z+1/3",),
    "F": ("x+1/2,y+1/2,z", "x,y+1/2,z+1/2"),
}

_FILLING: Final = 0.70
"""Share of a crystal's volume inside its molecules; organic crystals have 0.65 to 0.77."""

_TOUCHING: Final = 0.55
"""Atoms of two molecules nearer than this fraction of the sum of their van der Waals radii overlap; the shortest
hydrogen bonds have 0.6."""

_REACH: Final = 1.5
"""Contacts are counted up to this multiple of the sum of two van der Waals radii."""

_VOLUME_PER_HEAVY_ATOM_A3: Final = 13.0
_VOLUME_PER_HYDROGEN_A3: Final = 5.0
"""Volume inside the van der Waals surface of a molecule, an estimate within 20 %."""


class Contacts(NamedTuple):
    """How the heavy atoms of different molecules meet: a Lennard-Jones sum, and the least distance over the sum of
    their van der Waals radii.
    """

    energy: float
    closest: float


@dataclass(frozen=True)
class FoundGroup:
    """A space group and what had to be assumed."""

    group: SpaceGroup
    notes: tuple[str, ...]


def find_group(document: Document, molecules: Sequence[Molecule]) -> FoundGroup:
    """The space group of a file.

    Parameters
    ----------
    document : Document
        The file.
    molecules : sequence of Molecule
        Whole molecules of the asymmetric unit.

    Raises
    ------
    InputError
        When the operations generate no group, or no centring leads to Z.
    """
    key = "crystal.symmetry_operations"
    try:
        listed = closed_group(document.operations)
        wanted = _numbers_of_operations(document, len(listed), molecules)
        found = [candidate for n in wanted for candidate in _candidates(document, listed, n, molecules)]
        if found:
            contacts, name, operations = min(found, key=lambda candidate: candidate[0].energy)
            if contacts.closest < _TOUCHING:
                raise document.refusal(
                    key, len(document.operations), "put molecules upon each other", "complete the operations"
                )
            notes = () if name == "" else (f"lattice centring {name}, not listed, follows from Z",)
            return FoundGroup(group_from_operations(operations), notes)
    except ValueError as error:
        raise document.refusal(
            key, len(document.operations), str(error), "mend or complete the operations"
        ) from error
    raise document.refusal(
        "crystal.Z",
        document.z,
        f"no centring takes the {len(listed)} operations of crystal.symmetry_operations there",
        "mend Z, or list all operations",
    )


def _numbers_of_operations(document: Document, listed: int, molecules: Sequence[Molecule]) -> list[int]:
    """Numbers of operations that Z may mean: those of the closure unless it is too small."""
    if document.z is None:
        return [listed]
    compositions = [tuple(sorted(numbers.tolist())) for numbers, _ in molecules]
    alike = int(np.gcd.reduce([compositions.count(one) for one in compositions]))
    readings = {document.z, document.z / alike}
    possible = [int(n) for n in readings if n == int(n) and n % listed == 0]
    if listed in possible and len(possible) > 1:
        volume = abs(np.linalg.det(np.asarray(Cell.fromcellpar(document.cell))))
        inside = sum(_volume(numbers) for numbers, _ in molecules)
        return [min(possible, key=lambda n: abs(np.log(n * inside / volume / _FILLING)))]
    if not possible and any(listed % n == 0 for n in readings):
        return [listed]  # special positions: fewer molecules than operations
    return possible


def _volume(numbers_a: NDArray[np.int64]) -> float:
    heavy = np.count_nonzero(numbers_a > 1)
    return _VOLUME_PER_HEAVY_ATOM_A3 * heavy + _VOLUME_PER_HYDROGEN_A3 * (len(numbers_a) - heavy)


def _candidates(
    document: Document, listed: Sequence[Operation], wanted: int, molecules: Sequence[Molecule]
) -> list[tuple[Contacts, str, Sequence[Operation]]]:
    """Groups of the wanted size: contacts, centring, operations."""
    if wanted == len(listed):
        return [(Contacts(0.0, 1.0), "", listed)]
    found: list[tuple[Contacts, str, Sequence[Operation]]] = []
    for name, triplets in _CENTRINGS.items():
        try:
            operations = group_from_operations([*listed, *map(parse_operation, triplets)]).operations
        except ValueError:  # the point group does not have this centring
            continue
        if len(operations) == wanted:
            found.append((_contacts(document, operations, molecules), name, operations))
    return found


def _contacts(document: Document, operations: Sequence[Operation], molecules: Sequence[Molecule]) -> Contacts:
    """The contacts of the molecules of one asymmetric unit with all others."""
    cell_cv = np.asarray(Cell.fromcellpar(document.cell))
    shift_nc = np.stack(np.meshgrid(*[(0, 1, -1)] * 3, indexing="ij"), -1).reshape(-1, 3)  # home first
    images: list[NDArray[np.float64]] = []
    radii, owners = [], []
    for rotation_cc, translation_c in operations:  # the identity first
        for numbers_a, position_av in molecules:
            heavy_a = numbers_a > 1 if (numbers_a > 1).any() else numbers_a > 0
            image_ac = position_av[heavy_a] @ np.linalg.inv(cell_cv) @ rotation_cc.T + translation_c
            image_ac -= np.floor(image_ac.mean(axis=0))
            for shift_c in shift_nc:
                owners.append(np.full(heavy_a.sum(), len(images)))
                images.append((image_ac + shift_c) @ cell_cv)
                radii.append(van_der_waals_radii_A(numbers_a[heavy_a]))
    position_nv, radius_n, owner_n = np.concatenate(images), np.concatenate(radii), np.concatenate(owners)
    home_n = np.flatnonzero((owner_n % len(shift_nc) == 0) & (owner_n < len(molecules) * len(shift_nc)))
    tree = cKDTree(position_nv)
    energy, closest = 0.0, np.inf
    for n in home_n:
        near = np.array(tree.query_ball_point(position_nv[n], _REACH * 2.0 * radius_n.max()), int)
        near = near[owner_n[near] != owner_n[n]]
        ratio = np.linalg.norm(position_nv[near] - position_nv[n], axis=1) / (radius_n[near] + radius_n[n])
        closest = min(closest, float(ratio.min(initial=np.inf)))
        power = np.maximum(ratio, 0.1) ** -6.0
        energy += float(np.sum(power**2 - 2.0 * power))
    return Contacts(energy, closest)
