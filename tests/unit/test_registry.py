import json

import pytest

from polyscape.errors import InputError
from polyscape.settings import Settings, parse_settings
from polyscape.stages.registry import STAGES, parse_slice, stage_slice

CONFIG = {"campaign": "water", "molecule": {"components": [{"name": "water", "smiles": "O"}]}}


@pytest.fixture
def settings():
    return parse_settings(CONFIG, "c.yaml")


def changed(**sections):
    return parse_settings(CONFIG | sections, "c.yaml")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_sees_what_it_declares(settings, stage):
    part = parse_slice(stage, stage_slice(settings, stage))
    assert set(part.values) == set(STAGES[stage].keys)
    for key in STAGES[stage].keys:
        value = settings
        for name in key.split("."):
            value = getattr(value, name)
        assert part[key] == value


@pytest.mark.parametrize("stage", STAGES)
def test_a_slice_is_one_line_of_sorted_json(settings, stage):
    text = stage_slice(settings, stage)
    assert "\n" not in text
    assert json.dumps(json.loads(text), sort_keys=True) == text
    assert json.loads(text)["version"] == STAGES[stage].version


def test_defaults_written_out_change_no_slice(settings):
    written = parse_settings(settings.model_dump(mode="python"), "c.yaml")
    assert all(stage_slice(written, stage) == stage_slice(settings, stage) for stage in STAGES)


def touched_by(settings, **sections):
    """The stages whose slice a change of the config changes; the report shows the whole config, so it always may."""
    other = changed(**sections)
    return {stage for stage in STAGES if stage_slice(other, stage) != stage_slice(settings, stage)} - {
        "report"
    }


@pytest.mark.parametrize(
    ("change", "touched"),
    [
        ({"campaign": "other"}, set()),
        ({"store": "elsewhere"}, set()),
        (
            {"search": {"trials_per_space_group": 9}},
            set(),
        ),  # more trials: more chunks, each with the same slice
        ({"search": {"chunk_size": 7}}, set()),
        ({"search": {"space_groups": [14]}}, set()),
        ({"search": {"sampling": {"contact_factor": 0.8}}}, {"search"}),
        # a search that stops at a coverage is judged by what the landscape counts as one structure
        ({"landscape": {"window_kJ_per_mol": 5.0}}, {"landscape", "minimise_until_complete"}),
        ({"landscape": {"match_rmsd_A": 0.4}}, {"landscape"}),
        ({"report": {"structures": 3}}, set()),
    ],
)
def test_a_change_reruns_only_what_it_concerns(settings, change, touched):
    assert touched_by(settings, **change) == touched


def test_a_change_of_dft_touches_no_stage_of_the_force_field(settings):
    touched = touched_by(settings, levels=[{"name": "pbe-d3", "gpaw": {"plane_wave_cutoff_eV": 600}}])
    assert touched.isdisjoint({"molecule", "known_forms", "search", "minimise", "landscape", "features"})
    assert {"single_point", "isolated_molecule", "selection", "learn", "rank"} <= touched


def test_the_budget_touches_no_single_point(settings):
    touched = touched_by(settings, selection={"batch": 9}, learning={"draws": 200})
    assert touched == {"selection", "learn", "rank"}


def test_every_declared_key_exists():
    for stage in STAGES.values():
        for key in stage.keys:
            model = Settings
            for name in key.split("."):
                assert name in model.model_fields, f"{stage.name}: {key}"
                model = model.model_fields[name].annotation


def test_another_stage_or_version_is_refused(settings):
    with pytest.raises(InputError, match="is not of stage 'search'"):
        parse_slice("search", stage_slice(settings, "minimise"))
    old = json.loads(stage_slice(settings, "search")) | {"version": 0}
    with pytest.raises(InputError, match="is not of stage 'search'"):
        parse_slice("search", json.dumps(old))


def test_a_config_file_serves_by_hand(tmp_path, settings):
    path = tmp_path / "c.yaml"
    path.write_text(json.dumps(CONFIG))
    assert parse_slice("landscape", str(path)) == parse_slice("landscape", stage_slice(settings, "landscape"))


TABLE = """name: mine
types:
  H: {element: H, A_eV: 124.1, rho_A: 0.267, C6_eV_A6: 1.41}
  O: {element: O, A_eV: 2384.5, rho_A: 0.253, C6_eV_A6: 11.6}
"""


def with_table(folder, text):
    """The slices of a campaign whose potential is a file, whose name would be a command to a careless shell."""
    path = folder / "it's $(mine); {x}.yaml"
    path.write_text(text)
    own = changed(energy={"potential": str(path)})
    return {stage: stage_slice(own, stage) for stage in STAGES}


@pytest.mark.parametrize(
    ("old", "new", "touched"),
    [
        ("name: mine\n", "# a word\nname: 'mine'\n", set()),
        ("124.1", "124.2", {"known_forms", "minimise", "landscape", "features"}),
        (
            "element: H,",
            "element: H, neighbours: 1,",
            {"molecule", "known_forms", "minimise", "landscape", "features"},
        ),
    ],
)
def test_a_potential_file_counts_by_what_it_says(tmp_path, old, new, touched):
    before, after = with_table(tmp_path, TABLE), with_table(tmp_path, TABLE.replace(old, new))
    changed_stages = {stage for stage in STAGES if before[stage] != after[stage]}
    assert changed_stages - {"report", "minimise_until_complete"} == touched
    assert ("minimise_until_complete" in changed_stages) == ("minimise" in touched)


def test_a_job_refuses_a_potential_file_that_changed_under_way(tmp_path):
    text = with_table(tmp_path, TABLE)["minimise"]
    assert "{x}" not in text  # a wildcard to Snakemake
    assert parse_slice("minimise", text)["energy"].potential.endswith("{x}.yaml")
    with_table(tmp_path, TABLE.replace("124.1", "124.2"))
    with pytest.raises(InputError, match=r"energy\.potential = .*has changed since the campaign started"):
        parse_slice("minimise", text)
