"""A known crystal form as a crystal of rigid conformers: molecules cut out, recognised, superposed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from ase.geometry import cell_to_cellpar
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from polyscape.crystal.asymmetric import asymmetric_unit, in_standard_setting, symmetry_of
from polyscape.crystal.cif import CifCrystal, CifError
from polyscape.crystal.packing import Conformers, Packing, Pose
from polyscape.crystal.reduction import ReducedCrystal, reduce_atoms
from polyscape.molecule.cut import whole_molecules
from polyscape.molecule.model import Conformer
from polyscape.molecule.read import bonds_by_distance
from polyscape.molecule.species import bond_graph
from polyscape.molecule.symmetry import superpose

_MOST_MAPPINGS: Final = 20_000
_MIRROR_GAIN_A: Final = 1e-3
"""The mirror image is taken only where it fits better by this: planar molecules are their own mirror images."""

Molecule = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Atomic numbers, shape (atoms,), and positions in Angstrom, shape (atoms, 3)."""


@dataclass(frozen=True)
class Recognised:
    """A molecule of a crystal as a conformer.

    Attributes
    ----------
    key : (int, str)
        Component and conformer.
    order_a : numpy.ndarray, shape (atoms,)
        The crystal molecule's atoms in the order of the conformer's.
    rmsd_A : float
        Misfit of all atoms, hydrogens included.
    """

    key: tuple[int, str]
    order_a: NDArray[np.int64]
    rmsd_A: float


@dataclass(frozen=True)
class FormCrystal:
    """A known form in its primitive Niggli cell.

    Attributes
    ----------
    reduced : ReducedCrystal
        The published geometry, atoms in the conformers' order, molecules sorted by component.
    keys_m : tuple of (int, str)
        Component and conformer of each molecule.
    rmsd_A : float
        Largest misfit between a molecule and its conformer.
    packing : Packing
        The rigid conformers superposed onto the molecules, all independent, in P 1; `symmetric_packing` makes less of it.
    """

    reduced: ReducedCrystal
    keys_m: tuple[tuple[int, str], ...]
    rmsd_A: float
    packing: Packing


def molecules_of(
    crystal: CifCrystal, formulas: Sequence[str], stoichiometry: Sequence[int]
) -> list[Molecule]:
    """The whole molecules of a cell, their composition checked against the components.

    Raises
    ------
    CifError
        When the crystal is a network, lacks hydrogens, or holds other molecules than the components, or in other
        proportions.
    """
    try:
        molecules = whole_molecules(crystal.atomic_number_a, crystal.fractional_ac, crystal.cell_cv)
    except ValueError as error:
        raise CifError(str(error), "give a crystal of separate molecules") from error
    found = Counter(formula(numbers) for numbers, _ in molecules)
    strange = sorted(set(found) - set(formulas))
    if strange:
        lacking = [f for f in formulas if _without_hydrogen(strange[0]) == _without_hydrogen(f)]
        problem = f"holds molecules {strange[0]}, the components are {', '.join(formulas)}"
        if lacking:
            raise CifError(f"{problem}: hydrogen atoms are missing or too many", "complete the CIF")
        raise CifError(problem, "give the CIF of this compound, or add the component")
    wanted: Counter[str] = Counter()
    for name, count in zip(formulas, stoichiometry, strict=True):
        wanted[name] += count
    if len({found[name] / count for name, count in wanted.items()}) > 1:
        held = ", ".join(f"{count} {name}" for name, count in sorted(found.items()))
        raise CifError(
            f"holds {held} in the cell, not in the proportion of the components", "mend `stoichiometry`"
        )
    return molecules


def formula(atomic_numbers: Iterable[int]) -> str:
    """Hill-like formula: carbon and hydrogen first, ``C2 H2 O4``."""
    counts = Counter(chemical_symbols[int(number)] for number in atomic_numbers)
    order = sorted(counts, key=lambda symbol: (symbol != "C", symbol != "H", symbol))
    return " ".join(f"{symbol}{counts[symbol] if counts[symbol] > 1 else ''}" for symbol in order)


def _without_hydrogen(text: str) -> list[str]:
    return [part for part in text.split() if part.rstrip("0123456789") != "H"]


def recognise(molecule: Molecule, conformers: Conformers) -> Recognised:
    """The conformer that fits a molecule of a crystal best, mirror images allowed.

    Raises
    ------
    CifError
        When no conformer has its bonds.
    """
    best: Recognised | None = None
    for key in sorted(conformers):
        for order_a in _mappings(molecule, conformers[key]):
            _, _, rmsd = _fit(conformers[key].position_av, molecule[1][order_a])
            if best is None or rmsd < best.rmsd_A - 1e-9:
                best = Recognised(key, order_a, rmsd)
    if best is None:
        raise CifError(
            f"a molecule {formula(molecule[0])} is bonded unlike every component",
            "give the CIF of this compound",
        )
    return best


def _mappings(molecule: Molecule, conformer: Conformer) -> list[NDArray[np.int64]]:
    """All orders of a molecule's atoms that give it the conformer's elements and bonds."""
    numbers_a, position_av = molecule
    target = bond_graph(numbers_a, bonds_by_distance(numbers_a, position_av))
    query = bond_graph(conformer.atomic_number_a, conformer.bonds)
    if target.GetNumAtoms() != query.GetNumAtoms() or target.GetNumBonds() != query.GetNumBonds():
        return []
    matches = target.GetSubstructMatches(query, uniquify=False, maxMatches=_MOST_MAPPINGS)
    return [np.array(match) for match in matches]


def _fit(
    from_av: NDArray[np.float64], onto_av: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Orthogonal matrix and translation that lay one molecule over another, and the RMSD; improper where better."""
    from_v, onto_v = from_av.mean(axis=0), onto_av.mean(axis=0)
    proper, rmsd = superpose(from_av - from_v, onto_av - onto_v, improper=False)
    improper, mirrored = superpose(from_av - from_v, onto_av - onto_v, improper=True)
    matrix_vv, rmsd = (improper, mirrored) if mirrored < rmsd - _MIRROR_GAIN_A else (proper, rmsd)
    return matrix_vv, onto_v - matrix_vv @ from_v, rmsd


def form_crystal(
    molecules: Sequence[Molecule], cell_cv: NDArray[np.float64], conformers: Conformers
) -> FormCrystal:
    """A known form reduced, recognised and rebuilt from rigid conformers.

    Parameters
    ----------
    molecules : sequence of Molecule
        All molecules of the cell, whole.
    cell_cv : numpy.ndarray, shape (3, 3)
        Cell vectors as rows, in Angstrom.
    conformers : mapping
        All conformers known, searched or not.
    """
    recognised = [recognise(molecule, conformers) for molecule in molecules]
    by_component = sorted(range(len(molecules)), key=lambda m: recognised[m].key[0])
    numbers = [molecules[m][0][recognised[m].order_a] for m in by_component]
    positions = [molecules[m][1][recognised[m].order_a] for m in by_component]
    first_m = np.cumsum([0, *(len(n) for n in numbers)])
    atoms = Atoms(np.concatenate(numbers), np.concatenate(positions), cell=cell_cv, pbc=True)
    reduced = reduce_atoms(atoms, first_m)
    keys = tuple(recognised[by_component[m]].key for m in reduced.kept_m)
    reduced_cv = np.asarray(reduced.atoms.cell)
    placed = np.split(reduced.atoms.positions, reduced.first_m[1:-1])
    poses = tuple(_pose(key, conformers[key], xyz, reduced_cv) for key, xyz in zip(keys, placed, strict=True))
    a, b, c, alpha, beta, gamma = map(float, cell_to_cellpar(reduced.atoms.cell))
    packing = Packing("P 1", (a, b, c, alpha, beta, gamma), poses)
    return FormCrystal(reduced, keys, max(r.rmsd_A for r in recognised), packing)


def _pose(
    key: tuple[int, str], conformer: Conformer, position_av: NDArray[np.float64], cell_cv: NDArray[np.float64]
) -> Pose:
    """The pose of a conformer laid over a molecule whose atoms stand in its order."""
    matrix_vv, centre_v, _ = _fit(conformer.position_av, position_av)
    parity = 1 if np.linalg.det(matrix_vv) > 0 else -1
    x, y, z, w = map(float, Rotation.from_matrix(parity * matrix_vv).as_quat())
    tx, ty, tz = map(float, np.linalg.solve(cell_cv.T, centre_v))
    return Pose(key[0], key[1], "1", (tx, ty, tz), (w, x, y, z), parity)


def symmetric_packing(packing: Packing, conformers: Conformers, published: Atoms) -> Packing:
    """A crystal of rigid molecules in its own space group, molecules on special positions counted once.

    Parameters
    ----------
    packing : Packing
        All molecules of a cell, in P 1.
    conformers : mapping
        The rigid molecules.
    published : ase.Atoms
        The crystal in the same cell, as it was given: its symmetry is meant.

    Returns
    -------
    Packing
        In the standard setting; as it was, in P 1, where the rigid molecules do not have the symmetry of those given.
    """
    try:
        return in_standard_setting(asymmetric_unit(packing, conformers, symmetry_of(published)))
    except ValueError:
        return packing
