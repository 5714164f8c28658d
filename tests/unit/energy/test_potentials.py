"""Typing rules, combining rules, pair tables, and files of potentials: good ones and broken ones."""

import numpy as np
import pytest
import yaml
from rdkit import Chem

from polyscape.energy.exp6 import AtomType, PairTerm, Potential, wall_radius
from polyscape.energy.potentials import load_potential, potential_names
from polyscape.errors import InputError


@pytest.fixture
def fit():
    return load_potential("fit")


def typed(potential, smiles):
    """Types of a molecule's atoms, hydrogens after the others in RDKit's order."""
    molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
    bonds = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in molecule.GetBonds()]
    numbers = [atom.GetAtomicNum() for atom in molecule.GetAtoms()]
    return " ".join(load_potential(potential).assign_types(numbers, bonds))


@pytest.mark.parametrize(
    ("smiles", "types"),
    [
        ("CO", "C O H_c H_c H_c H_p"),
        ("CS", "C S H_c H_c H_c H_p"),
        ("CN", "C N H_c H_c H_c H_p H_p"),
        ("FC(F)(F)Cl", "F C F F Cl"),
        ("C[NH3+]", "C N H_c H_c H_c H_p H_p H_p"),
    ],
)
def test_fit_types_hydrogen_by_its_neighbour(smiles, types):
    assert typed("fit", smiles) == types


@pytest.mark.parametrize(
    ("smiles", "types"),
    [
        ("O", "Oa Ha Ha"),  # water
        ("CO", "C4 O2 H1 H1 H1 H2"),  # alcohol
        ("Oc1ccccc1", "O2 C3 C3 C3 C3 C3 C3 H2 H1 H1 H1 H1 H1"),  # phenol: as an alcohol
        ("OC(=O)C(=O)O", "O2 C3 O1 C3 O1 O2 H3 H3"),  # carboxylic acid
        ("CC(=O)OC", "C4 C3 O1 O2 C4 H1 H1 H1 H1 H1 H1"),  # ester: no acid hydrogen
        ("OC(=O)c1ccccc1O", "O2 C3 O1 C3 C3 C3 C3 C3 C3 O2 H3 H1 H1 H1 H1 H2"),  # acid and phenol
        ("OCC=O", "O2 C4 C3 O1 H2 H1 H1 H1"),  # a terminal O two bonds further makes no acid
        ("ON=CC", "O2 N2 C3 C4 H2 H1 H1 H1 H1"),  # oxime: any other hydroxyl
        ("CC#N", "C4 C2 N1 H1 H1 H1"),  # nitrile
        ("C=C=C", "C3 C2 C3 H1 H1 H1 H1"),
        ("c1ccncc1", "C3 C3 C3 N2 C3 C3 H1 H1 H1 H1 H1"),  # aromatic N without H
        ("c1c[nH]cn1", "C3 C3 N3 C3 N2 H1 H1 H4 H1"),  # imidazole: both kinds
        ("NC(=O)N", "N4 C3 O1 N4 H4 H4 H4 H4"),
        ("N", "N4 H4 H4 H4"),
        ("C[N+](=O)[O-]", "C4 N2 O1 O1 H1 H1 H1"),  # nitro
        ("CC(=O)[O-]", "C4 C3 O1 O1 H1 H1 H1"),  # carboxylate: two terminal O
        ("C[NH3+]", "C4 N4 H1 H1 H1 H4 H4 H4"),  # ammonium
        ("C[NH+](C)C", "C4 N3 C4 C4 H1 H1 H1 H4 H1 H1 H1 H1 H1 H1"),
        ("FC(Cl)(Br)I", "F C4 Cl Br I"),
    ],
)
def test_w99rev_types_functional_groups(smiles, types):
    assert typed("w99rev", smiles) == types


@pytest.mark.parametrize(
    ("potential", "numbers", "bonds", "words"),
    [
        ("fit", [35, 6], [(0, 1)], "element Br bonded to C$"),
        ("fit", [1, 14], [(0, 1)], "element H bonded to Si"),
        ("fit", [1, 17], [(0, 1)], r"element H bonded to Cl \(atom 1, with 1 neighbour\)"),
        ("fit", [1], [], r"element H \(atom 1, with 0 neighbours\)"),
        ("w99rev", [6, 16], [(0, 1)], "element C bonded to S"),
        ("w99rev", [16, 6, 6, 1], [(0, 1), (0, 2), (1, 3)], "element S bonded to C$"),
        (
            "w99rev",
            [6, 8],
            [(0, 1)],
            r"element C bonded to O \(atom 1, with 1 neighbour\)",
        ),  # carbon monoxide
        ("w99rev", [8, 1, 1, 1], [(0, 1), (0, 2), (0, 3)], r"O bonded to H \(atom 1, with 3 neighbours\)"),
        ("w99rev", [8, 1], [(0, 1)], "element H bonded to O"),  # hydroxide
        (
            "w99rev",
            [17, 8, 8, 8, 8],
            [(0, 1), (0, 2), (0, 3), (0, 4)],
            "element Cl bonded to O",
        ),  # perchlorate
    ],
)
def test_an_atom_without_parameters_is_named(potential, numbers, bonds, words):
    with pytest.raises(ValueError, match=words):
        load_potential(potential).assign_types(numbers, bonds)


def test_an_unknown_type_and_an_unknown_potential_are_named(fit):
    with pytest.raises(ValueError, match="no type 'H'"):
        fit.pair_parameters(["C", "H"])
    with pytest.raises(ValueError, match="no potential 'w98'; there are fit, w99rev"):
        load_potential("w98")
    with pytest.raises(ValueError, match=r"no file 'my\.yaml'"):
        load_potential("my.yaml")


def test_combining_rules(fit):
    pairs = fit.pair_parameters(["C", "O"])
    carbon, oxygen = fit.types["C"], fit.types["O"]
    assert pairs.prefactor_aa[0, 1] == pytest.approx(np.sqrt(carbon.A_eV * oxygen.A_eV), rel=1e-14)
    assert pairs.decay_aa[0, 1] == pytest.approx(0.5 / carbon.rho_A + 0.5 / oxygen.rho_A, rel=1e-14)
    assert pairs.c6_aa[0, 1] == pytest.approx(np.sqrt(carbon.C6_eV_A6 * oxygen.C6_eV_A6), rel=1e-14)
    np.testing.assert_array_equal(pairs.c6_aa, np.outer(pairs.sqrt_c6_a, pairs.sqrt_c6_a))


def test_sites_of_one_type_are_alike(fit):
    few, many = (fit.pair_parameters(types) for types in (["C", "O"], ["O", "C", "O", "O"]))
    for name in ("prefactor_aa", "decay_aa", "c6_aa", "wall_aa"):
        small, large = getattr(few, name), getattr(many, name)
        np.testing.assert_array_equal(large, small[np.ix_([1, 0, 1, 1], [1, 0, 1, 1])])
        assert large.flags.c_contiguous
    np.testing.assert_array_equal(many.sqrt_c6_a, few.sqrt_c6_a[[1, 0, 1, 1]])


def test_a_pair_term_replaces_what_it_gives():
    types = {"X": AtomType(1000.0, 0.25, 16.0), "Y": AtomType(4000.0, 0.20, 9.0)}
    rule = Potential("p", types).pair_parameters(["X", "Y"])
    for term, place in ((PairTerm(A_eV=7.0), ("Y", "X")), (PairTerm(C6_eV_A6=0.0), ("X", "Y"))):
        found = Potential("p", types, {place: term}).pair_parameters(["X", "Y"])
        expected_A = 7.0 if term.A_eV else rule.prefactor_aa[0, 1]
        expected_c6 = 12.0 if term.C6_eV_A6 is None else 0.0
        assert found.prefactor_aa[0, 1] == found.prefactor_aa[1, 0] == expected_A
        assert found.c6_aa[0, 1] == found.c6_aa[1, 0] == expected_c6
        assert (found.wall_aa[0, 1] == 0.0) == (expected_c6 == 0.0)
        assert found.c6_aa[0, 0] == 16.0
        np.testing.assert_array_equal(found.decay_aa, rule.decay_aa)
        np.testing.assert_array_equal(found.sqrt_c6_a, [4.0, 3.0])
    slower = Potential("p", types, {("X", "Y"): PairTerm(rho_A=0.5)}).pair_parameters(["X", "Y"])
    assert slower.decay_aa[0, 1] == 2.0


def test_hydrogen_bonds_of_w99rev_repel_only():
    """The table's A, rho by the rule, no C6 and so no hole to wall off."""
    w99rev = load_potential("w99rev")
    pairs = w99rev.pair_parameters(["H3", "O1", "C3"])
    assert pairs.prefactor_aa[0, 1] == 127.0
    assert pairs.decay_aa[0, 1] == pytest.approx(0.5 / 0.280899 + 0.5 / 0.252525, rel=1e-14)
    assert not pairs.c6_aa[0].any()
    assert not pairs.wall_aa[0].any()
    assert pairs.prefactor_aa[0, 2] == pytest.approx(np.sqrt(1.19924 * 2802.334865), rel=1e-14)


def test_a_table_of_pairs_combines_nothing():
    table = {("X", "X"): (1000.0, 0.25, 16.0), ("Y", "X"): (7.0, 0.3, 2.0)}
    pairs = Potential.from_pairs("table", table).pair_parameters(["X", "Y"])
    np.testing.assert_array_equal(pairs.prefactor_aa, [[1000.0, 7.0], [7.0, 0.0]])
    np.testing.assert_array_equal(pairs.c6_aa, [[16.0, 2.0], [2.0, 0.0]])
    assert pairs.decay_aa[0, 1] == pytest.approx(1.0 / 0.3, rel=1e-15)
    assert np.all(np.isfinite(pairs.decay_aa))
    assert pairs.wall_aa[1, 1] == 0.0


def test_the_wall_stands_at_the_inner_inflection():
    A, decay, c6 = 3832.147, 3.6, 25.28695
    r = float(wall_radius(A, decay, c6))
    assert A * decay**2 * np.exp(-decay * r) == pytest.approx(42.0 * c6 / r**8, rel=1e-9)
    assert 0.8 < r < 1.2
    assert wall_radius(A, decay, 0.0) == 0.0
    np.testing.assert_allclose(wall_radius([A, A], [decay, 3.0], [c6, 0.0]), [r, 0.0], rtol=1e-14)


def test_without_an_inflection_the_wall_stands_where_it_is_nearest():
    assert wall_radius(1.0, 4.0, 1e4) == 2.0
    assert wall_radius(0.0, 4.0, 1.0) == 2.0


def test_the_wall_of_a_flattened_site_holds_from_every_side():
    """On the bond's axis a halogen repels as if its A were smaller; exp-6 must be convex there too."""
    pairs = load_potential("w99rev").pair_parameters(["Cl", "O1"])
    A, decay, c6 = pairs.prefactor_aa[0, 0], pairs.decay_aa[0, 0], pairs.c6_aa[0, 0]
    softest = A * np.exp(2.0 * decay * pairs.stretch_a[0])
    assert pairs.wall_aa[0, 0] == pytest.approx(float(wall_radius(softest, decay, c6)), rel=1e-14)
    assert pairs.wall_aa[0, 0] > float(wall_radius(A, decay, c6))
    np.testing.assert_array_equal(pairs.stretch_a, [-0.09386, 0.0])


GOOD = """\
name: mine
types:
  C: {element: C, A_eV: 3800.0, rho_A: 0.2778, C6_eV_A6: 25.0}
  H: {element: H, neighbours: 1, moved_A: 0.1, A_eV: 120.0, rho_A: 0.2674, C6_eV_A6: 1.4}
pairs:
  H C: {A_eV: 600.0}
"""


def test_a_users_table_is_read_by_its_path(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    mine = load_potential(str(path))
    assert mine.name == "mine"
    assert mine.assign_types([6, 1, 1, 1, 1], [(0, 1), (0, 2), (0, 3), (0, 4)]) == ("C", "H", "H", "H", "H")
    assert mine.pair_parameters(["C", "H"]).prefactor_aa[0, 1] == 600.0
    path.write_text(GOOD.replace("600.0", "700.0"))
    assert load_potential(str(path)).pair_parameters(["C", "H"]).prefactor_aa[0, 1] == 700.0


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("name: mine\n", "", ["name", "required key is missing", "add it"]),
        ("name: mine", "name: 3", ["name = 3", "is not text"]),
        ("types:", "typos:", ["typos", "unknown key", "did you mean 'types'"]),
        ("element: C", "elment: C", ["types.C.elment", "unknown key", "did you mean 'element'"]),
        ("element: C", "element: Cc", ["types.C.element = 'Cc'", "is no element", "chemical symbol"]),
        ("element: C,", "element: X,", ["types.C.element = 'X'", "is no element"]),
        ("A_eV: 3800.0, ", "", ["types.C.A_eV", "required key is missing", "A in eV"]),
        ("A_eV: 3800.0", "A_eV: -3800.0", ["types.C.A_eV = -3800.0", "is not within", "A in eV"]),
        ("A_eV: 3800.0", "A_eV: .nan", ["types.C.A_eV = nan", "is not within"]),
        ("A_eV: 3800.0", "A_eV: 38e2", ["types.C.A_eV = '38e2'", "is text to YAML", "decimal point"]),
        ("A_eV: 3800.0", "A_eV: much", ["types.C.A_eV = 'much'", "is not a number"]),
        ("A_eV: 3800.0", "A_eV: true", ["types.C.A_eV = True", "is not a number"]),
        ("rho_A: 0.2778", "rho_A: 3.6", ["types.C.rho_A = 3.6", "is not within", "1/B, not B"]),
        ("C6_eV_A6: 25.0", "C6_eV_A6: -1", ["types.C.C6_eV_A6 = -1", "is not within"]),
        ("neighbours: 1", "neighbours: one", ["types.H.neighbours = 'one'", "whole number", "[2, 3]"]),
        ("neighbours: 1", "neighbours: []", ["types.H.neighbours = []", "whole number"]),
        ("neighbours: 1, ", "", ["types.H.neighbours", "must be 1", "moved_A"]),
        ("neighbours: 1", "neighbours: 1, bonded_to: []", ["types.H.bonded_to", "is empty"]),
        ("neighbours: 1", "neighbours: 1, bonded_to: [C, Q]", ["types.H.bonded_to[1] = 'Q'", "neither"]),
        (
            "neighbours: 1",
            "neighbours: 1, bonded_to: {element: O, A_eV: 1.0}",
            ["types.H.bonded_to.A_eV", "unknown key", "valid keys here: element"],
        ),
        ("  H C:", "  H O:", ["pairs.H O", "'O' is no type of this file", "types: C, H"]),
        ("  H C:", "  HC:", ["pairs.HC", "does not name two types", "space"]),
        ("{A_eV: 600.0}", "{A_eV: 600.0}\n  C H: {A_eV: 1.0}", ["pairs.C H", "stands twice"]),
        ("{A_eV: 600.0}", "{}", ["pairs.H C", "is empty"]),
        ("{A_eV: 600.0}", "600.0", ["pairs.H C = 600.0", "is not a mapping"]),
        ("  C: {", "  NO: {", ["types.False", "names are text", "quotes"]),
        ("  H: {element: H", "  C: {element: H", ["line 4", "is not valid YAML", "stands twice"]),
        ("types:", "types: [", ["is not valid YAML"]),
        (GOOD, "- 1\n", ["is not a mapping", "docs/potentials.md"]),
        (GOOD, "", ["is not a mapping"]),
        (GOOD, "name: mine\ntypes: {}\n", ["types = {}", "holds no type"]),
    ],
)
def test_a_broken_file_is_told_in_one_line(tmp_path, old, new, words):
    path = tmp_path / "mine.yaml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        load_potential(str(path))
    line = caught.value.line()
    assert line.startswith(str(path))
    assert "\n" not in line
    assert [word for word in words if word not in line] == []
    assert caught.value.remedy


def test_a_file_that_is_no_text_is_told_in_one_line(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read"):
        load_potential(str(path))


def test_a_file_cannot_run_code(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("name: !!python/object/apply:os.getcwd []\ntypes: {}\n")
    with pytest.raises(InputError, match="is not valid YAML"):
        load_potential(str(path))


def test_the_library_is_listed():
    assert potential_names() == ["fit", "w99rev"]
    assert yaml.safe_load(GOOD)["name"] not in potential_names()
