"""Which conformers the search uses: by name, by the shape in a file, or as the known forms hold them."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom

from polyscape.errors import InputError
from polyscape.molecule.conformers import GasConformer
from polyscape.molecule.read import MoleculeError, read_smiles
from polyscape.molecule.shapes import in_order, nearest, read_shape
from polyscape.molecule.symmetry import automorphisms
from polyscape.molecule.torsions import conformer_name, rotatable_bonds, split_name
from polyscape.settings import parse_settings
from polyscape.stages.components import check_components
from polyscape.stages.conformer_choice import Shape, selected_names
from polyscape.stages.registry import parse_slice, stage_slice
from polyscape.status import Status
from tests.builders import oxalic_acid

BUTANE = "CCCC"


def embedded(smiles, seed):
    molecule = read_smiles(smiles)
    rdDistGeom.EmbedMolecule(molecule, randomSeed=seed)
    return molecule, molecule.GetConformer().GetPositions()


def conformer(name, position_av, energy=0.0, status=Status.OK):
    return GasConformer(name, [], position_av, energy, "C1", status, None)


def component(conformers, smiles="OC(=O)C(=O)O"):
    config = {
        "campaign": "c",
        "molecule": {"components": [{"name": "acid", "smiles": smiles, "conformers": conformers}]},
    }
    return parse_settings(config, "c.yaml").molecule.components[0]


def refused(conformers, smiles="OC(=O)C(=O)O", **more):
    config = {
        "campaign": "c",
        "molecule": {"components": [{"name": "acid", "smiles": smiles, "conformers": conformers}]},
    }
    with pytest.raises(InputError) as caught:
        check_components(parse_settings(config | more, "c.yaml"), "c.yaml")
    return caught.value.line()


@pytest.fixture
def acid():
    rigid = oxalic_acid()
    molecule = read_smiles("OC(=O)C(=O)O")
    geometry = (rigid.atomic_number_a, rigid.position_av)
    flat_av = in_order(geometry, molecule)
    twisted_av = flat_av.copy()
    hydrogen = next(a.GetIdx() for a in molecule.GetAtoms() if a.GetAtomicNum() == 1)
    oxygen = molecule.GetAtomWithIdx(hydrogen).GetNeighbors()[0].GetIdx()
    twisted_av[hydrogen] = 2 * flat_av[oxygen] - flat_av[hydrogen]
    return molecule, flat_av, twisted_av


def choose(conformers, molecule, found, shapes=()):
    return selected_names(component(conformers), 0, molecule, found, list(shapes), "c.yaml")


def test_names_are_taken_in_any_case_and_direction(acid):
    molecule, flat_av, twisted_av = acid
    found = [conformer("ctt", twisted_av), conformer("ttt", flat_av)]
    assert choose(["TTC"], molecule, found) == {"ctt"}
    assert choose(["cTt", "tTt"], molecule, found) == {"ctt", "ttt"}
    assert choose("lowest", molecule, found) == {"ctt"}
    assert choose("all", molecule, found) == {"ctt", "ttt"}


def test_a_conformer_that_failed_is_refused_with_its_status(acid):
    molecule, flat_av, twisted_av = acid
    found = [conformer("ctt", twisted_av), conformer("ttt", flat_av, status=Status.SCF_FAILED)]
    with pytest.raises(InputError, match=r"did not converge \(scf_failed\).*found: ctt 0\.0 kJ/mol, ttt scf"):
        choose(["tTt"], molecule, found)
    with pytest.raises(InputError, match="no conformer of acid converged"):
        choose("lowest", molecule, found[1:])


def test_the_conformer_nearest_to_a_shape_is_taken(acid):
    molecule, flat_av, twisted_av = acid
    found = [conformer("ctt", twisted_av), conformer("ttt", flat_av)]
    noisy_av = flat_av[:, [1, 2, 0]] + np.random.default_rng(1).normal(scale=0.03, size=flat_av.shape)
    shape = Shape("known_forms[0].file", "alpha.cif", noisy_av)
    assert choose("known_forms", molecule, found, [shape]) == {"ttt"}
    assert choose(["cTt", "alpha.cif"], molecule, found, [shape]) == {"ctt", "ttt"}
    far = Shape("known_forms[0].file", "alpha.cif", 2.0 * flat_av)
    with pytest.raises(InputError, match=r"unlike every conformer \(nearest: "):
        choose("known_forms", molecule, found, [far])


def test_a_shape_is_read_in_any_order_of_atoms(acid, tmp_path):
    molecule, flat_av, _ = acid
    order = np.random.default_rng(4).permutation(8).tolist()
    placed = Chem.Mol(molecule)
    placed.RemoveAllConformers()
    geometry = Chem.Conformer(8)
    geometry.SetPositions(flat_av)
    placed.AddConformer(geometry)
    Chem.MolToXYZFile(Chem.RenumberAtoms(placed, order), str(tmp_path / "m.xyz"))
    read_av = read_shape(tmp_path / "m.xyz", molecule)
    assert nearest(read_av, [conformer("ttt", flat_av)], molecule)[1] < 1e-4  # digits of the file


def test_the_other_hand_is_mirrored_and_another_stereoisomer_refused():
    molecule, position_av = embedded("C[C@H](N)C(=O)O", 1)
    numbers_a = np.array([atom.GetAtomicNum() for atom in molecule.GetAtoms()])
    mirrored_av = position_av * [1, 1, -1]
    np.testing.assert_allclose(in_order((numbers_a, mirrored_av), molecule), position_av)
    np.testing.assert_allclose(in_order((numbers_a, position_av), molecule), position_av)
    trans, trans_av = embedded("C/C=C/C", 1)
    numbers_a = np.array([atom.GetAtomicNum() for atom in trans.GetAtoms()])
    with pytest.raises(MoleculeError, match="another stereoisomer"):
        in_order((numbers_a, trans_av), read_smiles("C/C=C\\C"))
    with pytest.raises(MoleculeError, match="not those of this molecule"):
        in_order((numbers_a, trans_av), read_smiles("C1CCC1"))


@pytest.mark.parametrize(
    ("conformers", "words"),
    [
        (["tT"], "3 rotatable bonds"),
        (["anti"], "write 3 of c, t"),
        (["missing.xyz"], "no such file"),
        ("known_forms", "there are no known forms"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_any_job(conformers, words):
    assert words in refused(conformers)


def test_a_known_form_of_another_compound_is_refused(root):
    form = {"name": "alpha", "file": str(root / "config/known_forms/oxalic_acid_alpha.cif")}
    assert "holds no molecule bonded as acid" in refused("known_forms", "O", known_forms=[form])


def test_letters_are_counted():
    assert [split_name(name) for name in ("tTt", "g+A-", "ctt-2", "rigid", "xyz", "")] == [3, 2, 3, 0, -1, -1]
    molecule, position_av = embedded(BUTANE, 3)
    bonds = rotatable_bonds(molecule)
    name, _, _ = conformer_name(bonds, position_av, automorphisms(molecule), True)
    assert split_name(name) == len(bonds)


def test_the_molecules_depend_on_the_known_forms_only_when_asked():
    def part(conformers, file):
        config = {
            "campaign": "c",
            "molecule": {"components": [{"name": "w", "smiles": "O", "conformers": conformers}]},
            "known_forms": [{"name": "ice", "file": file}],
        }
        return stage_slice(parse_settings(config, "c.yaml"), "molecule")

    assert part("lowest", "a.cif") == part("lowest", "b.cif")
    assert part("known_forms", "a.cif") != part("known_forms", "b.cif")
    read = parse_slice("molecule", part("known_forms", "a.cif"))
    assert [form.file for form in read["known_forms"]] == ["a.cif"]
    assert parse_slice("molecule", part("lowest", "a.cif"))["known_forms"] == []
