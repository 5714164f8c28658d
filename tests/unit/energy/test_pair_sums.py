import numpy as np
import pytest

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Packing, Pose
from polyscape.energy.model import build_model
from polyscape.energy.pair_sums import by_elements, pair_sums
from polyscape.settings.search import EnergySettings
from tests.builders import conformers, oxalic_packing


def _model(**settings):
    return build_model(conformers(), EnergySettings(**settings))


def test_the_pairs_add_up_to_the_terms_of_the_lattice_energy():
    """Repulsion has died out at 15 A; dispersion beyond 40 A falls with the cube: (12/40)^3 of 0.9 kJ/mol."""
    model, packing = _model(), oxalic_packing()
    terms, _ = model.evaluate(packing)
    sums = np.array(list(pair_sums(model, packing, cutoff_A=40.0).values()))
    assert sums[:, 0].sum() == pytest.approx(terms.repulsion, rel=1e-6)
    assert sums[:, 1].sum() == pytest.approx(terms.dispersion, abs=0.05)
    assert abs(terms.dispersion) > 10.0


def test_every_pair_of_kinds_has_its_place_in_order():
    sums = pair_sums(_model(), oxalic_packing())
    kinds = ["C(C,O,O)", "H(O)", "O(C)", "O(C,H)"]
    assert list(sums) == [(one, other) for one in kinds for other in kinds if one <= other]
    assert all(repulsion > 0 and dispersion < 0 for repulsion, dispersion in sums.values())


def test_pairs_of_elements_are_those_of_their_kinds_together():
    sums = pair_sums(_model(), oxalic_packing())
    found = by_elements(sums)
    assert list(found) == [("C", "C"), ("C", "H"), ("C", "O"), ("H", "H"), ("H", "O"), ("O", "O")]
    np.testing.assert_allclose(sum(map(np.array, found.values())), sum(map(np.array, sums.values())))
    oxygens = [values for (one, other), values in sums.items() if one[0] == other[0] == "O"]
    np.testing.assert_allclose(found["O", "O"], np.sum(oxygens, axis=0))


def test_a_crystal_written_without_its_symmetry_has_the_same_sums():
    packing = oxalic_packing()
    group = SpaceGroup.from_hall(packing.hall_symbol)
    to_cell, from_cell = packing.cell_cv.T, np.linalg.inv(packing.cell_cv.T)
    poses = tuple(
        Pose.of(
            to_cell @ rotation_cc @ from_cell @ pose.rotation_vv(),
            rotation_cc @ np.asarray(pose.translation_c) + shift_c,
            (pose.component, pose.conformer),
        )
        for pose in packing.poses
        for rotation_cc, shift_c in group.operations
    )
    here, there = pair_sums(_model(), packing), pair_sums(_model(), Packing("P 1", packing.cell, poses))
    assert len(poses) > 1
    for pair, values in here.items():
        assert there[pair] == pytest.approx(values, rel=1e-9)


def test_a_molecule_does_not_interact_with_itself():
    """In a huge cell nothing is within the cutoff."""
    far = Packing("P 1", (60.0, 60.0, 60.0, 90.0, 90.0, 90.0), (oxalic_packing().poses[0],))
    assert all(values == (0.0, 0.0) for values in pair_sums(_model(), far).values())
