"""Rank the landscape at its highest level of theory, with the probability of every rank.

Joint draws of the learner's posterior keep errors that similar packings share.  A second table says how
honest the error bars are: each computed structure is left out in turn and predicted from the others.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from polyscape.cli import run_stage, stage_parser
from polyscape.schemas import CALIBRATION, RANKING
from polyscape.stages.lattice_energies import LearningPlan, LearningTables
from polyscape.stages.rank import rank
from polyscape.stages.registry import Slice

EXAMPLE = (
    "python scripts/rank.py --settings config/config.yaml --landscape R/landscape.parquet \\\n"
    "    --features R/features.parquet --dispersion R/dispersion.parquet \\\n"
    "    --molecules R/points/molecules.parquet --points R/points/round*/*.parquet \\\n"
    "    --output ranking.parquet --output-calibration calibration.parquet    (R=results/oxalic_acid)"
)


def work(options: argparse.Namespace, part: Slice) -> Sequence[Path]:
    """Read, rank, write."""
    rest = (options.molecules, options.points)
    tables = LearningTables.read(options.landscape, options.features, options.dispersion, rest)
    plan = LearningPlan(part["levels"], part["molecule.components"], part["features"], part["learning"])
    ranking, calibration = rank(tables, plan, part["seed"])
    RANKING.write(ranking, options.output)
    CALIBRATION.write(calibration, options.output_calibration)
    return [options.output, options.output_calibration]


def main() -> None:
    """Run the stage from the command line."""
    parser = stage_parser("rank", __doc__, EXAMPLE)
    for name in ("landscape", "features", "dispersion"):
        parser.add_argument(f"--{name}", type=Path, required=True, help=f"table {name}")
    parser.add_argument("--molecules", type=Path, required=True, help="points of the isolated molecules")
    parser.add_argument(
        "--points", type=Path, nargs="*", default=[], help="points of the crystals, any number of files"
    )
    parser.add_argument("--output", type=Path, required=True, help="table of the ranking")
    parser.add_argument("--output-calibration", type=Path, required=True, help="table of the calibration")
    run_stage(parser, work)


if __name__ == "__main__":
    main()
