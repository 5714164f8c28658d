"""Minimise trial crystals as minimise.py does, until the coverage of their series is reached (search.stop_at_coverage).

Trials beyond that keep their rows, with the status `stopped`.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from polyscape.cli import run_stage, stage_parser
from polyscape.schemas import CONFORMERS, MINIMA, MOLECULE, TRIALS
from polyscape.search.duplicates import Comparison
from polyscape.settings.search import LandscapeSettings
from polyscape.stages.minimise import minimise_trials
from polyscape.stages.registry import Slice
from polyscape.stages.rows import conformers_of
from polyscape.stages.stopping import Goal, minimise_until_complete

EXAMPLE = (
    "python scripts/minimise_until_complete.py --settings config/config.yaml --molecule molecule.parquet \\\n"
    "    --conformers conformers.parquet --trials c0000500.parquet --earlier c0000000.parquet --output minima.parquet"
)


def work(options: argparse.Namespace, part: Slice) -> Sequence[Path]:
    """Read, minimise, write."""
    tables = MOLECULE.read(options.molecule), CONFORMERS.read(options.conformers)
    forces = {"energy": part["energy"], "minimiser": part["minimiser"], "cores": options.cores}
    told = {name.partition(".")[2]: part[name] for name in part.values if name.startswith("landscape.")}
    compared = Comparison(LandscapeSettings(**told), part["search.chirality"], options.cores)
    minima = minimise_until_complete(
        TRIALS.read(options.trials),
        MINIMA.read_all(options.earlier),
        partial(minimise_trials, *tables, **forces),
        conformers_of(*tables),
        Goal(part["search.stop_at_coverage"], compared),
    )
    MINIMA.write(minima, options.output)
    return [options.output]


def main() -> None:
    """Run the stage from the command line."""
    parser = stage_parser("minimise_until_complete", __doc__, EXAMPLE)
    for name in ("molecule", "conformers", "trials"):
        parser.add_argument(f"--{name}", type=Path, required=True, help=f"table {name}")
    parser.add_argument("--earlier", type=Path, nargs="*", default=[], help="minima of the trials before")
    parser.add_argument("--output", type=Path, required=True, help="table of minima to write")
    parser.add_argument("--cores", type=int, default=1, help="minimisations at a time (1)")
    run_stage(parser, work)


if __name__ == "__main__":
    main()
