"""Which conformers of a component the search uses: by energy, by name, by a file's shape, or as in the known forms."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from polyscape.crystal.cif import CifError, read_cif
from polyscape.errors import InputError
from polyscape.molecule.conformers import GasConformer
from polyscape.molecule.cut import whole_molecules
from polyscape.molecule.read import MoleculeError
from polyscape.molecule.shapes import in_order, mappings, names_a_file, nearest, read_shape
from polyscape.molecule.torsions import RIGID, rotatable_bonds, same_name, split_name
from polyscape.settings.molecule import Component
from polyscape.settings.search import KnownForm
from polyscape.status import Status
from polyscape.units import KJ_PER_MOL_PER_HARTREE

_UNLIKE_A = 0.6
"""A geometry whose best superposition is worse than this (RMSD of all atoms) is none of the conformers found."""


@dataclass(frozen=True)
class Shape:
    """A geometry that the config asks for.

    Attributes
    ----------
    key, source : str
        Where the config names it, and the file.
    position_av : numpy.ndarray, shape (atoms, 3)
        Positions in Angstrom, in the order of the component's molecule.
    """

    key: str
    source: str
    position_av: NDArray[np.float64]


def check_choice(
    component: Component, index: int, molecule: Chem.Mol, forms: Sequence[KnownForm], where: str
) -> None:
    """Check before any job that the choice can be made: files read, names have the right number of letters.

    Raises
    ------
    InputError
        At the first entry that cannot be meant.
    """
    shapes_asked(component, index, molecule, forms, where)
    if isinstance(component.conformers, str):
        return
    letters = len(rotatable_bonds(molecule))
    for name in component.conformers:
        if not names_a_file(name) and split_name(name) != letters:
            key = f"molecule.components[{index}].conformers"
            problem = f"is no name of a conformer: {component.name} has {letters} rotatable bonds"
            remedy = f"write {letters} of c, t, g+, g-, a+, a-" if letters else f"write {RIGID!r} or 'lowest'"
            raise InputError(where, key, name, problem, remedy)


def shapes_asked(
    component: Component, index: int, molecule: Chem.Mol, forms: Sequence[KnownForm], where: str
) -> list[Shape]:
    """The geometries that the config asks for by files, or by the molecules of the known forms.

    Raises
    ------
    InputError
        When a file cannot be read or does not hold the component.
    """
    key = f"molecule.components[{index}].conformers"
    if component.conformers == "known_forms":
        return _shapes_of_forms(component, key, molecule, forms, where)
    shapes = []
    for name in component.conformers if not isinstance(component.conformers, str) else ():
        if names_a_file(name):
            try:
                shapes.append(Shape(key, name, read_shape(Path(name), molecule)))
            except MoleculeError as error:
                raise InputError(where, key, name, error.problem, error.remedy) from error
    return shapes


def _shapes_of_forms(
    component: Component, key: str, molecule: Chem.Mol, forms: Sequence[KnownForm], where: str
) -> list[Shape]:
    if not forms:
        raise InputError(where, key, "known_forms", "there are no known forms", "add some, or write 'all'")
    shapes = []
    for number, form in enumerate(forms):
        place = f"known_forms[{number}].file"
        try:
            crystal = read_cif(Path(form.file))
            cut = whole_molecules(crystal.atomic_number_a, crystal.fractional_ac, crystal.cell_cv)
            mine = [geometry for geometry in cut if mappings(geometry, molecule)]
            shapes += [Shape(place, form.file, in_order(geometry, molecule)) for geometry in mine]
        except (CifError, MoleculeError) as error:
            raise InputError(where, place, form.file, error.problem, error.remedy) from error
        except ValueError as error:
            raise InputError(where, place, form.file, str(error), "give a molecular crystal") from error
        if not mine:
            problem = f"holds no molecule bonded as {component.name}"
            raise InputError(
                where, place, form.file, problem, "give the CIF of this compound, with hydrogens"
            )
    return _distinct(shapes)


def _distinct(shapes: list[Shape]) -> list[Shape]:
    """One shape of each file and geometry: molecules related by symmetry have the same distances between atoms."""
    kept: dict[tuple[str, bytes], Shape] = {}
    for shape in shapes:
        distance_aa = np.linalg.norm(shape.position_av[:, None] - shape.position_av, axis=2)
        kept.setdefault((shape.source, (np.round(distance_aa, 2) + 0.0).tobytes()), shape)
    return list(kept.values())


def selected_names(
    component: Component,
    index: int,
    molecule: Chem.Mol,
    found: list[GasConformer],
    shapes: list[Shape],
    where: str,
) -> set[str]:
    """Names of the conformers that the config asks for.

    Raises
    ------
    InputError
        When none converged, or one that is asked for is not among them.
    """
    good = [conformer for conformer in found if conformer.status is Status.OK]
    key = f"molecule.components[{index}].conformers"
    if not good:
        problem = f"no conformer of {component.name} converged ({', '.join(c.status for c in found)})"
        remedy = "give a better geometry as `file`, or another level"
        raise InputError(where, key, component.conformers, problem, remedy)
    if component.conformers == "lowest":
        lowest = min(good, key=_minimum_kJ_per_mol).name
        return {conformer.name for conformer in good if lowest in (conformer.name, conformer.beside)}
    if component.conformers == "all":
        return {conformer.name for conformer in good}
    wanted = {_of_shape(shape, good, molecule, where) for shape in shapes}
    names = component.conformers if not isinstance(component.conformers, str) else []
    for name in names:
        if not names_a_file(name):
            wanted |= _of_name(name, key, found, where)
    return wanted


def _minimum_kJ_per_mol(conformer: GasConformer) -> float:
    """Energy of the minimum that a conformer is, or stands near."""
    return conformer.energy_hartree * KJ_PER_MOL_PER_HARTREE - conformer.above_minimum_kJ_per_mol


def _of_shape(shape: Shape, good: list[GasConformer], molecule: Chem.Mol, where: str) -> str:
    """The conformer nearest to a shape."""
    conformer, rmsd = nearest(shape.position_av, good, molecule)
    if rmsd > _UNLIKE_A:
        problem = f"its molecule is unlike every conformer (nearest: {conformer.name}, {rmsd:.2f} Angstrom)"
        raise InputError(
            where, shape.key, shape.source, problem, "widen molecule.conformer_window_kJ_per_mol"
        )
    return conformer.name


def _of_name(name: str, key: str, found: list[GasConformer], where: str) -> set[str]:
    """The converged conformers that a name means."""
    meant = [conformer for conformer in found if same_name(name, conformer.name)]
    good = {conformer.name for conformer in meant if conformer.status is Status.OK}
    if good:
        return good
    remedy = f"found: {listing(found)}"
    if meant:
        raise InputError(where, key, name, f"did not converge ({meant[0].status})", remedy)
    raise InputError(where, key, name, "no such conformer in the window", remedy)


def listing(found: list[GasConformer]) -> str:
    """``ctc 0.0 kJ/mol, ttt 17.6 kJ/mol, tct scf_failed``."""
    parts = []
    for conformer in found:
        energy = (conformer.energy_hartree - found[0].energy_hartree) * KJ_PER_MOL_PER_HARTREE
        good = conformer.status is Status.OK
        parts.append(
            f"{conformer.name} {energy:.1f} kJ/mol" if good else f"{conformer.name} {conformer.status}"
        )
    return ", ".join(parts)
