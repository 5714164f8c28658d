"""Tables of the learner: posterior, ranking, calibration, and the account of what everything cost."""

from typing import Final

import pyarrow as pa

from polyscape.schemas.columns import FLAG, REAL, TEXT, energy, text
from polyscape.tables import Column, Table

POSTERIOR = Table(
    "posterior",
    "a structure at a level",
    ("structure_id", "level"),
    (
        text("structure_id", "id of the structure"),
        text("level", "name of the level of theory"),
        energy("mean", "posterior mean of the lattice energy", nullable=False),
        Column("sd_kJ_per_mol", REAL, "kJ/mol", "posterior standard deviation", low=0.0),
        Column(
            "sd_relative_kJ_per_mol",
            REAL,
            "kJ/mol",
            "posterior standard deviation of the energy relative to the level's lowest mean",
            low=0.0,
        ),
        Column("computed", FLAG, "", "whether the level was computed for this structure"),
        text("descriptor", "the combination of descriptors that the learner saw"),
    ),
)

LEVEL_ENERGY_TYPE: Final = pa.struct(
    [
        pa.field("level", TEXT, nullable=False),
        pa.field("lattice_energy_kJ_per_mol", REAL, nullable=False),
        pa.field("sd_kJ_per_mol", REAL, nullable=False),
        pa.field("relative_energy_kJ_per_mol", REAL, nullable=False),
        pa.field("sd_relative_kJ_per_mol", REAL, nullable=False),
        pa.field("computed", FLAG, nullable=False),
        pa.field("rank", pa.int32(), nullable=False),
    ]
)
"""A structure at a level.  A computed level holds the computed energy with the numerical noise as its sd, one
that was not computed the posterior mean and sd.  `relative_energy` and `sd_relative` are those of the
difference from the level's rank 1, in which errors common to the landscape cancel; `rank` is by the posterior
mean, so a computed energy may lie below rank 1's within the noise."""

BELOW_TYPE: Final = pa.struct(
    [pa.field("known_form", TEXT, nullable=False), pa.field("probability", REAL, nullable=False)]
)
"""The known forms that a structure is, and the probability of lying below it."""

RANKING = Table(
    "ranking",
    "a distinct structure, the most stable first",
    ("structure_id",),
    (
        text("structure_id", "id of the structure"),
        Column("rank", pa.int32(), "", "rank by the mean at the highest level", low=1),
        energy("lattice_energy", "posterior mean at the highest level", nullable=False),
        energy("relative_energy", "mean above the lowest mean", nullable=False),
        Column("sd_kJ_per_mol", REAL, "kJ/mol", "standard deviation of the lattice energy", low=0.0),
        Column(
            "sd_relative_kJ_per_mol",
            REAL,
            "kJ/mol",
            "standard deviation of the energy relative to rank 1",
            low=0.0,
        ),
        Column("p_rank_1", REAL, "", "probability of being the most stable", low=0.0, high=1.0),
        Column("p_lowest_5", REAL, "", "probability of being among the five lowest", low=0.0, high=1.0),
        Column("p_lowest_10", REAL, "", "probability of being among the ten lowest", True, low=0.0, high=1.0),
        Column(
            "p_below_known_forms",
            pa.list_(BELOW_TYPE),
            "",
            "probability of being more stable than each structure that is a known form",
            True,
        ),
        Column("rank_low", pa.int32(), "", "5 % quantile of the rank", low=1),
        Column("rank_high", pa.int32(), "", "95 % quantile of the rank", low=1),
        Column(
            "levels",
            pa.list_(LEVEL_ENERGY_TYPE),
            "kJ/mol",
            "every level, the force field first: the computed energy and the numerical noise where computed, else "
            "posterior mean and sd; relative_energy and sd_relative from the level's rank 1; rank by the mean",
        ),
        Column("density_g_per_cm3", REAL, "g/cm^3", "density", low=0.0),
        text("symmetry_found", "Hermann-Mauguin symbol of the full symmetry"),
        Column("z_prime_found", REAL, "", "formula units per asymmetric unit", low=0.0),
        Column("atoms_in_reduced_cell", pa.int32(), "", "atoms in the primitive cell", low=1),
        Column("hits", pa.int32(), "", "trials (no imported crystals) that led to this structure", low=0),
        text("known_form", "known forms that this structure is, comma-separated", nullable=True),
    ),
)

CALIBRATION = Table(
    "calibration",
    "a nominal interval at a level, tested by leaving out structures at all their levels",
    ("level", "method", "nominal_coverage"),
    (
        text("level", "name of the level of theory"),
        text("method", "leave_one_out, or k_fold: a tenth of the structures at a time"),
        Column("nominal_coverage", REAL, "", "probability that the interval claims", low=0.0, high=1.0),
        Column(
            "found_coverage", REAL, "", "share of the left-out values inside the interval", low=0.0, high=1.0
        ),
        Column(
            "uninflated_coverage",
            REAL,
            "",
            "the same share before the standard deviations were inflated, by these very values",
            low=0.0,
            high=1.0,
        ),
        Column("points", pa.int32(), "", "structures left out", low=1),
        energy("mae", "mean absolute error of the left-out predictions", nullable=False),
        energy("bias", "mean of the computed less the predicted lattice energy", nullable=False),
        energy(
            "mean_sd",
            "mean standard deviation of the left-out predictions, inflation included",
            nullable=False,
        ),
        Column(
            "inflation",
            REAL,
            "",
            "factor on the learner's standard deviations, found by leaving out one at a time",
            low=1.0,
        ),
        text("descriptor", "the combination of descriptors that the learner saw", nullable=True),
    ),
)

LEDGER = Table(
    "ledger",
    "the cost of a stage's job, or of a level on the whole landscape",
    ("kind", "job"),
    (
        text("kind", "paid (what the ranking rests on) or full (a level on every structure, predicted)"),
        text("job", "stage and chunk, or structure and level"),
        text("stage", "stage of the job"),
        text("level", "level of theory of the job", nullable=True),
        Column("points", pa.int32(), "", "single points", low=0),
        text("status", "how a single point that was paid ended; null for other rows", nullable=True),
        Column("core_s", REAL, "core second", "CPU time, of a single point when it was made", low=0.0),
        Column(
            "predicted_core_s",
            REAL,
            "core second",
            "what the cost model, refined by all other points, says for a single point",
            True,
            low=0.0,
        ),
        Column(
            "found_core_s",
            REAL,
            "core second",
            "the part of core_s that was found in the store and not paid again",
            low=0.0,
        ),
        Column("wall_s", REAL, "s", "wall time, of a single point when it was made", True, low=0.0),
        Column("peak_memory_MB", REAL, "MB", "peak resident memory", True, low=0.0),
        Column("retries", pa.int32(), "", "attempts at the job that died", True, low=0),
        Column(
            "lost_core_s", REAL, "core second", "the part of core_s that was lost with them", True, low=0.0
        ),
    ),
)
