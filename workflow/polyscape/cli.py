"""The frame of every script in scripts/: parse, read, call, write, with one line for bad input and exit code 2."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from polyscape.errors import InputError
from polyscape.provenance import recorded
from polyscape.stages.attempts import attempted
from polyscape.stages.registry import Slice, parse_slice


def stage_parser(stage: str, text: str, example: str) -> argparse.ArgumentParser:
    """A parser whose ``--help`` says what the stage does and shows a command that works.

    Parameters
    ----------
    stage : str
        Name of the stage.
    text : str
        What the stage does, usually the script's docstring.
    example : str
        A command line to run by hand.
    """
    parser = argparse.ArgumentParser(
        prog=f"python scripts/{stage}.py",
        description=text,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(stage=stage)
    parser.add_argument(
        "--settings",
        required=True,
        metavar="FILE|JSON",
        help="config file, or the stage's slice of it as JSON",
    )
    return parser


def add_level_arguments(parser: argparse.ArgumentParser) -> None:
    """Where a stage of single points keeps its results, its temporary files and its table."""
    parser.add_argument("--store", type=Path, required=True, help="folder of stored results")
    parser.add_argument(
        "--scratch", type=Path, default=Path(tempfile.gettempdir()), help="temporary files (default: $TMPDIR)"
    )
    parser.add_argument("--output", type=Path, required=True, help="table points to write")


def run_stage(
    parser: argparse.ArgumentParser,
    work: Callable[[argparse.Namespace, Slice], Sequence[Path]],
    arguments: Sequence[str] | None = None,
) -> None:
    """Parse the command line, do the work, record the provenance of the files it wrote.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        From `stage_parser`, with the stage's own arguments added.
    work : callable
        Gets the arguments and the stage's settings; writes the outputs and returns their paths.
    arguments : sequence of str, optional
        The command line, ``sys.argv`` by default.
    """
    options = parser.parse_args(arguments)
    written: list[Path] = []
    try:
        with attempted(options.stage, _outputs(options)) as earlier:
            part = parse_slice(options.stage, options.settings)
            with recorded(options.stage, options.settings, written, vars(earlier)):
                written.extend(work(options, part))
    except InputError as error:
        print(f"error: {error.line()}", file=sys.stderr)
        sys.exit(InputError.exit_code)


def _outputs(options: argparse.Namespace) -> list[Path]:
    """What a stage is to write: the values of --output and of options like --output-dir."""
    named = vars(options).items()
    return [value for name, value in named if name.startswith("output") and isinstance(value, Path)]
