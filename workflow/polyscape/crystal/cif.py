"""Crystal structures from CIF files: all atoms of the cell, with the major part of any disorder."""

import codecs
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import gemmi
import numpy as np
from numpy.typing import NDArray

from polyscape.crystal.disorder import Disorder, PartlyEmptyError, major_part
from polyscape.crystal.groups import SpaceGroup, only_setting, plain_symbol
from polyscape.crystal.operations import group_from_operations, operation_key, parse_operation

_NO_SYMBOL: Final = ("", "?", ".")
_SAME_SITE_A: Final = 0.1
_SHORTEST_A: Final = 1.0
"""No cell of molecules has a shorter axis, or less than its cube for a volume."""

_WHOLE: Final = 0.999
"""Occupancy from which a site counts as full."""


class CifError(ValueError):
    """A CIF cannot be used: what it lacks, and what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem, self.remedy = problem, remedy
        super().__init__(f"{problem}; {remedy}")


@dataclass(frozen=True)
class CifCrystal:
    """The content of a CIF.

    Attributes
    ----------
    cell_cv : numpy.ndarray, shape (3, 3)
        Cell vectors as rows, in Angstrom.
    atomic_number_a : numpy.ndarray, shape (atoms,)
        Of all atoms of the cell.
    fractional_ac : numpy.ndarray, shape (atoms, 3)
        Their fractional coordinates, in [0, 1).
    space_group : int
        International Tables number that the file gives.
    citation : str or None
        Journal, year and DOI, as far as the file names them.
    """

    cell_cv: NDArray[np.float64]
    atomic_number_a: NDArray[np.int64]
    fractional_ac: NDArray[np.float64]
    space_group: int
    citation: str | None


def read_cif(path: Path) -> CifCrystal:
    """Read the one crystal structure of a CIF.

    Raises
    ------
    CifError
        When the file is missing or damaged, holds no structure or several, or names no space group known.
    """
    blocks = _blocks(path)
    if len(blocks) != 1:
        raise CifError(
            f"holds {len(blocks)} crystal structures with coordinates", "give a CIF with exactly one"
        )
    return _crystal(blocks[0])


def read_cifs(path: Path) -> list[CifCrystal]:
    """Read all crystal structures of a CIF, block by block.

    Raises
    ------
    CifError
        When the file is missing or damaged, holds no structure, or one that cannot be used.
    """
    blocks = _blocks(path)
    if not blocks:
        raise CifError("holds no crystal structure with coordinates", "give a CIF with coordinates")
    crystals = []
    for block in blocks:
        try:
            crystals.append(_crystal(block))
        except CifError as error:
            raise CifError(f"block {block.name}: {error.problem}", error.remedy) from error
    return crystals


def _blocks(path: Path) -> list[gemmi.cif.Block]:
    """The blocks of a CIF that hold coordinates."""
    try:
        document = gemmi.cif.read_string(_without_mark(path), check_level=0)
        _number_blocks(document)
        document.check_for_duplicates()
    except (OSError, ValueError, RuntimeError) as error:
        raise CifError(
            f"cannot be read ({error})".replace("\n", " "), "give a CIF file of the crystal"
        ) from error
    return [block for block in document if block.find_loop("_atom_site_fract_x")]


def _number_blocks(document: gemmi.cif.Document) -> None:
    """Tell blocks of one name apart: files put one after another, which other programs wrote, often have them."""
    times: Counter[str] = Counter()
    for block in document:
        times[block.name] += 1
        if times[block.name] > 1:
            block.name = f"{block.name}#{times[block.name]}"


def _without_mark(path: Path) -> str:
    """The text of a file without the mark that some editors put before it; names may be in any encoding."""
    return path.read_bytes().removeprefix(codecs.BOM_UTF8).decode("utf-8", errors="replace")


def _crystal(block: gemmi.cif.Block) -> CifCrystal:
    try:
        structure = gemmi.make_small_structure_from_block(block)
    except RuntimeError as error:  # angles without a cell
        raise CifError(f"has no cell ({error})", "mend the cell") from error
    cell = structure.cell
    angles = cell.alpha, cell.beta, cell.gamma
    flat = not (min(angles) > 0 and max(angles) < 180 and cell.volume > _SHORTEST_A**3)
    if flat or min(cell.a, cell.b, cell.c) < _SHORTEST_A:
        raise CifError("names no cell, or one that no lattice has", "mend the cell")
    number, seitz_gcc = _group(structure)
    numbers, fractions = _unit_cell(structure, _ordered(block, structure, seitz_gcc), seitz_gcc)
    return CifCrystal(_cell(structure), numbers, fractions, number, _citation(block))


def _group(structure: gemmi.SmallStructure) -> tuple[int, NDArray[np.float64]]:
    """Number of the space group and its operations, shape (operations, 4, 4): those listed, in any setting, else by name."""
    plain = plain_symbol(structure.spacegroup_hm)
    named = gemmi.find_spacegroup_by_name(plain) if plain else None
    known = structure.spacegroup or named
    if structure.symops:
        listed = _listed(tuple(structure.symops), plain)
        if named is not None and listed.number != named.number:
            problem = f"names {plain}, and lists operations of {listed.symbol}"
            raise CifError(problem, "mend the symbol or the operations: all of the group belong in the list")
        seitz_gcc = np.array([_seitz(*operation) for operation in listed.operations])
        if known is None or not _same_operations(known, listed):
            return listed.number, seitz_gcc
    by_number = structure.spacegroup_number and plain in _NO_SYMBOL
    if by_number:
        known = known or only_setting(structure.spacegroup_number)
    if known is None:
        problem = "names no space group that is known, and lists no operations"
        if by_number:
            problem = f"gives the number {structure.spacegroup_number} of its space group only, not which setting of it"
        raise CifError(problem, "add the Hermann-Mauguin symbol of its setting, or the operations")
    return known.number, np.array([operation.float_seitz() for operation in known.operations()])


@cache
def _listed(triplets: tuple[str, ...], symbol: str) -> SpaceGroup:
    """The group that the operations of a file generate."""
    try:
        return group_from_operations([parse_operation(triplet) for triplet in triplets])
    except ValueError as error:
        beside = f" (beside the symbol {symbol})" if symbol else ""
        raise CifError(f"{error}{beside}", "mend the operations") from error


def _same_operations(known: gemmi.SpaceGroup, listed: SpaceGroup) -> bool:
    seitz_gcc = [np.array(operation.float_seitz()) for operation in known.operations()]
    keys = {operation_key(seitz_cc[:3, :3], seitz_cc[:3, 3]) for seitz_cc in seitz_gcc}
    return keys == {operation_key(*operation) for operation in listed.operations}


def _seitz(rotation_cc: NDArray[np.float64], translation_c: NDArray[np.float64]) -> NDArray[np.float64]:
    seitz_cc = np.eye(4)
    seitz_cc[:3, :3], seitz_cc[:3, 3] = rotation_cc, translation_c
    return seitz_cc


def _ordered(
    block: gemmi.cif.Block, structure: gemmi.SmallStructure, seitz_gcc: NDArray[np.float64]
) -> list[gemmi.SmallStructure.Site]:
    """The sites without disorder and those of the best occupied alternative of each disordered region."""
    sites = list(structure.sites)
    for site in sites:
        if not np.all(np.isfinite(site.fract.tolist())) or site.element.atomic_number == 0:
            raise CifError(
                f"site {site.label} has no coordinates or no element", "complete the site or remove it"
            )
    disorder = Disorder(
        _assemblies(block, len(sites)),
        np.array([site.disorder_group for site in sites]),
        np.array([site.occ for site in sites]),
    )
    fractional_ac = np.array([site.fract.tolist() for site in sites])
    try:
        kept_a = major_part(disorder, fractional_ac, _cell(structure), seitz_gcc)
    except PartlyEmptyError as error:
        problem = f"site {sites[error.site].label} and its alternatives are occupied in part only"
        raise CifError(problem, "give the crystal with whole molecules") from error
    kept = [site for site, keep in zip(sites, kept_a, strict=True) if keep]
    for site in kept:
        if site.disorder_group < 0 and site.occ < _WHOLE:
            problem = f"site {site.label} is disordered about a symmetry element"
            raise CifError(problem, "give one of its orientations alone, in a subgroup")
        if site.disorder_group == 0 and site.occ < _WHOLE:
            raise CifError(
                f"site {site.label} is occupied in part only, without a disorder group",
                "remove the minor part, or mark it with _atom_site_disorder_group",
            )
    return kept


def _assemblies(block: gemmi.cif.Block, sites: int) -> tuple[str, ...]:
    """The disorder assembly of each site, empty where none is given."""
    column = block.find_values("_atom_site_disorder_assembly")
    names = tuple("" if gemmi.cif.is_null(value) else gemmi.cif.as_string(value) for value in column)
    return names if len(names) == sites else ("",) * sites


def _cell(structure: gemmi.SmallStructure) -> NDArray[np.float64]:
    return np.array(structure.cell.orth.mat.tolist()).T


def _unit_cell(
    structure: gemmi.SmallStructure, sites: list[gemmi.SmallStructure.Site], seitz_gcc: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """All images of the sites under the file's operations, each atom once.

    One on a special position is its own image, and some programs list a molecule on one whole, or the whole cell.
    """
    cell_cv = _cell(structure)
    fractional_ac = np.array([site.fract.tolist() for site in sites]).reshape(-1, 3)
    image_agc = np.einsum("gij,aj->agi", seitz_gcc[:, :3, :3], fractional_ac) + seitz_gcc[:, :3, 3]
    image_ic = (image_agc % 1.0).reshape(-1, 3)
    number_i = np.repeat([site.element.atomic_number for site in sites], len(seitz_gcc)).astype(np.int64)
    first_i = np.ones(len(image_ic), bool)
    for i in range(1, len(image_ic)):
        offset_jc = image_ic[:i] - image_ic[i]
        near_j = np.linalg.norm((offset_jc - np.round(offset_jc)) @ cell_cv, axis=1) <= _SAME_SITE_A
        first_i[i] = not np.any(near_j & first_i[:i] & (number_i[:i] == number_i[i]))
    return number_i[first_i], image_ic[first_i]


def _citation(block: gemmi.cif.Block) -> str | None:
    """Journal, volume, year, page and DOI in one line."""
    tags = ("_journal_name_full", "_journal_volume", "_journal_year", "_journal_page_first")
    parts = [
        gemmi.cif.as_string(block.find_value(tag))
        for tag in tags
        if block.find_value(tag) not in (None, "?", ".")
    ]
    for tag in ("_journal_paper_doi", "_citation_doi"):
        value = block.find_value(tag)
        if value not in (None, "?", "."):
            parts.append(f"doi {gemmi.cif.as_string(value)}")
            break
    return ", ".join(parts) or None
