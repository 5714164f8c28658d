"""Make the landscape: minima within the energy window, duplicates found, cells reduced, known forms marked.

A known form that the search missed is added by its own force-field minimum, and ranked with the rest.

A distinct structure that is a saddle once its symmetry is let go is taken down to the minimum below.

A duplicate keeps its row and names the structure that represents it: the first found, so that a longer search renames
nothing.  What came of the search is said on stderr.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from polyscape.cli import run_stage, stage_parser
from polyscape.energy.rigid import build_minimiser
from polyscape.schemas import CONFORMERS, KNOWN_FORMS, LANDSCAPE, MINIMA, MOLECULE
from polyscape.search.hands import telling_hands
from polyscape.stages.known_forms import with_known_forms
from polyscape.stages.landscape import make_landscape
from polyscape.stages.landscape_words import findings
from polyscape.stages.registry import Slice
from polyscape.stages.rows import conformers_of
from polyscape.stages.saddles import below_saddles

EXAMPLE = (
    "python scripts/landscape.py --settings config/config.yaml --molecule molecule.parquet \\\n"
    "    --conformers conformers.parquet --known-forms known_forms.parquet \\\n"
    "    --minima minima/*/*.parquet --output landscape.parquet --cores 2"
)


def work(options: argparse.Namespace, part: Slice) -> Sequence[Path]:
    """Read, compare, write."""
    molecules = MOLECULE.read(options.molecule), CONFORMERS.read(options.conformers)
    forms = KNOWN_FORMS.read(options.known_forms)
    rigid = conformers_of(*molecules, selected_only=False)
    telling = telling_hands(rigid) if part["search.chirality"] == "enantiopure" else None
    minima = with_known_forms(MINIMA.read_all(options.minima), forms, telling)
    compared = part["landscape"], options.cores, part["search.chirality"]
    frame = make_landscape(*molecules, forms, minima, *compared)
    if part["minimiser"].leave_saddles == "landscape":
        minimiser = build_minimiser(rigid, part["energy"], part["minimiser"])
        lower = below_saddles(frame, minima, rigid, minimiser, options.cores)
        if lower is not minima:
            minima, frame = lower, make_landscape(*molecules, forms, lower, *compared)
    print("\n".join(findings(frame, minima, list(forms.form))), file=sys.stderr)
    LANDSCAPE.write(frame, options.output)
    return [options.output]


def main() -> None:
    """Run the stage from the command line."""
    parser = stage_parser("landscape", __doc__, EXAMPLE)
    parser.add_argument("--molecule", type=Path, required=True, help="table of the molecules' sites")
    parser.add_argument("--conformers", type=Path, required=True, help="table of the conformers")
    parser.add_argument("--known-forms", type=Path, required=True, help="table of the known forms")
    parser.add_argument(
        "--minima", type=Path, nargs="+", required=True, help="tables of the minimised trials"
    )
    parser.add_argument("--output", type=Path, required=True, help="table of the landscape")
    parser.add_argument("--cores", type=int, default=1, help="processes; results do not depend on it")
    run_stage(parser, work)


if __name__ == "__main__":
    main()
