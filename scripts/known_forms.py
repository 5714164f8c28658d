"""Read the known crystal forms, recognise their conformers and relax them under the force field.

A form whose conformer is not searched is said at once on stderr: no search would find it.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from polyscape.cli import run_stage, stage_parser
from polyscape.energy.rigid import build_minimiser
from polyscape.schemas import CONFORMERS, KNOWN_FORMS, MOLECULE
from polyscape.stages.known_forms import Wanted, relax_known_forms
from polyscape.stages.registry import Slice
from polyscape.stages.rows import conformers_of

EXAMPLE = (
    "python scripts/known_forms.py --settings config/config.yaml --molecule molecule.parquet \\\n"
    "    --conformers conformers.parquet --output known_forms.parquet"
)


def work(options: argparse.Namespace, part: Slice) -> Sequence[Path]:
    """Read, recognise, relax, write."""
    molecule, conformers = MOLECULE.read(options.molecule), CONFORMERS.read(options.conformers)
    rigid = conformers_of(molecule, conformers, selected_only=False)
    minimiser = build_minimiser(rigid, part["energy"], part["minimiser"])
    leave = part["minimiser"].leave_saddles != "never"
    components, molecules = part["molecule"].components, part["landscape.overlay_molecules"]
    wanted = Wanted(part["known_forms"], components, molecules, leave)
    frame = relax_known_forms(molecule, conformers, wanted, minimiser)
    KNOWN_FORMS.write(frame, options.output)
    return [options.output]


def main() -> None:
    """Run the stage from the command line."""
    parser = stage_parser("known_forms", __doc__, EXAMPLE)
    parser.add_argument("--molecule", type=Path, required=True, help="table of the molecules' sites")
    parser.add_argument("--conformers", type=Path, required=True, help="table of the conformers")
    parser.add_argument("--output", type=Path, required=True, help="table of the known forms")
    run_stage(parser, work)


if __name__ == "__main__":
    main()
