"""Levels that are not GPAW's: what is refused before any work, what their method ids hang on, supercells."""

import datetime
import hashlib

import numpy as np
import pytest
from tblite.interface import Calculator

from polyscape.errors import InputError
from polyscape.levels.box import in_box
from polyscape.levels.check import check_elements, check_levels
from polyscape.levels.many_body import is_installed
from polyscape.levels.method import method_ids, method_of
from polyscape.levels.registry import backend
from polyscape.levels.tblite_xtb import repeats
from polyscape.settings import parse_settings
from polyscape.settings.levels import Level
from polyscape.status import Status
from polyscape.units import ANGSTROM_PER_BOHR, EV_PER_HARTREE

EMT = "ase:ase.calculators.emt.EMT"


def settings(*levels, **more):
    data = {"campaign": "x", "molecule": {"components": [{"name": "a", "smiles": "C"}]}, "levels": [*levels]}
    return parse_settings(data | more, "c.yaml")


def test_ladders_of_several_programs_pass_and_without_gpaw_no_setups_are_needed():
    tblite, emt, pbe = {"name": "t", "backend": "tblite"}, {"name": "e", "backend": EMT}, {"name": "p"}
    check_levels(settings(tblite, pbe | {"dispersion": "d3bj-atm"}, emt | {"relax": "cell"}), "c.yaml")
    check_elements(settings(tblite, emt).levels, [1, 6, 95], "c.yaml")
    assert [level.dispersion for level in settings(tblite, emt, pbe).levels] == ["none", "none", "d3bj"]


@pytest.mark.parametrize(
    ("level", "key", "problem"),
    [
        ({"backend": "ase:no_such_package.Thing"}, "levels[0].backend", "cannot be imported"),
        ({"backend": "ase:ase.calculators.emt.EMTT"}, "levels[0].backend", "there is no EMTT"),
        (
            {"backend": "ase:ase.build.bulk", "ase": {"keywords": {"name": "Cu"}}},
            "levels[0].backend",
            "no calculator",
        ),
        ({"backend": "ase:ase.units.Bohr"}, "levels[0].backend", "neither a class"),
        (
            {"backend": EMT, "ase": {"keywords": {"when": datetime.date(2024, 1, 1)}}},
            "levels[0].ase.keywords",
            "no text",
        ),
        ({"backend": EMT, "ase": {"keywords": {"u": {1: 2.0}}}}, "levels[0].ase.keywords", "texts as keys"),
        ({"backend": "ase:os.system"}, "levels[0].backend", "Python's own library"),
        ({"backend": "ase:__import__('os')"}, "levels[0].backend", "no import path"),
        ({"backend": "ase:ase.calculators.qmmm.SimpleQMMM"}, "levels[0].ase.keywords", "refuses them"),
        ({"backend": "ase:ase.calculators.tip3p.TIP3P", "relax": "cell"}, "levels[0].relax", "has no stress"),
        ({"backend": "tblite", "dispersion": "d4"}, "levels[0].dispersion", "of their own"),
        ({"backend": EMT, "dispersion": "d4"}, "levels[0].dispersion_functional", "not known"),
        ({"backend": "tblite", "gpaw": {"functional": "RPBE"}}, "levels[0].gpaw", "no effect"),
        ({"tblite": {"method": "GFN1-xTB"}}, "levels[0].tblite", "no effect"),
        ({"relaxation": {"max_steps": 3}}, "levels[0].relaxation", "nothing is relaxed"),
        ({"dispersion": "mbd"}, "levels[0].mbd_volume_ratios", "needed by"),
        (
            {"dispersion": "d4", "dispersion_functional": "nothing"},
            "levels[0].dispersion_functional",
            "D4 has no",
        ),
    ],
)
def test_an_impossible_level_is_named(level, key, problem):
    with pytest.raises(InputError, match=problem) as caught:
        check_levels(settings({"name": "a"} | level), "c.yaml")
    assert caught.value.key == key


def test_a_hybrid_needs_orbitals_of_gpaw_right_below():
    hybrid = {"name": "h", "gpaw": {"functional": "PBE0", "hybrid": "non_self_consistent"}}
    with pytest.raises(InputError, match="no orbitals below") as caught:
        settings({"name": "p"}, {"name": "t", "backend": "tblite"}, hybrid)
    assert caught.value.key == "levels[2].gpaw.hybrid"


def test_a_cell_does_not_relax_under_pressure():
    with pytest.raises(InputError, match="zero pressure"):
        check_levels(settings({"name": "p", "relax": "cell"}, energy={"pressure_GPa": 1.0}), "c.yaml")


@pytest.mark.skipif(is_installed(), reason="pymbd is installed: nothing is refused")
def test_many_body_dispersion_says_what_it_needs():
    level = {"name": "a", "dispersion": "mbd", "mbd_volume_ratios": {"C": 0.85, "H": 0.6}}
    with pytest.raises(InputError, match="optional package pymbd") as caught:
        check_levels(settings(level), "c.yaml")
    assert caught.value.key == "levels[0].dispersion"


def test_every_element_has_its_volume_ratio():
    level = {"name": "a", "dispersion": "mbd", "mbd_volume_ratios": {"C": 0.85}}
    with pytest.raises(InputError, match="has no H") as caught:
        check_elements(settings(level).levels, [1, 6], "c.yaml")
    assert caught.value.key == "levels[0].mbd_volume_ratios"


def test_programs_keywords_and_files_are_part_of_the_method(tmp_path):
    weights = tmp_path / "weights"
    weights.write_text("first")

    def identity(**keywords):
        return method_ids([Level(name="a", backend=EMT, ase={"keywords": keywords})])["a"]

    first = identity(model=str(weights))
    assert first not in (identity(), identity(model="other"))
    weights.write_text("second, under the same name")
    assert identity(model=str(weights)) != first
    method = method_of([Level(name="a", backend=EMT)], 0)
    assert method["program"].startswith("ase 3")
    assert method_of([Level(name="a", backend="tblite")], 0)["program"].startswith("tblite 0")


def test_steps_are_no_part_of_a_method_and_settings_are():
    def identity(**settings):
        return method_ids([Level(name="a", backend="tblite", tblite=settings)])["a"]

    assert identity(max_scf_steps=9) == identity()
    assert len({identity(), identity(method="GFN1-xTB"), identity(supercell_width_A=14.0)}) == 3


def test_ids_of_stored_dft_are_what_they_were():
    """GPAW 26.7 with PAW setups 1.2.1: an upgrade that changed these would compute every stored point again."""
    pytest.importorskip("gpaw_data")
    method = method_of([Level(name="a")], 0)
    assert method.pop("setups")
    assert {"backend", "version", "functional", "plane_wave_cutoff_eV", "grid_spacing_A", "hybrid"} <= {
        *method
    }
    assert not {"relaxation", "tblite", "ase", "dispersion"} & {*method}


def test_a_supercell_is_as_wide_as_asked_for():
    skew_cv = np.array([[4.0, 0, 0], [3.0, 4.0, 0], [0, 0, 9.0]])
    assert repeats(skew_cv, 9.0) == (
        3,
        3,
        1,
    )  # the heights are 3.2, 4.0 and 9.0, a little less than some edges
    assert repeats(skew_cv, 0.0) == (1, 1, 1)


HYDROXIDE = np.array([8, 1]), np.array([[0, 0, 0], [0, 0, 0.97]]), 8.0


def test_tblite_is_told_the_charge_of_an_ion(tmp_path):
    level = Level(name="t", backend="tblite")
    (point,) = backend(level).climb(in_box(*HYDROXIDE, charge=-1), [level], tmp_path)
    own = Calculator("GFN2-xTB", HYDROXIDE[0], HYDROXIDE[1] / ANGSTROM_PER_BOHR, charge=-1.0)
    own.set("verbosity", 0)
    expected_eV = own.singlepoint().get("energy") * EV_PER_HARTREE
    assert point.energy_eV == pytest.approx(expected_eV, abs=1e-5)  # thresholds of self-consistency


@pytest.mark.parametrize("way", ["info", "initial_charges"])
def test_a_calculator_of_ase_is_told_the_charge_in_the_way_that_is_asked_for(way, tmp_path):
    level = Level(name="a", backend=f"ase:{__name__}.Charged", ase={"ion_charge": way})
    for charge in (-1, 0, 2):
        (point,) = backend(level).climb(in_box(*HYDROXIDE, charge=charge), [level], tmp_path)
        assert point.energy_eV == pytest.approx(charge if way == "info" else 10 * charge)
    assert method_of([level], 0)["ion_charge"] == way
    plain = Level(name="a", backend=f"ase:{__name__}.Charged")
    assert "ion_charge" not in method_of([plain], 0)
    assert "ion_charge" not in plain.model_dump()["ase"]  # stages of neutral campaigns run no second time
    (point,) = backend(plain).climb(in_box(*HYDROXIDE, charge=-1), [plain], tmp_path)
    assert (point.status, point.energy_eV) == (Status.SKIPPED, None)


class Charged:
    """A calculator whose energy is the charge that it was told, in either way."""

    implemented_properties = ("energy",)

    def get_property(self, name, atoms=None, allow_calculation=True):
        """The charge by ``info``, unless initial charges say more."""
        initial = float(atoms.get_initial_charges().sum())
        return 10.0 * initial if initial else float(atoms.info.get("charge", 0))


@pytest.mark.parametrize(
    ("code", "key"),
    [
        ("class Own(:", "levels[0].backend"),
        ("raise ValueError('no device')", "levels[0].backend"),
        ("class Own:\n    def __init__(self):\n        assert False, 'no'", "levels[0].ase.keywords"),
    ],
)
def test_a_module_that_does_not_work_is_named(code, key, tmp_path, monkeypatch):
    module = f"own_{hashlib.sha256(code.encode()).hexdigest()[:8]}"
    (tmp_path / f"{module}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError) as caught:
        check_levels(settings({"name": "a", "backend": f"ase:{module}.Own"}), "c.yaml")
    assert caught.value.key == key


def test_a_long_keyword_is_no_file():
    method = method_of([Level(name="a", backend=EMT, ase={"keywords": {"input": "x" * 5000}})], 0)
    assert "files" not in method


class Broken:
    """A calculator whose numbers break."""

    def __init__(self, error):
        self.error = {
            "zero": ZeroDivisionError,
            "overflow": FloatingPointError,
            "singular": np.linalg.LinAlgError,
        }[error]

    def get_property(self, name, atoms=None, allow_calculation=True):
        """No energy."""
        raise self.error("broken")


@pytest.mark.parametrize("error", ["zero", "overflow", "singular"])
def test_numbers_that_break_in_a_calculator_are_a_failed_point(error, tmp_path):
    level = Level(name="a", backend=f"ase:{__name__}.Broken", ase={"keywords": {"error": error}})
    (point,) = backend(level).climb(in_box(*HYDROXIDE), [level], tmp_path)
    assert (point.status, point.energy_eV) == (Status.SCF_FAILED, None)
    assert point.message.endswith(": broken")
