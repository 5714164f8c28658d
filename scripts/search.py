"""Draw trial crystals: a chunk of the scrambled Sobol' sequence of a space group and kind of crystal, overlap removed.

Trial i of a series is the same crystal whatever the chunk, so a search is extended, never redone.
A trial whose overlap cannot be removed keeps its row, with a status.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from polyscape.cli import run_stage, stage_parser
from polyscape.crystal.groups import SpaceGroup
from polyscape.errors import InputError
from polyscape.ids import Chunk, Kind
from polyscape.schemas import CONFORMERS, MOLECULE, TRIALS
from polyscape.stages.registry import Slice
from polyscape.stages.search import make_trials

EXAMPLE = (
    "python scripts/search.py --settings config/config.yaml --hall '-P 2ybc' --kind 1 --start 0 \\\n"
    "    --count 100 --molecule molecule.parquet --conformers conformers.parquet --output trials.parquet"
)


def work(options: argparse.Namespace, part: Slice) -> Sequence[Path]:
    """Read, draw, write."""
    try:
        group = SpaceGroup.from_hall(options.hall)
    except (ValueError, RuntimeError) as error:
        raise InputError("command line", "--hall", options.hall, str(error), "mend it") from error
    molecule, conformers = MOLECULE.read(options.molecule), CONFORMERS.read(options.conformers)
    chunk = Chunk(group.number, options.start, options.count, options.kind)
    trials = make_trials(
        molecule, conformers, (group, chunk), part["seed"], part["search.sampling"], part["search.chirality"]
    )
    TRIALS.write(trials, options.output)
    kept = int((trials.status == "ok").sum())
    print(f"{chunk.series} {group.symbol}: {kept} of {len(trials)} trials without overlap", file=sys.stderr)
    return [options.output]


def _kind(text: str) -> Kind:
    return "special" if text == "special" else int(text)


def main() -> None:
    """Run the stage from the command line."""
    parser = stage_parser("search", __doc__, EXAMPLE)
    parser.add_argument(
        "--kind", type=_kind, default=1, help="'special', or formula units on general positions"
    )
    parser.add_argument("--hall", required=True, help="Hall symbol of the setting")
    parser.add_argument("--start", type=int, required=True, help="index of the first trial")
    parser.add_argument("--count", type=int, required=True, help="number of trials")
    parser.add_argument("--molecule", type=Path, required=True, help="table of the molecules' sites")
    parser.add_argument("--conformers", type=Path, required=True, help="table of the conformers")
    parser.add_argument("--output", type=Path, required=True, help="table of the trials")
    run_stage(parser, work)


if __name__ == "__main__":
    main()
