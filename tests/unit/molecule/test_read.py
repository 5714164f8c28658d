"""One molecule from SMILES, XYZ, MOL, SDF and CIF; and what is refused, with its remedy."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule as ase_molecule
from ase.io import write
from rdkit import Chem
from rdkit.Chem import rdDistGeom

from polyscape.errors import InputError
from polyscape.molecule.read import MoleculeError, read_file, read_smiles
from polyscape.settings import parse_settings
from polyscape.stages.components import BASIS_ELEMENTS, check_components


def canonical(molecule):
    return Chem.MolToSmiles(Chem.RemoveHs(molecule))


@pytest.fixture
def files(tmp_path):
    molecule = read_smiles("OC(=O)C(=O)O")
    rdDistGeom.EmbedMolecule(molecule, randomSeed=1)
    Chem.MolToMolFile(molecule, str(tmp_path / "m.mol"))
    with Chem.SDWriter(str(tmp_path / "m.sdf")) as writer:
        writer.write(molecule)
    Chem.MolToXYZFile(molecule, str(tmp_path / "m.xyz"))
    crystal = Atoms("OCOCOOHH", molecule.GetConformer().GetPositions(), cell=[7.0, 8.0, 9.0], pbc=True)
    crystal.wrap()  # the molecule lies across the cell's boundaries
    write(tmp_path / "m.cif", crystal)
    return tmp_path


@pytest.mark.parametrize("suffix", ["mol", "sdf", "xyz", "cif"])
def test_every_format_gives_the_same_molecule(files, suffix):
    molecule = read_file(files / f"m.{suffix}", 0)
    assert canonical(molecule) == canonical(read_smiles("OC(=O)C(=O)O"))
    assert molecule.GetNumAtoms() == 8
    assert molecule.GetConformer().Is3D()


def test_a_charged_molecule_and_a_nitro_group_get_their_charges(tmp_path):
    write(tmp_path / "nitro.xyz", ase_molecule("CH3NO2"))
    assert canonical(read_file(tmp_path / "nitro.xyz", 0)) == "C[N+](=O)[O-]"
    formate = Atoms("OCOH", [[-1.12, 0.55, 0], [0, 0, 0], [1.12, 0.55, 0], [0, -1.12, 0]])
    write(tmp_path / "formate.xyz", formate)
    assert canonical(read_file(tmp_path / "formate.xyz", -1)) == Chem.CanonSmiles("C(=O)[O-]")


def test_handedness_survives_a_file(tmp_path):
    for smiles in ("C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O"):
        molecule = read_smiles(smiles)
        rdDistGeom.EmbedMolecule(molecule, randomSeed=2)
        Chem.MolToXYZFile(molecule, str(tmp_path / "a.xyz"))
        assert canonical(read_file(tmp_path / "a.xyz", 0)) == Chem.CanonSmiles(smiles)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.xyz", "3\n\nO 0 0 0\nH 0 0 1\n", "3 atoms announced"),
        ("a.xyz", "2\n\nO 0 0 0\nQq 0 0 1\n", "no element"),
        ("a.xyz", "3\n\nC 0 0 0\nC 1.5 0 0\nO 2.1 1.2 0\n", "no closed-shell bonding"),
        ("a.cif", "data_x\n", "cannot be read"),
        ("a.mol", "nonsense\n", "not a MOL or SDF file"),
        ("a.pdb", "", "suffix"),
    ],
)
def test_bad_files_are_named(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(MoleculeError, match=words):
        read_file(tmp_path / name, 0)


def config(**component):
    return {"campaign": "t", "molecule": {"components": [{"name": "m", **component}]}}


@pytest.mark.parametrize(
    ("component", "words"),
    [
        ({"smiles": "C1CC"}, "not a SMILES"),
        ({"smiles": "CC(=O)[O-]"}, "has the charge -1"),
        ({"smiles": "CC(=O)[O-]", "charge": -1}, "sum to 0"),
        ({"smiles": "[CH3]"}, "open-shell"),
        ({"smiles": "O.O"}, "several molecules"),
        ({"smiles": "[Cl-]"}, "has the charge -1"),
        ({"smiles": "[Cl-]", "charge": -1}, "sum to 0"),
        ({"smiles": "[Cl]"}, "open-shell"),
        ({"smiles": "[Na+]", "charge": 1}, "no parameters for element Na"),
        ({"smiles": "CC*"}, "no element"),
        ({"smiles": "C[Zn]C"}, "choose one of sto-3g, 6-31g"),
        ({"smiles": "CBr"}, "no parameters for element Br"),
        ({"smiles": "CC(O)C(N)C"}, "undefined"),
        ({"smiles": "CC=CC"}, "undefined"),
        ({"file": "missing.xyz"}, "no such file"),
        ({"smiles": "O", "conformers": "known_forms"}, "no known forms"),
        ({"smiles": "O", "multipoles_file": "missing.punch"}, "no such file"),
    ],
)
def test_components_that_cannot_be_used_are_refused_in_one_line(component, words, capfd):
    with pytest.raises(InputError, match=words) as caught:
        check_components(parse_settings(config(**component), "config.yaml"), "config.yaml")
    line = caught.value.line()
    assert "\n" not in line
    assert line.startswith("config.yaml: ")
    assert capfd.readouterr().err == ""  # RDKit keeps silent


@pytest.mark.parametrize(
    "smiles", ["OC(=O)C(=O)O", "NC(=O)N", "CC(O)C(=O)O", "C[C@H](N)C(=O)O", "Clc1ccccc1", "C/C=C/C"]
)
def test_good_components_pass(smiles):
    check_components(parse_settings(config(smiles=smiles), "config.yaml"), "config.yaml")


def test_a_single_ion_is_read_from_a_file_too(tmp_path):
    (tmp_path / "chloride.xyz").write_text("1\n\nCl 0.3 0 0\n")
    molecule = read_file(tmp_path / "chloride.xyz", -1)
    assert canonical(molecule) == canonical(read_smiles("[Cl-]"))


def test_one_molecule_is_cut_whole_out_of_a_crystal_with_symmetry(tmp_path):
    """The asymmetric unit is half a molecule on the inversion centre."""
    text = (
        "data_half\n_symmetry_space_group_name_H-M 'P -1'\n_cell_length_a 5\n_cell_length_b 6\n_cell_length_c 7\n"
        "_cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 90\nloop_\n_atom_site_label\n"
        "_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
        "C1 C 0.154 0.0 0.0\nO1 O 0.2784 0.171 0.0\nO2 O 0.2652 -0.2032 0.0\nH1 H 0.4582 -0.1873 0.0\n"
    )
    (tmp_path / "half.cif").write_text(text)
    molecule = read_file(tmp_path / "half.cif", 0)
    assert canonical(molecule) == canonical(read_smiles("OC(=O)C(=O)O"))
    position_av = molecule.GetConformer().GetPositions()
    assert np.ptp(position_av, axis=0).max() < 5.0


@pytest.mark.filterwarnings("ignore:Basis may be available")
@pytest.mark.parametrize("basis", BASIS_ELEMENTS)
def test_the_basis_sets_treat_all_electrons_of_the_elements_said(basis):
    from pyscf import gto
    from pyscf.lib.exceptions import BasisNotFoundError

    def loaded(load, number):
        try:
            return bool(load(basis, Chem.GetPeriodicTable().GetElementSymbol(number)))
        except (BasisNotFoundError, KeyError, RuntimeError):
            return False

    numbers = range(1, 87)
    complete = {n for n in numbers if loaded(gto.basis.load, n) and not loaded(gto.basis.load_ecp, n)}
    assert complete == BASIS_ELEMENTS[basis]


def components(*texts):
    listed = [{"name": f"m{i}", "smiles": text} for i, text in enumerate(texts)]
    return parse_settings({"campaign": "x", "molecule": {"components": listed}}, "c.yaml")


def test_a_molecule_that_is_listed_twice_is_refused():
    with pytest.raises(
        InputError, match=r"components\[1\].name = 'm1': is the molecule N#CN of component m0 again"
    ):
        check_components(components("NC#N", "C(#N)N"), "c.yaml")


def test_the_two_hands_of_a_molecule_are_two_molecules():
    check_components(components("C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O"), "c.yaml")
