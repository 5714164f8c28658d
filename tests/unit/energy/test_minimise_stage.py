import numpy as np
import pandas as pd
import pytest

from polyscape.schemas import CONFORMERS, MINIMA, MOLECULE, TRIALS
from polyscape.settings.search import EnergySettings, MinimiserSettings
from polyscape.stages.minimise import minimise_trials
from polyscape.stages.rows import packing_values
from tests.builders import oxalic_acid, oxalic_packing


@pytest.fixture
def tables():
    molecule = oxalic_acid()
    bonded = [[] for _ in molecule.mass_a]
    for a, b in molecule.bonds:
        bonded[a].append(b)
        bonded[b].append(a)
    sites = [
        {
            "component": 0,
            "conformer": "ttt",
            "site": a,
            "element": {1: "H", 6: "C", 8: "O"}[int(molecule.atomic_number_a[a])],
            "atomic_number": int(molecule.atomic_number_a[a]),
            "potential_type": molecule.potential_type_a[a],
            **dict(zip(("x_A", "y_A", "z_A"), molecule.position_av[a], strict=True)),
            "mass_amu": molecule.mass_a[a],
            "bonded_sites": bonded[a],
            "esp_charge_e": molecule.charge_a[a],
            "multipoles_au": molecule.multipole_aq[a],
        }
        for a in range(8)
    ]
    conformer = {
        "component": 0,
        "component_name": "oxalic_acid",
        "conformer": "ttt",
        "selected": True,
        "status": "ok",
        "stoichiometry": 1,
        "charge": 0,
        "atoms": 8,
        "smiles": "OC(=O)C(=O)O",
        "energy_hartree": -378.0,
        "intramolecular_kJ_per_mol": 18.0,
        "gas_phase_level": "none",
        "point_group": "C2h",
        "rotatable_bonds": 3,
        "torsions_deg": [180.0, 180.0, 180.0],
    }
    return MOLECULE.from_rows(sites), CONFORMERS.from_rows([conformer])


@pytest.fixture
def trials():
    rows = [
        {
            "trial_id": f"014-000000{index}",
            "sobol_index": index,
            **packing_values(oxalic_packing(), 14, "search"),
            "volume_A3": 471.0,
            "expansion": 1.0,
            "status": status,
        }
        for index, status in enumerate(["ok", "overlap", "ok", "unphysical_cell"])
    ]
    return TRIALS.from_rows(rows)


def run(tables, trials, cores=1, **minimiser):
    return minimise_trials(*tables, trials, EnergySettings(), MinimiserSettings(**minimiser), cores)


def test_keys_out_are_keys_in_and_rejected_trials_keep_their_status(tables, trials, tmp_path):
    minima = run(tables, trials)
    assert list(minima.trial_id) == list(trials.trial_id)
    assert list(minima.status) == ["ok", "overlap", "ok", "unphysical_cell"]
    assert minima.lattice_energy_kJ_per_mol.isna().tolist() == [False, True, False, True]
    assert minima.density_g_per_cm3.isna().tolist() == [False, True, False, True]
    MINIMA.write(minima, tmp_path / "minima.parquet")
    pd.testing.assert_frame_equal(MINIMA.read(tmp_path / "minima.parquet"), minima)


def test_terms_add_up_and_include_the_conformer(tables, trials):
    row = run(tables, trials).iloc[0]
    parts = ("electrostatic", "repulsion", "dispersion", "intramolecular")
    assert sum(row[f"{part}_kJ_per_mol"] for part in parts) == pytest.approx(row.lattice_energy_kJ_per_mol)
    assert row.intramolecular_kJ_per_mol == 18.0
    assert 1.5 < row.density_g_per_cm3 < 2.2


def test_cores_change_no_bit(tables, trials, tmp_path):
    for cores in (1, 3):
        MINIMA.write(run(tables, trials, cores), tmp_path / f"{cores}.parquet")
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "3.parquet").read_bytes()


def test_an_unconverged_minimisation_has_no_energy(tables, trials):
    minima = run(tables, trials, max_steps=2)
    assert minima.status[0] == "step_limit"
    assert np.isnan(minima.lattice_energy_kJ_per_mol[0])


def test_progress_goes_to_stderr(tables, trials, capsys):
    run(tables, trials)
    captured = capsys.readouterr()
    assert "minimised 4/4" in captured.err
    assert captured.out == ""
