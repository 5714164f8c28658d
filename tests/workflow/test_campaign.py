"""A real campaign from SMILES to report, and what runs again when something changes."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml

from polyscape.provenance import provenance_path
from polyscape.settings.load import load_settings
from tests.workflow.campaigns import (
    FORM,
    ROOT,
    SEVERAL,
    SINGLE,
    assert_same_points,
    assert_same_search,
    executed,
)

pytestmark = [pytest.mark.slow, pytest.mark.dft]

DFT_AND_AFTER = {
    "dispersion",
    "isolated_molecule",
    "select_first",
    "select_next",
    "single_point",
    "stored_points",
    "learn",
    "rank",
    "ledger",
    "report",
}


@pytest.mark.parametrize("name", [*SINGLE, *SEVERAL])
def test_every_table_is_there_and_as_declared(finished, name):
    empty = name == "points/stored.parquet"  # the slots hold all that a fresh store has
    assert finished.table(name).empty == empty


def test_the_known_form_is_found(finished):
    assert finished.table("known_forms.parquet").form.tolist() == ["found-again"]
    landscape = finished.table("landscape.parquet")
    (found,) = landscape[landscape.known_form == "found-again"].structure_id
    assert found in set(finished.table("ranking.parquet").structure_id)
    assert "found-again" in (finished.results / "report/ranking.csv").read_text()


def test_a_changed_known_form_repeats_no_search(finished, tmp_path):
    changed = finished.copy(tmp_path)
    form = changed.folder / FORM
    form.write_text(form.read_text().replace("3.82", "3.83"))
    planned = changed.planned()
    assert {"known_forms", "landscape", "report"} <= set(planned)
    assert not {"molecule", "search", "minimise", "isolated_molecule"} & set(planned)


def test_the_budget_was_spent_on_both_levels(finished):
    points = finished.table("points/round*/*.parquet")
    assert (points.status == "ok").all()
    assert points.structure_id.nunique() == 4
    assert sorted(points.level.unique()) == ["pbe-d3", "pbe0-d3"]
    assert np.isfinite(points.total_energy_eV).all()


def test_the_ranking_holds_every_distinct_structure(finished):
    landscape = finished.table("landscape.parquet")
    distinct = set(landscape[landscape.duplicate_of.isna()].structure_id)
    assert set(finished.table("ranking.parquet").structure_id) == distinct


def test_the_report_is_one_page_with_its_files(finished):
    page = finished.results / "report/index.html"
    assert page.stat().st_size > 100_000
    assert (finished.results / "report/landscape.png").read_bytes().startswith(b"\x89PNG")
    assert (finished.results / "report/ranking.csv").stat().st_size > 0


def test_every_table_has_its_provenance(finished):
    for path in finished.results.rglob("*.parquet"):
        record = json.loads(provenance_path(path).read_text())
        assert {"packages", "host", "git_commit", "wall_s", "settings"} <= set(record), path


def test_a_log_begins_with_a_command_that_repeats_the_job(finished):
    log = (finished.results / "logs/landscape.log").read_text()
    assert log.startswith("+ ")
    assert "scripts/landscape.py --settings" in log.splitlines()[0]


def test_the_config_as_used_is_kept_and_can_be_used_again(finished):
    kept = finished.results / "provenance/config.yaml"
    settings = load_settings(kept)
    assert settings == load_settings(finished.folder / "config/config.yaml")
    assert f"store: {settings.store}" in kept.read_text()  # the defaults are written out
    assert "chunk_size: 8" in kept.read_text()


def test_the_report_links_to_files_that_snakemake_keeps_track_of(finished, tmp_path):
    damaged = finished.copy(tmp_path)
    damaged.without("tiny/report/lowest.extxyz")
    assert damaged.planned() == {"report": 1}


def test_nothing_to_be_done_twice(finished):
    assert "Nothing to be done" in finished.run()
    assert "Nothing to be done" in finished.run("--workflow-profile", str(ROOT / "workflow/profiles/local"))


def test_a_changed_dft_setting_repeats_dft_and_what_follows(finished, tmp_path):
    levels = _levels(finished)
    levels[0]["gpaw"]["plane_wave_cutoff_eV"] = 310.0
    changed = finished.copy(tmp_path, levels=levels)
    planned = changed.planned()
    assert set(planned) == DFT_AND_AFTER
    assert planned["single_point"] == 4
    assert planned["isolated_molecule"] == 1


def test_a_changed_report_setting_repeats_the_report_only(finished, tmp_path):
    assert finished.copy(tmp_path, report={"structures": 3}).planned() == {"report": 1}


def test_another_store_place_or_a_comment_repeats_nothing(finished, tmp_path):
    changed = finished.copy(tmp_path, store="results/elsewhere")
    config = changed.folder / "config/config.yaml"
    config.write_text("# a comment\n" + config.read_text())
    assert changed.planned() == {}


def test_more_trials_keep_the_old_ones_and_repeat_no_dft(finished, tmp_path):
    longer = finished.copy(tmp_path, search={"trials_per_space_group": 24})
    assert longer.planned()["search"] == longer.planned()["minimise"] == 2
    kept = {path: path.read_bytes() for path in (longer.folder / "results/store").rglob("*.json")}
    before = finished.table("points/round*/*.parquet").set_index(["structure_id", "level"])
    assert executed(longer.run())["minimise"] == 2
    for path, content in kept.items():
        assert path.read_bytes() == content
    for pattern in ("trials/*/*.parquet", "minima/*/*.parquet"):
        old, new = (c.table(pattern).set_index("trial_id") for c in (finished, longer))
        pd.testing.assert_frame_equal(new.loc[old.index], old, check_exact=True)
    after = longer.table("points/round*/*.parquet").set_index(["structure_id", "level"])
    again = after.index.intersection(before.index)
    assert (after.loc[again].source == "store").all()
    assert set(before.index) <= set(after.index) | _stored(longer)


def test_a_kill_among_the_dft_jobs_changes_no_table(finished, tmp_path):
    killed = finished.copy(tmp_path)
    killed.without("store", "tiny/points", "tiny/selection", "tiny/posterior", "tiny/ranking.parquet")
    killed.without("tiny/ledger.parquet", "tiny/calibration.parquet", "tiny/report")
    killed.kill_after("../store/locks/*/*.lock", 1)  # held while GPAW computes
    assert not list(killed.results.glob("points/round*/*.parquet"))
    stages = {stage["stage"]: stage for stage in _status(killed)["stages"]}
    assert stages["minimise"]["done"] == stages["minimise"]["jobs"] == 4
    dead = [why for name in ("isolated_molecule", "single_point") for _, why in stages[name]["failed"]]
    assert dead
    assert all(why.startswith("killed") for why in dead)
    killed.run()
    told = _status(killed)
    assert all(stage["done"] == stage["jobs"] and not stage["failed"] for stage in told["stages"])
    assert told["levels_core_s"] > killed.table("points/molecules.parquet").core_s.sum()
    assert_same_search(finished, killed)
    assert_same_points(finished, killed)
    columns = ["structure_id", "rank", "lattice_energy_kJ_per_mol"]
    left, right = (c.table("ranking.parquet")[columns] for c in (finished, killed))
    assert (left[columns[:2]] == right[columns[:2]]).all(axis=None)
    np.testing.assert_allclose(left[columns[2]], right[columns[2]], rtol=0, atol=1e-4)  # 1e-6 eV in kJ/mol
    assert "Nothing to be done" in killed.run()


def _status(campaign):
    """What scripts/status.py says; it touches nothing."""
    before = {path: path.stat().st_mtime_ns for path in campaign.folder.rglob("*")}
    words = [sys.executable, str(ROOT / "scripts/status.py"), "--json"]
    told = subprocess.run(words, cwd=campaign.folder, capture_output=True, text=True, check=True).stdout
    assert before == {path: path.stat().st_mtime_ns for path in campaign.folder.rglob("*")}
    return json.loads(told)


def _levels(campaign):
    return yaml.safe_load((campaign.folder / "config/config.yaml").read_text())["levels"]


def _stored(campaign):
    return set(campaign.table("points/stored.parquet").set_index(["structure_id", "level"]).index)
