"""Levels that differ in their dispersion only: one electronic energy, computed and paid once."""

import pytest

from polyscape.levels.cost import predict, predict_climb
from polyscape.levels.ladder import _order, climb, stored
from polyscape.levels.method import alike
from polyscape.levels.store import Store
from polyscape.settings.levels import Level
from polyscape.stages.single_point import point_row
from polyscape.status import Status
from tests.unit.levels.test_relaxation import crystal

__all__ = ["crystal"]  # the fixture: acetylene on the inversion centres of P2_1/c

HYBRID = {"functional": "PBE0", "hybrid": "non_self_consistent"}


def level(name, functional="PBE", **settings):
    """A level of GPAW; of a hybrid functional on the orbitals of the level below."""
    gpaw = HYBRID if functional == "PBE0" else {"functional": functional}
    return Level(**({"name": name, "dispersion": "none", "gpaw": gpaw} | settings))


def emt(name, dispersion):
    """A toy potential with a dispersion correction."""
    functional = {"dispersion_functional": "PBE"} if dispersion != "none" else {}
    return Level(name=name, backend="ase:ase.calculators.emt.EMT", dispersion=dispersion, **functional)


PAIRS = [
    level("pbe-d3", dispersion="d3bj"),
    level("pbe0-d3", "PBE0", dispersion="d3bj"),
    level("pbe-d4", dispersion="d4"),
    level("pbe0-d4", "PBE0", dispersion="d4"),
]


def test_each_method_is_computed_once_beside_the_orbitals_that_it_stands_on():
    assert [alike(PAIRS, index) for index in range(4)] == [0, 1, 0, 1]
    assert _order(PAIRS, range(4)) == [0, 1]
    assert _order(PAIRS, [1, 3]) == [0, 1]  # the orbitals again
    between = [PAIRS[0], level("rpbe", "RPBE"), PAIRS[2], PAIRS[3]]
    assert _order(between, range(4)) == [
        0,
        3,
        1,
    ]  # the hybrid is not left to the orbitals of another functional
    assert _order(between, [1]) == [1]
    relaxed = [PAIRS[0], level("relaxed", relax="atoms"), PAIRS[2], level("pbe")]
    assert [alike(relaxed, index) for index in range(4)] == [
        0,
        1,
        2,
        2,
    ]  # the geometry is another from there on


def test_an_energy_is_computed_once_and_found_with_every_dispersion(crystal, tmp_path):
    ladder, store = [emt("d3", "d3bj"), emt("d4", "d4"), emt("bare", "none")], Store(tmp_path / "store")
    first, _ = climb(crystal, ladder, store, tmp_path)
    again, _ = climb(crystal, ladder, store, tmp_path)
    assert [rung.source for rung in first] == ["computed", "store", "store"]
    assert len(list((tmp_path / "store").rglob("*-crystal/*.json"))) == 1
    for rungs in (first, again):
        assert [rung.point.level for rung in rungs] == ["d3", "d4", "bare"]
        assert len({rung.point.energy_eV for rung in rungs}) == len({rung.store_key for rung in rungs}) == 1
        assert len({rung.dispersion_eV for rung in rungs}) == 3
        # what it took stands with the first
        assert ["core_s" in point_row("s", 2, rung) for rung in rungs] == [True, False, False]
    # D4 sums in any order where it has several threads
    assert [rung.dispersion_eV for rung in again] == pytest.approx(
        [r.dispersion_eV for r in first], abs=1e-10
    )
    (late,) = stored(crystal, ladder, [1], store)
    assert late.point.work is None


def test_a_failure_is_one_too(crystal, tmp_path):
    argon = crystal.copy()
    argon.numbers[0] = 18  # which EMT does not know
    low, high = climb(argon, [emt("d3", "d3bj"), emt("d4", "d4")], Store(tmp_path / "store"), tmp_path)[0]
    assert low.point.status is high.point.status is Status.SCF_FAILED
    assert low.point.message == high.point.message
    assert (high.point.work, high.store_key) == (None, None)


def test_a_second_dispersion_costs_next_to_nothing(crystal):
    dear = predict(crystal, PAIRS, 0).core_s
    assert predict(crystal, PAIRS, 2).core_s < 0.3 * dear
    pair = predict_climb(crystal, PAIRS[:2], "pbe0-d3").core_s
    assert predict_climb(crystal, PAIRS, "pbe0-d4").core_s == pytest.approx(pair + 2.0)


@pytest.mark.dft
def test_plane_waves_and_a_hybrid_on_them_are_computed_once(crystal, tmp_path):
    cheap = {"plane_wave_cutoff_eV": 300.0, "grid_spacing_A": 0.22, "k_spacing_per_A": 0.9}
    ladder = [
        own.model_copy(update={"gpaw": own.gpaw.model_copy(update=cheap)})
        for own in (PAIRS[0], PAIRS[2], PAIRS[3], PAIRS[1])  # the hybrid stands on the second of the two
    ]
    rungs, _ = climb(crystal, ladder, Store(tmp_path / "store"), tmp_path)
    assert [rung.point.status for rung in rungs] == [Status.OK] * 4
    assert [rung.source for rung in rungs] == ["computed", "store", "computed", "store"]
    assert rungs[0].point.energy_eV == rungs[1].point.energy_eV
    assert rungs[2].point.energy_eV == rungs[3].point.energy_eV != rungs[0].point.energy_eV
    assert rungs[2].point.work.scf_steps == 0  # on the orbitals that were there
