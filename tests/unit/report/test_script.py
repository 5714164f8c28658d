"""The script from the command line, on files."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.report.synthetic import tables

from polyscape import schemas
from polyscape.settings import parse_settings
from polyscape.stages.registry import stage_slice

ROOT = Path(__file__).parents[3]
SINGLE = ("molecule", "conformers", "known_forms", "landscape", "dispersion", "ranking", "ledger")


@pytest.fixture
def command(tmp_path):
    given = tables(count=9)
    config = {"campaign": "test", "molecule": {"components": [{"name": "a", "smiles": "OC(=O)C(=O)O"}]}}
    line = [
        sys.executable,
        "scripts/report.py",
        "--settings",
        stage_slice(parse_settings(config, "test"), "report"),
    ]
    for name in SINGLE:
        path = tmp_path / f"{name}.parquet"
        getattr(schemas, name.upper()).write(getattr(given, name), path)
        line += ["--" + name.replace("_", "-"), str(path)]
    isolated = given.points.structure_id.str.startswith("molecule:")
    # a structure computed in one round is found in the store by the next: the two files share a key
    points = given.points[~isolated].drop_duplicates(["structure_id", "level"])
    for name, table, frame in (
        ("molecules", schemas.POINTS, given.points[isolated]),
        ("points", schemas.POINTS, points),
        ("posterior", schemas.POSTERIOR, given.posteriors[0]),
        ("trials", schemas.TRIALS, given.trials),
        ("minima", schemas.MINIMA, given.minima),
        ("calibration", schemas.CALIBRATION, given.calibration),
        ("completeness", schemas.COMPLETENESS, given.completeness),
    ):
        table.write(frame, tmp_path / f"{name}.parquet")
        line += [f"--{name}", str(tmp_path / f"{name}.parquet")]
        line += [line[-1]] if name == "points" else []
    return [*line, "--output-dir", str(tmp_path / "report")], tmp_path


def test_the_script_writes_the_report(command):
    line, folder = command
    subprocess.run(line, cwd=ROOT, check=True)
    names = {path.name for path in (folder / "report").iterdir() if path.suffix != ".json"}
    assert names == {"index.html", "landscape.png", "ranking.csv", "lowest.extxyz", "cif"}
    assert len(list((folder / "report" / "cif").glob("*.cif"))) == 9


def test_an_empty_ranking_is_one_line_and_exit_code_2(command):
    line, folder = command
    schemas.RANKING.write(schemas.RANKING.from_rows([]), folder / "ranking.parquet")
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "found no structure" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
