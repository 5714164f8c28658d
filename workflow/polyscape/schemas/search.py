"""Tables of the search: trial crystals, minima, the landscape of distinct structures, how complete it is."""

from typing import Final

import pyarrow as pa

from polyscape.schemas.columns import (
    COUNT,
    FLAG,
    REAL,
    REALS,
    SMALL,
    TEXT,
    energy,
    energy_terms,
    packing,
    reduced_geometry,
    text,
)
from polyscape.tables import Column, Table

TRIALS = Table(
    "trials",
    "a trial crystal",
    ("trial_id",),
    (
        text(
            "trial_id",
            "series (014: space group 14, Z' = 1; 014s: on special positions; 014z2: Z' = 2) and Sobol' index; "
            "of an imported crystal the file's name and its place there",
        ),
        Column(
            "sobol_index", COUNT, "", "index in the series' Sobol' sequence, or in the imported file", low=0
        ),
        *packing(),
        Column("volume_A3", REAL, "Angstrom^3", "cell volume", low=0.0),
        Column("expansion", REAL, "", "factor by which volume grew to remove overlap", low=0.0),
        text("status", "ok, or why the trial was rejected"),
    ),
)

MINIMA = Table(
    "minima",
    "a minimised trial",
    ("trial_id",),
    (
        text("trial_id", "space group and Sobol' index"),
        *packing(),
        *energy_terms(),
        Column("density_g_per_cm3", REAL, "g/cm^3", "density", True, low=0.0),
        Column(
            "gradient_norm_kJ_per_mol_A",
            REAL,
            "kJ/mol/Angstrom",
            "norm of the scaled gradient at the end",
            True,
            low=0.0,
        ),
        Column("steps", pa.int32(), "", "steps of the optimiser", low=0),
        Column("evaluations", pa.int32(), "", "evaluations of energy and gradient", low=0),
        text("status", "how the minimisation ended"),
    ),
)

FORM_MATCH_TYPE: Final = pa.struct(
    [
        pa.field("form", TEXT, nullable=False),
        pa.field("found", FLAG, nullable=False),
        pa.field("molecules", SMALL, nullable=False),
        pa.field("rmsd_A", REAL),
        pa.field("minimised_rmsd_A", REAL),
        pa.field("powder_similarity", REAL, nullable=False),
    ]
)
"""A known form and a structure: molecules that overlay the published crystal, their RMSD, and the RMSD from the form's
force-field minimum (null where nothing overlays); similarity of the powder pattern to the published crystal's."""

LANDSCAPE = Table(
    "landscape",
    "a minimum in the energy window",
    ("structure_id",),
    (
        text(
            "structure_id",
            "id of the trial that led to the minimum; known_form-<name> for a known form's own minimum",
        ),
        *packing(nullable=True),
        *energy_terms(),
        energy(
            "relative_energy",
            "lattice energy, under pressure enthalpy, above the lowest of the landscape",
            nullable=False,
        ),
        Column("density_g_per_cm3", REAL, "g/cm^3", "density", low=0.0),
        text("duplicate_of", "structure that represents this one; null for a representative", nullable=True),
        Column(
            "hits",
            pa.int32(),
            "",
            "trials (no imported crystals) that led to this structure; 0 for a duplicate",
            low=0,
        ),
        *reduced_geometry(nullable=True),
        text("symmetry_found", "Hermann-Mauguin symbol of the full symmetry found", nullable=True),
        Column(
            "space_group_found",
            SMALL,
            "",
            "International Tables number of the symmetry found",
            True,
            low=1,
            high=230,
        ),
        Column(
            "z_prime_found",
            REAL,
            "",
            "formula units per asymmetric unit in the symmetry found",
            True,
            low=0.0,
        ),
        text("known_form", "known forms that this structure is, comma-separated", nullable=True),
        Column(
            "known_forms",
            pa.list_(FORM_MATCH_TYPE),
            "Angstrom",
            "known forms compared with this structure: those that it is (`found`), and those whose force-field "
            "minimum it is though it does not overlay the published crystal",
            True,
            low=0.0,
        ),
        Column("amd_A", REALS, "Angstrom", "average minimum distances", True, low=0.0),
    ),
)

COMPLETENESS = Table(
    "completeness",
    "a series of trials (or all of them) after a number of trials",
    ("series", "below"),
    (
        text("series", "series of trials (014, 014s, 014z2), or `all`"),
        Column("below", COUNT, "", "trials of a smaller Sobol' index count", low=0),
        Column("trials", COUNT, "", "how many these are", low=0),
        Column("hits", COUNT, "", "those that led to a minimum in the energy window", low=0),
        Column("distinct", COUNT, "", "structures that these hits fell on", low=0),
        Column("found_once", COUNT, "", "structures hit once", low=0),
        Column("found_twice", COUNT, "", "structures hit twice", low=0),
        Column("new_structures", COUNT, "", "structures found since the row before", low=0),
        Column("new_per_1000_trials", REAL, "", "their number per 1000 trials", low=0.0),
        Column(
            "coverage",
            REAL,
            "",
            "Good-Turing estimate of the chance that the next hit falls on a structure already found",
            True,
            low=0.0,
            high=1.0,
        ),
        Column("coverage_sd", REAL, "", "standard deviation of the estimate", True, low=0.0),
    ),
)
