"""The independent molecules of a file: cut out of the crystal, their sites told apart and laid over their atoms.

Sites of several molecules stand one after another, each in a frame of its own, so that frames may overlap; where blocks
do not fit, sites of one frame are told apart by their bonds.  The unit of the positions is bohr unless the bond lengths
say otherwise.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from ase.cell import Cell
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import pdist

from polyscape.crystal.packing import Pose
from polyscape.energy.dmacrys.document import Document
from polyscape.energy.dmacrys.superposition import Molecule, Superposition, lay_over
from polyscape.molecule.cut import whole_molecules
from polyscape.molecule.model import Conformer
from polyscape.molecule.read import bonds_by_distance
from polyscape.molecule.rigid import rigid_molecule
from polyscape.units import ANGSTROM_PER_BOHR

_SAME_UNIT: Final = 0.02
"""Heavy-atom distances of one molecule in two descriptions agree within this fraction when the unit is the same."""

_FITS_A: Final = 0.3
"""Heavy atoms of the right molecule fit far better, those of another far worse."""

_CLEAR_DIPOLE: Final = 0.005
_ENOUGH: Final = 3
_ALIGNED: Final = 0.5
"""Hydrogens' dipoles (e bohr) that say something, how many of them are needed, and the mean cosine with their bonds."""


@dataclass(frozen=True)
class Placed:
    """An independent molecule.

    Attributes
    ----------
    conformer : Conformer
        Rigid, at the interaction sites, in the principal frame.
    pose : Pose
        Where it stands.
    site_a : numpy.ndarray, shape (sites,)
        Index of each of its sites in the file.
    moved_A : float
        Mean distance of its hydrogen sites from the crystal's hydrogen atoms.
    """

    conformer: Conformer
    pose: Pose
    site_a: NDArray[np.int64]
    moved_A: float


def cut_molecules(document: Document) -> list[Molecule]:
    """The whole molecules of the asymmetric unit.

    Raises
    ------
    InputError
        When its atoms are bonded through the whole crystal.
    """
    numbers_a = np.array([atom.number for atom in document.atoms])
    fractional_ac = np.array([atom.fractional_c for atom in document.atoms])
    try:
        return whole_molecules(numbers_a, fractional_ac, np.asarray(Cell.fromcellpar(document.cell)))
    except ValueError as error:
        raise document.refusal("crystal.atoms", len(document.atoms), str(error), "mend the atoms") from error


def place_molecules(document: Document, molecules: Sequence[Molecule]) -> tuple[list[Placed], list[str]]:
    """The independent molecules at their interaction sites, in the order of the file's sites, and notes.

    Raises
    ------
    InputError
        When the sites are not those of the molecules.
    """
    numbers_a = np.array([site.number for site in document.sites])
    position_av = np.array([site.position_v for site in document.sites])
    if Counter(numbers_a.tolist()) != Counter(n for numbers, _ in molecules for n in numbers.tolist()):
        raise document.refusal(
            "molecule.sites",
            len(numbers_a),
            "are not the elements of crystal.atoms",
            "give one site for each atom of the asymmetric unit",
        )
    best: tuple[float, list[NDArray[np.int64]], list[tuple[int, Superposition]], float] | None = None
    for blocks in _splits(numbers_a, position_av, molecules):
        unit_A = _unit(numbers_a, position_av, blocks, molecules)
        fits = _assigned([(numbers_a[b], unit_A * position_av[b]) for b in blocks], molecules)
        misfit = max(fit.heavy_rmsd_A for _, fit in fits) if fits else np.inf
        if fits and (best is None or misfit < best[0]):
            best = misfit, blocks, fits, unit_A
        if misfit < _FITS_A:
            break
    if best is None or best[0] > _FITS_A:
        raise document.refusal(
            "molecule.sites",
            len(numbers_a),
            "cannot be laid over the molecules of crystal.atoms",
            "mend positions, or the order of the sites (molecule after molecule)",
        )
    _, blocks, fits, unit_A = best
    notes = _notes(unit_A, [fit for _, fit in fits])
    placed = [
        _placed(document, block, fit, unit_A, m)
        for m, (block, (_, fit)) in enumerate(zip(blocks, fits, strict=True))
    ]
    return placed, notes + _axes_note([one.conformer for one in placed])


def _axes_note(molecules: Sequence[Conformer]) -> list[str]:
    """A warning where multipoles cannot be in the axes of the positions.

    The dipole of a hydrogen in a multipole analysis lies along its bond, negative end outwards: the mean cosine with the
    bond is about -0.95, and near zero when axes differ.
    """
    cosines = []
    for molecule in molecules:
        for pair in molecule.bonds:
            for light, heavy in (pair, pair[::-1]):
                dipole_v = molecule.multipole_aq[light, [2, 3, 1]]
                if molecule.atomic_number_a[light] == 1 and np.linalg.norm(dipole_v) > _CLEAR_DIPOLE:
                    bond_v = molecule.position_av[light] - molecule.position_av[heavy]
                    cosines.append(dipole_v @ bond_v / np.linalg.norm(dipole_v) / np.linalg.norm(bond_v))
    if len(cosines) < _ENOUGH or abs(np.mean(cosines)) > _ALIGNED:
        return []
    return [
        "dipoles of hydrogens do not lie along their bonds: multipoles are in other axes than the site positions, "
        "and all terms beyond charge-charge and repulsion-dispersion are meaningless"
    ]


def _notes(unit_A: float, fits: Sequence[Superposition]) -> list[str]:
    notes = []
    if unit_A != ANGSTROM_PER_BOHR:
        notes.append(f"site positions are in units of {unit_A:.4f} A, as the bond lengths show")
    if any(np.linalg.det(fit.matrix_vv) < 0 for fit in fits):
        notes.append("sites are the mirror image of the crystal's molecule")
    moved = max(fit.hydrogen_misfit_A for fit in fits)
    if moved > 0.02:
        notes.append(f"hydrogen sites lie {moved:.2f} A from the crystal's hydrogen atoms on average")
    return notes


def _splits(
    numbers_a: NDArray[np.int64], position_av: NDArray[np.float64], molecules: Sequence[Molecule]
) -> Iterable[list[NDArray[np.int64]]]:
    """Ways to tell the molecules' sites apart: one after another in every order, then by bonds."""
    compositions = [tuple(sorted(numbers.tolist())) for numbers, _ in molecules]
    yield from _in_turn(numbers_a, 0, compositions)
    for unit_A in (ANGSTROM_PER_BOHR, 1.0):
        bonds = bonds_by_distance(numbers_a, unit_A * position_av)
        linked = np.zeros((len(numbers_a), len(numbers_a)), bool)
        for first, second in bonds:
            linked[first, second] = True
        count, label_a = connected_components(linked, directed=False)
        blocks = [np.flatnonzero(label_a == m) for m in range(count)]
        if sorted(tuple(sorted(numbers_a[b].tolist())) for b in blocks) == sorted(compositions):
            yield blocks


def _in_turn(
    numbers_a: NDArray[np.int64], start: int, left: Sequence[tuple[int, ...]]
) -> Iterable[list[NDArray[np.int64]]]:
    """Consecutive blocks of sites with the compositions that are left."""
    if not left:
        yield []
        return
    for composition in dict.fromkeys(left):
        stop = start + len(composition)
        if tuple(sorted(numbers_a[start:stop].tolist())) == composition:
            others = list(left)
            others.remove(composition)
            for rest in _in_turn(numbers_a, stop, others):
                yield [np.arange(start, stop), *rest]


def _unit(
    numbers_a: NDArray[np.int64],
    position_av: NDArray[np.float64],
    blocks: Sequence[NDArray[np.int64]],
    molecules: Sequence[Molecule],
) -> float:
    """The unit of the site positions in Angstrom: sums of heavy-atom distances in sites and in atoms agree."""
    for lightest in (2, 1):  # heavy atoms where any molecule has two
        sites = sum(pdist(position_av[b][numbers_a[b] >= lightest]).sum() for b in blocks)
        atoms = sum(pdist(xyz[numbers >= lightest]).sum() for numbers, xyz in molecules)
        if sites > 0 and atoms > 0:
            found = float(atoms / sites)
            return ANGSTROM_PER_BOHR if abs(found / ANGSTROM_PER_BOHR - 1.0) < _SAME_UNIT else found
    return ANGSTROM_PER_BOHR


def _assigned(blocks: Sequence[Molecule], molecules: Sequence[Molecule]) -> list[tuple[int, Superposition]]:
    """For each block of sites its molecule and the superposition; empty when they are not the same molecules.

    Of molecules that fit alike the first is taken first.
    """
    fits: dict[tuple[int, int], Superposition] = {}
    cost = np.full((len(blocks), len(molecules)), 1e6)
    for i, block in enumerate(blocks):
        for j, molecule in enumerate(molecules):
            if sorted(block[0].tolist()) == sorted(molecule[0].tolist()):
                fit = lay_over(block, molecule)
                if fit is not None:
                    fits[i, j] = fit
                    cost[i, j] = fit.heavy_rmsd_A + fit.hydrogen_misfit_A + 1e-6 * abs(i - j)
    rows, columns = linear_sum_assignment(cost)
    if any((int(i), int(j)) not in fits for i, j in zip(rows, columns, strict=True)):
        return []
    return [(int(j), fits[int(i), int(j)]) for i, j in zip(rows, columns, strict=True)]


def _placed(
    document: Document, block: NDArray[np.int64], fit: Superposition, unit_A: float, m: int
) -> Placed:
    """A molecule in its principal frame, and its pose."""
    sites = [document.sites[int(index)] for index in block]
    rigid = rigid_molecule(
        np.array([site.number for site in sites]),
        unit_A * np.array([site.position_v for site in sites]),
        np.array([site.multipole_q for site in sites]),
        np.zeros(len(sites)),
    )
    cell_cv = np.asarray(Cell.fromcellpar(document.cell))
    centre_c = np.linalg.solve(cell_cv.T, fit.matrix_vv @ rigid.centre_v + fit.shift_v)
    pose = Pose.of(fit.matrix_vv @ rigid.matrix_vv, centre_c, (m, "rigid"))
    return Placed(rigid.conformer, pose, block, fit.hydrogen_misfit_A)
