"""The command that prints lattice energies of crystals in files: what it prints, and how it refuses bad ones."""

import json
import runpy
import sys
from pathlib import Path

import pytest
from ase.io import write

from polyscape.crystal.packing import Packing
from polyscape.energy.dmacrys.case import read_case
from polyscape.energy.model import FINE_DECADES, RigidLatticeEnergy, build_model
from polyscape.energy.splitting import Splitting
from polyscape.schemas import CONFORMERS as CONFORMERS_TABLE
from polyscape.schemas import MOLECULE
from polyscape.settings.search import EnergySettings
from tests.builders import conformers, oxalic_acid, oxalic_packing
from tests.unit.energy.test_dmacrys_files import CONFORMERS, PACKING, content
from tests.unit.search.crystals import molecule_tables

SCRIPT = Path(__file__).parents[2] / "scripts/energy.py"
TERMS = ("charge_charge", "charge_dipole", "dipole_dipole", "higher_multipole", "repulsion_dispersion")
UREA_WITHOUT_HYDROGENS = """data_urea
_symmetry_space_group_name_H-M 'P 1'
_cell_length_a 6
_cell_length_b 6
_cell_length_c 6
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
C1 C 0.0000 0.0 0.0000
O1 O 0.0000 0.0 0.2083
N1 N 0.1908 0.0 -0.1167
N2 N -0.1908 0.0 -0.1167
"""


@pytest.fixture
def crystal(tmp_path):
    """A file of the JSON form, and what is in it."""
    path = tmp_path / "crystal.json"
    data = content(PACKING, CONFORMERS)
    path.write_text(json.dumps(data))
    return path, data


@pytest.fixture
def energy(monkeypatch, capsys):
    """Run the script with arguments: exit code, stdout, stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["energy.py", *map(str, arguments)])
        code = 0
        try:
            runpy.run_path(str(SCRIPT), run_name="__main__")
        except SystemExit as end:
            code = end.code
        return (code, *capsys.readouterr())

    return run


def model_of(path):
    case = read_case(path)
    splitting = Splitting.dmacrys(case.cutoff_A, FINE_DECADES, case.spline_A)
    return case, RigidLatticeEnergy(case.conformers, case.potential, splitting)


def test_one_object_per_file_with_the_terms_of_the_model(energy, crystal):
    path, data = crystal
    code, out, err = energy(path, path)
    assert (code, err) == (0, "")
    first, second = (json.loads(line) for line in out.splitlines())
    assert first["initial"] == second["initial"]
    assert (first["molecules_per_unit"], first["steps"], first["status"]) == (1, 0, "ok")
    assert "minimised" not in first
    assert first["cpu_s"] >= 0
    found = first["initial"]
    case, model = model_of(path)
    terms = model.term_energies(case.packing)
    terms["repulsion_dispersion"] = terms["repulsion"] + terms["dispersion"]
    for name in TERMS:
        assert found[f"{name}_kJ_per_mol"] == pytest.approx(terms[name], abs=1e-6)  # six decimals are printed
    total = sum(found[f"{name}_kJ_per_mol"] for name in TERMS)
    assert found["total_kJ_per_mol"] == pytest.approx(total, abs=1e-5)  # five numbers of six decimals
    assert found["cell"] == pytest.approx(data["crystal"]["cell"], abs=1e-8)
    elements = [atom["element"] for atom in found["fractional_coordinates"]]
    assert sorted(elements) == sorted(atom["element"] for atom in data["crystal"]["atoms"])


def test_minimised_is_lower(energy, crystal):
    code, out, _ = energy(crystal[0], "--minimise")
    report = json.loads(out)
    assert (code, report["status"]) == (0, "ok")
    assert report["steps"] > 0
    assert report["minimised"].keys() == report["initial"].keys()
    assert report["minimised"]["total_kJ_per_mol"] < report["initial"]["total_kJ_per_mol"]


def test_pressure_stands_apart(energy, crystal, tmp_path):
    config = tmp_path / "pressed.yaml"
    lines = "campaign: p\nmolecule:\n  components: [{name: a, smiles: C}]\nenergy: {pressure_GPa: 1.0}\n"
    config.write_text(lines)
    plain, pressed = (
        json.loads(energy(crystal[0], *more)[1])["initial"] for more in ((), ("--config", config))
    )
    volume = PACKING.volume_A3 / len(crystal[1]["crystal"]["symmetry_operations"] + ["x,y,z"])
    assert pressed["total_kJ_per_mol"] == plain["total_kJ_per_mol"]
    assert pressed["pV_kJ_per_mol"] == pytest.approx(volume * 0.602214, rel=1e-5)  # GPa A^3 in kJ/mol
    added = pressed["enthalpy_kJ_per_mol"] - pressed["total_kJ_per_mol"]
    assert added == pytest.approx(pressed["pV_kJ_per_mol"], abs=2e-6)


def broken_json(change):
    data = content(PACKING, CONFORMERS)
    change(data)
    return json.dumps(data)


BAD = {
    "empty": ("a.json", "", "no JSON"),
    "no keys": ("a.json", "{}", "crystal"),
    "no cell length": ("a.json", broken_json(lambda d: d["crystal"]["cell"].pop("b")), "crystal.cell.b"),
    "not a number": (
        "a.json",
        broken_json(lambda d: d["molecule"]["sites"][2].update(position_bohr=[float("nan"), 0, 0])),
        "molecule.sites[2].position_bohr[0]",
    ),
    "nanometres": ("a.json", broken_json(lambda d: d["crystal"]["cell"].update(a=0.6)), "crystal.cell.a"),
    "radians": ("a.json", broken_json(lambda d: d["crystal"]["cell"].update(beta=1.9)), "crystal.cell.beta"),
    "no element": (
        "a.json",
        broken_json(lambda d: d["crystal"]["atoms"][0].update(element="Xx")),
        "crystal.atoms[0].element",
    ),
    "no CIF": ("a.cif", "benzene", "a.cif"),
    "without hydrogens": ("a.cif", UREA_WITHOUT_HYDROGENS, "lacks hydrogen"),
    "another kind of file": ("a.xyz", "", "a.xyz"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_end_in_one_line_before_any_work(energy, crystal, tmp_path, case):
    name, text, told = BAD[case]
    (tmp_path / name).write_text(text)
    code, out, err = energy(crystal[0], tmp_path / name)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert told in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("no.json",), "no.json"),
        (("no.cif",), "no.cif"),
        (("--potential", "w98"), "w98"),
        (("--config", "no.yaml"), "no.yaml"),
        (("no.cif", "--campaign", "results/no"), "no.cif"),
    ],
)
def test_bad_options_end_in_one_line(energy, crystal, arguments, told):
    code, out, err = energy(crystal[0], *arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert told in err


ROOMY = Packing("-P 2ybc", (11.0, 10.0, 12.0, 90.0, 95.0, 90.0), oxalic_packing().poses)
"""No contact so short that a bond would be seen in it."""


def write_campaign(folder):
    """The tables of a campaign's molecules; oxalic acid."""
    folder.mkdir()
    for table, name, frame in zip(
        (MOLECULE, CONFORMERS_TABLE), ("molecule", "conformers"), molecule_tables(oxalic_acid()), strict=True
    ):
        table.write(frame, folder / f"{name}.parquet")


def test_a_crystal_of_a_campaigns_molecules_has_the_energy_of_its_packing(tmp_path, energy):
    write_campaign(tmp_path / "results")
    write(tmp_path / "acid.cif", ROOMY.to_atoms(conformers()), format="cif")
    code, said, _ = energy(tmp_path / "acid.cif", "--campaign", tmp_path / "results")
    assert code == 0
    model = build_model(conformers(), EnergySettings())
    found = json.loads(said)["initial"]
    assert found["space_group"] == "P21/c"
    # coordinates of CIFs have eight decimals
    assert found["total_kJ_per_mol"] == pytest.approx(model.evaluate(ROOMY)[0].total, abs=1e-4)


def test_tables_of_a_campaign_that_cannot_be_read_are_one_line(tmp_path, energy):
    write_campaign(tmp_path / "results")
    write(tmp_path / "acid.cif", ROOMY.to_atoms(conformers()), format="cif")
    (tmp_path / "results/conformers.parquet").write_text("nothing")
    code, _, said = energy(tmp_path / "acid.cif", "--campaign", tmp_path / "results")
    assert code == 2
    assert said.startswith("error: command line: --campaign")
    assert said.count("\n") == 1
