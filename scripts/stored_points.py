"""List the stored single points of a landscape's structures at the campaign's methods; computes nothing."""

import argparse
from pathlib import Path

from polyscape.cli import run_stage, stage_parser
from polyscape.levels.store import Store
from polyscape.schemas import LANDSCAPE, POINTS
from polyscape.stages.references import Reference
from polyscape.stages.registry import Slice
from polyscape.stages.single_point import CountedLevels
from polyscape.stages.stored_points import stored_points

EXAMPLE = """python scripts/stored_points.py --settings config/config.yaml \\
    --landscape results/oxalic_acid/landscape.parquet --store results/store \\
    --molecules results/oxalic_acid/points/molecules.parquet \\
    --points results/oxalic_acid/points/round*/slot*.parquet --output results/oxalic_acid/points/stored.parquet"""


def work(options: argparse.Namespace, part: Slice) -> list[Path]:
    """Read the landscape, look its structures up, write those that no slot holds."""
    slots = POINTS.read_all(options.points)
    held = set(zip(slots["structure_id"], slots["level"], strict=True))
    reference = Reference(POINTS.read(options.molecules), part["molecule.components"])
    counted = CountedLevels(part["levels"], reference)
    found = stored_points(LANDSCAPE.read(options.landscape), counted, Store(options.store), held)
    POINTS.write(found, options.output)
    return [options.output]


def main() -> None:
    """Run the stage."""
    parser = stage_parser("stored_points", __doc__, EXAMPLE)
    parser.add_argument("--landscape", type=Path, required=True, help="table landscape")
    parser.add_argument("--molecules", type=Path, required=True, help="points of the isolated molecules")
    parser.add_argument("--store", type=Path, required=True, help="folder of stored results")
    parser.add_argument(
        "--points", type=Path, nargs="*", default=[], help="points of the slots, not to be listed again"
    )
    parser.add_argument("--output", type=Path, required=True, help="table points to write")
    run_stage(parser, work)


if __name__ == "__main__":
    main()
