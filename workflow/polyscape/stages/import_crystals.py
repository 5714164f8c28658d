"""Stage `import_crystals`: candidate crystals from other generators, recognised and put into the form of trials."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from ase.io import iread
from rdkit import Chem

from polyscape.crystal.cif import CifCrystal, CifError, read_cifs
from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Conformers, Packing
from polyscape.errors import InputError
from polyscape.ids import IMPORT, import_id
from polyscape.molecule.read import bonds_by_distance
from polyscape.molecule.species import bond_graph
from polyscape.schemas import TRIALS
from polyscape.search.forms import Molecule, form_crystal, formula, molecules_of, symmetric_packing
from polyscape.search.hands import is_of_one_hand, of_the_searched_hand, telling_hands
from polyscape.settings import Settings
from polyscape.stages.components import read_component
from polyscape.stages.imported_tables import check_table, table_packings
from polyscape.stages.rows import conformers_of, packing_values
from polyscape.status import Status

_POOR_FIT_A: Final = 0.3
"""A crystal whose molecules differ more than this from the nearest conformer becomes another crystal by the exchange."""

_LOOKED_INTO: Final = 20
"""Crystals of a file whose bonds are checked before anything runs; those of all when it is their turn."""

_FORMATS: Final = (".cif", ".xyz", ".extxyz", ".parquet")


def check_imported(settings: Settings, where: str) -> None:
    """Check every imported file: readable, and of the components' molecules; a second for some thousand crystals.

    The composition of every crystal is checked, the molecules and their bonds of the first few of each file.

    Raises
    ------
    InputError
        At the first file that cannot be used.
    """
    components = settings.molecule.components
    molecules = [read_component(component, index, where) for index, component in enumerate(components)]
    graphs = [_graph(molecule) for molecule in molecules]
    stoichiometry = [component.stoichiometry for component in components]
    for index, file in enumerate(settings.search.imported):
        try:
            _check_file(Path(file), graphs, stoichiometry)
        except CifError as error:
            raise InputError(where, f"search.import[{index}]", file, error.problem, error.remedy) from error


def import_crystals(
    molecule: pd.DataFrame, conformers: pd.DataFrame, file: Path, name: str, chirality: str
) -> pd.DataFrame:
    """The crystals of a file as trials, made of the nearest conformers that are searched.

    Parameters
    ----------
    molecule, conformers : pandas.DataFrame
        Tables of those names.
    file : pathlib.Path
        CIF, extended XYZ, or Parquet in the form of the table `trials`.
    name : str
        Part of the ids and of the column `origin`.
    chirality : str
        ``racemic`` or ``enantiopure``.

    Raises
    ------
    InputError
        When a crystal cannot be used; nothing has been minimised then.
    """
    rigid = conformers_of(molecule, conformers)
    telling = telling_hands(rigid)
    rows, poor = [], 0
    for index, (given, rmsd_A) in enumerate(_packings(file, rigid)):
        packing = given
        if chirality == "enantiopure":
            if not is_of_one_hand(given, telling):
                problem = f"crystal {index} holds molecules of both hands, and the search is enantiopure"
                raise InputError(str(file), "", "", problem, "take it out, or set search.chirality: racemic")
            packing = of_the_searched_hand(given, telling)
        group = SpaceGroup.from_hall(packing.hall_symbol)
        poor += rmsd_A > _POOR_FIT_A
        rows.append(
            {
                "trial_id": import_id(name, index),
                "sobol_index": index,
                **packing_values(packing, group.number, f"{IMPORT}:{name}"),
                "volume_A3": packing.volume_A3,
                "expansion": 1.0,
                "status": Status.OK,
            }
        )
    if poor:
        print(
            f"warning: {poor} of {len(rows)} crystals of {file} hold a molecule further than {_POOR_FIT_A} A from "
            "every conformer that is searched: choose more of them in molecule.components[].conformers",
            file=sys.stderr,
        )
    return TRIALS.from_rows(rows)


def _packings(file: Path, rigid: Conformers) -> Iterator[tuple[Packing, float]]:
    """The crystals of a file, with the largest misfit of a molecule to its conformer."""
    one_of_each = {key[0]: rigid[key] for key in sorted(rigid, reverse=True)}
    formulas = [formula(one_of_each[c].atomic_number_a) for c in sorted(one_of_each)]
    stoichiometry = [one_of_each[c].stoichiometry for c in sorted(one_of_each)]
    if file.suffix.lower() == ".parquet":
        yield from ((packing, 0.0) for packing in table_packings(file, rigid))
        return
    for index, crystal in enumerate(_crystals(file)):
        try:
            found = form_crystal(molecules_of(crystal, formulas, stoichiometry), crystal.cell_cv, rigid)
        except CifError as error:
            problem = f"crystal {index}: {error.problem}"
            raise InputError(str(file), "", "", problem, error.remedy) from error
        yield symmetric_packing(found.packing, rigid, found.reduced.atoms), found.rmsd_A


def _crystals(file: Path) -> Iterator[CifCrystal]:
    """The crystals of a CIF or an extended XYZ file, all atoms of the cell."""
    if file.suffix.lower() == ".cif":
        yield from read_cifs(file)
        return
    try:
        for atoms in iread(str(file), index=":", format="extxyz"):
            if atoms.cell.rank < 3:
                raise CifError(
                    "holds a structure without a cell", 'write Lattice="..." in every comment line'
                )
            if not np.all(np.isfinite(atoms.positions)):
                raise CifError("holds an atom without coordinates", "complete the structure or remove it")
            numbers = np.asarray(atoms.numbers, np.int64)
            yield CifCrystal(np.asarray(atoms.cell), numbers, atoms.get_scaled_positions() % 1.0, 1, None)
    except (OSError, ValueError, KeyError, IndexError) as error:
        if isinstance(error, CifError):
            raise
        problem = f"cannot be read ({error})".replace("\n", " ")
        raise CifError(problem, "give crystals in extended XYZ") from error


def _graph(drawn: Chem.Mol) -> Chem.Mol:
    """Elements and bonds of a component, all hydrogens counted."""
    whole = Chem.AddHs(drawn)
    bonds = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in whole.GetBonds()]
    return bond_graph([atom.GetAtomicNum() for atom in whole.GetAtoms()], bonds)


def _check_file(file: Path, graphs: Sequence[Chem.Mol], stoichiometry: Sequence[int]) -> None:
    formulas = [formula(atom.GetAtomicNum() for atom in graph.GetAtoms()) for graph in graphs]
    if file.suffix.lower() not in _FORMATS:
        raise CifError(f"is none of {', '.join('*' + end for end in _FORMATS)}", "convert it to one of them")
    if not file.is_file():
        raise CifError("there is no such file", "mend the path; it is seen from the working directory")
    if file.suffix.lower() == ".parquet":
        check_table(file, len(formulas))
        return
    unit: Counter[str] = Counter()
    for text, count in zip(formulas, stoichiometry, strict=True):
        unit.update({part: count * number for part, number in _elements(text).items()})
    index = -1
    for index, crystal in enumerate(_crystals(file)):
        if index < _LOOKED_INTO:
            _check_bonds(molecules_of(crystal, formulas, stoichiometry), graphs, index)
        found = _elements(formula(crystal.atomic_number_a))
        if found.keys() != unit.keys() or len({found[e] / unit[e] for e in unit}) > 1:
            wanted = " + ".join(formulas)
            problem = f"crystal {index} holds {formula(crystal.atomic_number_a)}, no multiple of {wanted}"
            raise CifError(problem, "give crystals of the components, hydrogens included")
    if index < 0:
        raise CifError("holds no crystal", "take it out of the list")


def _check_bonds(molecules: Sequence[Molecule], graphs: Sequence[Chem.Mol], index: int) -> None:
    """Refuse isomers of the components."""
    known = {Chem.MolToSmiles(graph) for graph in graphs}
    for numbers_a, position_av in molecules:
        if Chem.MolToSmiles(bond_graph(numbers_a, bonds_by_distance(numbers_a, position_av))) not in known:
            problem = f"crystal {index} holds a molecule {formula(numbers_a)} bonded unlike every component"
            raise CifError(problem, "give crystals of this compound")


def _elements(text: str) -> Counter[str]:
    """Atoms by element of a formula such as ``C2 H2 O4``."""
    parts = (part.rstrip("0123456789") for part in text.split())
    counts = (part.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") for part in text.split())
    return Counter({symbol: int(count or 1) for symbol, count in zip(parts, counts, strict=True)})
