"""Which pairs of k-points have one exchange energy."""

from types import SimpleNamespace

import numpy as np
import pytest

from polyscape.levels.exchange import classes_of_pairs
from polyscape.levels.sampling import Operations, distinct_pairs

IDENTITY = np.eye(3, dtype=int)
SCREW = np.diag([-1, 1, -1])
THREEFOLD = np.array([[0, -1, 0], [1, -1, 0], [0, 0, 1]])
GROUPS = {
    "1": [IDENTITY],
    "-1": [IDENTITY, -IDENTITY],
    "2/m": [IDENTITY, -IDENTITY, SCREW, -SCREW],
    "222": [IDENTITY, SCREW, np.diag([1, -1, -1]), np.diag([-1, -1, 1])],
    "3": [IDENTITY, THREEFOLD, THREEFOLD @ THREEFOLD],
}


def mesh(size):
    """A Monkhorst-Pack mesh, centred on Gamma where the number of points is odd."""
    axes = [(2 * np.arange(n) - n + 1) / (2 * n) for n in size]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def zone(rotations, kpt_Kc):
    """The mesh as GPAW gives it, and its irreducible points by the group and time reversal, with weights."""
    seen, own, count = {}, [], []
    for kpt_c in kpt_Kc:
        images = {tuple(np.round(sign * U @ kpt_c % 1.0, 6) % 1.0) for U in rotations for sign in (1, -1)}
        known = next((seen[image] for image in images if image in seen), None)
        if known is None:
            known = len(own)
            own.append(kpt_c)
            count.append(0)
            seen |= dict.fromkeys(images, known)
        count[known] += 1
    symmetries = SimpleNamespace(rotation_scc=np.array(rotations))
    return SimpleNamespace(bz=SimpleNamespace(kpt_Kc=kpt_Kc), symmetries=symmetries), own, np.array(count)


def energy(rotations, first_c, second_c):
    """A number that is the same for all images of a pair, and different for others."""
    difference_gc = np.array([U @ (first_c - second_c) for U in rotations])
    total_gc = np.array([U @ (first_c + second_c) for U in rotations])
    weight_c = np.array([1.0, 0.31, 0.17])
    return float(
        np.cos(2 * np.pi * difference_gc).dot(weight_c).sum()
        + 0.3 * np.cos(2 * np.pi * total_gc).dot(weight_c).prod()
    )


@pytest.mark.parametrize("name", GROUPS)
@pytest.mark.parametrize("size", [(1, 1, 1), (2, 1, 1), (2, 2, 2), (3, 3, 2), (4, 4, 1)])
def test_one_pair_of_a_class_stands_for_all(name, size):
    rotations, kpt_Kc = GROUPS[name], mesh(size)
    ibz, own_kc, weight_k = zone(rotations, kpt_Kc)
    class_Kk = classes_of_pairs(ibz, own_kc)
    assert len(class_Kk) == len(kpt_Kc) * len(own_kc)
    energies = {}
    for (K, k), found in class_Kk.items():
        energies.setdefault(found, []).append(energy(rotations, kpt_Kc[K], own_kc[k]))
    for found, values in energies.items():
        K, other = found
        assert values == pytest.approx([energy(rotations, kpt_Kc[K], kpt_Kc[other])] * len(values), abs=1e-9)
    pairs = np.array([[energy(rotations, one, other) for other in kpt_Kc] for one in kpt_Kc])
    total = sum(weight_k[k] * energies[found][0] for (_, k), found in class_Kk.items())
    assert total == pytest.approx(pairs.sum(), abs=1e-8 * len(kpt_Kc) ** 2)


@pytest.mark.parametrize("name", ["1", "-1", "2/m", "222"])  # a threefold axis leaves these meshes
@pytest.mark.parametrize("size", [(1, 1, 1), (2, 1, 1), (2, 2, 2), (3, 3, 2), (4, 4, 1)])
def test_prices_count_the_pairs_that_are_computed(name, size):
    rotations, kpt_Kc = GROUPS[name], mesh(size)
    ibz, own_kc, _ = zone(rotations, kpt_Kc)
    pairs = [(kpt_Kc[one], kpt_Kc[other]) for one, other in set(classes_of_pairs(ibz, own_kc).values())]
    halves = sum(
        any(np.allclose((first_c + sign * second_c + 0.5) % 1.0, 0.5) for sign in (1, -1))
        for first_c, second_c in pairs
    )
    counted = distinct_pairs(Operations(np.array(rotations), np.zeros((len(rotations), 3))), size)
    assert counted == pytest.approx(len(pairs) - 0.5 * halves)


def test_both_orders_and_time_reversal_leave_a_quarter_without_symmetry():
    """Of 64 pairs those of a k-point with itself and with its opposite are their own images."""
    kpt_Kc = mesh((2, 2, 2))
    ibz, own_kc, _ = zone(GROUPS["1"], kpt_Kc)
    assert len(own_kc) == 4
    assert len(set(classes_of_pairs(ibz, own_kc).values())) == 20  # 8 + 8 by twos, 48 by fours


def test_operations_that_leave_the_mesh_do_not_count():
    kpt_Kc = mesh((2, 1, 1))
    swap = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    plain, own_kc, _ = zone(GROUPS["1"], kpt_Kc)
    ibz = SimpleNamespace(bz=plain.bz, symmetries=SimpleNamespace(rotation_scc=np.array([IDENTITY, swap])))
    assert classes_of_pairs(ibz, own_kc) == classes_of_pairs(plain, own_kc)
