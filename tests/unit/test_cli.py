import subprocess
import sys

import pytest

from polyscape.cli import run_stage, stage_parser
from polyscape.errors import InputError
from polyscape.files import write_text
from polyscape.provenance import provenance_path

CONFIG = "campaign: water\nmolecule: {components: [{name: water, smiles: O}]}\n"
PROGRAM = """
from polyscape.cli import run_stage, stage_parser
run_stage(stage_parser("landscape", "text", "example"), lambda options, part: [])
"""


@pytest.fixture
def parser():
    return stage_parser(
        "landscape", "Keep the distinct minima.", "python scripts/landscape.py --settings config/config.yaml"
    )


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(CONFIG)
    return path


def test_help_teaches(parser, capsys):
    with pytest.raises(SystemExit) as ended:
        run_stage(parser, lambda options, part: [], ["--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert "Keep the distinct minima." in shown
    assert "python scripts/landscape.py --settings config/config.yaml" in shown


def test_work_gets_its_settings_and_its_outputs_get_provenance(parser, config, tmp_path):
    output = tmp_path / "results" / "water" / "landscape.parquet"

    def work(options, part):
        write_text(output, str(part["landscape"].window_kJ_per_mol))
        return [output]

    run_stage(parser, work, ["--settings", str(config)])
    assert output.read_text() == "20.0"
    assert provenance_path(output).is_file()


def test_bad_input_met_at_work_is_one_line_and_exit_code_2(parser, config, capsys):
    def work(options, part):
        raise InputError("c.yaml", "molecule.components[0].smiles", "C1", "does not parse", "close the ring")

    with pytest.raises(SystemExit) as ended:
        run_stage(parser, work, ["--settings", str(config)])
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "error: c.yaml: molecule.components[0].smiles = 'C1': does not parse; close the ring\n"
    )


@pytest.mark.parametrize("settings", ["absent.yaml", '{"stage": "search", "version": 1, "settings": {}}'])
def test_a_script_ends_with_exit_code_2_and_no_traceback(settings, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "--settings", settings],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_bug_is_not_dressed_as_bad_input(parser, config):
    def work(options, part):
        raise KeyError("a bug")

    with pytest.raises(KeyError, match="a bug"):
        run_stage(parser, work, ["--settings", str(config)])
