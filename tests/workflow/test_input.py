"""Bad input stops snakemake before any job: one line, exit code 2, no traceback, nothing written.

Every case opens the campaign as the Snakefile does; some also go through the real command, which is slow to start.
"""

import subprocess
from pathlib import Path

import pytest

from polyscape.errors import InputError
from polyscape.stages.campaign import open_campaign
from tests.workflow.campaigns import SNAKEMAKE, TINY, Campaign, announced

BAD = {
    "unknown key": ({"sed": 3}, "sed", "'seed'"),
    "unknown key inside": (
        {"search": {"trials_per_spacegroup": 3}},
        "search.trials_per_spacegroup",
        "trials_per_space_group",
    ),
    "wrong type": (
        {"search": {"trials_per_space_group": "many"}},
        "search.trials_per_space_group",
        "integer",
    ),
    "unknown space group": ({"search": {"space_groups": ["P21/q"]}}, "search.space_groups", "P21/q"),
    "space group 231": ({"search": {"space_groups": [231]}}, "search.space_groups", "231"),
    "a group twice": ({"search": {"space_groups": [14, "P21/n"]}}, "search.space_groups", "again"),
    "element without parameters": ("C[Se]C", "energy.potential", "Se"),
    "iodine": ("CI", "energy.potential", "I"),
    "sulphur with w99rev": (
        {
            "energy": {"potential": "w99rev"},
            "molecule": {"components": [{"name": "a", "smiles": "CSC"}], "gas_phase": {"basis": "6-31g**"}},
        },
        "energy.potential = 'w99rev'",
        "S",
    ),
    "unknown potential": ({"energy": {"potential": "w99"}}, "energy.potential = 'w99'", "fit, w99rev"),
    "missing potential file": (
        {"energy": {"potential": "tables/mine.yaml"}},
        "energy.potential = 'tables/mine.yaml'",
        "there is no file",
    ),
    "broken SMILES": ("C1CC", "smiles", "C1CC"),
    "no element": ("C*", "smiles", "element"),
    "net charge": ("CC(=O)[O-]", "charge", "-1"),
    "radical": ("C[CH2]", "smiles", "open-shell"),
    "several molecules": ("C=O.O", "smiles", "several molecules"),
    "missing molecule file": (
        {"molecule": {"components": [{"name": "a", "file": "no.xyz"}]}},
        "file",
        "no.xyz",
    ),
    "missing known form": ({"known_forms": [{"name": "a", "file": "no.cif"}]}, "known_forms", "no.cif"),
    "level without back end": ({"levels": [{"name": "a", "backend": "vaspp"}]}, "levels[0].backend", "gpaw"),
    "unknown functional": ({"levels": [{"name": "a", "gpaw": {"functional": "PBEE"}}]}, "levels[0]", "PBEE"),
    "hybrid without orbitals": (
        {"levels": [{"name": "a", "gpaw": {"functional": "PBE0", "hybrid": "non_self_consistent"}}]},
        "levels",
        "orbitals",
    ),
    "too many DFT jobs": ({"selection": {"rounds": 50, "batch": 101}}, "selection.batch", "at most 100"),
    "a budget below the molecule's price": (
        {"budget": {"core_hours": 1e-5}},
        "budget.core_hours",
        "alone take",
    ),
    "no budget at all": ({"budget": {"core_hours": 0.0}}, "budget.core_hours", "greater than 0"),
    "too many chunks": (
        {"search": {"trials_per_space_group": 9000, "chunk_size": 2}},
        "search.chunk_size",
        "jobs",
    ),
}


NO_CONFIG = ["a: [1\nb: 2\n", "- 1\n", "", "seed: 1\nseed: 2\n", "\x00"]
REAL = ("unknown key", "missing known form")


@pytest.mark.parametrize("case", BAD)
def test_bad_settings_are_one_line(case, tmp_path, monkeypatch):
    _, key, said = BAD[case]
    line = _complaint(_bad_campaign(case, tmp_path), monkeypatch)
    assert line.startswith("config/config.yaml")
    assert key in line
    assert said in line


def test_a_broken_known_form_is_one_line(tmp_path, monkeypatch):
    campaign = Campaign.create(tmp_path, known_forms=[{"name": "a", "file": "broken.cif"}])
    (tmp_path / "broken.cif").write_text("data_a\n_cell_length_a 5\nloop_\n")
    assert "broken.cif" in _complaint(campaign, monkeypatch)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: mine\ntypes:\n  H: {element: H, A_eV: many}\n", "types.H.A_eV = 'many' is not a number"),
        ("name: mine\ntypes: {C: {element: C, A_eV: 1.0, rho_A: 0.2, C6_eV_A6: 1.0}}\n", "no parameters for"),
        ("name: [mine\n", "is not valid YAML"),
        ("", "is not a mapping"),
    ],
)
def test_a_broken_potential_file_is_one_line(text, said, tmp_path, monkeypatch):
    campaign = Campaign.create(tmp_path, energy={"potential": "mine.yaml"})
    (tmp_path / "mine.yaml").write_text(text)
    line = _complaint(campaign, monkeypatch)
    assert line.startswith("config/config.yaml: energy.potential = 'mine.yaml': ")
    assert said in line


@pytest.mark.parametrize("text", NO_CONFIG)
def test_a_file_that_is_no_config_is_one_line(text, tmp_path, monkeypatch):
    campaign = Campaign.create(tmp_path)
    (tmp_path / "config/config.yaml").write_text(text)
    assert _complaint(campaign, monkeypatch).startswith("config/config.yaml")


@pytest.mark.slow
@pytest.mark.parametrize("case", REAL)
def test_snakemake_stops_with_the_line_only(case, tmp_path):
    assert BAD[case][1] in _refused(_bad_campaign(case, tmp_path))


@pytest.mark.slow
def test_snakemake_without_a_config_says_so(tmp_path):
    assert "config/config.yaml" in _refused(Campaign(tmp_path))


@pytest.mark.slow
def test_values_on_the_command_line_are_checked(tmp_path):
    campaign = Campaign.create(tmp_path)
    assert "with --config: seed = 'x'" in _refused(campaign, "--config", "seed=x")
    assert campaign.planned("--config", "selection={batch: 3}")["single_point"] == 6


@pytest.mark.slow
def test_another_configfile_inherits_nothing_from_the_default(tmp_path):
    campaign = Campaign.create(tmp_path, known_forms=[{"name": "a", "file": "no.cif"}])
    other = tmp_path / "other.yaml"
    other.write_text(TINY.read_text().replace("campaign: tiny", "campaign: other"))
    output = campaign.run("--dry-run", "--configfile", str(other))
    assert "results/other/report/index.html" in output
    assert "no.cif" not in output


@pytest.mark.slow
def test_a_dry_run_shows_the_budget_and_writes_nothing(tmp_path):
    campaign = Campaign.create(tmp_path, selection={"rounds": 3, "batch": 5})
    output = campaign.run("--dry-run", "--printshellcmds")
    planned = announced(output)
    assert planned["single_point"] == 15
    assert planned["isolated_molecule"] == 1
    assert planned["minimise"] == planned["search"] == 4
    assert not campaign.results.exists()
    for stage in ("landscape", "selection", "stored_points", "learn", "rank", "ledger", "report"):
        commands = [line for line in output.splitlines() if f"scripts/{stage}.py" in line]
        assert commands
        assert not any("c0000008.parquet" in line or "slot001.parquet" in line for line in commands), stage


def _bad_campaign(case, folder):
    change, _, _ = BAD[case]
    if isinstance(change, str):
        change = {"molecule": {"components": [{"name": "a", "smiles": change}]}}
    return Campaign.create(folder, **change)


def _complaint(campaign, monkeypatch):
    """The line of the error with which a campaign is refused; nothing is written then."""
    monkeypatch.chdir(campaign.folder)
    before = sorted(campaign.folder.rglob("*"))
    with pytest.raises(InputError) as caught:
        open_campaign([Path("config/config.yaml")], {}, driver=True)
    assert sorted(campaign.folder.rglob("*")) == before
    line = caught.value.line()
    assert "\n" not in line
    return line


def _refused(campaign, *options):
    """The one line of ours with which snakemake stops, after its own line on the profile it found."""
    command = [*SNAKEMAKE, "--cores", "1", *options]
    done = subprocess.run(command, cwd=campaign.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    found, line = done.stderr.strip().splitlines()
    assert found.startswith("Using workflow specific profile"), done.stderr
    assert line.startswith("error: "), done.stderr
    assert not (campaign.folder / "results").exists()
    return line
