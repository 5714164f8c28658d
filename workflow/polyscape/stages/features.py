"""Stage features: the descriptor of every distinct structure."""

import numpy as np
import pandas as pd

from polyscape.learn.protocol import Structure
from polyscape.learn.registry import build_descriptor
from polyscape.schemas import FEATURES
from polyscape.settings.learning import FeaturesSettings
from polyscape.stages.lattice_energies import distinct_structures, records
from polyscape.stages.rows import reduced_atoms

_TERMS = ("electrostatic", "repulsion", "dispersion", "intramolecular")


def features(landscape: pd.DataFrame, settings: FeaturesSettings, cores: int = 1) -> pd.DataFrame:
    """The table `features` of a landscape."""
    distinct = distinct_structures(landscape)
    if distinct.empty:
        return FEATURES.from_rows([])
    descriptor = build_descriptor(settings)
    term_sf = np.stack(
        [distinct[f"{term}_kJ_per_mol"].fillna(0.0).to_numpy(float) for term in _TERMS], axis=1
    )
    structures = [
        Structure(reduced_atoms(row), tuple(terms))
        for row, terms in zip(records(distinct), term_sf.tolist(), strict=True)
    ]
    vectors_sf = descriptor.compute(structures, cores)
    return FEATURES.from_rows(
        {"structure_id": name, "descriptor": descriptor.id, "features": vector.tolist()}
        for name, vector in zip(distinct.structure_id, vectors_sf, strict=True)
    )
