"""Crystal structures from CIF files: all atoms of the cell, with the major part of any disorder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import gemmi
import numpy as np
from numpy.typing import NDArray

from polyscape.crystal.disorder import Disorder, major_part

_SAME_SITE_A: Final = 0.1
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
        document = gemmi.cif.read(str(path))
    except (OSError, ValueError, RuntimeError) as error:
        raise CifError(
            f"cannot be read ({error})".replace("\n", " "), "give a CIF file of the crystal"
        ) from error
    return [block for block in document if block.find_loop("_atom_site_fract_x")]


def _crystal(block: gemmi.cif.Block) -> CifCrystal:
    structure = gemmi.make_small_structure_from_block(block)
    if not structure.cell.is_crystal() or structure.spacegroup is None:
        raise CifError(
            "names no cell or no space group", "add the cell and the space group or its operations"
        )
    numbers, fractions = _unit_cell(structure, _ordered(block, structure))
    return CifCrystal(_cell(structure), numbers, fractions, structure.spacegroup.number, _citation(block))


def _ordered(block: gemmi.cif.Block, structure: gemmi.SmallStructure) -> list[gemmi.SmallStructure.Site]:
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
    kept_a = major_part(disorder, fractional_ac, _cell(structure), _operations(structure))
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


def _operations(structure: gemmi.SmallStructure) -> NDArray[np.float64]:
    """The operations of the space group, shape (operations, 4, 4)."""
    return np.array([operation.float_seitz() for operation in structure.spacegroup.operations()])


def _unit_cell(
    structure: gemmi.SmallStructure, sites: list[gemmi.SmallStructure.Site]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """All images of the sites under the file's operations, those of special positions once."""
    cell_cv, operations = _cell(structure), _operations(structure)
    numbers: list[int] = []
    fractions: list[NDArray[np.float64]] = []
    for site in sites:
        images: list[NDArray[np.float64]] = []
        for seitz in operations:
            image_c = (seitz[:3, :3] @ site.fract.tolist() + seitz[:3, 3]) % 1.0
            offsets = np.array([image_c - other for other in images]).reshape(-1, 3)
            if np.all(np.linalg.norm((offsets - np.round(offsets)) @ cell_cv, axis=1) > _SAME_SITE_A):
                images.append(image_c)
        numbers += [site.element.atomic_number] * len(images)
        fractions += images
    return np.array(numbers, np.int64), np.array(fractions)


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
