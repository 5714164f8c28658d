import csv
import io
from dataclasses import replace

import ase.io
import gemmi
import numpy as np
import pytest
from ase import Atoms
from ase.cell import Cell
from scipy.spatial.transform import Rotation
from tests.builders import oxalic_acid
from tests.unit.report.synthetic import LEVELS

from polyscape.report.export import cif_text, extended_xyz, file_name, formula, ranking_csv, symmetric_cell


@pytest.fixture
def as_cif(data):
    """The CIF text of any crystal of two formula units."""
    return lambda atoms: cif_text(replace(data.structures[0], atoms=atoms, formula_units=2), "c")


@pytest.fixture
def beta_like():
    """Two oxalic acid molecules on inversion centres of P2_1/c, as in the beta form."""
    cell_cv = np.asarray(Cell.fromcellpar((5.4, 6.2, 5.6, 90.0, 114.0, 90.0)))
    position_av = Rotation.from_euler("xyz", (20, 35, 50), degrees=True).apply(oxalic_acid().position_av)
    inside_ac = position_av @ np.linalg.inv(cell_cv)
    glide = inside_ac * [1, -1, 1] + [0, 0.5, 0.5]
    return Atoms(
        [*oxalic_acid().atomic_number_a] * 2, np.vstack([inside_ac, glide]) @ cell_cv, cell=cell_cv, pbc=True
    )


@pytest.fixture
def centred():
    """The primitive cell of a C-centred crystal (C 2) with two molecules."""
    cell_cv = np.asarray(Cell.fromcellpar((11.0, 7.5, 8.0, 90.0, 101.0, 90.0)))
    centre_c = np.array([0.1, 0.2, 0.27])
    inside_ac = Rotation.from_euler("xyz", (20, 35, 50), degrees=True).apply(oxalic_acid().position_av)
    inside_ac = inside_ac @ np.linalg.inv(cell_cv) + centre_c
    turned_ac = inside_ac * [-1, 1, -1] + [1, 0, 1]
    primitive_cv = np.array([[0.5, -0.5, 0], [0.5, 0.5, 0], [0, 0, 1]]) @ cell_cv
    position_av = np.vstack([inside_ac, turned_ac]) @ cell_cv
    return Atoms([*oxalic_acid().atomic_number_a] * 2, position_av, cell=primitive_cv, pbc=True)


def read_back(text, tmp_path):
    path = tmp_path / "x.cif"
    path.write_text(text)
    return ase.io.read(path)


def test_a_cif_read_back_has_the_same_composition_and_volume(data, tmp_path):
    for structure in data.lowest:
        atoms = read_back(cif_text(structure, "c"), tmp_path)
        assert sorted(atoms.numbers) == sorted(
            structure.atoms.numbers
        )  # primitive groups: the same cell content
        # six decimals of lengths and angles
        assert atoms.get_volume() == pytest.approx(structure.atoms.get_volume(), rel=1e-5)


def test_a_cif_read_back_is_the_same_packing(data, tmp_path):
    for structure in data.lowest:
        atoms = read_back(cif_text(structure, "c"), tmp_path)
        for crystal in (atoms, structure.atoms):
            crystal.wrap()
        shells = [
            np.sort(crystal.get_all_distances(mic=True), axis=None) for crystal in (atoms, structure.atoms)
        ]
        # eight decimals of fractional coordinates; the standard setting may be another cell with other images
        np.testing.assert_allclose(shells[0][: len(atoms) * 4], shells[1][: len(atoms) * 4], atol=1e-4)


def test_a_cif_carries_symmetry_and_only_the_asymmetric_unit(data):
    structure = next(s for s in data.structures if s.symmetry == "P2_1/c")
    block = gemmi.cif.read_string(cif_text(structure, "c")).sole_block()
    assert block.find_value("_space_group_IT_number") == "14"
    assert len(block.find_loop("_space_group_symop_operation_xyz")) == 4
    assert len(block.find_loop("_atom_site_label")) == 8
    assert block.find_value("_cell_formula_units_Z") == "4"


def test_a_cif_carries_energies_and_probabilities(data):
    structure = data.structures[2]
    block = gemmi.cif.read_string(cif_text(structure, "c")).sole_block()
    assert float(block.find_value("_polyscape_p_rank_1")) == pytest.approx(structure.p_rank_1, abs=1e-4)
    names = [gemmi.cif.as_string(value) for value in block.find_loop("_polyscape_level_name")]
    assert tuple(names) == LEVELS
    energies = [float(value) for value in block.find_loop("_polyscape_level_lattice_energy_kJ_per_mol")]
    assert energies == pytest.approx([e.lattice_energy_kJ_per_mol for e in structure.levels], abs=1e-4)


def test_a_molecule_on_an_inversion_centre_gives_half_a_molecule(tmp_path, beta_like, as_cif):
    cell = symmetric_cell(beta_like)
    assert len(cell.numbers) == 4
    text = as_cif(beta_like)
    atoms = read_back(text, tmp_path)
    assert sorted(atoms.numbers) == sorted(beta_like.numbers)
    assert atoms.get_volume() == pytest.approx(beta_like.get_volume(), rel=1e-5)


def test_noise_below_the_tolerance_leaves_a_valid_cif(tmp_path, beta_like, as_cif):
    beta_like.positions += np.random.default_rng(2).normal(0, 0.002, beta_like.positions.shape)
    atoms = read_back(as_cif(beta_like), tmp_path)
    assert sorted(atoms.numbers) == sorted(beta_like.numbers)


def test_a_centred_cell_is_written_with_all_its_molecules(tmp_path, centred, as_cif):
    atoms = read_back(as_cif(centred), tmp_path)
    ratio = atoms.get_volume() / centred.get_volume()
    assert ratio == pytest.approx(2.0, rel=1e-5)
    assert len(atoms) == 2 * len(centred)


def test_hostile_names_stay_values(hostile_data):
    structure = next(s for s in hostile_data.structures if s.known_form)
    block = gemmi.cif.read_string(cif_text(structure, 'it\'s "quoted"\n;data_evil')).sole_block()
    assert gemmi.cif.as_string(block.find_value("_polyscape_known_form")) == structure.known_form


def test_extended_xyz_read_back_has_geometry_and_numbers(data):
    frames = ase.io.read(io.StringIO(extended_xyz(data.exported)), format="extxyz", index=":")
    assert len(frames) == len(data.exported)
    for frame, structure in zip(frames, data.exported, strict=True):
        assert frame.info["structure_id"] == structure.structure_id
        assert frame.info["pbe0_d3_computed"] == structure.top.computed
        assert frame.info["pbe0_d3_lattice_energy_kJ_per_mol"] == pytest.approx(
            structure.top.lattice_energy_kJ_per_mol, abs=1e-6
        )
        np.testing.assert_allclose(frame.positions, structure.atoms.positions, atol=1e-7)
        np.testing.assert_allclose(frame.cell[:], structure.atoms.cell[:], atol=1e-7)


def test_the_csv_has_a_line_per_structure_and_units_in_its_columns(data):
    rows = list(csv.DictReader(io.StringIO(ranking_csv(data))))
    assert [row["structure_id"] for row in rows] == [s.structure_id for s in data.structures]
    assert float(rows[3]["pbe-d3_lattice_energy_kJ_per_mol"]) == pytest.approx(
        data.structures[3].levels[1].lattice_energy_kJ_per_mol, abs=1e-6
    )
    assert rows[0]["ff_dispersion_kJ_per_mol"] == ""


def test_file_names_cannot_leave_their_folder():
    assert file_name("014-0000123") == "014-0000123.cif"
    assert "/" not in file_name("../../etc/passwd")
    assert not file_name("..hidden").startswith(".")


def test_the_formula_is_of_one_formula_unit(data):
    structure = data.structures[0]
    assert formula(structure.atoms, structure.formula_units) == "C2 H2 O4"
