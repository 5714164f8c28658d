"""Compute each component's lowest conformer, alone in a box, at every level: zero of the lattice energies."""

import argparse
from pathlib import Path

from polyscape.cli import add_level_arguments, run_stage, stage_parser
from polyscape.levels.store import Store
from polyscape.schemas import CONFORMERS, MOLECULE, POINTS
from polyscape.stages.isolated_molecule import isolated_molecule
from polyscape.stages.registry import Slice

EXAMPLE = """python scripts/isolated_molecule.py --settings config/config.yaml \\
    --molecule results/oxalic_acid/molecule.parquet --conformers results/oxalic_acid/conformers.parquet --store results/store \\
    --output results/oxalic_acid/points/molecules.parquet"""


def work(options: argparse.Namespace, part: Slice) -> list[Path]:
    """Read the molecules, climb, write the points on rank 0."""
    points, is_root = isolated_molecule(
        MOLECULE.read(options.molecule),
        CONFORMERS.read(options.conformers),
        part["levels"],
        Store(options.store),
        options.scratch,
    )
    if not is_root:
        return []
    POINTS.write(points, options.output)
    return [options.output]


def main() -> None:
    """Run the stage."""
    parser = stage_parser("isolated_molecule", __doc__, EXAMPLE)
    parser.add_argument("--molecule", type=Path, required=True, help="table molecule")
    parser.add_argument("--conformers", type=Path, required=True, help="table conformers")
    add_level_arguments(parser)
    run_stage(parser, work)


if __name__ == "__main__":
    main()
