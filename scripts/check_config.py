"""Check a config without running anything: its keys, molecules, files, space groups and levels, and the budget.

Snakemake makes the same checks before its first job.  Ends with exit code 2 and one line when something is wrong.
"""

import argparse
import sys
from pathlib import Path

from polyscape.errors import InputError
from polyscape.stages.campaign import open_campaign
from polyscape.stages.forecast import forecast
from polyscape.stages.preflight import preflight


def main() -> None:
    """Read, check, and say what the campaign would do."""
    parser = argparse.ArgumentParser(
        prog="python scripts/check_config.py",
        description=__doc__,
        epilog="example:\n  python scripts/check_config.py config/config.yaml",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("config", type=Path, help="config file in YAML")
    path = parser.parse_args().config
    try:
        plan = open_campaign([path], {}, driver=False)
        preflight(plan, str(path))
        expected = forecast(plan, str(path))
        expected.check(str(path))
    except InputError as error:
        print(f"error: {error.line()}", file=sys.stderr)
        sys.exit(InputError.exit_code)
    print(plan.summary())
    print(expected.words())


if __name__ == "__main__":
    main()
