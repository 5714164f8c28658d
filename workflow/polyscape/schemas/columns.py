"""Types and groups of columns that several tables share."""

from typing import Final

import pyarrow as pa

from polyscape.tables import Column

TEXT: Final = pa.string()
REAL: Final = pa.float64()
SMALL: Final = pa.int16()
COUNT: Final = pa.int64()
FLAG: Final = pa.bool_()
REALS: Final = pa.list_(pa.float64())

POSE_TYPE: Final = pa.struct(
    [
        pa.field("component", SMALL, nullable=False),
        pa.field("conformer", TEXT, nullable=False),
        pa.field("site_symmetry", TEXT, nullable=False),
        *(pa.field(name, REAL, nullable=False) for name in ("tx", "ty", "tz", "qw", "qx", "qy", "qz")),
        pa.field("parity", SMALL, nullable=False),
    ]
)
"""An independent molecule: atoms at R(q) (parity x) + cell^T t, x in the molecule's frame, t fractional."""


def text(name: str, doc: str, nullable: bool = False) -> Column:
    """A column of words."""
    return Column(name, TEXT, "", doc, nullable)


def energy(name: str, doc: str, nullable: bool = True) -> Column:
    """A column of energies in kJ/mol."""
    return Column(f"{name}_kJ_per_mol", REAL, "kJ/mol", doc, nullable)


def packing(nullable: bool = False) -> tuple[Column, ...]:
    """The geometry of a crystal of rigid molecules in its space group."""
    return (
        text("origin", "where the crystal comes from: search, import:<name of the file>, or known_form"),
        *setting(nullable=nullable, group_nullable=False),
    )


def setting(nullable: bool, group_nullable: bool, prefix: str = "") -> tuple[Column, ...]:
    """Space group, cell and independent molecules; `prefix` tells them from those of another geometry."""
    return (
        Column(
            f"{prefix}space_group", SMALL, "", "International Tables number", group_nullable, low=1, high=230
        ),
        text(f"{prefix}hall_symbol", "space group and setting", group_nullable),
        *(
            Column(f"{prefix}{axis}_A", REAL, "Angstrom", f"cell length {axis}", nullable, low=0.0)
            for axis in ("a", "b", "c")
        ),
        *(
            Column(
                f"{prefix}{angle}_deg", REAL, "degree", f"cell angle {angle}", nullable, low=0.0, high=180.0
            )
            for angle in ("alpha", "beta", "gamma")
        ),
        Column(
            f"{prefix}poses",
            pa.list_(POSE_TYPE),
            "fraction, quaternion",
            "the independent molecules",
            nullable,
        ),
    )


def energy_terms() -> tuple[Column, ...]:
    """The parts of the lattice energy."""
    return (
        energy("electrostatic", "electrostatic part of the intermolecular energy"),
        energy("repulsion", "repulsive part of the intermolecular energy"),
        energy("dispersion", "dispersive part of the intermolecular energy"),
        energy("intramolecular", "energy of the conformers above the lowest conformer in the gas phase"),
        energy("lattice_energy", "force-field lattice energy: the sum of the terms above"),
        energy(
            "pressure_volume", "work against the pressure, no part of the lattice energy; 0 without pressure"
        ),
    )


def reduced_geometry(nullable: bool) -> tuple[Column, ...]:
    """The primitive Niggli cell with all its atoms; a molecule's atoms stand together, molecules one after another."""
    return (
        Column("formula_units", SMALL, "", "formula units in the reduced cell", nullable, low=1),
        Column(
            "atoms_in_reduced_cell", pa.int32(), "", "atoms in the primitive Niggli cell", nullable, low=1
        ),
        Column(
            "atomic_numbers", pa.list_(SMALL), "", "of the reduced cell's atoms", nullable, low=1, high=118
        ),
        Column(
            "reduced_cell_A",
            REALS,
            "Angstrom",
            "the reduced cell's three row vectors, nine numbers",
            nullable,
        ),
        Column(
            "fractional", REALS, "fraction", "fractional coordinates of the reduced cell's atoms", nullable
        ),
    )
