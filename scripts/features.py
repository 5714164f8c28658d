"""Describe every distinct structure of the landscape by a vector that does not depend on how its cell is
chosen.

The vectors (atomic environments in principal components, the force field's sums) are what the learner sees.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from polyscape.cli import run_stage, stage_parser
from polyscape.energy.model import build_model
from polyscape.schemas import CONFORMERS, FEATURES, LANDSCAPE, MOLECULE
from polyscape.stages.features import features
from polyscape.stages.registry import Slice
from polyscape.stages.rows import conformers_of

EXAMPLE = (
    "python scripts/features.py --settings config/config.yaml --landscape R/landscape.parquet \\\n"
    "    --molecule R/molecule.parquet --conformers R/conformers.parquet --output features.parquet    (R=results/oxalic_acid)"
)


def work(options: argparse.Namespace, part: Slice) -> Sequence[Path]:
    """Read, describe, write."""
    rigid = conformers_of(MOLECULE.read(options.molecule), CONFORMERS.read(options.conformers), False)
    model = build_model(rigid, part["energy"])
    landscape = LANDSCAPE.read(options.landscape)
    FEATURES.write(features(landscape, model, part["features"], options.cores), options.output)
    return [options.output]


def main() -> None:
    """Run the stage from the command line."""
    parser = stage_parser("features", __doc__, EXAMPLE)
    for name in ("molecule", "conformers"):
        parser.add_argument(f"--{name}", type=Path, required=True, help=f"table {name}")
    parser.add_argument("--landscape", type=Path, required=True, help="table of the landscape")
    parser.add_argument("--output", type=Path, required=True, help="table of the descriptors")
    parser.add_argument("--cores", type=int, default=1, help="processes; the result does not depend on it")
    run_stage(parser, work)


if __name__ == "__main__":
    main()
