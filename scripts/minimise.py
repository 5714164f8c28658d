"""Minimise the lattice energy of trial crystals within their space groups.

Cell, positions and orientations of the rigid molecules relax together.  A trial that was rejected, collapses, flies
apart or does not converge keeps its row, with a status.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from polyscape.cli import run_stage, stage_parser
from polyscape.schemas import CONFORMERS, MINIMA, MOLECULE, TRIALS
from polyscape.stages.minimise import minimise_trials
from polyscape.stages.registry import Slice

EXAMPLE = (
    "python scripts/minimise.py --settings config/config.yaml --molecule molecule.parquet \\\n"
    "    --conformers conformers.parquet --trials trials.parquet --output minima.parquet --cores 2"
)


def work(options: argparse.Namespace, part: Slice) -> Sequence[Path]:
    """Read, minimise, write."""
    molecule, conformers = MOLECULE.read(options.molecule), CONFORMERS.read(options.conformers)
    trials = TRIALS.read(options.trials)
    minima = minimise_trials(molecule, conformers, trials, part["energy"], part["minimiser"], options.cores)
    MINIMA.write(minima, options.output)
    counts = ", ".join(f"{count} {status}" for status, count in minima.status.value_counts().items())
    print(f"{len(minima)} trials: {counts}", file=sys.stderr)
    return [options.output]


def main() -> None:
    """Run the stage from the command line."""
    parser = stage_parser("minimise", __doc__, EXAMPLE)
    parser.add_argument("--molecule", type=Path, required=True, help="table of the molecules' sites")
    parser.add_argument("--conformers", type=Path, required=True, help="table of the conformers")
    parser.add_argument("--trials", type=Path, required=True, help="table of trial crystals")
    parser.add_argument("--output", type=Path, required=True, help="table of minima to write")
    parser.add_argument("--cores", type=int, default=1, help="minimisations at a time (1)")
    run_stage(parser, work)


if __name__ == "__main__":
    main()
