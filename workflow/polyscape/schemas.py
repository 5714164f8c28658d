"""Every table of a campaign: what a row is, its key, and each column with type, unit and meaning.

docs/tables.md is generated from here (``make docs``).  Energies of crystals are **per formula unit**: one molecule, or
one of each component times its stoichiometry; "per mol" means per mole of formula units.  Under pressure
(``energy.pressure_GPa``) the tables `posterior` and `ranking` hold enthalpies in the place of lattice energies: each
level's energy and the work against the pressure at the force field's volume.
"""

from typing import Final

import pyarrow as pa

from polyscape.tables import Column, Table

_TEXT: Final = pa.string()
_REAL: Final = pa.float64()
_SMALL: Final = pa.int16()
_COUNT: Final = pa.int64()
_FLAG: Final = pa.bool_()
_REALS: Final = pa.list_(pa.float64())

POSE_TYPE: Final = pa.struct(
    [
        pa.field("component", _SMALL, nullable=False),
        pa.field("conformer", _TEXT, nullable=False),
        pa.field("site_symmetry", _TEXT, nullable=False),
        *(pa.field(name, _REAL, nullable=False) for name in ("tx", "ty", "tz", "qw", "qx", "qy", "qz")),
        pa.field("parity", _SMALL, nullable=False),
    ]
)
"""An independent molecule: atoms at R(q) (parity x) + cell^T t, x in the molecule's frame, t fractional."""


def _text(name: str, doc: str, nullable: bool = False) -> Column:
    return Column(name, _TEXT, "", doc, nullable)


def _energy(name: str, doc: str, nullable: bool = True) -> Column:
    return Column(f"{name}_kJ_per_mol", _REAL, "kJ/mol", doc, nullable)


def _packing(nullable: bool = False) -> tuple[Column, ...]:
    """The geometry of a crystal of rigid molecules in its space group."""
    return (
        _text("origin", "where the crystal comes from: search, import:<name of the file>, or known_form"),
        *_setting(nullable=nullable, group_nullable=False),
    )


def _setting(nullable: bool, group_nullable: bool, prefix: str = "") -> tuple[Column, ...]:
    """Space group, cell and independent molecules; `prefix` tells them from those of another geometry."""
    return (
        Column(
            f"{prefix}space_group", _SMALL, "", "International Tables number", group_nullable, low=1, high=230
        ),
        _text(f"{prefix}hall_symbol", "space group and setting", group_nullable),
        *(
            Column(f"{prefix}{axis}_A", _REAL, "Angstrom", f"cell length {axis}", nullable, low=0.0)
            for axis in ("a", "b", "c")
        ),
        *(
            Column(
                f"{prefix}{angle}_deg", _REAL, "degree", f"cell angle {angle}", nullable, low=0.0, high=180.0
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


def _energy_terms() -> tuple[Column, ...]:
    return (
        _energy("electrostatic", "electrostatic part of the intermolecular energy"),
        _energy("repulsion", "repulsive part of the intermolecular energy"),
        _energy("dispersion", "dispersive part of the intermolecular energy"),
        _energy("intramolecular", "energy of the conformers above the lowest conformer in the gas phase"),
        _energy("lattice_energy", "force-field lattice energy: the sum of the terms above"),
        _energy(
            "pressure_volume", "work against the pressure, no part of the lattice energy; 0 without pressure"
        ),
    )


def _reduced_geometry(nullable: bool) -> tuple[Column, ...]:
    """The primitive Niggli cell with all its atoms; a molecule's atoms stand together, molecules one after another."""
    return (
        Column("formula_units", _SMALL, "", "formula units in the reduced cell", nullable, low=1),
        Column(
            "atoms_in_reduced_cell", pa.int32(), "", "atoms in the primitive Niggli cell", nullable, low=1
        ),
        Column(
            "atomic_numbers", pa.list_(_SMALL), "", "of the reduced cell's atoms", nullable, low=1, high=118
        ),
        Column(
            "reduced_cell_A",
            _REALS,
            "Angstrom",
            "the reduced cell's three row vectors, nine numbers",
            nullable,
        ),
        Column(
            "fractional", _REALS, "fraction", "fractional coordinates of the reduced cell's atoms", nullable
        ),
    )


MOLECULE = Table(
    "molecule",
    "a site of a conformer",
    ("component", "conformer", "site"),
    (
        Column("component", _SMALL, "", "index of the component in the config", low=0),
        _text("conformer", "name of the conformer"),
        Column("site", pa.int32(), "", "index of the site; atoms in the order of the input", low=0),
        _text("element", "chemical symbol"),
        Column("atomic_number", _SMALL, "", "atomic number", low=1, high=118),
        _text("potential_type", "atom type of the configured potential"),
        Column(
            "x_A", _REAL, "Angstrom", "position in the molecule's frame: centre of mass at 0, principal axes"
        ),
        Column("y_A", _REAL, "Angstrom", "position in the molecule's frame"),
        Column("z_A", _REAL, "Angstrom", "position in the molecule's frame"),
        Column("mass_amu", _REAL, "amu", "atomic mass", low=0.0),
        Column("bonded_sites", pa.list_(pa.int32()), "", "sites bonded to this one", low=0),
        Column(
            "esp_charge_e", _REAL, "e", "atomic charge fitted to the wave function's electrostatic potential"
        ),
        Column(
            "multipoles_au",
            _REALS,
            "e bohr^l",
            "distributed multipoles to rank 4 in the molecule's frame, Stone's real order Q00 Q10 Q11c Q11s Q20 ...",
        ),
    ),
)

CONFORMERS = Table(
    "conformers",
    "a conformer of a component",
    ("component", "conformer"),
    (
        Column("component", _SMALL, "", "index of the component in the config", low=0),
        _text("component_name", "name of the component in the config"),
        _text("conformer", "name: a letter per rotatable bond (c, g+, g-, a+, a-, t); 'rigid' without any"),
        Column("selected", _FLAG, "", "whether the search uses this conformer"),
        Column("stoichiometry", _SMALL, "", "molecules of this component per formula unit", low=1),
        Column("charge", _SMALL, "e", "net charge of the molecule"),
        Column("atoms", pa.int32(), "", "atoms of the molecule", low=1),
        _text("smiles", "SMILES of the molecule"),
        Column(
            "energy_hartree", _REAL, "hartree", "energy at the gas-phase level; null after a failure", True
        ),
        _energy("intramolecular", "energy above the component's lowest conformer; null after a failure"),
        _text("gas_phase_level", "functional and basis of geometry and wave function"),
        _text("point_group", "Schoenflies symbol of the conformer"),
        Column("rotatable_bonds", _SMALL, "", "torsions that distinguish conformers", low=0),
        Column("torsions_deg", _REALS, "degree", "the torsions in the order of the name's letters"),
        Column(
            "dipole_debye", _REAL, "debye", "size of the dipole moment of the wave function", True, low=0.0
        ),
        _text(
            "multipole_source",
            "program and settings that made the multipoles; null after a failure",
            nullable=True,
        ),
        Column("charge_error_e", _REAL, "e", "charge of the multipoles less that of the wave function", True),
        Column(
            "dipole_error_au",
            _REAL,
            "e bohr",
            "largest component error of the multipoles' total dipole",
            True,
        ),
        Column(
            "quadrupole_error_au",
            _REAL,
            "e bohr^2",
            "largest component error of the multipoles' total quadrupole",
            True,
        ),
        Column(
            "esp_rms_error_kJ_per_mol",
            _REAL,
            "kJ/mol per e",
            "root mean square misfit of the fitted charges",
            True,
        ),
        _text("status", "how the conformer's optimisation ended"),
    ),
)

KNOWN_FORMS = Table(
    "known_forms",
    "an experimentally known crystal form",
    ("form",),
    (
        _text("form", "name of the form in the config"),
        _text("source", "file of the form"),
        _text("citation", "where the structure was published, from the file", nullable=True),
        Column("space_group", _SMALL, "", "International Tables number found", low=1, high=230),
        Column("z", _SMALL, "", "formula units in the conventional cell", low=1),
        Column("z_prime", _REAL, "", "formula units in the asymmetric unit", low=0.0),
        _text("conformers", "conformer of each independent molecule, comma-separated"),
        Column(
            "conformer_rmsd_A",
            _REAL,
            "Angstrom",
            "largest misfit between form and conformer, heavy atoms",
            low=0.0,
        ),
        Column(
            "conformer_searched", _FLAG, "", "whether every conformer of the form is selected for the search"
        ),
        Column("density_g_per_cm3", _REAL, "g/cm^3", "experimental density", low=0.0),
        *_reduced_geometry(nullable=False),
        _text("status", "end of the minimisation under the force field"),
        *_energy_terms(),
        Column(
            "minimised_density_g_per_cm3",
            _REAL,
            "g/cm^3",
            "density at the force-field minimum",
            True,
            low=0.0,
        ),
        *_setting(nullable=True, group_nullable=True, prefix="minimised_"),
        Column("gradient_norm_kJ_per_mol_A", _REAL, "kJ/mol/Angstrom", "largest component at the end", True),
        Column("steps", pa.int32(), "", "steps of the minimiser", low=0),
        Column("evaluations", pa.int32(), "", "evaluations of energy and gradient", low=0),
        Column(
            "minimised_rmsd_A",
            _REAL,
            "Angstrom",
            "RMSD of the minimised from the experimental packing",
            True,
            low=0.0,
        ),
    ),
)

TRIALS = Table(
    "trials",
    "a trial crystal",
    ("trial_id",),
    (
        _text(
            "trial_id",
            "series (014: space group 14, Z' = 1; 014s: on special positions; 014z2: Z' = 2) and Sobol' index; "
            "of an imported crystal the file's name and its place there",
        ),
        Column(
            "sobol_index", _COUNT, "", "index in the series' Sobol' sequence, or in the imported file", low=0
        ),
        *_packing(),
        Column("volume_A3", _REAL, "Angstrom^3", "cell volume", low=0.0),
        Column("expansion", _REAL, "", "factor by which volume grew to remove overlap", low=0.0),
        _text("status", "ok, or why the trial was rejected"),
    ),
)

MINIMA = Table(
    "minima",
    "a minimised trial",
    ("trial_id",),
    (
        _text("trial_id", "space group and Sobol' index"),
        *_packing(),
        *_energy_terms(),
        Column("density_g_per_cm3", _REAL, "g/cm^3", "density", True, low=0.0),
        Column(
            "gradient_norm_kJ_per_mol_A",
            _REAL,
            "kJ/mol/Angstrom",
            "norm of the scaled gradient at the end",
            True,
            low=0.0,
        ),
        Column("steps", pa.int32(), "", "steps of the optimiser", low=0),
        Column("evaluations", pa.int32(), "", "evaluations of energy and gradient", low=0),
        _text("status", "how the minimisation ended"),
    ),
)

FORM_MATCH_TYPE: Final = pa.struct(
    [
        pa.field("form", _TEXT, nullable=False),
        pa.field("found", _FLAG, nullable=False),
        pa.field("molecules", _SMALL, nullable=False),
        pa.field("rmsd_A", _REAL),
        pa.field("minimised_rmsd_A", _REAL),
        pa.field("powder_similarity", _REAL, nullable=False),
    ]
)
"""A known form and a structure: molecules that overlay the published crystal, their RMSD, and the RMSD from the form's
force-field minimum (null where nothing overlays); similarity of the powder pattern to the published crystal's."""

LANDSCAPE = Table(
    "landscape",
    "a minimum in the energy window",
    ("structure_id",),
    (
        _text(
            "structure_id",
            "id of the trial that led to the minimum; known_form-<name> for a known form's own minimum",
        ),
        *_packing(nullable=True),
        *_energy_terms(),
        _energy(
            "relative_energy",
            "lattice energy, under pressure enthalpy, above the lowest of the landscape",
            nullable=False,
        ),
        Column("density_g_per_cm3", _REAL, "g/cm^3", "density", low=0.0),
        _text("duplicate_of", "structure that represents this one; null for a representative", nullable=True),
        Column("hits", pa.int32(), "", "trials that led to this structure; 0 for a duplicate", low=0),
        *_reduced_geometry(nullable=True),
        _text("symmetry_found", "Hermann-Mauguin symbol of the full symmetry found", nullable=True),
        Column(
            "space_group_found",
            _SMALL,
            "",
            "International Tables number of the symmetry found",
            True,
            low=1,
            high=230,
        ),
        Column(
            "z_prime_found",
            _REAL,
            "",
            "formula units per asymmetric unit in the symmetry found",
            True,
            low=0.0,
        ),
        _text("known_form", "known forms that this structure is, comma-separated", nullable=True),
        Column(
            "known_forms",
            pa.list_(FORM_MATCH_TYPE),
            "Angstrom",
            "known forms compared with this structure: those that it is (`found`), and those whose force-field "
            "minimum it is though it does not overlay the published crystal",
            True,
            low=0.0,
        ),
        Column("amd_A", _REALS, "Angstrom", "average minimum distances", True, low=0.0),
    ),
)

COMPLETENESS = Table(
    "completeness",
    "a series of trials (or all of them) after a number of trials",
    ("series", "below"),
    (
        _text("series", "series of trials (014, 014s, 014z2), or `all`"),
        Column("below", _COUNT, "", "trials of a smaller Sobol' index count", low=0),
        Column("trials", _COUNT, "", "how many these are", low=0),
        Column("hits", _COUNT, "", "those that led to a minimum in the energy window", low=0),
        Column("distinct", _COUNT, "", "structures that these hits fell on", low=0),
        Column("found_once", _COUNT, "", "structures hit once", low=0),
        Column("found_twice", _COUNT, "", "structures hit twice", low=0),
        Column("new_structures", _COUNT, "", "structures found since the row before", low=0),
        Column("new_per_1000_trials", _REAL, "", "their number per 1000 trials", low=0.0),
        Column(
            "coverage",
            _REAL,
            "",
            "Good-Turing estimate of the chance that the next hit falls on a structure already found",
            True,
            low=0.0,
            high=1.0,
        ),
        Column("coverage_sd", _REAL, "", "standard deviation of the estimate", True, low=0.0),
    ),
)

FEATURES = Table(
    "features",
    "a distinct structure",
    ("structure_id",),
    (
        _text("structure_id", "id of the structure"),
        _text("descriptor", "id of the descriptor and its settings"),
        Column("features", _REALS, "", "descriptor vector, the same length in every row"),
    ),
)

DISPERSION = Table(
    "dispersion",
    "the dispersion correction of a distinct structure at a level",
    ("structure_id", "level"),
    (
        _text("structure_id", "id of the structure"),
        _text("level", "name of the level of theory"),
        _energy("dispersion", "crystal less isolated molecules, exact, per formula unit", nullable=False),
    ),
)

SELECTION = Table(
    "selection",
    "a slot of a round",
    ("round", "slot"),
    (
        Column("round", _SMALL, "", "round of selection", low=0),
        Column("slot", _SMALL, "", "slot of the round", low=0),
        _text("structure_id", "structure to compute; null for a slot that is not needed", nullable=True),
        _text("level", "highest level to climb to", nullable=True),
        Column("acquisition", _REAL, "", "value of the acquisition function", True),
        Column("predicted_core_s", _REAL, "core second", "predicted cost of the slot", True, low=0.0),
        Column("predicted_memory_MB", _REAL, "MB", "predicted peak memory", True, low=0.0),
        _text("reason", "why the structure was chosen, or why the slot is empty"),
    ),
)

POINTS = Table(
    "points",
    "a single point: a structure (or an isolated molecule) at a level",
    ("structure_id", "level"),
    (
        _text("structure_id", "id of the structure, or molecule:<component>"),
        _text("level", "name of the level of theory"),
        _text("method_id", "hash of the method's settings and version"),
        _text("status", "how the single point ended"),
        _text("message", "what went wrong, or what remedy was needed", nullable=True),
        Column("formula_units", _SMALL, "", "formula units (molecules) in the cell", low=1),
        Column("electronic_energy_eV", _REAL, "eV", "energy of the cell without dispersion correction", True),
        Column("dispersion_energy_eV", _REAL, "eV", "dispersion correction of the cell", True),
        Column("total_energy_eV", _REAL, "eV", "sum of the two", True),
        Column("scf_steps", pa.int32(), "", "self-consistency steps", True, low=0),
        Column("plane_waves", pa.int32(), "", "plane waves at the first k-point", True, low=0),
        Column("k_points", pa.int32(), "", "irreducible k-points", True, low=1),
        Column("wall_s", _REAL, "s", "wall time of the calculation (when it was made)", True, low=0.0),
        Column(
            "core_s", _REAL, "core second", "CPU time of the calculation (when it was made)", True, low=0.0
        ),
        Column("cores", _SMALL, "", "cores of the calculation", True, low=1),
        Column("peak_memory_MB", _REAL, "MB", "peak resident memory of a rank", True, low=0.0),
        _text("source", "computed, or store (found there)"),
        _text("store_key", "key of the result in the store", nullable=True),
    ),
)

POSTERIOR = Table(
    "posterior",
    "a structure at a level",
    ("structure_id", "level"),
    (
        _text("structure_id", "id of the structure"),
        _text("level", "name of the level of theory"),
        _energy("mean", "posterior mean of the lattice energy", nullable=False),
        Column("sd_kJ_per_mol", _REAL, "kJ/mol", "posterior standard deviation", low=0.0),
        Column(
            "sd_relative_kJ_per_mol",
            _REAL,
            "kJ/mol",
            "posterior standard deviation of the energy relative to the level's lowest mean",
            low=0.0,
        ),
        Column("computed", _FLAG, "", "whether the level was computed for this structure"),
    ),
)

LEVEL_ENERGY_TYPE: Final = pa.struct(
    [
        pa.field("level", _TEXT, nullable=False),
        pa.field("lattice_energy_kJ_per_mol", _REAL, nullable=False),
        pa.field("sd_kJ_per_mol", _REAL, nullable=False),
        pa.field("relative_energy_kJ_per_mol", _REAL, nullable=False),
        pa.field("sd_relative_kJ_per_mol", _REAL, nullable=False),
        pa.field("computed", _FLAG, nullable=False),
        pa.field("rank", pa.int32(), nullable=False),
    ]
)
"""A structure at a level.  A computed level holds the computed energy with the numerical noise as its sd, one
that was not computed the posterior mean and sd.  `relative_energy` and `sd_relative` are those of the
difference from the level's rank 1, in which errors common to the landscape cancel; `rank` is by the posterior
mean, so a computed energy may lie below rank 1's within the noise."""

RANKING = Table(
    "ranking",
    "a distinct structure, the most stable first",
    ("structure_id",),
    (
        _text("structure_id", "id of the structure"),
        Column("rank", pa.int32(), "", "rank by the mean at the highest level", low=1),
        _energy("lattice_energy", "posterior mean at the highest level", nullable=False),
        _energy("relative_energy", "mean above the lowest mean", nullable=False),
        Column("sd_kJ_per_mol", _REAL, "kJ/mol", "standard deviation of the lattice energy", low=0.0),
        Column(
            "sd_relative_kJ_per_mol",
            _REAL,
            "kJ/mol",
            "standard deviation of the energy relative to rank 1",
            low=0.0,
        ),
        Column("p_rank_1", _REAL, "", "probability of being the most stable", low=0.0, high=1.0),
        Column("p_lowest_5", _REAL, "", "probability of being among the five lowest", low=0.0, high=1.0),
        Column("rank_low", pa.int32(), "", "5 % quantile of the rank", low=1),
        Column("rank_high", pa.int32(), "", "95 % quantile of the rank", low=1),
        Column(
            "levels",
            pa.list_(LEVEL_ENERGY_TYPE),
            "kJ/mol",
            "every level, the force field first: the computed energy and the numerical noise where computed, else "
            "posterior mean and sd; relative_energy and sd_relative from the level's rank 1; rank by the mean",
        ),
        Column("density_g_per_cm3", _REAL, "g/cm^3", "density", low=0.0),
        _text("symmetry_found", "Hermann-Mauguin symbol of the full symmetry"),
        Column("z_prime_found", _REAL, "", "formula units per asymmetric unit", low=0.0),
        Column("atoms_in_reduced_cell", pa.int32(), "", "atoms in the primitive cell", low=1),
        Column("hits", pa.int32(), "", "trials that led to this structure", low=0),
        _text("known_form", "known forms that this structure is, comma-separated", nullable=True),
    ),
)

CALIBRATION = Table(
    "calibration",
    "a nominal interval at a level, tested by leaving out one structure at a time at all its levels",
    ("level", "nominal_coverage"),
    (
        _text("level", "name of the level of theory"),
        Column("nominal_coverage", _REAL, "", "probability that the interval claims", low=0.0, high=1.0),
        Column(
            "found_coverage", _REAL, "", "share of the left-out values inside the interval", low=0.0, high=1.0
        ),
        Column("points", pa.int32(), "", "structures left out, one at a time", low=1),
        _energy("mae", "mean absolute error of the left-out predictions", nullable=False),
        _energy("bias", "mean of the computed less the predicted lattice energy", nullable=False),
        _energy(
            "mean_sd",
            "mean standard deviation of the left-out predictions, inflation included",
            nullable=False,
        ),
        Column(
            "inflation",
            _REAL,
            "",
            "factor on the learner's standard deviations, found by leaving out",
            low=1.0,
        ),
    ),
)

LEDGER = Table(
    "ledger",
    "the cost of a stage's job, or of a level on the whole landscape",
    ("kind", "job"),
    (
        _text("kind", "paid (what the ranking rests on) or full (a level on every structure, predicted)"),
        _text("job", "stage and chunk, or structure and level"),
        _text("stage", "stage of the job"),
        _text("level", "level of theory of the job", nullable=True),
        Column("points", pa.int32(), "", "single points", low=0),
        Column("core_s", _REAL, "core second", "CPU time, of a single point when it was made", low=0.0),
        Column(
            "found_core_s",
            _REAL,
            "core second",
            "the part of core_s that was found in the store and not paid again",
            low=0.0,
        ),
        Column("wall_s", _REAL, "s", "wall time, of a single point when it was made", True, low=0.0),
        Column("peak_memory_MB", _REAL, "MB", "peak resident memory", True, low=0.0),
    ),
)

ALL: Final = (
    MOLECULE,
    CONFORMERS,
    KNOWN_FORMS,
    TRIALS,
    MINIMA,
    LANDSCAPE,
    COMPLETENESS,
    FEATURES,
    DISPERSION,
    SELECTION,
    POINTS,
    POSTERIOR,
    RANKING,
    CALIBRATION,
    LEDGER,
)
"""Every table, in the order of the data's way."""
