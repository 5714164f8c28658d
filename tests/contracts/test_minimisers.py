"""What every minimiser must hold, whatever its energy model."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from polyscape.crystal.packing import Packing
from polyscape.energy.rigid import build_lattice_energy, build_minimiser
from polyscape.settings.search import EnergySettings, MinimiserSettings
from polyscape.status import Status
from tests.physics.energy_cases import CONFORMERS, PACKINGS, expand_to_p1, pose

ENERGIES = {"fit + charges": EnergySettings()}


@pytest.fixture(params=ENERGIES)
def energy(request):
    return ENERGIES[request.param]


@pytest.fixture
def minimiser(energy):
    return build_minimiser(CONFORMERS, energy, MinimiserSettings())


@pytest.mark.parametrize("name", PACKINGS)
def test_a_minimum_has_no_gradient_and_lies_below_the_start(minimiser, energy, name):
    start = PACKINGS[name]
    model = build_lattice_energy(CONFORMERS, energy)
    end = minimiser.minimise(start)
    assert end.status == Status.OK
    terms, gradient = model.evaluate(end.packing)
    assert terms.total == pytest.approx(end.terms.total, abs=1e-5)  # the cell is rebuilt from its parameters
    assert terms.total < model.evaluate(start)[0].total
    assert end.gradient_norm < 1e-3
    for part in (gradient.strain_vv / 5.0, gradient.centre_mv, gradient.rotation_mv):
        assert np.abs(part).max() < 5e-3  # 1e-3 in scaled variables, levers up to 3 A


@pytest.mark.parametrize("name", PACKINGS)
def test_a_second_start_from_the_end_stays(energy, name):
    end = build_minimiser(CONFORMERS, energy, MinimiserSettings()).minimise(PACKINGS[name])
    tight = MinimiserSettings(gradient_tolerance_kJ_per_mol_A=1e-5)
    again = build_minimiser(CONFORMERS, energy, tight).minimise(end.packing)
    assert again.steps > 0
    assert abs(again.terms.total - end.terms.total) < 1e-3


def test_symmetry_and_orientation_are_kept(minimiser):
    end = minimiser.minimise(PACKINGS["monoclinic"])
    assert end.packing.hall_symbol == "-P 2ybc"
    assert end.packing.cell[3] == 90.0
    assert end.packing.cell[5] == 90.0
    for moved in end.packing.poses:
        assert all(0.0 <= value < 1.0 for value in moved.translation_c)
        assert np.linalg.norm(moved.quaternion) == pytest.approx(1.0, abs=1e-12)


def test_the_gradient_vanishes_in_p1_too(minimiser, energy):
    # forces at a symmetric minimum are symmetric: none is left when the symmetry is let go
    end = minimiser.minimise(PACKINGS["monoclinic"])
    free = build_minimiser(CONFORMERS, energy, MinimiserSettings(gradient_tolerance_kJ_per_mol_A=0.01))
    again = free.minimise(expand_to_p1(end.packing))
    assert again.status == Status.OK
    assert again.terms.total == pytest.approx(end.terms.total, abs=1e-3)


def test_threads_share_a_minimiser_and_change_no_bit(minimiser):
    starts = [PACKINGS["monoclinic"]] * 3 + [PACKINGS["rhombohedral"]] * 3
    alone = [minimiser.minimise(start) for start in starts]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(minimiser.minimise, starts))
    assert together == alone
    assert alone[0] == alone[2]


def test_a_starting_overlap_is_pushed_apart(minimiser):
    start = Packing("-P 2ybc", (3.6, 4.1, 4.4, 90.0, 103.0, 90.0), (pose((0.2, 0.3, 0.4), (20, 50, 70)),))
    end = minimiser.minimise(start)
    assert end.status == Status.OK
    assert end.packing.volume_A3 > 200.0


def test_coinciding_molecules_have_collapsed(minimiser):
    same = pose((0.3, 0.3, 0.3), (20, 50, 70))
    end = minimiser.minimise(Packing("P 1", (9.0, 9.0, 9.0, 90.0, 90.0, 90.0), (same, same)))
    assert end.status == Status.COLLAPSED
    assert end.terms is None


@pytest.mark.parametrize("cell", [(900.0, 0.01, 0.01), (0.05, 0.05, 0.05), (1e4, 1e4, 1e4)])
def test_absurd_cells_end_quickly_with_a_status(minimiser, cell):
    end = minimiser.minimise(Packing("P 1", (*cell, 90.0, 90.0, 90.0), (pose((0.1, 0.2, 0.3), (5, 6, 7)),)))
    assert end.status in {Status.ESCAPED, Status.STALLED, Status.COLLAPSED}
    assert end.terms is None
    assert np.isfinite(end.gradient_norm)


def test_the_step_limit_is_kept(energy):
    few = build_minimiser(CONFORMERS, energy, MinimiserSettings(max_steps=4))
    end = few.minimise(PACKINGS["monoclinic"])
    assert end.status == Status.STEP_LIMIT
    assert end.steps == 4


def test_intramolecular_energies_count_per_formula_unit(energy):
    strained = {key: replace(value, intramolecular_kJ_per_mol=18.0) for key, value in CONFORMERS.items()}
    start = PACKINGS["two molecules, triclinic"]
    plain, _ = build_lattice_energy(CONFORMERS, energy).evaluate(start)
    terms, _ = build_lattice_energy(strained, energy).evaluate(start)
    assert terms.total - plain.total == pytest.approx(18.0, abs=1e-10)


def test_a_crystal_of_another_composition_is_refused(energy):
    model = build_lattice_energy(
        CONFORMERS | {(1, "guest"): replace(CONFORMERS[0, "rigid"], component=1)}, energy
    )
    with pytest.raises(ValueError, match="formula unit"):
        model.evaluate(PACKINGS["monoclinic"])
