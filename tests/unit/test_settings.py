import pytest
import yaml
from pydantic import BaseModel

from polyscape.errors import InputError
from polyscape.handbook.settings import leaves
from polyscape.settings import Settings, load_settings, parse_settings

GOOD = "campaign: water\nmolecule: {components: [{name: water, smiles: O}]}\n"


def line_of(tmp_path, text):
    """The complaint about a config, without the folder."""
    path = tmp_path / "c.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_settings(path)
    line = caught.value.line()
    assert "\n" not in line
    return line.replace(f"{tmp_path}/", "")


def test_a_short_config_is_enough(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(GOOD)
    settings = load_settings(path)
    assert settings.molecule.components[0].smiles == "O"
    assert [level.name for level in settings.levels] == ["pbe-d3", "pbe0-d3"]


def test_the_shipped_config_is_valid(root):
    assert load_settings(root / "config" / "config.yaml").campaign


def test_every_example_is_valid(root):
    for path in sorted((root / "config" / "examples").glob("*.yaml")):
        load_settings(path)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        # unknown keys at every depth, the nearest key named
        (GOOD + "serch: {}", "c.yaml: serch = {}: unknown key; did you mean 'search'?"),
        (
            GOOD + "search: {trials: 3}",
            "c.yaml: search.trials = 3: unknown key; did you mean 'search.trials_per_space_group'?",
        ),
        (
            GOOD + "search: {sampling: {volume_low: 1}}",
            "c.yaml: search.sampling.volume_low = 1: unknown key; did you mean 'search.sampling.volume_factor_low'?",
        ),
        (
            GOOD + "levels: [{nmae: q}]",
            "c.yaml: levels[0].nmae = 'q': unknown key; did you mean 'levels[0].name'?",
        ),
        (
            GOOD + "levels: [{name: a}, {name: q, gpaw: {functionl: PBE}}]",
            "c.yaml: levels[1].gpaw.functionl = 'PBE': unknown key; did you mean 'levels[1].gpaw.functional'?",
        ),
        (
            GOOD.replace("smiles", "smile"),
            "c.yaml: molecule.components[0].smile = 'O': unknown key; did you mean 'molecule.components[0].smiles'?",
        ),
        (GOOD + "report: {zzz: 1}", "c.yaml: report.zzz = 1: unknown key; valid keys here: structures"),
        # wrong types and values
        (
            GOOD + "search: {trials_per_space_group: '3'}",
            "c.yaml: search.trials_per_space_group = '3': should be a valid integer; it is: Trials per space group;",
        ),
        (
            GOOD + "search: {trials_per_space_group: 3.5}",
            "c.yaml: search.trials_per_space_group = 3.5: should be a",
        ),
        (GOOD + "seed: -1", "c.yaml: seed = -1: should be greater than or equal to 0;"),
        (GOOD + "seed: true", "c.yaml: seed = True: should be a valid integer;"),
        (
            GOOD + "landscape: {window_kJ_per_mol: .inf}",
            "c.yaml: landscape.window_kJ_per_mol = inf: should be a finite",
        ),
        (GOOD + "levels: []", "c.yaml: levels = []: should have at least 1 item;"),
        (GOOD + "levels: {}", "c.yaml: levels = {}: should be a valid list;"),
        (GOOD + "search: 3", "c.yaml: search = 3: is not a section; write the section's keys below it;"),
        (GOOD + "report:", "c.yaml: report: is not a section; write the section's keys below it;"),
        (
            GOOD + "levels: [{name: q, backend: gpaaw}]",
            "c.yaml: levels[0].backend = 'gpaaw': is not one of the choices; did you mean 'gpaw'?",
        ),
        # values that may have several forms
        (
            GOOD + "search: {space_groups: [14, 2.5]}",
            "c.yaml: search.space_groups[1] = 2.5: has none of the allowed forms; it is: `common10`",
        ),
        (
            GOOD + "search: {space_groups: common}",
            "c.yaml: search.space_groups = 'common': has none of the allowed",
        ),
        (
            GOOD + "search: {space_groups: 14}",
            "c.yaml: search.space_groups = 14: has none of the allowed forms; it is:",
        ),
        (
            "campaign: x\nmolecule: {components: [{name: a, smiles: O, conformers: [1]}]}",
            "c.yaml: molecule.components[0].conformers[0] = 1: has none of the allowed forms; it is:",
        ),
        # what YAML makes of texts and numbers
        (
            GOOD + "landscape: {window_kJ_per_mol: 1e-3}",
            "c.yaml: landscape.window_kJ_per_mol = '1e-3': is text to YAML; write a decimal point and a signed exponent",
        ),
        (GOOD.replace("water\n", "no\n"), "c.yaml: campaign = False: is not text to YAML; put it in quotes"),
        (GOOD.replace("water\n", "12\n"), "c.yaml: campaign = 12: is not text to YAML; put it in quotes"),
        (GOOD + "1: 2", "c.yaml: [1] = 1: is not a key, for keys are text;"),
        # missing keys
        ("campaign: x", "c.yaml: molecule: a required key is missing; add it;"),
        (
            "campaign: x\nmolecule: {components: [{smiles: O}]}",
            "c.yaml: molecule.components[0].name: a required key",
        ),
        # the file as a whole
        (
            "campaign: x\ncampaign: y",
            "c.yaml: line 2, column 1 = 'campaign: y': is not valid YAML: key 'campaign' stands",
        ),
        (
            "a: {b: 1, b: 2}",
            "c.yaml: line 1, column 11 = 'a: {b: 1, b: 2}': is not valid YAML: key 'b' stands twice;",
        ),
        (
            "campaign: x\n molecule: 3",
            "c.yaml: line 2, column 10 = 'molecule: 3': is not valid YAML: mapping values",
        ),
        ("a: [1, 2", "c.yaml: line 1, column 9 = 'a: [1, 2': is not valid YAML: expected ',' or ']'"),
        ("", "c.yaml: is not a mapping of settings; start from config/config.yaml"),
        ("- 3", "c.yaml = [3]: is not a mapping of settings;"),
    ],
)
def test_a_mistake_is_one_clear_line(tmp_path, text, line):
    assert line_of(tmp_path, text).startswith(line)


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "a b", "-x", ".hidden", "", "x" * 65, "a;b", "$HOME", "a\\b"]
)
def test_names_that_are_unsafe_in_paths_and_commands_are_refused(tmp_path, name):
    text = yaml.safe_dump({"campaign": name, "molecule": {"components": [{"name": "a", "smiles": "O"}]}})
    assert ": use 1 to 64 letters, digits" in line_of(tmp_path, text)


def test_a_missing_or_unreadable_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.yaml: cannot be read"):
        load_settings(tmp_path / "absent.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"binary\.yaml: cannot be read"):
        load_settings(tmp_path / "binary.yaml")


@pytest.mark.parametrize(
    "text", ["a: [1\n", "a: 'x\n", "{", "a:\n  - b\n c", "\t", "a: b: c", "&x", "a: !!python/name:os.system"]
)
def test_yaml_that_does_not_parse_is_one_line(tmp_path, text):
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"broken\.yaml") as caught:
        load_settings(path)
    assert len(caught.value.line().splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("levels: [{name: a}, {name: a}]", "levels[1].name = 'a': is the name of an earlier one"),
        ("levels: [{name: ff}]", "levels[0].name = 'ff': is the force field's name"),
        (
            "known_forms: [{name: f, file: a.cif}, {name: f, file: b.cif}]",
            "known_forms[1].name = 'f': is the name of an earlier one",
        ),
        ("levels: [{name: a, gpaw: {hybrid: non_self_consistent}}]", "levels[0].gpaw.hybrid"),
        (
            "levels: [{name: a}, {name: b, gpaw: {hybrid: non_self_consistent, k_spacing_per_A: 0.3}}]",
            "levels[1].gpaw.k_spacing_per_A = 0.3: has no effect",
        ),
        ("levels: [{name: a}, {name: b, gpaw: {molecule_box_A: 20}}]", "levels[1].gpaw.molecule_box_A"),
        ("store: ''", "store = '': give the path of a folder"),
        ('store: "a\\0b"', "give the path of a folder"),
        ("store: results/water/store", "lies in the campaign's own folder"),
        ("landscape: {window_kJ_per_mol: true}", "landscape.window_kJ_per_mol = True"),
        (
            "search: {sampling: {volume_factor_low: 1.7}}",
            "search.sampling.volume_factor_low = 1.7: is not below volume_factor_high = 1.6",
        ),
    ],
)
def test_sections_that_contradict_each_other_are_refused(tmp_path, text, problem):
    assert problem in line_of(tmp_path, GOOD + text)


@pytest.mark.parametrize("sources", [{}, {"smiles": "O", "file": "a.xyz"}])
def test_a_component_has_one_source(sources):
    with pytest.raises(InputError, match="give either `smiles` or `file`"):
        parse_settings({"campaign": "x", "molecule": {"components": [{"name": "a", **sources}]}}, "c.yaml")


@pytest.mark.parametrize(
    ("counts", "factor"), [([2], 2), ([4, 6], 2), ([3, 3], 3), ([1], None), ([2, 1], None)]
)
def test_a_formula_unit_is_the_smallest(counts, factor):
    """Otherwise a crystal of an odd number of molecules would hold a fraction of a formula unit."""
    components = [{"name": f"m{i}", "smiles": "O", "stoichiometry": n} for i, n in enumerate(counts)]
    config = {"campaign": "x", "molecule": {"components": components}}
    if factor is None:
        assert len(parse_settings(config, "c.yaml").molecule.components) == len(counts)
        return
    with pytest.raises(
        InputError, match=rf"molecule\.components\[0\]\.stoichiometry = .* divide each by {factor}"
    ):
        parse_settings(config, "c.yaml")


def sections(model, found=None):
    found = set() if found is None else found
    if model not in found:
        found.add(model)
        for field in model.model_fields.values():
            for part in (field.annotation, *getattr(field.annotation, "__args__", ())):
                if isinstance(part, type) and issubclass(part, BaseModel):
                    sections(part, found)
    return found


@pytest.mark.parametrize(
    "section", sorted(sections(Settings), key=lambda s: s.__name__), ids=lambda s: s.__name__
)
def test_every_section_refuses_unknown_keys_and_changes(section):
    assert section.model_config["extra"] == "forbid"
    assert section.model_config["frozen"]
    assert section.model_config["strict"]


def test_every_key_says_what_it_is():
    assert [leaf.key for leaf in leaves(Settings) if not leaf.field.description] == []
