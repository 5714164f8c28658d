"""Look into a store of single points: what it holds, whether all of it is sound; out of it for other programs, and into it.

  list      a line per result: key, formula, energy, CPU time, remedy
  methods   what each method id means, and how many results it has
  verify    read every file; the damaged ones are listed, and the exit code is 1.  Nothing is changed: a campaign that
            needs a damaged result sets it aside (*.damaged) and computes it anew; *.damaged and *.tmp may be deleted
  export    to FILE.extxyz, FILE.cif or FILE.parquet: geometries, electronic energies (eV per cell, without dispersion),
            method and provenance
  import    what another store exported to FILE.parquet; results that are there stay
Energies of one method id can be compared, whatever campaign made them.
"""

import argparse
import sys
from pathlib import Path

from polyscape.errors import InputError
from polyscape.stages.store_command import act
from polyscape.stages.stored_results import Choice, method_of_level

EXAMPLE = """examples:
  python scripts/store.py methods
  python scripts/store.py list --formula C4H4O8 --config config/config.yaml --level pbe-d3
  python scripts/store.py export --method 11c4 --output pbe0.extxyz
  python scripts/store.py import --input from_the_cluster.parquet
  python scripts/store.py verify --store results/store"""


def main() -> None:
    """Read the command line, do what it says."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python scripts/store.py", None, __doc__, EXAMPLE, formatter_class=form)
    parser.add_argument("action", choices=("list", "methods", "verify", "export", "import"), help="see above")
    parser.add_argument("--store", type=Path, default=Path("results/store"), help="default: results/store")
    parser.add_argument("--formula", help="results of this Hill formula of the cell only, C4H4O8")
    parser.add_argument("--method", help="results of this method id (or its beginning) only")
    parser.add_argument("--level", help="results of this level of --config only")
    parser.add_argument("--config", type=Path, help="config that names the levels (config/config.yaml)")
    parser.add_argument("--output", type=Path, help="file to export to")
    parser.add_argument("--input", type=Path, help="file to import")
    options = parser.parse_args()
    if options.action == "export" and options.output is None:
        parser.error("export needs --output FILE.extxyz, FILE.cif or FILE.parquet")
    if options.action == "import" and options.input is None:
        parser.error("import needs --input FILE.parquet")
    try:
        method = options.method
        if options.level is not None:
            method = method_of_level(options.config or Path("config/config.yaml"), options.level)
        choice = Choice(method, options.formula)
        sys.exit(act(options.action, options.store, choice, options.output or options.input))
    except InputError as error:
        print(f"error: {error.line()}", file=sys.stderr)
        sys.exit(InputError.exit_code)


if __name__ == "__main__":
    main()
