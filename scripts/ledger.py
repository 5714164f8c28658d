"""Add up what the campaign paid, beside the predicted cost of every level on every structure."""

import argparse
from pathlib import Path

from polyscape.cli import run_stage, stage_parser
from polyscape.schemas import LANDSCAPE, LEDGER
from polyscape.stages.ledger import ledger, read_jobs, read_points
from polyscape.stages.registry import Slice

EXAMPLE = """python scripts/ledger.py --settings config/config.yaml --landscape results/oxalic_acid/landscape.parquet \\
    --points results/oxalic_acid/points/molecules.parquet results/oxalic_acid/points/round*/slot*.parquet \\
    --provenance results/oxalic_acid/provenance --output results/oxalic_acid/ledger.parquet"""


def work(options: argparse.Namespace, part: Slice) -> list[Path]:
    """Read the points and the jobs' records, add up, write."""
    table = ledger(
        LANDSCAPE.read(options.landscape),
        read_points(options.points),
        read_jobs(options.provenance),
        part["levels"],
    )
    LEDGER.write(table, options.output)
    return [options.output]


def main() -> None:
    """Run the stage."""
    parser = stage_parser("ledger", __doc__, EXAMPLE)
    parser.add_argument("--landscape", type=Path, required=True, help="table landscape")
    parser.add_argument("--points", type=Path, nargs="*", default=[], help="points of molecules and slots")
    parser.add_argument("--provenance", type=Path, required=True, help="folder of the jobs' records")
    parser.add_argument("--output", type=Path, required=True, help="table ledger to write")
    run_stage(parser, work)


if __name__ == "__main__":
    main()
