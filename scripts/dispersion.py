"""Compute the dispersion correction of every distinct structure at every level; it need not be learned."""

import argparse
from pathlib import Path

from polyscape.cli import run_stage, stage_parser
from polyscape.schemas import CONFORMERS, DISPERSION, LANDSCAPE, MOLECULE
from polyscape.stages.dispersion import dispersion
from polyscape.stages.registry import Slice

EXAMPLE = """python scripts/dispersion.py --settings config/config.yaml --molecule results/oxalic_acid/molecule.parquet \\
    --conformers results/oxalic_acid/conformers.parquet --landscape results/oxalic_acid/landscape.parquet \\
    --output results/oxalic_acid/dispersion.parquet --cores 2"""


def work(options: argparse.Namespace, part: Slice) -> list[Path]:
    """Read the landscape, compute, write."""
    found = dispersion(
        MOLECULE.read(options.molecule),
        CONFORMERS.read(options.conformers),
        LANDSCAPE.read(options.landscape),
        part["levels"],
        options.cores,
    )
    DISPERSION.write(found, options.output)
    return [options.output]


def main() -> None:
    """Run the stage."""
    parser = stage_parser("dispersion", __doc__, EXAMPLE)
    parser.add_argument("--molecule", type=Path, required=True, help="table molecule")
    parser.add_argument("--conformers", type=Path, required=True, help="table conformers")
    parser.add_argument("--landscape", type=Path, required=True, help="table landscape")
    parser.add_argument("--output", type=Path, required=True, help="table dispersion to write")
    parser.add_argument("--cores", type=int, default=1, help="threads")
    run_stage(parser, work)


if __name__ == "__main__":
    main()
