"""Choose what the slots of a round compute: a structure each, and the level of theory it climbs to.

The first round goes by low energy, small cells and diversity; later rounds by how much a computation lowers
the uncertainty of the ranking, per predicted core second.  A slot that is not needed says why.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from polyscape.cli import run_stage, stage_parser
from polyscape.schemas import SELECTION
from polyscape.stages.budget import core_s_left
from polyscape.stages.lattice_energies import LearningPlan, LearningTables
from polyscape.stages.ledger import read_jobs, read_points
from polyscape.stages.registry import Slice
from polyscape.stages.selection import SelectionPlan, select

EXAMPLE = (
    "python scripts/selection.py --settings config/config.yaml --round 1 --landscape R/landscape.parquet \\\n"
    "    --features R/features.parquet --dispersion R/dispersion.parquet \\\n"
    "    --molecules R/points/molecules.parquet --points R/points/round0/*.parquet \\\n"
    "    --output selection.parquet    (R=results/oxalic_acid)"
)


def work(options: argparse.Namespace, part: Slice) -> Sequence[Path]:
    """Read, choose, write."""
    rest = (options.molecules, options.points)
    tables = LearningTables.read(options.landscape, options.features, options.dispersion, rest)
    known = LearningPlan(part["levels"], part["molecule.components"], part["features"], part["learning"])
    plan = SelectionPlan(known, part["selection"], part["seed"])
    files = [path for path in (options.molecules, *options.points) if path is not None]
    jobs = [] if options.provenance is None else read_jobs(options.provenance, "points")
    left = core_s_left(part["budget"], read_points(files), jobs, part["selection"].batch)
    SELECTION.write(select(options.round, tables, plan, left), options.output)
    return [options.output]


def main() -> None:
    """Run the stage from the command line."""
    parser = stage_parser("selection", __doc__, EXAMPLE)
    parser.add_argument("--round", type=int, required=True, help="number of the round, 0 is the first")
    for name in ("landscape", "features", "dispersion"):
        parser.add_argument(f"--{name}", type=Path, required=True, help=f"table {name}")
    parser.add_argument("--molecules", type=Path, help="points of the isolated molecules")
    parser.add_argument(
        "--points", type=Path, nargs="*", default=[], help="points of all rounds before this one"
    )
    parser.add_argument("--provenance", type=Path, help="folder of the jobs' records, for the budget")
    parser.add_argument("--output", type=Path, required=True, help="table of the selection")
    run_stage(parser, work)


if __name__ == "__main__":
    main()
