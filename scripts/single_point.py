"""Compute the structure of a slot at every level up to the slot's, or take it from the store.

Runs on one core; `mpiexec -n 4 python scripts/single_point.py ...` runs on four.
"""

import argparse
from pathlib import Path

from polyscape.cli import add_level_arguments, run_stage, stage_parser
from polyscape.levels.store import Store
from polyscape.schemas import LANDSCAPE, POINTS, SELECTION
from polyscape.stages.references import Reference
from polyscape.stages.registry import Slice
from polyscape.stages.single_point import CountedLevels, single_point

EXAMPLE = """python scripts/single_point.py --settings config/config.yaml \\
    --landscape results/oxalic_acid/landscape.parquet --selection results/oxalic_acid/selection/round0.parquet \\
    --molecules results/oxalic_acid/points/molecules.parquet --slot 0 \\
    --store results/store --output results/oxalic_acid/points/round0/slot000.parquet"""


def work(options: argparse.Namespace, part: Slice) -> list[Path]:
    """Read the slot's row, climb, write the points on rank 0."""
    selection = SELECTION.read(options.selection)
    row = selection[selection["slot"] == options.slot].iloc[0]
    reference = Reference(POINTS.read(options.molecules), part["molecule.components"])
    counted = CountedLevels(part["levels"], reference)
    points, is_root = single_point(
        LANDSCAPE.read(options.landscape), row, counted, Store(options.store), options.scratch
    )
    if not is_root:
        return []
    POINTS.write(points, options.output)
    return [options.output]


def main() -> None:
    """Run the stage."""
    parser = stage_parser("single_point", __doc__, EXAMPLE)
    parser.add_argument("--landscape", type=Path, required=True, help="table landscape")
    parser.add_argument("--molecules", type=Path, required=True, help="points of the isolated molecules")
    parser.add_argument("--selection", type=Path, required=True, help="table selection of the round")
    parser.add_argument("--slot", type=int, required=True, help="slot of the round")
    add_level_arguments(parser)
    run_stage(parser, work)


if __name__ == "__main__":
    main()
