"""What a method's identity depends on."""

import pytest

from polyscape.levels.method import method_ids, start_of
from polyscape.settings.gpaw import GpawSettings
from polyscape.settings.levels import Level


def ladder(lower=None, upper=None, dispersion="d3bj"):
    return [
        Level(name="low", dispersion=dispersion, gpaw=GpawSettings(**(lower or {}))),
        Level(
            name="high",
            dispersion=dispersion,
            gpaw=GpawSettings(**({"functional": "PBE0", "hybrid": "non_self_consistent"} | (upper or {}))),
        ),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"functional": "RPBE"},
        {"plane_wave_cutoff_eV": 700.0},
        {"grid_spacing_A": 0.14},
        {"k_spacing_per_A": 0.5},
    ],
)
def test_a_change_of_the_lower_level_changes_both(change):
    old, new = method_ids(ladder()), method_ids(ladder(lower=change))
    assert old["low"] != new["low"]
    assert old["high"] != new["high"]


def test_a_change_of_the_upper_level_leaves_the_lower_one():
    old, new = method_ids(ladder()), method_ids(ladder(upper={"functional": "HSE06"}))
    assert old["low"] == new["low"]
    assert old["high"] != new["high"]


@pytest.mark.parametrize("idle", [{"plane_wave_cutoff_eV": 800.0}, {"k_spacing_per_A": 0.2}])
def test_what_a_level_takes_from_below_is_not_its_own(idle):
    assert method_ids(ladder()) == method_ids(ladder(upper=idle))


@pytest.mark.parametrize("change", [{"max_scf_steps": 7}, {"molecule_box_A": 14.0}])
def test_what_does_not_enter_a_crystal_energy_changes_nothing(change):
    assert method_ids(ladder()) == method_ids(ladder(lower=change))


def test_dispersion_and_names_are_not_part_of_a_method():
    assert method_ids(ladder()) == method_ids(ladder(dispersion="none"))
    assert start_of(ladder(), 1) == 0
    assert start_of(ladder(), 0) == 0
