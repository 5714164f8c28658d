"""Describe the molecules: conformers in the gas phase, energies, wave function, multipoles, charges, atom types.

Each component of the config (SMILES, XYZ, MOL, SDF or CIF) becomes its conformers within the window, optimised at
the gas-phase level; the config says which of them the search uses.  Runs on several cores with the same result.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from polyscape.cli import run_stage, stage_parser
from polyscape.schemas import CONFORMERS, MOLECULE
from polyscape.stages.molecule import describe_molecules
from polyscape.stages.registry import Slice

EXAMPLE = (
    "python scripts/molecule.py --settings config/config.yaml --output-molecule molecule.parquet \\\n"
    "    --output-conformers conformers.parquet --cores 2"
)


def work(options: argparse.Namespace, part: Slice) -> Sequence[Path]:
    """Compute, write."""
    where = options.settings if not options.settings.lstrip().startswith("{") else "config"
    tables = describe_molecules(
        part["molecule"], part["energy.potential"], part["seed"], options.cores, part["known_forms"], where
    )
    MOLECULE.write(tables.molecule, options.output_molecule)
    CONFORMERS.write(tables.conformers, options.output_conformers)
    return [options.output_molecule, options.output_conformers]


def main() -> None:
    """Run the stage from the command line."""
    parser = stage_parser("molecule", __doc__, EXAMPLE)
    parser.add_argument("--output-molecule", type=Path, required=True, help="table of the sites")
    parser.add_argument("--output-conformers", type=Path, required=True, help="table of the conformers")
    parser.add_argument("--cores", type=int, default=1, help="processes at once (default 1)")
    run_stage(parser, work)


if __name__ == "__main__":
    main()
