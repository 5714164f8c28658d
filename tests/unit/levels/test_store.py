"""The store: exact and similar look-up, damage, writers at once and killed, what is exported."""

import hashlib
import json
import signal
import subprocess
import sys
from dataclasses import replace

import ase.io
import numpy as np
import pandas as pd
import pytest
from ase import Atoms

from polyscape.errors import InputError
from polyscape.levels.box import charge_of, in_box
from polyscape.levels.entry import Entry, More, geometry_hash
from polyscape.levels.method import hash_of, method_id, method_of
from polyscape.levels.protocol import Work
from polyscape.levels.sameness import same_packing
from polyscape.levels.store import METHOD_FILE, Store, read_method
from polyscape.schemas import STORE
from polyscape.settings.campaign import default_levels
from polyscape.stages.store_command import act
from polyscape.stages.store_import import bring_in
from polyscape.stages.stored_results import FORMATS, Choice, entry_files, export, table, verify
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


def test_molecules_are_found_but_for_rounding(store):
    molecule = Atoms("HF", [[0, 0, 0], [0, 0, 0.92]], cell=np.eye(3) * 8, pbc=False)
    store.put("m", molecule, -3.0, WORK)
    assert store.find("m", molecule).energy_eV == -3.0
    rounded = molecule.copy()
    rounded.positions += 6e-5  # rounds to another hash
    assert geometry_hash(rounded) != geometry_hash(molecule)
    assert store.find("m", rounded).energy_eV == -3.0
    stretched = molecule.copy()
    stretched.positions[1, 2] += 1e-3
    assert store.find("m", stretched) is None
    periodic = molecule.copy()
    periodic.pbc = True
    assert store.find("m", periodic) is None


def boxed(charge=0):
    return in_box(np.array([8, 1]), np.array([[0, 0, 0], [0, 0, 0.97]]), 8.0, charge)


def test_a_molecule_and_its_ions_are_never_one_another(store):
    charges = (0, -1, 1)
    for charge in charges:
        store.put("m", boxed(charge), -1.0 * charge, WORK)
    assert [store.find("m", boxed(charge)).energy_eV for charge in charges] == [0.0, 1.0, -1.0]
    assert len({store.key("m", boxed(charge)) for charge in charges}) == 3
    assert charge_of(store.find("m", boxed(-1)).atoms) == -1
    moved = boxed(-1)
    moved.positions += 6e-5  # rounds to another hash: found by its geometry, and by its charge
    assert geometry_hash(moved) != geometry_hash(boxed(-1))
    assert store.find("m", moved).energy_eV == 1.0


def test_keys_of_neutral_molecules_and_of_crystals_are_those_from_before_there_were_ions():
    assert geometry_hash(boxed()) == "7a592e4f4f0f364c94278a75fe1dbdca"
    crystal = boxed()
    crystal.pbc, crystal.info = True, {"charge": 3}  # somebody's note: a crystal is neutral
    assert geometry_hash(crystal) == "402e417ab36b4c815b157035971b8240"


def test_the_charge_of_an_ion_is_listed_and_exported(store, tmp_path, capsys):
    store.put("0" * 16, boxed(-1), -1.0, WORK)
    store.put("0" * 16, boxed(), -2.0, WORK)
    found, damaged = table(store.folder, Choice(formula="HO"))
    assert not damaged
    assert sorted(found.charge) == [-1, 0]
    assert act("list", store.folder, Choice()) == 0
    listed = capsys.readouterr().out
    assert "HO (-1)" in listed
    assert "HO (mol)" in listed
    export(found, tmp_path / "ions.extxyz")
    assert sorted(atoms.info["charge"] for atoms in ase.io.read(tmp_path / "ions.extxyz", ":")) == [-1, 0]


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


WRITER = """
import sys
from pathlib import Path
from ase import Atoms
from polyscape.levels.protocol import Work
from polyscape.levels.store import Store
store, first = Store(Path(sys.argv[1])), int(sys.argv[2])
for number in range(first, first + 100000):
    atoms = Atoms("HF", [[0, 0, 0], [0, 0, 0.9 + 1e-3 * number]], cell=[8, 8, 8], pbc=False)
    store.put("0" * 16, atoms, -float(number), Work(1.0, 1.0, 1, 1.0, 1, 1, 1))
    print(number, flush=True)
"""


def test_two_processes_killed_while_they_write_leave_sound_entries_and_all_that_they_had_said(tmp_path):
    """Both write the same entries, are killed in the middle again and again, and go on."""
    store, said = tmp_path / "store", set()
    for attempt in range(4):
        first = max(said, default=-1) + 1
        words = [sys.executable, "-c", WRITER, str(store), str(first)]
        writers = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        for writer in writers:
            assert writer.stdout is not None
            said |= {int(writer.stdout.readline()) for _ in range(5 + 3 * attempt)}
            writer.kill()
        for writer in writers:
            with writer:
                said |= {int(line) for line in writer.stdout if line.endswith("\n")}
            assert writer.returncode == -signal.SIGKILL
    verdict = verify(store, Choice())
    assert verdict.damaged == ()
    kept = {-entry.energy_eV for entry in map(Entry.read, entry_files(store, Choice()))}
    assert kept >= said
    assert len(said) > 20
    for path in verdict.left_over:  # what a kill may leave: a temporary file, seen by no look-up
        assert path.name.startswith(".")


def test_of_far_volumes_no_look_up_reads_a_byte(store, crystal):
    store.put("m", crystal, -1.0, WORK)
    (entry,) = store.folder.rglob("*.json")
    for number in range(100):  # junk: reading it would set it aside, with a warning
        volume = crystal.get_volume() * (1.01 + 0.001 * number)
        (entry.parent / f"{volume:.2f}-{number:032x}.json").write_text("junk")
    moved = crystal.copy()
    moved.positions += [0.3, 0.2, 0.1]
    assert store.find("m", moved) is not None
    assert len(list(entry.parent.glob("*.json"))) == 101


def test_what_a_method_is_stands_beside_its_results(store, crystal):
    levels = default_levels()
    store.describe(method_of(levels, 1))
    store.put(method_id(levels, 1), crystal, -1.0, WORK)
    folder = store.folder / method_id(levels, 1)
    assert read_method(folder) == method_of(levels, 1)
    assert verify(store.folder, Choice()).damaged == ()
    (folder / METHOD_FILE).write_text('{"functional": "another"}')
    assert read_method(folder) is None
    assert verify(store.folder, Choice()).damaged == ((folder / METHOD_FILE, "does not fit the method's id"),)


def test_a_relaxed_geometry_and_details_come_back(store, crystal):
    relaxed = crystal.copy()
    relaxed.positions += 0.01
    store.put("m", crystal, -1.0, WORK, more=More(relaxed, {"steps": 7}))
    more = store.find("m", crystal).more
    assert np.array_equal(more.relaxed.positions, relaxed.positions)
    assert more.details == {"steps": 7}


def test_an_entry_of_before_machines_were_kept_is_read(store, crystal):
    entry = store.put("m", crystal, -1.0, WORK)
    (path,) = store.folder.rglob("*.json")
    body = json.loads(path.read_text())["body"]
    del body["work"]["machine"], body["amd_A"]
    checksum = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps({"checksum": checksum, "body": body}))
    found = store.find("m", crystal)
    assert (found.work.machine, found.amd_k) == ("", entry.amd_k)


@pytest.mark.parametrize("suffix", FORMATS)
def test_exports_hold_energies_geometries_and_provenance(store, crystal, tmp_path, suffix):
    store.put("0" * 16, crystal, -12.25, WORK)
    store.put("1" * 16, crystal, -9.0, WORK)
    results, damaged = table(store.folder, Choice(method="00", formula="C8H8O16"))
    assert (len(results), damaged) == (1, ())
    path = tmp_path / f"out{suffix}"
    export(results, path)
    if suffix == ".parquet":
        row = STORE.read(path).iloc[0]
        assert (row.electronic_energy_eV, row.core_s, row.machine) == (-12.25, 11.0, WORK.machine)
        return
    atoms = ase.io.read(path)
    assert np.allclose(atoms.get_volume(), crystal.get_volume(), rtol=1e-6)
    shift_ac = atoms.get_scaled_positions() - crystal.get_scaled_positions()
    assert np.abs(shift_ac - shift_ac.round()).max() < 1e-6
    assert "-12.25" in path.read_text()


def test_an_unknown_format_or_store_is_refused(store, tmp_path):
    with pytest.raises(InputError, match="suffix"):
        export(STORE.from_rows([]), tmp_path / "out.pdf")
    with pytest.raises(InputError, match="--store"):
        table(store.folder, Choice())


def test_formulas_and_methods_choose(store, crystal):
    store.put("0" * 16, crystal, -1.0, WORK)
    assert [len(table(store.folder, choice)[0]) for choice in (Choice(), Choice("1"), Choice("", "HF"))] == [
        1,
        0,
        0,
    ]


def test_what_one_store_exports_another_takes_in(store, crystal, tmp_path):
    method = method_of(default_levels(), 0)
    known = hash_of(method)
    store.describe(method)
    store.put(known, crystal, -12.25, WORK, "remedy")
    ion = Atoms("HO", [[3.0, 3, 3], [3, 3, 4]], cell=np.eye(3) * 7, info={"charge": -1})
    store.put("a" * 16, ion, -2.0, replace(WORK, machine="another"))
    store.put("b" * 16, crystal, -3.0, WORK, more=More(crystal, {"relaxation": {}}))
    file, other = tmp_path / "exported.parquet", Store(tmp_path / "other")
    export(table(store.folder, Choice())[0], file)
    assert bring_in(file, other) == {"added": 2, "before": 0, "relaxed": 1}
    for name, atoms in ((known, crystal), ("a" * 16, ion)):
        assert other.find(name, atoms) == store.find(name, atoms)
    assert read_method(other.folder / known) == method
    assert bring_in(file, other) == {"added": 0, "before": 2, "relaxed": 1}


def test_a_table_that_was_changed_is_not_taken_in(store, crystal, tmp_path):
    store.put("a" * 16, crystal, -12.25, WORK)
    results = table(store.folder, Choice())[0]
    results.at[0, "position_A"] = results.position_A[0] + 0.1
    file = tmp_path / "changed.parquet"
    export(results, file)
    with pytest.raises(InputError, match="store_key"):
        bring_in(file, Store(tmp_path / "other"))
    with pytest.raises(InputError, match="no such table"):
        bring_in(tmp_path / "missing.parquet", Store(tmp_path / "other"))


def test_what_others_put_into_a_folder_is_no_entry(store, crystal):
    store.put("m", crystal, -1.0, WORK)
    (path,) = store.folder.rglob("*.json")
    for name in ("my-notes.json", f"._{path.name}"):
        (path.parent / name).write_text("{}")
    shifted = crystal.copy()
    shifted.positions[0, 0] += 1e-3
    assert store.find("m", shifted).energy_eV == -1.0
    assert (path.parent / "my-notes.json").exists()


def test_an_entry_of_a_version_that_tells_more_of_the_work_is_read(store, crystal):
    store.put("m", crystal, -1.0, WORK)
    (path,) = store.folder.rglob("*.json")
    body = json.loads(path.read_text())["body"]
    body["work"]["energy_kWh"] = 0.1
    checksum = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps({"checksum": checksum, "body": body}))
    assert store.find("m", crystal).work == WORK


def test_a_result_below_another_method_is_damaged_and_not_sound(store, crystal):
    store.put("0" * 16, crystal, -1.0, WORK)
    (store.folder / ("0" * 16)).rename(store.folder / ("1" * 16))
    verdict = verify(store.folder, Choice())
    assert (verdict.sound, [reason for _, reason in verdict.damaged]) == (
        0,
        ["its method is not that of its folder"],
    )


def test_a_file_that_is_no_table_of_results_is_refused_in_one_line(tmp_path):
    file = tmp_path / "other.parquet"
    pd.DataFrame({"a": [1]}).to_parquet(file)
    for _ in range(2):
        with pytest.raises(InputError, match="no such table"):
            bring_in(file, Store(tmp_path / "store"))
        file.write_text("cut off")


def test_results_in_the_folder_of_another_method_are_passed_over(store, crystal):
    store.put("one method", crystal, -12.25, WORK)
    (store.folder / "one method").rename(store.folder / "another method")
    with pytest.warns(UserWarning, match="of another method"):
        assert store.find("another method", crystal) is None
