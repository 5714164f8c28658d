"""Known forms: what a CIF must hold, recognised conformers, rigid molecules superposed."""

from dataclasses import replace

import numpy as np
import pytest

from polyscape.crystal.cif import read_cif
from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Packing
from polyscape.errors import InputError
from polyscape.search.forms import form_crystal, formula, molecules_of, recognise, symmetric_packing
from polyscape.settings import load_settings, parse_settings
from polyscape.stages.known_forms import check_known_forms
from tests import builders

FORMS = {"alpha": (61, 4, 4), "beta": (14, 2, 2)}


def settings_for(path, smiles="OC(=O)C(=O)O"):
    return parse_settings(
        {
            "campaign": "x",
            "molecule": {"components": [{"name": "m", "smiles": smiles}]},
            "known_forms": [{"name": "form", "file": str(path)}],
        },
        "config.yaml",
    )


@pytest.fixture
def beta(root):
    return (root / "config/known_forms/oxalic_acid_beta.cif").read_text()


def test_shipped_forms_pass(root):
    for name in FORMS:
        check_known_forms(settings_for(root / f"config/known_forms/oxalic_acid_{name}.cif"), "config.yaml")


@pytest.mark.parametrize("name", FORMS)
def test_shipped_forms_are_recognised(root, name):
    number, images, molecules = FORMS[name]
    crystal = read_cif(root / f"config/known_forms/oxalic_acid_{name}.cif")
    assert "10.1107/S0567740874006820" in crystal.citation
    cut = molecules_of(crystal, ["C2 H2 O4"], [1])
    assert len(cut) == images
    found = form_crystal(cut, crystal.cell_cv, builders.conformers())
    assert (found.reduced.space_group, found.reduced.molecules) == (number, molecules)
    assert found.reduced.molecules / found.reduced.order == 0.5
    # X-ray hydrogens stand 0.1-0.2 A short of the nuclei; the rest is the molecule's own
    assert found.rmsd_A < 0.15
    cell_cv = np.asarray(found.reduced.atoms.cell)
    moved = found.packing.to_atoms(builders.conformers()).positions - found.reduced.atoms.positions
    shift_ac = moved @ np.linalg.inv(cell_cv)
    moved = (shift_ac - np.round(shift_ac)) @ cell_cv
    assert np.sqrt((moved**2).sum(axis=1).mean()) < 0.15


def mended(text, changes):
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize(
    ("changes", "smiles", "said"),
    [
        ([("H1 H  0.499  -0.102   0.181\n", "")], "OC(=O)C(=O)O", "hydrogen atoms are missing"),
        ([], "NC(=O)C(=O)N", "C2 H2 O4"),
        ([("_atom_site_fract_x\n", "")], "OC(=O)C(=O)O", ""),
        ([("'P 1 21/c 1'", "'P 21 nonsense'")], "OC(=O)C(=O)O", "space group"),
        ([("_cell_length_a         5.330\n", "")], "OC(=O)C(=O)O", ""),
        ([("0.1441", "?")], "OC(=O)C(=O)O", "C1"),
        ([("data_oxalic", "oxalic")], "OC(=O)C(=O)O", "cannot be read"),
        ([("_cell_length_a         5.330", "_cell_length_a         3.0")], "OC(=O)C(=O)O", ""),
    ],
)
def test_unusable_files_are_one_line(tmp_path, beta, changes, smiles, said):
    path = tmp_path / "form.cif"
    path.write_text(mended(beta, changes))
    with pytest.raises(InputError) as caught:
        check_known_forms(settings_for(path, smiles), "config.yaml")
    line = caught.value.line()
    assert line.startswith("config.yaml: known_forms[0].file = ")
    assert "form.cif" in line
    assert said in line
    assert "\n" not in line


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"no\.cif.*cannot be read"):
        check_known_forms(settings_for(tmp_path / "no.cif"), "config.yaml")


def test_a_racemic_form_in_an_enantiopure_search_is_warned_of(root, capsys):
    settings = settings_for(root / "config/known_forms/oxalic_acid_beta.cif")
    check_known_forms(settings, "config.yaml")
    assert not capsys.readouterr().err
    search = settings.search.model_copy(update={"chirality": "enantiopure"})
    check_known_forms(settings.model_copy(update={"search": search}), "config.yaml")
    warning = capsys.readouterr().err
    assert warning.startswith("warning: known form form has space group P21/c")
    assert warning.count("\n") == 1


def test_major_part_of_disorder_is_kept(tmp_path, beta):
    loop = "_atom_site_fract_z\n"
    text = mended(beta, [(loop, loop + "_atom_site_occupancy\n_atom_site_disorder_group\n")])
    lines = []
    for line in text.splitlines():
        if line.startswith("H1 "):
            lines += [line + " 0.7 1", "H2 H 0.40 0.20 -0.10 0.3 2"]
        else:
            lines.append(line + " 1 ." if line[:3] in ("C1 ", "O1 ", "O2 ") else line)
    path = tmp_path / "form.cif"
    path.write_text("\n".join(lines) + "\n")
    check_known_forms(settings_for(path), "config.yaml")
    assert len(read_cif(path).atomic_number_a) == 16


def test_the_mirror_image_and_the_right_conformer_are_recognised():
    """A molecule turned, mirrored and with its atoms in another order is still its conformer."""
    places = [(0, 0, 0), (1.4, 0.1, 0), (-0.4, 1.3, 0.2), (-0.3, -0.5, 1.0), (2.0, 0.9, 0.4)]
    bonds = [(0, 1), (0, 2), (0, 3), (1, 4)]
    right = builders.conformer([6, 8, 7, 1, 1], places, list("CONHH"), [0] * 5, bonds, name="right")
    other = replace(right, name="other", position_av=right.position_av * (1.0, 1.1, 0.8))
    conformers = {(0, "other"): other, (0, "right"): right}
    order = np.array([3, 1, 4, 0, 2])
    mirrored = (right.position_av * (1, 1, -1))[order] + (3.0, 1.0, -2.0)
    found = recognise((right.atomic_number_a[order], mirrored), conformers)
    assert found.key == (0, "right")
    assert found.rmsd_A < 1e-6
    np.testing.assert_array_equal(right.atomic_number_a[order][found.order_a], right.atomic_number_a)


def test_a_rigid_crystal_comes_back_as_its_own_poses():
    packing = builders.oxalic_packing()
    atoms = packing.to_atoms(builders.conformers())
    molecules = [(atoms.numbers[i : i + 8], atoms.positions[i : i + 8]) for i in range(0, 32, 8)]
    found = form_crystal(molecules, np.asarray(atoms.cell), builders.conformers())
    assert isinstance(found.packing, Packing)
    rebuilt = found.packing.to_atoms(builders.conformers())
    np.testing.assert_allclose(rebuilt.cell.cellpar(), found.reduced.atoms.cell.cellpar(), atol=1e-9)
    shift_ac = rebuilt.get_scaled_positions(wrap=False) - found.reduced.atoms.get_scaled_positions(wrap=False)
    np.testing.assert_allclose(shift_ac, np.round(shift_ac), atol=1e-6)


def test_formula():
    assert formula([8, 1, 6, 1, 8, 6, 7]) == "C2 H2 N O2"


@pytest.mark.parametrize("name", ["oxalic_acid", "urea", "benzene", "naphthalene", "carbon_dioxide"])
def test_example_configs_are_read_and_their_forms_pass(root, name, monkeypatch):
    monkeypatch.chdir(root)
    config = root / f"config/examples/{name}.yaml"
    check_known_forms(load_settings(config), str(config))


@pytest.mark.parametrize(("name", "number", "site"), [("alpha", 61, "-1"), ("beta", 14, "-1")])
def test_a_form_stands_in_its_own_space_group_with_its_special_position(root, name, number, site):
    crystal = read_cif(root / f"config/known_forms/oxalic_acid_{name}.cif")
    cut = molecules_of(crystal, ["C2 H2 O4"], [1])
    found = form_crystal(cut, crystal.cell_cv, builders.conformers())
    packing = symmetric_packing(found.packing, builders.conformers(), found.reduced.atoms)
    assert SpaceGroup.from_hall(packing.hall_symbol).number == number
    assert [pose.site_symmetry for pose in packing.poses] == [site]


def test_a_conformer_without_the_crystals_symmetry_stays_in_p1(root):
    crystal = read_cif(root / "config/known_forms/oxalic_acid_beta.cif")
    bent = builders.oxalic_acid()
    position_av = bent.position_av.copy()
    position_av[0, 2] += 0.8
    conformers = {(0, "ttt"): replace(bent, position_av=position_av)}
    found = form_crystal(molecules_of(crystal, ["C2 H2 O4"], [1]), crystal.cell_cv, builders.conformers())
    packing = symmetric_packing(found.packing, conformers, found.reduced.atoms)
    assert packing == found.packing
