"""Structures and ranking for other programs: CIF with symmetry, extended XYZ, flat CSV."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import gemmi
import numpy as np
import spglib
from ase import Atoms
from ase.io.extxyz import write_extxyz
from numpy.typing import NDArray

from polyscape.crystal.reduction import SYMMETRY_TOLERANCE_A
from polyscape.report.model import LevelEnergy, ReportData, Structure


@dataclass(frozen=True)
class SymmetricCell:
    """A conventional cell and its asymmetric unit.

    Attributes
    ----------
    cell_cv : numpy.ndarray, shape (3, 3)
        Vectors of the standardised conventional cell, in Angstrom.
    hall_symbol : str
        Space group and setting.
    numbers : numpy.ndarray, shape (atoms,)
        Atomic numbers of the asymmetric unit.
    fractional_ac : numpy.ndarray, shape (atoms, 3)
        Its fractional coordinates; atoms on special positions stand on them exactly.
    """

    cell_cv: NDArray[np.float64]
    hall_symbol: str
    numbers: NDArray[np.int64]
    fractional_ac: NDArray[np.float64]


def file_name(structure_id: str) -> str:
    """Name of a structure's CIF: its id, anything unusual in a file name or an address replaced."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", structure_id).lstrip(".") + ".cif"


def symmetric_cell(atoms: Atoms) -> SymmetricCell:
    """The conventional cell and asymmetric unit of a crystal; P1 as it stands when no symmetry can be imposed.

    The symmetry is that of the landscape: a tolerance that gives no consistent crystal is made tighter.
    """
    for tolerance_A in SYMMETRY_TOLERANCE_A / 2.0 ** np.arange(6):
        crystal: Any = (atoms.cell[:], atoms.get_scaled_positions(), atoms.numbers)
        dataset = spglib.get_symmetry_dataset(crystal, symprec=float(tolerance_A))
        if dataset is not None:
            cell, multiplicity = _standardised(atoms, dataset)
            expected = len(atoms) * abs(np.linalg.det(cell.cell_cv)) / atoms.get_volume()
            if abs(multiplicity - expected) < 0.01:
                return cell
    return SymmetricCell(np.asarray(atoms.cell), "P 1", atoms.numbers, atoms.get_scaled_positions(wrap=False))


def _standardised(atoms: Atoms, dataset: spglib.SpglibDataset) -> tuple[SymmetricCell, int]:
    """The standard setting (spglib, https://doi.org/10.1080/27660400.2024.2384822), and the atoms its cell holds.

    The asymmetric unit takes its atoms in the order of the input, so that a molecule stays together where it can.
    """
    fractional_ac = (
        atoms.get_scaled_positions(wrap=False) @ dataset.transformation_matrix.T + dataset.origin_shift
    )
    cell_cv = np.asarray(dataset.std_lattice, float)
    operations = gemmi.symops_from_hall(str(dataset.hall))
    _, chosen = np.unique(dataset.crystallographic_orbits, return_index=True)
    chosen = np.sort(chosen)
    placed = [_onto_special_position(fractional_ac[index], operations, cell_cv) for index in chosen]
    positions_ac = np.array([position_c for position_c, _ in placed])
    cell = SymmetricCell(cell_cv, str(dataset.hall), atoms.numbers[chosen], positions_ac)
    return cell, sum(count for _, count in placed)


def _onto_special_position(
    position_c: NDArray[np.float64], operations: gemmi.GroupOps, cell_cv: NDArray[np.float64]
) -> tuple[NDArray[np.float64], int]:
    """The mean of a point's images that fall on it, and how many distinct images it has in the cell."""
    near, total = [], 0
    for operation in operations:
        seitz = np.array(operation.float_seitz())
        shift_c = seitz[:3, :3] @ position_c + seitz[:3, 3] - position_c
        shift_c -= np.round(shift_c)
        total += 1
        if np.linalg.norm(shift_c @ cell_cv) < 5 * SYMMETRY_TOLERANCE_A:
            near.append(position_c + shift_c)
    return np.mean(near, axis=0), total // len(near)


def cif_text(structure: Structure, campaign: str) -> str:
    """A structure as CIF, with its energies and probabilities as ``_polyscape_`` items."""
    cell = symmetric_cell(structure.atoms)
    group = gemmi.find_spacegroup_by_ops(gemmi.symops_from_hall(cell.hall_symbol))
    block = gemmi.cif.Document().add_new_block(structure.structure_id)
    block.set_pair("_audit_creation_method", _quoted("polyscape"))
    block.set_pair("_polyscape_campaign", _quoted(campaign))
    block.set_pair("_polyscape_structure_id", _quoted(structure.structure_id))
    block.set_pair("_polyscape_known_form", _quoted(structure.known_form) if structure.known_form else ".")
    _set_ranking(block, structure)
    block.set_pair("_chemical_formula_sum", _quoted(formula(structure.atoms, structure.formula_units)))
    lengths_angles = Atoms(cell=cell.cell_cv).cell.cellpar()
    for name, value in zip(("length_a", "length_b", "length_c"), lengths_angles[:3], strict=True):
        block.set_pair(f"_cell_{name}", f"{value:.6f}")
    for name, value in zip(("alpha", "beta", "gamma"), lengths_angles[3:], strict=True):
        block.set_pair(f"_cell_angle_{name}", f"{value:.6f}")
    volume = abs(np.linalg.det(cell.cell_cv))
    block.set_pair("_cell_volume", f"{volume:.4f}")
    z = structure.formula_units * volume / structure.atoms.get_volume()
    block.set_pair("_cell_formula_units_Z", f"{round(z)}")
    block.set_pair("_exptl_crystal_density_diffrn", f"{structure.density_g_per_cm3:.4f}")
    block.set_pair("_space_group_name_H-M_alt", _quoted(group.xhm()))
    block.set_pair("_space_group_name_Hall", _quoted(cell.hall_symbol))
    block.set_pair("_space_group_IT_number", str(group.number))
    operations = block.init_loop("_space_group_symop_", ["operation_xyz"])
    for operation in group.operations():
        operations.add_row([_quoted(operation.triplet())])
    _add_atoms(block, cell)
    document = gemmi.cif.Document()
    document.add_copied_block(block)
    return str(document.as_string())


def _set_ranking(block: gemmi.cif.Block, structure: Structure) -> None:
    block.set_pair("_polyscape_rank", str(structure.rank))
    block.set_pair("_polyscape_rank_low", str(structure.rank_low))
    block.set_pair("_polyscape_rank_high", str(structure.rank_high))
    block.set_pair("_polyscape_p_rank_1", f"{structure.p_rank_1:.4f}")
    block.set_pair("_polyscape_relative_energy_kJ_per_mol", f"{structure.relative_energy_kJ_per_mol:.4f}")
    block.set_pair("_polyscape_sd_relative_kJ_per_mol", f"{structure.sd_relative_kJ_per_mol:.4f}")
    names = ["name", "lattice_energy_kJ_per_mol", "sd_kJ_per_mol"]
    names += ["relative_energy_kJ_per_mol", "sd_relative_kJ_per_mol", "computed", "rank"]
    loop = block.init_loop("_polyscape_level_", names)
    for energy in structure.levels:
        loop.add_row(
            [
                _quoted(energy.level),
                f"{energy.lattice_energy_kJ_per_mol:.4f}",
                f"{energy.sd_kJ_per_mol + 0.0:.4f}",
                f"{energy.relative_energy_kJ_per_mol + 0.0:.4f}",
                f"{energy.sd_relative_kJ_per_mol + 0.0:.4f}",
                "yes" if energy.computed else "no",
                str(energy.rank),
            ]
        )


def _add_atoms(block: gemmi.cif.Block, cell: SymmetricCell) -> None:
    loop = block.init_loop(
        "_atom_site_", ["label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy"]
    )
    count: dict[str, int] = {}
    for number, position_c in zip(cell.numbers, cell.fractional_ac, strict=True):
        symbol = gemmi.Element(int(number)).name
        count[symbol] = count.get(symbol, 0) + 1
        loop.add_row([f"{symbol}{count[symbol]}", symbol, *(f"{x:.8f}" for x in position_c), "1"])


def _quoted(text: str) -> str:
    """A CIF value on one line, whatever the text holds."""
    return str(gemmi.cif.quote(" ".join(text.split())))


def formula(atoms: Atoms, formula_units: int) -> str:
    """Hill formula of one formula unit, ``C2 H2 O4``."""
    symbols = list(atoms.symbols)
    kinds = sorted(set(symbols), key=lambda s: (s != "C", s != "H", s) if "C" in symbols else (True, True, s))
    counts = ((kind, symbols.count(kind) // formula_units) for kind in kinds)
    return " ".join(kind if count == 1 else f"{kind}{count}" for kind, count in counts)


def extended_xyz(structures: Sequence[Structure]) -> str:
    """The reduced cells as extended XYZ, every number of the ranking in the comment lines."""
    handle = io.StringIO()
    for structure in structures:
        atoms = structure.atoms.copy()
        atoms.info = {
            "structure_id": structure.structure_id,
            "rank": structure.rank,
            "rank_low": structure.rank_low,
            "rank_high": structure.rank_high,
            "p_rank_1": round(structure.p_rank_1, 6),
            "relative_energy_kJ_per_mol": round(structure.relative_energy_kJ_per_mol, 6),
            "sd_relative_kJ_per_mol": round(structure.sd_relative_kJ_per_mol, 6),
            "density_g_per_cm3": round(structure.density_g_per_cm3, 6),
            "symmetry": structure.symmetry,
            "z_prime": structure.z_prime,
            "formula_units": structure.formula_units,
        }
        if structure.known_form:
            atoms.info["known_form"] = structure.known_form
        for energy in structure.levels:
            name = re.sub(r"\W", "_", energy.level)
            atoms.info[f"{name}_lattice_energy_kJ_per_mol"] = round(energy.lattice_energy_kJ_per_mol, 6)
            atoms.info[f"{name}_sd_kJ_per_mol"] = round(energy.sd_kJ_per_mol, 6)
            atoms.info[f"{name}_relative_energy_kJ_per_mol"] = round(energy.relative_energy_kJ_per_mol, 6)
            atoms.info[f"{name}_sd_relative_kJ_per_mol"] = round(energy.sd_relative_kJ_per_mol, 6)
            atoms.info[f"{name}_computed"] = energy.computed
        write_extxyz(handle, [atoms])
    return handle.getvalue()


_CSV_COLUMNS: Final[tuple[tuple[str, Callable[[Structure], object]], ...]] = (
    ("rank", lambda s: s.rank),
    ("structure_id", lambda s: s.structure_id),
    ("known_form", lambda s: s.known_form or ""),
    ("relative_energy_kJ_per_mol", lambda s: _text(s.relative_energy_kJ_per_mol)),
    ("sd_relative_kJ_per_mol", lambda s: _text(s.sd_relative_kJ_per_mol)),
    ("p_rank_1", lambda s: _text(s.p_rank_1)),
    ("p_lowest_5", lambda s: _text(s.p_lowest_5)),
    ("rank_low", lambda s: s.rank_low),
    ("rank_high", lambda s: s.rank_high),
    ("density_g_per_cm3", lambda s: _text(s.density_g_per_cm3)),
    ("symmetry", lambda s: s.symmetry),
    ("z_prime", lambda s: f"{s.z_prime:g}"),
    ("atoms_in_reduced_cell", lambda s: len(s.atoms)),
    ("hits", lambda s: s.hits),
)
_CSV_LEVEL_COLUMNS: Final[tuple[tuple[str, Callable[[Structure, LevelEnergy], object]], ...]] = (
    ("lattice_energy_kJ_per_mol", lambda s, e: _text(e.lattice_energy_kJ_per_mol)),
    ("sd_kJ_per_mol", lambda s, e: _text(e.sd_kJ_per_mol)),
    ("relative_energy_kJ_per_mol", lambda s, e: _text(e.relative_energy_kJ_per_mol)),
    ("sd_relative_kJ_per_mol", lambda s, e: _text(e.sd_relative_kJ_per_mol)),
    ("computed", lambda s, e: "yes" if e.computed else "no"),
    ("rank", lambda s, e: e.rank),
    ("dispersion_kJ_per_mol", lambda s, e: _text(s.dispersion_kJ_per_mol.get(e.level))),
)


def ranking_csv(data: ReportData) -> str:
    """The whole ranking as CSV: one line per structure, the ranking's columns, then those of each level."""
    handle = io.StringIO()
    writer = csv.writer(handle, lineterminator="\n")
    per_level = [f"{level}_{name}" for level in data.levels for name, _ in _CSV_LEVEL_COLUMNS]
    writer.writerow([*(name for name, _ in _CSV_COLUMNS), *per_level])
    for s in data.structures:
        own = [value(s) for _, value in _CSV_COLUMNS]
        writer.writerow([*own, *(value(s, e) for e in s.levels for _, value in _CSV_LEVEL_COLUMNS)])
    return handle.getvalue()


def _text(value: float | None) -> str:
    return "" if value is None else f"{value + 0.0:.6f}"
