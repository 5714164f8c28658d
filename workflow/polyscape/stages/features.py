"""Stage features: the descriptors of every distinct structure."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

import pandas as pd

from polyscape.energy.model import RigidLatticeEnergy
from polyscape.energy.pair_sums import by_elements, pair_sums
from polyscape.energy.polarisation import polarisation
from polyscape.learn.protocol import Structure
from polyscape.learn.registry import build_blocks
from polyscape.schemas import FEATURES
from polyscape.settings.learning import FeaturesSettings
from polyscape.stages.lattice_energies import distinct_structures, records
from polyscape.stages.rows import packing_of, reduced_atoms

_TERMS = ("electrostatic", "repulsion", "dispersion", "intramolecular")


def features(
    landscape: pd.DataFrame, model: RigidLatticeEnergy, settings: FeaturesSettings, cores: int = 1
) -> pd.DataFrame:
    """The table `features` of a landscape.

    Parameters
    ----------
    landscape : pandas.DataFrame
        Table `landscape`.
    model : RigidLatticeEnergy
        The force field, for its sums by kinds of atoms.
    settings : FeaturesSettings
        Which descriptors.
    cores : int
        Processes or threads; the result does not depend on them.
    """
    distinct = distinct_structures(landscape)
    if distinct.empty:
        return FEATURES.from_rows([])
    structures = _structures(records(distinct), model, cores)
    rows = []
    for block, descriptor in build_blocks(settings).items():
        vectors_sf = descriptor.compute(structures, cores)
        rows += [
            {"structure_id": name, "block": block, "descriptor": descriptor.id, "features": vector}
            for name, vector in zip(distinct.structure_id, vectors_sf.tolist(), strict=True)
        ]
    return FEATURES.from_rows(rows)


def _structures(rows: Sequence[dict[str, Any]], model: RigidLatticeEnergy, cores: int) -> list[Structure]:
    """The crystals as descriptors see them."""

    def structure(row: dict[str, Any]) -> Structure:
        terms = {name: _number(row[f"{name}_kJ_per_mol"]) for name in _TERMS}
        packing = packing_of(row)
        by_kinds = pair_sums(model, packing)
        pairs = chain(*by_kinds.values(), *by_elements(by_kinds).values())
        induced = polarisation(model, packing).values()
        sums = (*pairs, *induced, terms["electrostatic"], terms["intramolecular"])
        return Structure(reduced_atoms(row), tuple(terms.values()), sums)

    with ThreadPoolExecutor(cores) as pool:
        return list(pool.map(structure, rows))


def _number(value: Any) -> float:
    return 0.0 if pd.isna(value) else float(value)
