"""Multipoles of other programs: read, matched to the conformer's atoms and turned into its frame."""

import numpy as np
import pytest
from ase.data import chemical_symbols
from rdkit import Chem
from scipy.spatial.transform import Rotation

from polyscape.errors import InputError
from polyscape.molecule.dma import DistributedMultipoles
from polyscape.molecule.given import fitted, read_multipoles, read_punch
from polyscape.molecule.multipoles import rotate_multipoles
from polyscape.molecule.read import MoleculeError, from_coordinates
from polyscape.settings import parse_settings
from polyscape.stages.components import check_components
from polyscape.units import ANGSTROM_PER_BOHR
from tests.builders import oxalic_acid


def punch(multipole_aq, position_av, labels):
    lines = ["! made by a test", "Units bohr", ""]
    for label, place_v, Q_q in zip(labels, position_av / ANGSTROM_PER_BOHR, multipole_aq, strict=True):
        lines.append(f"{label:8s} {place_v[0]:.10f} {place_v[1]:.10f} {place_v[2]:.10f} Rank 4")
        for rank in range(5):
            values = Q_q[rank**2 : (rank + 1) ** 2]
            lines.extend(" ".join(f"{v:.10f}" for v in values[i : i + 5]) for i in range(0, len(values), 5))
        lines.append("")
    return "\n".join(lines)


@pytest.fixture
def case():
    rigid = oxalic_acid()
    rng = np.random.default_rng(5)
    bent_av = rigid.position_av + rng.normal(scale=0.05, size=rigid.position_av.shape)
    molecule = from_coordinates(rigid.atomic_number_a, bent_av, 0)
    return molecule, bent_av, rng.normal(size=(8, 25))


def test_a_punch_file_in_another_order_and_frame_is_fitted(case, tmp_path):
    molecule, position_av, multipole_aq = case
    rotation_vv = Rotation.random(random_state=3).as_matrix()
    order = np.random.default_rng(2).permutation(8)
    labels = [f"{molecule.GetAtomWithIdx(int(i)).GetSymbol()}{n}" for n, i in enumerate(order)]
    moved_av = position_av @ rotation_vv.T + [1.0, 2.0, 3.0]
    text = punch(rotate_multipoles(multipole_aq, rotation_vv)[order], moved_av[order], labels)
    (tmp_path / "m.punch").write_text(text)
    read = read_multipoles(tmp_path / "m.punch", switch=4.0)
    found = fitted(read, molecule, position_av - position_av.mean(axis=0))
    np.testing.assert_allclose(found, multipole_aq, atol=1e-7)  # ten digits in the file, bent geometry


def test_lower_ranks_are_filled_with_zeros_and_angstrom_is_read():
    read = read_punch(
        "Units angstrom\nO1 0 0 0.1 Type O Rank 1\n-0.8\n0.1 0 0\nH 0 0.7 -0.4 Rank 0\n0.4\n", "x"
    )
    assert read.atomic_number_a.tolist() == [8, 1]
    np.testing.assert_allclose(read.position_av[0], [0, 0, 0.1])
    np.testing.assert_allclose(read.multipole_aq[0, :5], [-0.8, 0.1, 0, 0, 0])
    assert read.multipole_aq[1, 1:].max() == 0


def test_another_molecule_or_conformer_is_refused(case):
    molecule, position_av, multipole_aq = case
    numbers_a = np.array([atom.GetAtomicNum() for atom in molecule.GetAtoms()])
    stretched = DistributedMultipoles(numbers_a, 1.0 * position_av, multipole_aq, "test")
    flipped_av = position_av.copy()
    flipped_av[[3, 7], 1] *= -1.6
    with pytest.raises(MoleculeError):
        fitted(stretched, molecule, flipped_av)
    fewer = DistributedMultipoles(numbers_a[:-1], position_av[:-1], multipole_aq[:-1], "test")
    with pytest.raises(MoleculeError, match="not those of this molecule"):
        fitted(fewer, molecule, position_av)


@pytest.mark.parametrize("text", ["", "hello\n", "C1 0 0 0 Rank 1\n0.5\n", "Xx 0 0 0 Rank 0\n0.1\n"])
def test_a_broken_punch_file_is_refused(text, tmp_path):
    (tmp_path / "m.punch").write_text(text)
    with pytest.raises(MoleculeError, match="cannot be read"):
        read_multipoles(tmp_path / "m.punch", switch=4.0)


def test_the_builder_molecule_is_what_rdkit_sees(case):
    assert Chem.MolToSmiles(Chem.RemoveHs(case[0])) == "O=C(O)C(=O)O"


def test_a_punch_file_is_checked_before_any_work(tmp_path):
    rigid = oxalic_acid()
    path = tmp_path / "m.punch"
    component = {"name": "acid", "smiles": "OC(=O)C(=O)O", "multipoles_file": str(path)}
    settings = parse_settings({"campaign": "x", "molecule": {"components": [component]}}, "c.yaml")
    labels = [f"{chemical_symbols[number]}1" for number in rigid.atomic_number_a]
    path.write_text(punch(rigid.multipole_aq, rigid.position_av, labels))
    check_components(settings, "c.yaml")
    cases = {
        "sum to 0.0100 e, the molecule has 0 e": rigid.multipole_aq + 0.01 / 8 * np.eye(25)[0],
        "atoms and bonds are not those": rigid.multipole_aq[:7],
        "no complete list of sites": rigid.multipole_aq[:0],
    }
    for said, multipole_aq in cases.items():
        count = len(multipole_aq)
        path.write_text(punch(multipole_aq, rigid.position_av[:count], labels[:count]))
        with pytest.raises(InputError) as caught:
            check_components(settings, "c.yaml")
        assert caught.value.line().startswith("c.yaml: molecule.components[0].multipoles_file = ")
        assert said in caught.value.line()
