"""The stage on small molecules at a small basis: conformers, names, frames, and the same bytes on any number of cores."""

import numpy as np
import pytest
from rdkit import Chem

from polyscape.errors import InputError
from polyscape.molecule.conformers import Plan, find_conformers
from polyscape.molecule.read import from_coordinates, read_file, read_smiles
from polyscape.molecule.symmetry import automorphisms, least_rmsd
from polyscape.molecule.wavefunction import GasPhaseLevel
from polyscape.schemas import CONFORMERS, MOLECULE
from polyscape.settings.molecule import MoleculeSettings
from polyscape.stages.molecule import describe_molecules

pytestmark = pytest.mark.slow


def settings(**component):
    return MoleculeSettings.model_validate(
        {
            "components": [{"name": "m", **component}],
            "gas_phase": {"functional": "hf", "basis": "sto-3g"},
            "conformer_window_kJ_per_mol": 60.0,
        }
    )


@pytest.fixture(scope="module")
def formic_acid():
    return describe_molecules(settings(smiles="OC=O", conformers=["C"]), "fit", 1, cores=2)


def test_both_conformers_of_formic_acid_are_found(formic_acid):
    """The syn form (H beside C=O) lies lower."""
    table = formic_acid.conformers
    assert table.conformer.tolist() == ["c", "t"]
    assert table.selected.tolist() == [True, False]
    assert table.intramolecular_kJ_per_mol[0] == 0
    assert 10 < table.intramolecular_kJ_per_mol[1] < 50  # 17 kJ/mol in experiment
    assert (table.point_group == "Cs").all()
    assert (table.status == "ok").all()
    assert table.quadrupole_error_au.max() < 1e-3


def test_the_tables_are_the_same_bytes_on_one_core(formic_acid, tmp_path):
    again = describe_molecules(settings(smiles="OC=O", conformers=["C"]), "fit", 1, cores=1)
    for table, first, second in (
        (MOLECULE, formic_acid.molecule, again.molecule),
        (CONFORMERS, formic_acid.conformers, again.conformers),
    ):
        table.write(first, tmp_path / "first")
        table.write(second, tmp_path / "second")
        assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_frame_and_charges(formic_acid):
    sites = formic_acid.molecule[formic_acid.molecule.conformer == "c"]
    position_av = sites[["x_A", "y_A", "z_A"]].to_numpy()
    mass_a = sites.mass_amu.to_numpy()
    np.testing.assert_allclose(mass_a @ position_av, 0, atol=1e-6)
    second_vv = np.einsum("a,av,aw->vw", mass_a, position_av, position_av)
    np.testing.assert_allclose(second_vv, np.diag(np.diag(second_vv)), atol=1e-5)
    assert sites.esp_charge_e.sum() == pytest.approx(0, abs=1e-6)
    assert np.stack(sites.multipoles_au).shape == (5, 25)


def test_a_name_that_is_not_found_lists_those_that_are():
    with pytest.raises(InputError, match=r"found: rigid 0\.0 kJ/mol"):
        describe_molecules(settings(smiles="O", conformers=["gG"]), "fit", 1, cores=1)


def test_handedness_survives_and_formats_agree(tmp_path):
    plan = Plan(GasPhaseLevel("hf", "sto-3g"), 30.0, 4, 4.0, 1, 2)
    molecule = read_smiles("C[C@@H]1CO1")
    found = find_conformers(molecule, plan)[0]
    numbers_a = np.array([atom.GetAtomicNum() for atom in molecule.GetAtoms()])
    seen = from_coordinates(numbers_a, found.position_av, 0)
    assert Chem.MolToSmiles(Chem.RemoveHs(seen)) == Chem.CanonSmiles("C[C@@H]1CO1")
    Chem.MolToXYZFile(seen, str(tmp_path / "m.xyz"))
    other = find_conformers(read_file(tmp_path / "m.xyz", 0), plan)[0]
    assert other.energy_hartree == pytest.approx(found.energy_hartree, abs=4e-6)  # 0.01 kJ/mol
    assert least_rmsd(other.position_av, found.position_av, automorphisms(molecule), False) < 0.01


def test_a_single_ion_is_a_charge_and_nothing_more():
    tables = describe_molecules(settings(smiles="[Cl-]", charge=-1), "fit", 1, cores=1)
    (row,) = tables.conformers.to_dict("records")
    assert (row["conformer"], row["status"], row["selected"], row["charge"]) == ("rigid", "ok", True, -1)
    (site,) = tables.molecule.to_dict("records")
    assert (site["potential_type"], site["x_A"], len(site["bonded_sites"])) == ("Cl", 0.0, 0)
    # a closed shell is spherical; rounding to 1e-8
    assert site["multipoles_au"] == pytest.approx([-1.0] + [0.0] * 24, abs=1e-7)
    assert site["esp_charge_e"] == pytest.approx(-1.0, abs=1e-7)
