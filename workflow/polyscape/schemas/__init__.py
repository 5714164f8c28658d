"""Every table of a campaign: what a row is, its key, and each column with type, unit and meaning.

docs/tables.md is generated from here (``make docs``).  Energies of crystals are **per formula unit**: one molecule, or
one of each component times its stoichiometry; "per mol" means per mole of formula units.  Under pressure
(``energy.pressure_GPa``) the tables `posterior` and `ranking` hold enthalpies in the place of lattice energies: each
level's energy and the work against the pressure at the force field's volume.
"""

from typing import Final

from polyscape.schemas.columns import POSE_TYPE
from polyscape.schemas.learning import CALIBRATION, LEDGER, LEVEL_ENERGY_TYPE, POSTERIOR, RANKING
from polyscape.schemas.levels import DISPERSION, FEATURES, POINTS, SELECTION, STORE
from polyscape.schemas.molecule import CONFORMERS, KNOWN_FORMS, MOLECULE
from polyscape.schemas.search import COMPLETENESS, FORM_MATCH_TYPE, LANDSCAPE, MINIMA, TRIALS

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
    STORE,
)
"""Every table, in the order of the data's way."""

__all__ = [
    "ALL",
    "CALIBRATION",
    "COMPLETENESS",
    "CONFORMERS",
    "DISPERSION",
    "FEATURES",
    "FORM_MATCH_TYPE",
    "KNOWN_FORMS",
    "LANDSCAPE",
    "LEDGER",
    "LEVEL_ENERGY_TYPE",
    "MINIMA",
    "MOLECULE",
    "POINTS",
    "POSE_TYPE",
    "POSTERIOR",
    "RANKING",
    "SELECTION",
    "STORE",
    "TRIALS",
]
