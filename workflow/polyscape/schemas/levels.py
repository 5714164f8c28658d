"""Tables of the levels of theory: descriptors, dispersion, the selected slots, single points."""

import pyarrow as pa

from polyscape.schemas.columns import FLAG, REAL, REALS, SMALL, energy, text
from polyscape.tables import Column, Table

FEATURES = Table(
    "features",
    "a block of the descriptor of a distinct structure",
    ("structure_id", "block"),
    (
        text("structure_id", "id of the structure"),
        text("block", "soap, acsf, amd, terms or pairs; linear: the sums that corrections may be linear in"),
        text("descriptor", "id of the descriptor and its settings"),
        Column("features", REALS, "", "descriptor vector, the same length in every row of a block"),
    ),
)

DISPERSION = Table(
    "dispersion",
    "the dispersion correction of a distinct structure at a level",
    ("structure_id", "level"),
    (
        text("structure_id", "id of the structure"),
        text("level", "name of the level of theory"),
        energy("dispersion", "crystal less isolated molecules, exact, per formula unit", nullable=False),
    ),
)

SELECTION = Table(
    "selection",
    "a slot of a round",
    ("round", "slot"),
    (
        Column("round", SMALL, "", "round of selection", low=0),
        Column("slot", SMALL, "", "slot of the round", low=0),
        text("structure_id", "structure to compute; null for a slot that is not needed", nullable=True),
        text("level", "highest level to climb to", nullable=True),
        Column("acquisition", REAL, "", "value of the acquisition function", True),
        Column("predicted_core_s", REAL, "core second", "predicted cost of the slot", True, low=0.0),
        Column("predicted_memory_MB", REAL, "MB", "predicted peak memory", True, low=0.0),
        text("reason", "why the structure was chosen, or why the slot is empty"),
    ),
)

POINTS = Table(
    "points",
    "a single point: a structure (or an isolated molecule) at a level",
    ("structure_id", "level"),
    (
        text("structure_id", "id of the structure, or molecule:<component>"),
        text("level", "name of the level of theory"),
        text("method_id", "hash of the method's settings and version"),
        text("status", "how the single point ended"),
        text("message", "what went wrong, or what remedy was needed", nullable=True),
        Column("formula_units", SMALL, "", "formula units (molecules) in the cell", low=1),
        Column("electronic_energy_eV", REAL, "eV", "energy of the cell without dispersion correction", True),
        Column("dispersion_energy_eV", REAL, "eV", "dispersion correction of the cell", True),
        Column("total_energy_eV", REAL, "eV", "sum of the two", True),
        Column("scf_steps", pa.int32(), "", "self-consistency steps", True, low=0),
        Column("plane_waves", pa.int32(), "", "plane waves at the first k-point", True, low=0),
        Column("k_points", pa.int32(), "", "irreducible k-points", True, low=1),
        Column("wall_s", REAL, "s", "wall time of the calculation (when it was made)", True, low=0.0),
        Column(
            "core_s", REAL, "core second", "CPU time of the calculation (when it was made)", True, low=0.0
        ),
        Column("cores", SMALL, "", "cores of the calculation", True, low=1),
        Column("peak_memory_MB", REAL, "MB", "peak resident memory of a rank", True, low=0.0),
        text("machine", "model of the processor that it was made on", nullable=True),
        Column(
            "predicted_core_s",
            REAL,
            "core second",
            "CPU time that the cost model says for what was done, before it is refined by points",
            True,
            low=0.0,
        ),
        Column("predicted_memory_MB", REAL, "MB", "peak memory that it says", True, low=0.0),
        text("source", "computed, or store (found there)"),
        text("store_key", "key of the result in the store", nullable=True),
        text("relaxed", "what moved before the single point: atoms, cell; null for nothing", nullable=True),
        Column("relaxation_steps", pa.int32(), "", "steps of the optimiser", True, low=0),
        Column("relaxation_converged", FLAG, "", "whether forces and stress became small", True),
        Column(
            "connectivity_kept", FLAG, "", "whether the molecules kept their bonds and their number", True
        ),
        Column("relaxation_rmsd_A", REAL, "Angstrom", "displacement of the atoms in the cell", True, low=0.0),
        Column("volume_change_percent", REAL, "%", "change of the cell's volume", True),
        Column("relaxed_cell_A", REALS, "Angstrom", "cell vectors at the end, row by row", True),
        Column("relaxed_fractional", REALS, "fraction", "coordinates at the end, atom by atom", True),
    ),
)

STORE = Table(
    "store",
    "a stored single point, as `scripts/store.py export` writes it",
    ("store_key",),
    (
        text("store_key", "method id and geometry hash"),
        text("method_id", "hash of the method's settings and version"),
        text("method", "the method's settings as JSON; null where they were not kept", nullable=True),
        text("formula", "Hill formula of the cell"),
        Column("periodic", FLAG, "", "a crystal, else a molecule in its box"),
        Column("charge", SMALL, "e", "net charge of an isolated ion"),
        Column("atomic_numbers", pa.list_(SMALL), "", "elements", low=1),
        Column("cell_A", REALS, "Angstrom", "cell vectors, row by row (of the energy's geometry)"),
        Column("position_A", REALS, "Angstrom", "Cartesian coordinates, atom by atom"),
        Column("volume_A3", REAL, "Angstrom^3", "volume of the cell", low=0.0),
        Column("relaxed", FLAG, "", "whether the method relaxed the geometry that was asked for"),
        Column("electronic_energy_eV", REAL, "eV", "energy of the cell without dispersion correction"),
        Column("wall_s", REAL, "s", "wall time", low=0.0),
        Column("core_s", REAL, "core second", "CPU time", low=0.0),
        Column("cores", SMALL, "", "cores of the calculation", low=1),
        Column("peak_memory_MB", REAL, "MB", "peak resident memory of a rank", low=0.0),
        Column("scf_steps", pa.int32(), "", "self-consistency steps", low=0),
        Column("plane_waves", pa.int32(), "", "plane waves at the first k-point", low=0),
        Column("k_points", pa.int32(), "", "irreducible k-points", low=0),
        text("machine", "model of the processor; empty where it was not kept"),
        text("message", "what remedy was needed", nullable=True),
    ),
)
