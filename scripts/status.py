"""How far a campaign is: jobs done, running and failed by stage, single points by outcome, core-hours spent and predicted.

Reads files only, and none that a running campaign would mind: it may be asked at any time, from any machine that sees the
folder, while Snakemake runs, after it was killed, or before anything has started.  `core-hours` of a stage are what it
took so far, attempts that died included; `to come` is predicted for the slots of selected rounds.
Run it in the campaign's working directory.
"""

import argparse
import json
import sys
from pathlib import Path

from polyscape.errors import InputError
from polyscape.settings import load_settings
from polyscape.stages.plan import Plan
from polyscape.stages.progress import progress
from polyscape.stages.progress_words import progress_words

EXAMPLE = "examples:\n  python scripts/status.py\n  python scripts/status.py config/config.yaml --json"


def main() -> None:
    """Read, count, print."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python scripts/status.py", None, __doc__, EXAMPLE, formatter_class=form)
    parser.add_argument("config", type=Path, nargs="?", default=Path("config/config.yaml"), help="its config")
    parser.add_argument("--json", action="store_true", help="one JSON object; times in seconds")
    options = parser.parse_args()
    try:
        plan = Plan.of(load_settings(options.config), str(options.config))
        found = progress(plan, str(options.config))
    except InputError as error:
        print(f"error: {error.line()}", file=sys.stderr)
        sys.exit(InputError.exit_code)
    print(json.dumps(found.as_json(), indent=1) if options.json else progress_words(found))


if __name__ == "__main__":
    main()
