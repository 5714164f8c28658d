"""From a crystal in any description to its primitive Niggli cell, with the symmetry it has.

A search finds one crystal in several descriptions: another setting, another origin, a subgroup, a supercell.  The
symmetry is found anew from all atoms, the lattice is the finest that its translations allow, and one molecule is kept
of those that the new lattice makes equal.  No atom is moved: coordinates are only expressed in another basis.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import spglib
from ase import Atoms
from ase.cell import Cell
from numpy.typing import NDArray

from polyscape.crystal.packing import Conformers, Packing

SYMMETRY_TOLERANCE_A: Final = 0.02
"""Largest misfit of an atom to its symmetry image.

A minimum of the lattice energy is converged to about 0.001 A, and a gas-phase conformer keeps its symmetry to about
0.01 A; polymorphs that differ by less than this are one crystal at any temperature.
"""

_SAME_POSITION_A: Final = 0.1
"""Molecules nearer than this modulo the finer lattice are images of each other."""


@dataclass(frozen=True)
class ReducedCrystal:
    """A crystal in its primitive Niggli cell.

    Attributes
    ----------
    atoms : ase.Atoms
        The cell, a along x and b in the xy plane; atoms of a molecule stand together, in the conformer's order and not
        cut by the cell's faces; the molecules' centres lie in the cell.
    first_m : numpy.ndarray, shape (molecules + 1,)
        Where each molecule's atoms begin.
    kept_m : tuple of int
        Which of the molecules given these are.
    space_group : int
        International Tables number of the symmetry found.
    symbol : str
        Its Hermann-Mauguin symbol, standard setting.
    order : int
        Operations of its point group.
    """

    atoms: Atoms
    first_m: NDArray[np.int64]
    kept_m: tuple[int, ...]
    space_group: int
    symbol: str
    order: int

    @property
    def molecules(self) -> int:
        """Molecules in the cell."""
        return len(self.first_m) - 1


def reduce_packing(packing: Packing, conformers: Conformers) -> ReducedCrystal:
    """The primitive Niggli cell of a crystal of rigid molecules."""
    sizes = [
        len(conformers[pose.component, pose.conformer].atomic_number_a)
        for pose, images in zip(packing.poses, packing.molecules(conformers), strict=True)
        for _ in images
    ]
    return reduce_atoms(packing.to_atoms(conformers), np.cumsum([0, *sizes]))


def reduce_atoms(atoms: Atoms, first_m: NDArray[np.int64]) -> ReducedCrystal:
    """The primitive Niggli cell of a periodic crystal whose molecules stand one after another, unwrapped.

    Parameters
    ----------
    atoms : ase.Atoms
        All atoms of a cell.
    first_m : numpy.ndarray, shape (molecules + 1,)
        Where each molecule's atoms begin.
    """
    cell_cv = np.asarray(atoms.cell)
    found = _symmetry(atoms)
    translations = [
        t for w, t in zip(found.rotations, found.translations, strict=True) if (w == np.eye(3)).all()
    ]
    reduced_cv = niggli_cell(primitive_lattice(np.array(translations)) @ cell_cv)
    kept = _one_of_each(atoms, first_m, reduced_cv)
    spans = [np.arange(first_m[m], first_m[m + 1]) for m in kept]
    fractional_ac = [_centred(atoms.positions[span] @ np.linalg.inv(reduced_cv)) for span in spans]
    standard_cv = Cell(reduced_cv).standard_form()[0]
    numbers = atoms.numbers[np.concatenate(spans)]
    reduced = Atoms(
        numbers, np.concatenate(fractional_ac) @ np.asarray(standard_cv), cell=standard_cv, pbc=True
    )
    starts = np.cumsum([0, *(len(span) for span in spans)])
    order = len(found.rotations) // len(translations)
    return ReducedCrystal(reduced, starts, tuple(kept), int(found.number), str(found.international), order)


def primitive_lattice(translation_nc: NDArray[np.float64]) -> NDArray[np.float64]:
    """A basis of the lattice that translations generate together with the cell's own vectors.

    n translations modulo the cell are multiples of 1/n, so that the basis is the Hermite normal form of integers.

    Parameters
    ----------
    translation_nc : numpy.ndarray, shape (n, 3)
        All pure translations modulo the cell (the zero vector among them), in fractions of its vectors.

    Returns
    -------
    numpy.ndarray, shape (3, 3)
        Basis vectors as rows, in fractions of the cell's vectors; its determinant is 1/n.
    """
    count = len(translation_nc)
    rows = np.concatenate([np.rint(count * translation_nc).astype(int), count * np.eye(3, dtype=int)])
    basis = np.zeros((3, 3), int)
    for column in range(3):
        while np.count_nonzero(rows[:, column]) > 1:
            candidates = np.flatnonzero(rows[:, column])
            pivot = candidates[np.argmin(np.abs(rows[candidates, column]))]
            others = candidates[candidates != pivot]
            rows[others] -= (rows[others, column] // rows[pivot, column])[:, None] * rows[pivot]
        pivot = int(np.flatnonzero(rows[:, column])[0])
        basis[column] = rows[pivot]
        rows = np.delete(rows, pivot, axis=0)
    return basis / count


def niggli_cell(cell_cv: NDArray[np.float64]) -> NDArray[np.float64]:
    """Niggli-reduced, right-handed basis of a lattice, in the same orientation, shape (3, 3).

    The algorithm of spglib can run in circles when lengths tie within rounding; it then gets a wider tolerance.
    """
    start_cv: Any = spglib.delaunay_reduce(cell_cv)
    for tolerance in 10.0 ** np.arange(-5, 0):
        reduced = spglib.niggli_reduce(start_cv, eps=float(tolerance))
        if reduced is not None:
            reduced_cv = np.array(reduced, float)
            return reduced_cv if np.linalg.det(reduced_cv) > 0 else -reduced_cv
    raise ValueError(f"spglib cannot reduce the lattice {cell_cv.tolist()}")


def _symmetry(atoms: Atoms) -> spglib.SpglibDataset:
    """Symmetry of all atoms; a tolerance at which spglib finds no consistent group is made tighter."""
    crystal: Any = (np.asarray(atoms.cell), atoms.get_scaled_positions(), atoms.numbers)
    for tolerance in SYMMETRY_TOLERANCE_A / 2.0 ** np.arange(6):
        found = spglib.get_symmetry_dataset(crystal, symprec=float(tolerance))
        if found is not None:
            return found
    raise ValueError(f"spglib finds no symmetry: atoms coincide in a cell of {len(atoms)} atoms")


def _one_of_each(atoms: Atoms, first_m: NDArray[np.int64], lattice_cv: NDArray[np.float64]) -> list[int]:
    """The first of every set of molecules that are images of each other under a lattice."""
    wanted = round((len(first_m) - 1) * abs(np.linalg.det(lattice_cv)) / atoms.get_volume())
    kept: list[int] = []
    for m in range(len(first_m) - 1):
        span = slice(first_m[m], first_m[m + 1])
        fresh = True
        for other in kept:
            earlier = slice(first_m[other], first_m[other + 1])
            if np.array_equal(atoms.numbers[span], atoms.numbers[earlier]):
                fresh = fresh and not _images(atoms, span, earlier, lattice_cv)
        if fresh:
            kept.append(m)
    if len(kept) != wanted:
        raise ValueError(f"{len(kept)} molecules are left in the reduced cell, not {wanted}")
    return kept


def _images(atoms: Atoms, span: slice, earlier: slice, lattice_cv: NDArray[np.float64]) -> bool:
    """Whether two molecules coincide modulo a lattice, their atoms in any order."""
    offset_aac = (atoms.positions[span][:, None] - atoms.positions[earlier][None]) @ np.linalg.inv(lattice_cv)
    distance_aa = np.linalg.norm((offset_aac - np.round(offset_aac)) @ lattice_cv, axis=2)
    different_aa = atoms.numbers[span][:, None] != atoms.numbers[earlier][None]
    return bool(np.all(np.where(different_aa, np.inf, distance_aa).min(axis=1) < _SAME_POSITION_A))


def _centred(fractional_ac: NDArray[np.float64]) -> NDArray[np.float64]:
    """A molecule moved by whole cells so that its centroid lies in the cell; 1 - 1e-9 counts as 0."""
    return fractional_ac - np.floor(fractional_ac.mean(axis=0) + 1e-9)
