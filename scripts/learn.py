"""Learn the corrections between the levels of theory from the points made so far, and predict every
structure.

Computed structures keep their values (to the numerical noise); the others get a mean and a standard
deviation.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from polyscape.cli import run_stage, stage_parser
from polyscape.schemas import POSTERIOR
from polyscape.stages.lattice_energies import LearningPlan, LearningTables
from polyscape.stages.learn import learn
from polyscape.stages.registry import Slice

EXAMPLE = (
    "python scripts/learn.py --settings config/config.yaml --landscape R/landscape.parquet \\\n"
    "    --features R/features.parquet --dispersion R/dispersion.parquet \\\n"
    "    --molecules R/points/molecules.parquet --points R/points/round*/*.parquet \\\n"
    "    --output posterior.parquet    (R=results/oxalic_acid)"
)


def work(options: argparse.Namespace, part: Slice) -> Sequence[Path]:
    """Read, learn, write."""
    rest = (options.molecules, options.points)
    tables = LearningTables.read(options.landscape, options.features, options.dispersion, rest)
    plan = LearningPlan(part["levels"], part["molecule.components"], part["features"], part["learning"])
    POSTERIOR.write(learn(tables, plan), options.output)
    return [options.output]


def main() -> None:
    """Run the stage from the command line."""
    parser = stage_parser("learn", __doc__, EXAMPLE)
    for name in ("landscape", "features", "dispersion"):
        parser.add_argument(f"--{name}", type=Path, required=True, help=f"table {name}")
    parser.add_argument("--molecules", type=Path, required=True, help="points of the isolated molecules")
    parser.add_argument(
        "--points", type=Path, nargs="*", default=[], help="points of the crystals, any number of files"
    )
    parser.add_argument("--output", type=Path, required=True, help="table of the posterior")
    run_stage(parser, work)


if __name__ == "__main__":
    main()
