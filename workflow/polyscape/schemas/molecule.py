"""Tables of the molecules and of the known forms."""

import pyarrow as pa

from polyscape.schemas.columns import (
    FLAG,
    REAL,
    REALS,
    SMALL,
    energy,
    energy_terms,
    reduced_geometry,
    setting,
    text,
)
from polyscape.tables import Column, Table

MOLECULE = Table(
    "molecule",
    "a site of a conformer",
    ("component", "conformer", "site"),
    (
        Column("component", SMALL, "", "index of the component in the config", low=0),
        text("conformer", "name of the conformer"),
        Column("site", pa.int32(), "", "index of the site; atoms in the order of the input", low=0),
        text("element", "chemical symbol"),
        Column("atomic_number", SMALL, "", "atomic number", low=1, high=118),
        text("potential_type", "atom type of the configured potential"),
        Column(
            "x_A", REAL, "Angstrom", "position in the molecule's frame: centre of mass at 0, principal axes"
        ),
        Column("y_A", REAL, "Angstrom", "position in the molecule's frame"),
        Column("z_A", REAL, "Angstrom", "position in the molecule's frame"),
        Column("mass_amu", REAL, "amu", "atomic mass", low=0.0),
        Column("bonded_sites", pa.list_(pa.int32()), "", "sites bonded to this one", low=0),
        Column(
            "esp_charge_e", REAL, "e", "atomic charge fitted to the wave function's electrostatic potential"
        ),
        Column(
            "multipoles_au",
            REALS,
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
        Column("component", SMALL, "", "index of the component in the config", low=0),
        text("component_name", "name of the component in the config"),
        text(
            "conformer",
            "name: a letter per rotatable bond (c, g+, g-, a+, a-, t); 'rigid' without any; with a point group a "
            "symmetric geometry beside a minimum",
        ),
        Column("selected", FLAG, "", "whether the search uses this conformer"),
        Column("stoichiometry", SMALL, "", "molecules of this component per formula unit", low=1),
        Column("charge", SMALL, "e", "net charge of the molecule"),
        Column("atoms", pa.int32(), "", "atoms of the molecule", low=1),
        text("smiles", "SMILES of the molecule"),
        Column(
            "energy_hartree", REAL, "hartree", "energy at the gas-phase level; null after a failure", True
        ),
        energy("intramolecular", "energy above the component's lowest conformer; null after a failure"),
        energy(
            "above_minimum",
            "energy of a symmetric geometry above the minimum near it, 0 for a minimum; null after a failure",
        ),
        text("gas_phase_level", "functional and basis of geometry and wave function"),
        text("point_group", "Schoenflies symbol of the conformer"),
        Column("rotatable_bonds", SMALL, "", "torsions that distinguish conformers", low=0),
        Column("torsions_deg", REALS, "degree", "the torsions in the order of the name's letters"),
        Column(
            "dipole_debye", REAL, "debye", "size of the dipole moment of the wave function", True, low=0.0
        ),
        text(
            "multipole_source",
            "program and settings that made the multipoles; null after a failure",
            nullable=True,
        ),
        Column("charge_error_e", REAL, "e", "charge of the multipoles less that of the wave function", True),
        Column(
            "dipole_error_au",
            REAL,
            "e bohr",
            "largest component error of the multipoles' total dipole",
            True,
        ),
        Column(
            "quadrupole_error_au",
            REAL,
            "e bohr^2",
            "largest component error of the multipoles' total quadrupole",
            True,
        ),
        Column(
            "esp_rms_error_kJ_per_mol",
            REAL,
            "kJ/mol per e",
            "root mean square misfit of the fitted charges",
            True,
        ),
        text("status", "how the conformer's optimisation ended"),
    ),
)

KNOWN_FORMS = Table(
    "known_forms",
    "an experimentally known crystal form",
    ("form",),
    (
        text("form", "name of the form in the config"),
        text("source", "file of the form"),
        text("citation", "where the structure was published, from the file", nullable=True),
        Column("space_group", SMALL, "", "International Tables number found", low=1, high=230),
        Column("z", SMALL, "", "formula units in the conventional cell", low=1),
        Column("z_prime", REAL, "", "formula units in the asymmetric unit", low=0.0),
        text("conformers", "conformer of each independent molecule, comma-separated"),
        Column(
            "conformer_rmsd_A",
            REAL,
            "Angstrom",
            "largest misfit between form and conformer, heavy atoms",
            low=0.0,
        ),
        Column(
            "conformer_searched", FLAG, "", "whether every conformer of the form is selected for the search"
        ),
        Column("density_g_per_cm3", REAL, "g/cm^3", "experimental density", low=0.0),
        *reduced_geometry(nullable=False),
        text("status", "end of the minimisation under the force field"),
        *energy_terms(),
        Column(
            "minimised_density_g_per_cm3",
            REAL,
            "g/cm^3",
            "density at the force-field minimum",
            True,
            low=0.0,
        ),
        *setting(nullable=True, group_nullable=True, prefix="minimised_"),
        Column("gradient_norm_kJ_per_mol_A", REAL, "kJ/mol/Angstrom", "largest component at the end", True),
        Column("steps", pa.int32(), "", "steps of the minimiser", low=0),
        Column("evaluations", pa.int32(), "", "evaluations of energy and gradient", low=0),
        Column(
            "minimised_rmsd_A",
            REAL,
            "Angstrom",
            "RMSD of the minimised from the experimental packing",
            True,
            low=0.0,
        ),
    ),
)
