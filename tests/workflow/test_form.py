"""The form of the workflow: lint, format, and scripts that explain themselves."""

import runpy
import subprocess
import sys

import pytest

from polyscape.stages.registry import STAGES
from tests.workflow.campaigns import ROOT, SNAKEMAKE


def test_lint_finds_nothing_but_the_missing_conda_environment(tmp_path):
    done = subprocess.run([*SNAKEMAKE, "--lint"], cwd=ROOT, capture_output=True, text=True, check=False)
    complaints = [line.strip() for line in done.stderr.splitlines() if line.startswith("    * ")]
    assert set(complaints) <= {"* Specify a conda environment or container for each rule.:"}, done.stderr


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_has_a_script_that_teaches(stage, capsys, monkeypatch):
    script = ROOT / f"scripts/{stage}.py"
    monkeypatch.setattr(sys, "argv", [str(script), "--help"])
    with pytest.raises(SystemExit) as ended:  # in this process: libraries are imported once
        runpy.run_path(str(script), run_name="__main__")
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert "example:" in shown
    assert f"scripts/{stage}.py --settings" in shown
    assert len(script.read_text().splitlines()) <= 70


def test_no_script_hides_a_module_of_python():
    names = {path.stem for path in (ROOT / "scripts").glob("*.py")}
    assert not names & set(sys.stdlib_module_names)


def test_the_snakefile_is_short():
    assert len((ROOT / "Snakefile").read_text().splitlines()) <= 60
