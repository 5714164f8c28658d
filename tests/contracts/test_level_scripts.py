"""The scripts of single points on a small crystal: store, restart after a kill, ranks of MPI, ledger."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from polyscape.schemas import LANDSCAPE, LEDGER, POINTS, SELECTION
from polyscape.stages.registry import STAGES
from polyscape.stages.rows import reduced_values
from polyscape.status import Status

pytestmark = pytest.mark.dft

ROOT = Path(__file__).parents[2]
GPAW = {"plane_wave_cutoff_eV": 300, "grid_spacing_A": 0.22, "k_spacing_per_A": 0.9}
LEVELS = [
    {"name": "low", "gpaw": GPAW},
    {"name": "high", "gpaw": GPAW | {"functional": "PBE0", "hybrid": "non_self_consistent"}},
]
COMPONENTS = [{"name": "acetylene", "smiles": "C#C"}]


def acetylene():
    """Acetylene on the inversion centres of P2_1/c."""
    molecule = Atoms("C2H2", [[0.6, 0, 0], [-0.6, 0, 0], [1.66, 0, 0], [-1.66, 0, 0]])
    molecule.rotate(40, (0.3, 1, 0.5))
    cell_cv = np.array([[4.4, 0, 0], [0, 5.0, 0], [-1.0, 0, 4.9]])
    first_ac = molecule.positions @ np.linalg.inv(cell_cv)
    second_ac = first_ac * [-1, 1, -1] + [0, 0.5, 0.5]
    return Atoms("C2H2C2H2", np.vstack([first_ac, second_ac]) @ cell_cv, cell=cell_cv, pbc=True)


@pytest.fixture
def campaign(tmp_path):
    """A landscape of one structure and a selection of one slot for it and an empty one."""
    energies = {"lattice_energy_kJ_per_mol": -20.0, "relative_energy_kJ_per_mol": 0.0}
    structure = {
        "structure_id": "014-0000001",
        "origin": "search",
        "space_group": 14,
        "hall_symbol": "-P 2ybc",
    }
    row = structure | energies | {"density_g_per_cm3": 0.8, "hits": 1} | reduced_values(acetylene(), 2)
    LANDSCAPE.write(LANDSCAPE.from_rows([row]), tmp_path / "landscape.parquet")
    slots = [
        {"round": 0, "slot": 0, "structure_id": "014-0000001", "level": "high", "reason": "test"},
        {"round": 0, "slot": 1, "reason": "nothing left"},
    ]
    SELECTION.write(SELECTION.from_rows(slots), tmp_path / "selection.parquet")
    POINTS.write(
        POINTS.from_rows([]), tmp_path / "molecules.parquet"
    )  # nothing to count lattice energies from
    return tmp_path


def command(script, campaign, *options):
    stage, values = STAGES[script], {"molecule.components": COMPONENTS, "levels": LEVELS}
    read = {key: values[key] for key in stage.keys}
    settings = json.dumps({"stage": script, "version": stage.version, "settings": read})
    molecules = ["--molecules", str(campaign / "molecules.parquet")] if "molecule.components" in read else []
    return [
        sys.executable,
        str(ROOT / f"scripts/{script}.py"),
        "--settings",
        settings,
        *options,
        *("--landscape", str(campaign / "landscape.parquet")),
        *molecules,
    ]


def slot(campaign, number, output, store="store"):
    files = {"selection": "selection.parquet", "store": store, "scratch": "scratch", "output": output}
    options = [text for name, file in files.items() for text in (f"--{name}", str(campaign / file))]
    return command("single_point", campaign, "--slot", str(number), *options)


def run(words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_a_killed_slot_goes_on_from_the_store_and_every_table_adds_up(campaign):
    output = campaign / "points/slot000.parquet"
    words = slot(campaign, 0, "points/slot000.parquet")
    killed = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    while not list(
        campaign.glob("store/*/*-crystal/*.json")
    ):  # the first level is kept as soon as it is there
        assert killed.poll() is None
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert not output.exists()

    run(words)
    points = POINTS.read(output).set_index("level")
    assert points.source.to_dict() == {"low": "store", "high": "computed"}
    assert set(points.status) == {Status.OK}
    run(slot(campaign, 0, "again.parquet"))
    again = POINTS.read(campaign / "again.parquet").set_index("level")
    assert set(again.source) == {"store"}
    assert (again.total_energy_eV == points.total_energy_eV).all()
    run(slot(campaign, 1, "points/slot001.parquet"))
    assert len(POINTS.read(campaign / "points/slot001.parquet")) == 0

    run(
        [
            *command("stored_points", campaign, "--store", str(campaign / "store")),
            "--output",
            str(campaign / "stored.parquet"),
        ]
    )
    stored = POINTS.read(campaign / "stored.parquet").set_index("level")
    assert (stored.total_energy_eV == points.total_energy_eV).all()

    tables = [str(campaign / f"points/slot00{number}.parquet") for number in (0, 1)]
    run(
        [
            *command("ledger", campaign, "--points", *tables, "--provenance", str(campaign / "provenance")),
            "--output",
            str(campaign / "ledger.parquet"),
        ]
    )
    ledger = LEDGER.read(campaign / "ledger.parquet")
    paid = ledger[(ledger.kind == "paid") & ledger.level.notna()].set_index("level")
    assert paid.found_core_s["low"] == paid.core_s["low"] > 0  # it came from the store
    assert paid.core_s["high"] == pytest.approx(points.core_s["high"])
    full = ledger[ledger.kind == "full"].set_index("level")
    assert (
        0 < full.core_s["high"] <= points.core_s["high"]
    )  # that point made the orbitals again: not a level's price


def test_a_damaged_result_is_set_aside_and_computed_anew_by_the_slot_that_needs_it(campaign):
    run(slot(campaign, 0, "first.parquet"))
    first = POINTS.read(campaign / "first.parquet").set_index("level")
    low = campaign / "store" / first.method_id["low"]
    (entry,) = low.glob("*-crystal/*.json")
    entry.write_text(entry.read_text().replace("-", "+", 1))
    checked = [sys.executable, str(ROOT / "scripts/store.py"), "verify", "--store", str(campaign / "store")]
    told = subprocess.run(checked, capture_output=True, text=True, check=False)
    assert (told.returncode, str(entry) in told.stdout) == (1, True)

    assert "damaged" in run(slot(campaign, 0, "second.parquet"))
    second = POINTS.read(campaign / "second.parquet").set_index("level")
    assert second.source.to_dict() == {"low": "computed", "high": "store"}
    # no level stands on its orbitals this time: they need not converge as far (0.005 kJ/mol, 5e-5 eV per molecule)
    assert second.total_energy_eV["low"] == pytest.approx(first.total_energy_eV["low"], abs=5e-5)
    assert entry.exists()
    entry.with_suffix(".damaged").unlink()
    assert subprocess.run(checked, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(shutil.which("mpiexec") is None, reason="no mpiexec")
def test_two_ranks_give_the_energies_of_one_and_one_table(campaign):
    run(slot(campaign, 0, "one.parquet", "store1"))
    threads = {"OMP_NUM_THREADS": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    done = subprocess.run(
        ["mpiexec", "--oversubscribe", "-n", "2", *slot(campaign, 0, "two.parquet", "store2")],
        env=os.environ | threads,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    one, two = (POINTS.read(campaign / f"{name}.parquet") for name in ("one", "two"))
    assert set(one.cores) == {1}
    assert set(two.cores) == {2}
    assert np.allclose(one.electronic_energy_eV, two.electronic_energy_eV, rtol=0, atol=1e-6)
    assert len(list(campaign.glob("store2/*/*/*.json"))) == len(LEVELS)
