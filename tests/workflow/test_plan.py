"""The plan of a campaign, and the claim on it."""

import subprocess
import sys

import pytest
import yaml

from polyscape.errors import InputError
from polyscape.settings import parse_settings
from polyscape.settings.load import merge_configs
from polyscape.stages.campaign import claim
from polyscape.stages.plan import Plan
from tests.workflow.campaigns import TINY

LINUX_ARGUMENT_BYTES = 131072  # MAX_ARG_STRLEN in Linux' include/uapi/linux/binfmts.h


def plan(**search):
    return plan_of(search=search)


def plan_of(**changes):
    config = yaml.safe_load(TINY.read_text())
    return Plan.of(parse_settings(merge_configs([config, changes]), "test"), "test")


def test_more_trials_add_chunks_and_change_none():
    few, more = plan(trials_per_space_group=16).chunks(), plan(trials_per_space_group=24).chunks()
    assert set(few) < set(more)
    assert plan().chunk("014", "c0000008").count == 8


def test_the_groups_keep_their_order_and_setting():
    made = plan(space_groups=["P21/n", 2])
    assert [made.hall_symbol(made.chunk(name, "c0000000")) for name in ("014", "002")] == ["-P 2yn", "-P 1"]
    assert len(plan(space_groups="common10").series) == 10


def test_kinds_of_crystal_and_imported_files_have_folders_of_their_own():
    made = plan(z_prime=[1, "special", 2], space_groups=[14, 4], **{"import": ["others/csp.cif"]})
    folders = {file.rsplit("/", 2)[1] for file in made.chunk_files("trials")}
    assert folders == {"014", "004", "014s", "014z2", "004z2", "import"}  # P2_1 has no special positions
    assert made.chunk("014s", "c0000008").kind == "special"
    assert made.chunk_files("minima")[-1].endswith("/minima/import/csp.parquet")
    assert made.imported == {"csp": "others/csp.cif"}
    assert made.user_files("import_crystals") == ["others/csp.cif"]


@pytest.mark.parametrize("names", [["a/x.cif", "b/x.xyz"], ["my crystals.cif"]])
def test_names_of_imported_files_become_ids(names):
    with pytest.raises(InputError, match=r"search\.import"):
        plan(**{"import": names})


@pytest.mark.parametrize("trials", [1, 8, 20])
@pytest.mark.parametrize("groups", [[14], [14, 4], [14, {"group": 2, "trials": 9}, 4]])
@pytest.mark.parametrize("kinds", [[1], [{"kind": "special", "share": 0.5}, 1, 2]])
def test_bash_expands_the_words_to_the_files(trials, groups, kinds):
    made = plan(
        trials_per_space_group=trials, space_groups=groups, z_prime=kinds, **{"import": ["a.cif", "b.xyz"]}
    )
    assert bash(f"printf '%s\\n' {made.chunk_words('minima')}").split() == made.chunk_files("minima")
    assert bash(f"printf '%s\\n' {made.slot_words(rounds=1)}").split() == made.slot_files(rounds=1)


def test_the_largest_campaign_fits_on_a_command_line():
    made = plan_of(
        campaign="x" * 64,
        search={"space_groups": "common10", "trials_per_space_group": 100_000, "chunk_size": 1000},
        selection={"rounds": 50, "batch": 100},
    )
    words = f"{made.chunk_words('trials')} {made.chunk_words('minima')} {made.slot_words(rounds=50)}"
    assert len(words) < LINUX_ARGUMENT_BYTES / 100
    script = "import sys; print(*sys.argv[1:], sep=chr(10))"
    files = made.chunk_files("trials") + made.chunk_files("minima") + made.slot_files(rounds=50)
    assert bash(f"{sys.executable} -c '{script}' {words}").split() == files


def test_files_of_the_user_are_inputs_of_the_stages_that_read_them():
    config = yaml.safe_load(TINY.read_text()) | {"known_forms": [{"name": "a", "file": "a.cif"}]}
    made = Plan.of(parse_settings(config, "test"), "test")
    assert made.user_files("known_forms") == ["a.cif"]
    assert made.user_files("search") == []


def test_the_marks_of_a_run_on_another_machine_are_left(tmp_path):
    mark = _mark(tmp_path, "0.output.lock", "mine")
    (tmp_path / "polyscape-mine.lock").write_text("another-login-node")
    assert not claim("mine", tmp_path)
    assert not claim("mine", tmp_path)
    assert mark.exists()
    mark.unlink()  # that run has ended, or the user has unlocked
    assert claim("mine", tmp_path)


def test_the_marks_of_a_dead_process_are_removed_and_no_others(tmp_path):
    own, other = _mark(tmp_path, "0.output.lock", "mine"), _mark(tmp_path, "1.output.lock", "yours")
    assert claim("mine", tmp_path)
    assert not own.exists()
    assert other.exists()


def test_a_living_process_keeps_its_claim_and_a_dead_one_loses_it(tmp_path):
    text = f"""
from pathlib import Path
from polyscape.stages.campaign import claim
assert claim("mine", Path({str(tmp_path)!r}))
print("claimed", flush=True)
input()
"""
    with subprocess.Popen([sys.executable, "-c", text], stdin=-1, stdout=-1, text=True) as holder:
        assert holder.stdout.readline() == "claimed\n"
        mark = _mark(tmp_path, "0.output.lock", "mine")
        assert not claim("mine", tmp_path)
        assert mark.exists()
        assert claim("yours", tmp_path)
        holder.kill()
    assert claim("mine", tmp_path)
    assert not mark.exists()


def bash(command):
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True).stdout


def _mark(folder, name, campaign):
    mark = folder / "locks" / name
    mark.parent.mkdir(exist_ok=True)
    mark.write_text(f"results/{campaign}/landscape.parquet\n")
    return mark
