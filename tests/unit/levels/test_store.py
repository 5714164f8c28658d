"""The store: exact and similar look-up, damage, concurrent writers."""

import multiprocessing
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms

from polyscape.levels.entry import geometry_hash
from polyscape.levels.protocol import Work
from polyscape.levels.sameness import same_packing
from polyscape.levels.store import Store
from tests.builders import conformers, oxalic_packing

WORK = Work(
    wall_s=12.5, core_s=11.0, cores=2, peak_memory_MB=300.0, scf_steps=11, plane_waves=4000, k_points=2
)


@pytest.fixture
def crystal():
    return replace(oxalic_packing(), cell=(10.5, 9.8, 10.2, 90.0, 104.0, 90.0)).to_atoms(conformers())


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def test_what_was_put_is_found_with_its_work(store, crystal):
    assert store.find("m", crystal) is None
    put = store.put("m", crystal, -12.25, WORK, "remedy")
    found = store.find("m", crystal)
    assert (found.key, found.energy_eV, found.work, found.message) == (put.key, -12.25, WORK, "remedy")
    assert store.find("another method", crystal) is None


def test_hash_ignores_order_lattice_translations_and_rounding(crystal):
    other = crystal[np.random.default_rng(0).permutation(len(crystal))]
    other.positions += np.asarray(crystal.cell)[1]
    other.positions += 1e-9
    assert geometry_hash(other) == geometry_hash(crystal)
    other.positions[0] += 0.01
    assert geometry_hash(other) != geometry_hash(crystal)


def test_similar_packing_gives_the_energy_at_the_stored_geometry(store, crystal):
    store.put("m", crystal, -1.0, WORK)
    near = crystal.copy()
    near.set_cell(near.cell * 1.0004, scale_atoms=True)
    near.positions += [0.3, 0.2, 0.1]  # another origin is the same packing
    found = store.find("m", near)
    assert found is not None
    assert np.allclose(found.atoms.positions, crystal.positions)


@pytest.mark.parametrize("change", ["volume", "hydrogen", "far"])
def test_another_packing_is_not_found(store, crystal, change):
    store.put("m", crystal, -1.0, WORK)
    other = crystal.copy()
    if change == "volume":
        other.set_cell(other.cell * 1.003, scale_atoms=True)  # 0.9 % in volume
    elif change == "hydrogen":
        other.positions[3] += [0.0, 0.0, 0.4]
    else:
        other.positions[: len(other) // 4] += 0.15
    assert store.find("m", other) is None


def test_overlay_counts_mirror_images_as_the_same(crystal):
    mirrored = crystal.copy()
    mirrored.set_cell(np.asarray(crystal.cell) * [1, 1, -1])
    mirrored.positions = crystal.positions * [1, 1, -1]
    assert same_packing(crystal, mirrored)


def test_fused_molecules_are_never_the_same(crystal):
    fused = crystal.copy()
    fused.set_cell(fused.cell * 0.6, scale_atoms=True)
    assert not same_packing(fused, fused)


def test_molecules_are_found_by_exact_hash_only(store):
    molecule = Atoms("HF", [[0, 0, 0], [0, 0, 0.92]], cell=np.eye(3) * 8, pbc=False)
    store.put("m", molecule, -3.0, WORK)
    assert store.find("m", molecule).energy_eV == -3.0
    periodic = molecule.copy()
    periodic.pbc = True
    assert store.find("m", periodic) is None


@pytest.mark.parametrize(
    "damage", [lambda text: text[: len(text) // 2], lambda text: text.replace("-1.0", "-1.5")]
)
def test_a_damaged_entry_is_set_aside_and_reported(store, crystal, damage):
    store.put("m", crystal, -1.0, WORK)
    (path,) = store.folder.rglob("*.json")
    path.write_text(damage(path.read_text()))
    with pytest.warns(UserWarning, match="damaged"):
        assert store.find("m", crystal) is None
    assert not path.exists()
    assert path.with_suffix(".damaged").exists()
    store.put("m", crystal, -1.0, WORK)
    assert store.find("m", crystal).energy_eV == -1.0


def _write_often(store, crystal):
    for _ in range(30):
        store.put("m", crystal, -1.0, WORK)


def test_two_writers_of_one_key_leave_one_sound_entry(store, crystal):
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write_often, args=(store, crystal)) for _ in range(2)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        found = store.find("m", crystal)
        assert found is None or found.energy_eV == -1.0
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert len(list(store.folder.rglob("*"))) == 3  # method, formula, entry: no temporary file is left
