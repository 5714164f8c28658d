"""Ladders that cannot be climbed are refused before any work."""

import subprocess
import sys

import pytest

from polyscape.errors import InputError
from polyscape.levels.check import check_elements, check_levels
from polyscape.settings import parse_settings


def settings(levels=None, component=None):
    data = {"campaign": "x", "molecule": {"components": [{"name": "a", "smiles": "C"} | (component or {})]}}
    if levels is not None:
        data["levels"] = levels
    return parse_settings(data, "c.yaml")


HYBRID = {"name": "high", "gpaw": {"functional": "PBE0", "hybrid": "non_self_consistent"}}


def test_the_default_ladder_passes():
    check_levels(settings(), "c.yaml")
    check_elements(settings().levels, [1, 6, 7, 8, 16, 17], "c.yaml")


@pytest.mark.parametrize("functional", ["r2SCAN", "TPSS", "MGGA_X_SCAN+MGGA_C_SCAN"])
def test_meta_ggas_pass(functional):
    level = {"name": "a", "dispersion": "d4", "gpaw": {"functional": functional}}
    if "+" in functional:
        level["dispersion_functional"] = "scan"
    check_levels(settings([level]), "c.yaml")


def test_checking_imports_no_dft_program():
    code = "import sys, polyscape.levels.check; print('gpaw' in sys.modules or 'pyscf' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("levels", "key", "problem"),
    [
        ([{"name": "a", "gpaw": {"functional": "PEB"}}], "levels[0].gpaw.functional", "no functional"),
        (
            [{"name": "a", "gpaw": {"functional": "GGA_X_NONE+GGA_C_PBE"}}],
            "levels[0].gpaw.functional",
            "no func",
        ),
        ([{"name": "a", "gpaw": {"functional": "PBE0"}}], "levels[0].gpaw.functional", "is a hybrid"),
        (
            [{"name": "a"}, {"name": "b", "gpaw": {"functional": "PBE", "hybrid": "non_self_consistent"}}],
            "levels[1].gpaw.functional",
            "no hybrid",
        ),
        (
            [{"name": "a", "gpaw": {"plane_wave_cutoff_eV": 800}}],
            "levels[0].gpaw.grid_spacing_A",
            "too coarse for plane waves of 800 eV",
        ),
        (
            [{"name": "a", "gpaw": {"functional": "PBE0", "hybrid": "self_consistent"}}, HYBRID],
            "levels[1].gpaw.hybrid",
            "orbitals of a self-consistent hybrid",
        ),
        (
            [{"name": "a", "relax": "atoms", "gpaw": {"functional": "PBE0", "hybrid": "self_consistent"}}],
            "levels[0].relax",
            "no forces",
        ),
        (
            [{"name": "a", "dispersion": "none", "gpaw": {"functional": "MGGA_X_BR89+MGGA_C_TPSS"}}],
            "levels[0].gpaw.functional",
            "needs the density's Laplacian",
        ),
        (
            [{"name": "a", "dispersion": "none", "gpaw": {"functional": "MGGA_XC_B97M_V"}}],
            "levels[0].gpaw.functional",
            "nonlocal correlation",
        ),
        (
            [{"name": "a", "dispersion": "none", "gpaw": {"functional": "MGGA_X_MBEEF+GGA_C_PBE_SOL"}}],
            "levels[0].gpaw.functional",
            "a meta-GGA and a GGA in one",
        ),
        (
            [{"name": "a", "gpaw": {"functional": "r2SCAN"}}, HYBRID],
            "levels[1].gpaw.hybrid",
            "orbitals of a meta-GGA",
        ),
        ([{"name": "a", "gpaw": {"functional": "LDA"}}], "levels[0].gpaw.functional", "no parameters"),
        (
            [{"name": "a", "dispersion_functional": "nothing"}],
            "levels[0].dispersion_functional",
            "no parameters",
        ),
    ],
)
def test_an_impossible_level_is_named(levels, key, problem):
    with pytest.raises(InputError, match=problem) as caught:
        check_levels(settings(levels), "c.yaml")
    assert caught.value.key == key


def test_libxc_names_without_dispersion_pass():
    check_levels(
        settings([{"name": "a", "dispersion": "none", "gpaw": {"functional": "GGA_X_PBE+GGA_C_PBE"}}]), "c"
    )


def test_an_element_without_setup_is_named():
    with pytest.raises(InputError, match="no PAW setup"):
        check_elements(settings([{"name": "pbe"}, HYBRID]).levels, [6, 95], "c.yaml")


def test_an_ion_passes_where_its_charge_can_be_told():
    emt = {"name": "e", "backend": "ase:ase.calculators.emt.EMT"}
    cation = {"smiles": "[NH4+]", "charge": 1}
    check_levels(settings([{"name": "a"}, HYBRID, {"name": "t", "backend": "tblite"}], cation), "c.yaml")
    check_levels(settings([emt]), "c.yaml")
    for way in ("info", "initial_charges"):
        check_levels(settings([emt | {"ase": {"ion_charge": way}}], cation), "c.yaml")
    with pytest.raises(InputError, match=r"isolated ion a.*write info or initial_charges") as caught:
        check_levels(settings([{"name": "t", "backend": "tblite"}, emt], cation), "c.yaml")
    assert caught.value.key == "levels[1].ase.ion_charge"


@pytest.mark.parametrize(
    "name",
    [
        "GGA_X_PBE+HYB_GGA_XC_PBEH",  # without exact exchange it would be another functional, silently
        "GGA_X_PBE",
        "GGA_K_TFVW",
        "LDA_X_2D+LDA_C_PW",
        "GGA_X_PBE+GGA_C_PBE+GGA_C_PBE",
    ],
)
def test_only_exchange_with_correlation_passes_as_libxc(name):
    levels = [{"name": "a", "dispersion": "none", "gpaw": {"functional": name}}]
    with pytest.raises(InputError, match="no functional"):
        check_levels(settings(levels), "c")
