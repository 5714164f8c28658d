"""Put candidate crystals of another generator into the form of trials: CIF, extended XYZ, or Parquet.

Molecules are cut out, recognised, and replaced by the nearest conformer that is searched; the crystal is written in its own
space group.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from polyscape.cli import run_stage, stage_parser
from polyscape.crystal.cif import CifError
from polyscape.errors import InputError
from polyscape.schemas import CONFORMERS, MOLECULE, TRIALS
from polyscape.stages.import_crystals import import_crystals
from polyscape.stages.registry import Slice

EXAMPLE = (
    "python scripts/import_crystals.py --settings config/config.yaml --name others --file others.cif \\\n"
    "    --molecule molecule.parquet --conformers conformers.parquet --output trials.parquet"
)


def work(options: argparse.Namespace, part: Slice) -> Sequence[Path]:
    """Read, recognise, write."""
    molecule, conformers = MOLECULE.read(options.molecule), CONFORMERS.read(options.conformers)
    try:
        trials = import_crystals(molecule, conformers, options.file, options.name, part["search.chirality"])
    except CifError as error:
        raise InputError(str(options.file), "", "", error.problem, error.remedy) from error
    TRIALS.write(trials, options.output)
    print(f"{len(trials)} crystals of {options.file}", file=sys.stderr)
    return [options.output]


def main() -> None:
    """Run the stage from the command line."""
    parser = stage_parser("import_crystals", __doc__, EXAMPLE)
    parser.add_argument("--name", required=True, help="name of the crystals' origin")
    parser.add_argument("--file", type=Path, required=True, help="CIF, extended XYZ or Parquet")
    parser.add_argument("--molecule", type=Path, required=True, help="table of the molecules' sites")
    parser.add_argument("--conformers", type=Path, required=True, help="table of the conformers")
    parser.add_argument("--output", type=Path, required=True, help="table of the trials")
    run_stage(parser, work)


if __name__ == "__main__":
    main()
