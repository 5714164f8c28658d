"""Whether two packings are the same: clusters of molecules overlaid (RMSD_n), by `oxtalign`.

References
----------
J. A. Chisholm, S. Motherwell, J. Appl. Cryst. 38 (2005) 228, https://doi.org/10.1107/S0021889804027074
(RMSD_n).
"""

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import oxtalign
from ase import Atoms
from ase.data import chemical_symbols
from numpy.typing import NDArray
from oxtalign.model import Molecule, UnitCell

from polyscape.crystal.invariants import average_minimum_distances
from polyscape.molecule.cut import whole_molecules
from polyscape.molecule.read import bonds_by_distance
from polyscape.search.cluster import Molecules, overlaid

_SURE_RMSD_A: Final = 0.1
"""A whole overlay this good is not looked for in another way."""


@dataclass(frozen=True)
class Overlay:
    """The result of laying one cluster over another.

    Attributes
    ----------
    molecules : int
        Molecules that overlay.
    rmsd_A : float
        Root mean square distance of their atoms, hydrogens included; infinite when none overlay.
    """

    molecules: int
    rmsd_A: float

    def same(self, molecules: int, rmsd_A: float) -> bool:
        """Whether the whole cluster overlays within a tolerance."""
        return self.molecules >= molecules and self.rmsd_A <= rmsd_A


LARGEST_AMD_SHARE: Final = 1.5
"""Clusters that overlay within an RMSD r differ in their average minimum distances by less than this times r.

Displacements of size r change a distance between two atoms by sqrt(2) r (root mean square), and the average
over atoms by no more.
"""


class Fingerprint:
    """A crystal prepared for comparison.

    Parameters
    ----------
    atoms : ase.Atoms
        All atoms of a cell; those of a molecule stand together and are not cut by the cell's faces.
    first_m : numpy.ndarray, shape (molecules + 1,)
        Where each molecule's atoms begin.
    """

    def __init__(self, atoms: Atoms, first_m: NDArray[np.int64]) -> None:
        self._atoms, self._first_m = atoms, first_m
        self._structure: oxtalign.Structure | None = None

    @cached_property
    def amd_k(self) -> NDArray[np.float64]:
        """Average minimum distances, Angstrom, shape (100,)."""
        return average_minimum_distances(self._atoms)

    @classmethod
    def of_crystal(cls, atoms: Atoms) -> "Fingerprint":
        """A crystal whose molecules are not known beforehand: they are cut out of the cell by their bonds.

        Raises
        ------
        ValueError
            When a molecule is bonded to its own image.
        """
        cell_cv = np.asarray(atoms.cell)
        molecules = whole_molecules(atoms.numbers, atoms.get_scaled_positions(wrap=True), cell_cv)
        numbers_a = np.concatenate([numbers for numbers, _ in molecules])
        position_av = np.concatenate([position for _, position in molecules])
        first_m = np.cumsum([0, *(len(numbers) for numbers, _ in molecules)])
        return cls(Atoms(numbers_a, position_av, cell=cell_cv, pbc=True), first_m)

    @property
    def structure(self) -> "oxtalign.Structure":
        """The crystal as oxtalign sees it, made when first needed.

        Its molecules are given: perceived from distances, a short hydrogen bond would make a polymer of them.
        """
        if self._structure is None:
            cell_cv = np.asarray(self._atoms.cell)
            lengths_and_angles = map(float, self._atoms.cell.cellpar())
            cell = UnitCell(*lengths_and_angles, ["x,y,z"], cell_cv.T, np.linalg.inv(cell_cv.T))
            spans = [slice(a, b) for a, b in itertools.pairwise(self._first_m)]
            self._structure = oxtalign.Structure([self._molecule(span) for span in spans], cell, "")
        return self._structure

    def _molecule(self, span: slice) -> Molecule:
        numbers_a, position_av = self._atoms.numbers[span], self._atoms.positions[span]
        symbols = tuple(chemical_symbols[number] for number in numbers_a)
        molecule = Molecule(symbols, position_av, symbols, tuple(bonds_by_distance(numbers_a, position_av)))
        molecule.species_key = molecule.formula()
        return molecule

    def molecules(self) -> Molecules:
        """The crystal as clusters of molecules are cut from it."""
        spans = [slice(a, b) for a, b in itertools.pairwise(self._first_m)]
        return Molecules(
            tuple(self._atoms.numbers[span] for span in spans),
            tuple(self._atoms.positions[span] for span in spans),
            np.asarray(self._atoms.cell),
        )

    def amd_distance_A(self, other: "Fingerprint") -> float:
        """Largest difference of the average minimum distances."""
        return float(np.max(np.abs(self.amd_k - other.amd_k)))


def overlay(one: Fingerprint, other: Fingerprint, molecules: int, mirror: bool = True) -> Overlay:
    """Lay clusters of two crystals over each other, by oxtalign.

    oxtalign misses some: a few per cent of the pairs of one crystal that have tied distances, crystals of linear
    molecules (solid CO2, turned), and mirror images to be told apart, because it looks around one molecule and a centric
    crystal holds others of the other hand.  What it does not lay whole is laid by the molecules' centres
    (`polyscape.search.cluster`), and the better overlay counts.

    Parameters
    ----------
    one, other : Fingerprint
        The crystals.
    molecules : int
        Size of the clusters.
    mirror : bool
        Whether mirror images match, as in a racemic search.
    """
    found = _aligned(one, other, molecules, mirror)
    if found.same(molecules, _SURE_RMSD_A):
        return found
    second = Overlay(*overlaid(one.molecules(), other.molecules(), molecules, mirror))
    return min(found, second, key=lambda overlay: (-overlay.molecules, overlay.rmsd_A))


def _aligned(one: Fingerprint, other: Fingerprint, molecules: int, mirror: bool) -> Overlay:
    found = oxtalign.compare(
        one.structure, other.structure, n=molecules, include_hydrogens=True, allow_inversion=mirror
    )
    if not np.isfinite(found.rmsd_n):
        return Overlay(0, float("inf"))
    return Overlay(int(found.n_matched), float(found.rmsd_n))
