"""Write a landscape's tables for `load.py` from a campaign and its store; `compute.py` adds the points that they lack.

    snakemake --cores all --configfile config/examples/oxalic-acid-full.yaml --until select_first
    python -m tests.data.landscapes.make results/oxalic_acid_full --config config/examples/oxalic-acid-full.yaml

The campaign's landscape gives the distinct structures, up to the largest cell that is computed; the store their points.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from polyscape.files import write_json, write_text
from polyscape.ids import molecule_id
from polyscape.levels.ladder import stored
from polyscape.levels.method import method_ids
from polyscape.levels.store import Store
from polyscape.schemas import POINTS
from polyscape.settings import Settings, load_settings
from polyscape.stages.isolated_molecule import reference_molecules
from polyscape.stages.references import Reference
from polyscape.stages.single_point import CountedLevels, point_row
from polyscape.stages.stored_points import stored_points
from tests.data.landscapes.load import FOLDER, TABLES, read


def isolated(found, settings: Settings, store: Store):
    """The points of the isolated molecules that the store has."""
    molecules = reference_molecules(found["molecule"], found["conformers"], settings.levels)
    everything = range(len(settings.levels))
    return POINTS.from_rows(
        point_row(molecule_id(component), 1, rung)
        for component, atoms in molecules.items()
        for rung in stored(atoms, settings.levels, everything, store)
    )


def tables(campaign: Path, settings: Settings, store: Store):
    """The tables of the structures that may be computed, and what the store has of them."""
    names = ("landscape", "molecule", "conformers", "dispersion")
    found = {name: read(TABLES[name], campaign / f"{name}.parquet") for name in names}
    landscape = found["landscape"]
    small = landscape.atoms_in_reduced_cell <= settings.selection.max_atoms
    found["landscape"] = landscape[landscape.duplicate_of.isna() & small].reset_index(drop=True)
    kept = found["dispersion"].structure_id.isin(found["landscape"].structure_id)
    found["dispersion"] = found["dispersion"][kept].reset_index(drop=True)
    return found | points_of(found, settings, store)


def points_of(found, settings: Settings, store: Store):
    """The points of the isolated molecules and of the structures that the store has."""
    molecules = isolated(found, settings, store)
    counted = CountedLevels(settings.levels, Reference(molecules, settings.molecule.components))
    return {"molecules": molecules, "points": stored_points(found["landscape"], counted, store)}


def core_h(points) -> float:
    """Core-hours of the points of crystals."""
    return float(np.nansum(points.core_s)) / 3600


def provenance(found, settings: Settings, campaign: Path) -> dict[str, object]:
    """Where the tables come from."""
    records = [json.loads(path.read_text()) for path in sorted((campaign / "provenance").glob("*.json"))]
    return {
        "campaign": settings.campaign,
        "structures": len(found["landscape"]),
        "core_h": core_h(found["points"]),
        "methods": method_ids(settings.levels),
        "stages": {
            record["stage"]: {key: record.get(key) for key in ("started", "cpu", "packages", "git_commit")}
            for record in records
        },
    }


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("campaign", type=Path, help="folder of the campaign's results")
    parser.add_argument("--config", type=Path, required=True, help="its config")
    parser.add_argument("--store", type=Path, help="where its single points are (default: the config's)")
    parser.add_argument("--output", type=Path, help="folder to write (default: here, the campaign's name)")
    options = parser.parse_args()
    settings = load_settings(options.config)
    found = tables(options.campaign, settings, Store(options.store or Path(settings.store)))
    folder = options.output or FOLDER / settings.campaign
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in TABLES.items():
        table.write(found[name], folder / f"{name}.parquet")
    write_text(folder / "config.yaml", options.config.read_text(encoding="utf-8"))
    write_json(folder / "provenance.json", provenance(found, settings, options.campaign))
    print(f"{len(found['landscape'])} structures at {len(settings.levels)} levels in {folder}")


if __name__ == "__main__":
    main()
