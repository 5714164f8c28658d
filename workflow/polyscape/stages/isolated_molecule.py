"""The isolated molecules or ions at every level: what lattice energies are counted from.

The zero is one constant of a level: what is wrong with it moves all packings alike, and no rank.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from ase import Atoms

from polyscape.ids import molecule_id
from polyscape.levels.box import box_edge_A, in_box
from polyscape.levels.ladder import climb
from polyscape.levels.store import Store
from polyscape.schemas import POINTS
from polyscape.settings.levels import Level
from polyscape.stages.rows import conformers_of
from polyscape.stages.single_point import point_row, predicted


def isolated_molecule(
    molecule: pd.DataFrame, conformers: pd.DataFrame, levels: Sequence[Level], store: Store, scratch: Path
) -> tuple[pd.DataFrame, bool]:
    """The points of each component's lowest conformer in a box, and whether to write them here."""
    rows: list[dict[str, object]] = []
    is_root = True
    for component, atoms in reference_molecules(molecule, conformers, levels).items():
        rungs, is_root = climb(atoms, levels, store, scratch)
        name = molecule_id(component)
        rows.extend(point_row(name, 1, rung) | predicted(atoms, levels, rung) for rung in rungs)
    return POINTS.from_rows(rows), is_root


def reference_molecules(
    molecule: pd.DataFrame, conformers: pd.DataFrame, levels: Sequence[Level]
) -> dict[int, Atoms]:
    """The lowest conformer of each component, searched or not, in its box: that of the lowest level of GPAW."""
    charges = charges_of(conformers)
    rigid = conformers_of(molecule, conformers, selected_only=False)
    atoms: dict[int, Atoms] = {}
    for component, name in sorted(
        rigid, key=lambda key: (key[0], rigid[key].intramolecular_kJ_per_mol, key[1])
    ):
        lowest = rigid[component, name]
        box_A = box_edge_A(lowest.position_av, levels)
        boxed = in_box(lowest.atomic_number_a, lowest.position_av, box_A, charges[component])
        atoms.setdefault(component, boxed)
    return atoms


def charges_of(conformers: pd.DataFrame) -> dict[int, int]:
    """Net charge of each component in e."""
    pairs = zip(conformers["component"], conformers["charge"], strict=True)
    return {int(component): int(charge) for component, charge in pairs}


def stoichiometry(conformers: pd.DataFrame) -> dict[int, int]:
    """Molecules of each component per formula unit."""
    pairs = zip(conformers["component"], conformers["stoichiometry"], strict=True)
    return {int(component): int(count) for component, count in pairs}
