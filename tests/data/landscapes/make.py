"""Write a landscape's tables for `load.py` from a campaign and its store; run again as more points arrive.

    python -m tests.data.landscapes.make results/oxalic_acid_full --config config/examples/oxalic-acid-full.yaml

The campaign's landscape gives the structures, the store their single points; those known at every level are kept.
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
from polyscape.stages.single_point import Ladder, point_row
from polyscape.stages.stored_points import stored_points
from polyscape.status import Status
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
    """The tables of the structures whose points the store has at every level."""
    names = ("landscape", "molecule", "conformers", "dispersion")
    found = {name: read(TABLES[name], campaign / f"{name}.parquet") for name in names}
    distinct = found["landscape"][found["landscape"].duplicate_of.isna()]
    molecules = isolated(found, settings, store)
    ladder = Ladder(settings.levels, Reference(molecules, settings.molecule.components))
    points = stored_points(distinct, ladder, store)
    good = points[points.status == Status.OK].structure_id.value_counts()
    kept = set(good[good == len(settings.levels)].index)
    found["landscape"] = distinct[distinct.structure_id.isin(kept)].reset_index(drop=True)
    found["dispersion"] = found["dispersion"][found["dispersion"].structure_id.isin(kept)].reset_index(
        drop=True
    )
    found["points"] = points[points.structure_id.isin(kept)].reset_index(drop=True)
    return found | {"molecules": molecules}


def provenance(found, settings: Settings, campaign: Path) -> dict[str, object]:
    """Where the tables come from."""
    records = [json.loads(path.read_text()) for path in sorted((campaign / "provenance").glob("*.json"))]
    return {
        "campaign": settings.campaign,
        "structures": len(found["landscape"]),
        "core_h": float(np.nansum(found["points"].core_s)) / 3600,
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
