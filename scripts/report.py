"""Stage report: one self-contained page, a picture, the ranking as CSV, and the lowest structures as CIF and extended XYZ.

The page needs no network and no program but a browser.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from polyscape import schemas
from polyscape.cli import run_stage, stage_parser
from polyscape.report.write import write_report
from polyscape.stages.registry import Slice
from polyscape.stages.report import ReportTables, program_versions, report_data

EXAMPLE = """R=results/oxalic_acid; python scripts/report.py --settings config/config.yaml --output-dir $R/report \\
    --landscape $R/landscape.parquet --known-forms $R/known_forms.parquet --conformers $R/conformers.parquet \\
    --molecule $R/molecule.parquet --molecules $R/points/molecules.parquet --dispersion $R/dispersion.parquet \\
    --ranking $R/ranking.parquet --posterior $R/posterior/*.parquet --points $R/points/round*/*.parquet \\
    --ledger $R/ledger.parquet --calibration $R/calibration.parquet --trials $R/trials/*/*.parquet"""

TABLES = ("landscape", "known_forms", "conformers", "molecule", "dispersion", "ranking", "ledger")
SEVERAL = ("posterior", "points", "trials", "minima", "calibration", "completeness")


def main() -> None:
    """Read the tables, write the report."""
    parser = stage_parser("report", __doc__, EXAMPLE)
    for name in (*TABLES, "molecules"):
        option = "--" + name.replace("_", "-")
        parser.add_argument(option, required=True, type=Path, metavar="FILE", help=f"the table {name}")
    for name in SEVERAL:
        parser.add_argument(
            f"--{name}", nargs="*", type=Path, default=[], metavar="FILE", help=f"tables of {name}"
        )
    parser.add_argument("--provenance", type=Path, metavar="FILE", help="JSON whose versions are shown")
    parser.add_argument("--output-dir", required=True, type=Path, metavar="DIR", help="folder of the report")
    run_stage(parser, work)


def work(options: argparse.Namespace, part: Slice) -> Sequence[Path]:
    """From files to files."""
    one = {name: getattr(schemas, name.upper()).read(getattr(options, name)) for name in TABLES}
    tables = ReportTables(
        **one,
        points=pd.concat(map(schemas.POINTS.read, (options.molecules, *options.points)), ignore_index=True),
        posteriors=tuple(schemas.POSTERIOR.read(path) for path in options.posterior),
        trials=schemas.TRIALS.read_all(options.trials),
        minima=schemas.MINIMA.read_all(options.minima),
        calibration=schemas.CALIBRATION.read_all(options.calibration),
        completeness=schemas.COMPLETENESS.read_all(options.completeness),
    )
    known = options.provenance is not None and options.provenance.exists()
    versions = program_versions(json.loads(options.provenance.read_text())) if known else {}
    return write_report(report_data(tables, part, versions), options.output_dir)


if __name__ == "__main__":
    main()
