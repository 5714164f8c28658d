"""Say how complete the search is: coverage and rate of new structures of every series of trials, as trials were added."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from polyscape.cli import run_stage, stage_parser
from polyscape.schemas import COMPLETENESS, LANDSCAPE, MINIMA
from polyscape.stages.completeness import make_completeness
from polyscape.stages.registry import Slice

EXAMPLE = (
    "python scripts/completeness.py --settings config/config.yaml --landscape R/landscape.parquet \\\n"
    "    --minima R/minima/*/*.parquet --output completeness.parquet    (R=results/oxalic_acid)"
)


def work(options: argparse.Namespace, part: Slice) -> Sequence[Path]:
    """Read, count, write."""
    landscape, minima = LANDSCAPE.read(options.landscape), MINIMA.read_all(options.minima)
    COMPLETENESS.write(make_completeness(landscape, minima), options.output)
    return [options.output]


def main() -> None:
    """Run the stage from the command line."""
    parser = stage_parser("completeness", __doc__, EXAMPLE)
    parser.add_argument("--landscape", type=Path, required=True, help="table of the landscape")
    parser.add_argument(
        "--minima", type=Path, nargs="+", required=True, help="tables of the minimised trials"
    )
    parser.add_argument("--output", type=Path, required=True, help="table of the completeness")
    run_stage(parser, work)


if __name__ == "__main__":
    main()
