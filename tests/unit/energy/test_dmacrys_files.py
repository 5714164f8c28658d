"""Reading of crystals with multipoles and pair tables: synthetic files with every liberty that real ones take."""

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
from ase.data import chemical_symbols
from scipy.spatial.transform import Rotation

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.invariants import average_minimum_distances
from polyscape.crystal.operations import triplet_of
from polyscape.crystal.packing import Packing, Pose
from polyscape.energy.dmacrys.case import read_case
from polyscape.energy.potentials import load_potential
from polyscape.errors import InputError
from polyscape.molecule.multipoles import rotate_multipoles
from polyscape.units import ANGSTROM_PER_BOHR
from tests import builders

FAMILY = {"C": "C_F1", "O": "O_F1", "H_p": "H_F2", "H_c": "H_F1"}
TURN = Rotation.from_euler("xyz", [20, -50, 110], degrees=True).as_matrix()


def molecule():
    """Oxalic acid with multipoles of all ranks; every hydrogen's dipole along its bond, as real ones are."""
    plain = builders.oxalic_acid()
    generator = np.random.default_rng(3)
    multipoles = generator.normal(scale=0.05, size=plain.multipole_aq.shape)
    multipoles[:, 0] = plain.charge_a
    for light, heavy in ((3, 2), (7, 6)):
        bond = plain.position_av[light] - plain.position_av[heavy]
        multipoles[light, [2, 3, 1]] = -0.1 * bond
    return replace(plain, multipole_aq=multipoles)


def fit_pairs(types=("C", "O", "H_p"), typed=False):
    """The FIT potential as a list of pairs of elements, or of types."""
    fit = load_potential("fit")
    listed = []
    for i, first in enumerate(types):
        for second in types[i:]:
            found = fit.pair_parameters([first, second])
            pair = {"el1": first[0], "el2": second[0]}
            if typed:
                pair |= {"type1": FAMILY[first], "type2": FAMILY[second]}
            values = found.prefactor_aa[0, 1], 1 / found.decay_aa[0, 1], found.c6_aa[0, 1]
            listed.append(
                pair | dict(zip(("A_eV", "rho_ang", "C6_eV_ang6"), map(float, values), strict=True))
            )
    return listed


def content(packing, conformers, sites=None):
    """A file of the form: the packing's asymmetric unit, and sites in frames of their own."""
    atoms, listed = [], []
    for pose, (numbers, fractional) in zip(packing.poses, packing.independent_atoms(conformers), strict=True):
        conformer = conformers[pose.component, pose.conformer]
        for number, xyz in zip(numbers, fractional, strict=True):
            symbol = chemical_symbols[number]
            atoms.append({"label": f"{symbol}{len(atoms)}", "element": symbol, "frac_xyz": xyz.tolist()})
        turned = rotate_multipoles(conformer.multipole_aq, TURN)
        for a, number in enumerate(numbers):
            position = TURN @ conformer.position_av[a] / ANGSTROM_PER_BOHR + [0.3, 0.1, -0.2]
            kind = FAMILY[conformer.potential_type_a[a]]
            listed.append(
                {
                    "label": f"{kind}_{len(listed) + 1}____",
                    "element": chemical_symbols[number],
                    "atomic_number": int(number),
                    "position_bohr": position.tolist(),
                    "multipoles": {"rank": 4, "components": turned[a].tolist()},
                }
            )
    group = SpaceGroup.from_hall(packing.hall_symbol)
    return {
        "title": "synthetic",
        "crystal": {
            "cell": dict(zip(("a", "b", "c", "alpha", "beta", "gamma"), packing.cell, strict=True)),
            "Z": len(group.operations),
            "atoms": atoms,
            "symmetry_operations": [triplet_of(*operation) for operation in group.operations[1:]],
        },
        "molecule": {"sites": sites or listed},
        "potentials": {"pairs": fit_pairs()},
        "settings": {"repulsion_dispersion_cutoff_angstrom": 15.0, "spline": {"min": 2.0, "max": 4.0}},
    }


CONFORMERS = {(0, "ttt"): molecule()}
PACKING = builders.oxalic_packing()


@pytest.fixture
def read(tmp_path):
    """Write a content to a file and read it."""

    def of(data):
        path = tmp_path / "crystal.json"
        path.write_text(json.dumps(data))
        return read_case(path)

    return of


def same(case, packing=PACKING, conformers=CONFORMERS):
    """The case is this crystal: atoms, and multipoles in the crystal's axes up to symmetry and order."""
    ours, theirs = (
        average_minimum_distances(p.to_atoms(c), 40)
        for p, c in ((case.packing, case.conformers), (packing, conformers))
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-6)  # coordinates rounded at 1e-16, superposition at 1e-8
    for pose, key in zip(case.packing.poses, case.conformers, strict=True):
        old = packing.poses[list(case.conformers).index(key)]
        found = case.conformers[key]
        wanted = conformers[old.component, old.conformer]
        here = found.position_av @ pose.rotation_vv().T + pose.translation_c @ case.packing.cell_cv
        there = wanted.position_av @ old.rotation_vv().T + old.translation_c @ packing.cell_cv
        order = np.argmin(np.linalg.norm(here[:, None] - there[None], axis=2), axis=1)
        assert sorted(order) == list(range(len(order)))
        np.testing.assert_allclose(
            rotate_multipoles(found.multipole_aq, pose.rotation_vv()),
            rotate_multipoles(wanted.multipole_aq[order], old.rotation_vv()),
            atol=1e-6,
        )


def test_plain_file(read):
    case = read(content(PACKING, CONFORMERS))
    same(case)
    assert case.packing.hall_symbol == PACKING.hall_symbol
    assert (case.cutoff_A, case.spline_A, case.notes) == (15.0, 2.0, ())
    (found,) = case.conformers.values()
    assert found.potential_type_a == tuple(FAMILY[kind] for kind in molecule().potential_type_a)
    ours = case.potential.pair_parameters(found.potential_type_a)
    fit = load_potential("fit").pair_parameters(molecule().potential_type_a)
    np.testing.assert_allclose(ours.prefactor_aa, fit.prefactor_aa, rtol=1e-12)
    np.testing.assert_allclose(ours.c6_aa, fit.c6_aa, rtol=1e-12)


def test_generators_are_enough(read):
    data = content(PACKING, CONFORMERS)
    data["crystal"]["symmetry_operations"] = ["-x,y+1/2,-z+1/2", "-x,-y,-z"]
    same(read(data))


def test_atoms_in_another_order(read):
    data = content(PACKING, CONFORMERS)
    data["crystal"]["atoms"] = [data["crystal"]["atoms"][i] for i in (5, 2, 7, 0, 4, 1, 6, 3)]
    same(read(data))


def test_positions_in_lattice_units(read):
    data = content(PACKING, CONFORMERS)
    for site in data["molecule"]["sites"]:
        site["position_bohr"] = [x * ANGSTROM_PER_BOHR / 3.7 for x in site["position_bohr"]]
    case = read(data)
    same(case)
    assert case.notes == ("site positions are in units of 3.7000 A, as the bond lengths show",)


def test_moved_hydrogens_do_not_tilt_the_molecule(read):
    data = content(PACKING, CONFORMERS)
    sites = data["molecule"]["sites"]
    for light, heavy in ((3, 2), (7, 6)):
        a, b = (np.array(sites[i]["position_bohr"]) for i in (light, heavy))
        sites[light]["position_bohr"] = (
            a + 0.1 / ANGSTROM_PER_BOHR * (b - a) / np.linalg.norm(b - a)
        ).tolist()
    case = read(data)
    assert case.moved_A == pytest.approx(0.1, abs=1e-3)
    heavy = [0, 1, 2, 4, 5, 6]
    (pose,), (found,) = case.packing.poses, case.conformers.values()
    here = found.position_av @ pose.rotation_vv().T + pose.translation_c @ case.packing.cell_cv
    old = PACKING.poses[0]
    there = molecule().position_av @ old.rotation_vv().T + old.translation_c @ PACKING.cell_cv
    np.testing.assert_allclose(here[heavy], there[heavy], atol=1e-4)  # hydrogens weigh 1e-4


def chiral():
    """A molecule that is not its own mirror image: a twisted oxalic acid."""
    plain = molecule()
    position = plain.position_av.copy()
    axis = position[4] - position[0]
    turn = Rotation.from_rotvec(np.radians(70) * axis / np.linalg.norm(axis)).as_matrix()
    position[4:] = (position[4:] - position[0]) @ turn.T + position[0]
    mass = plain.mass_a
    return replace(plain, position_av=position - mass @ position / mass.sum())


def test_mirror_image(read):
    conformers = {(0, "ttt"): chiral()}
    mirrored = Packing(PACKING.hall_symbol, PACKING.cell, (replace(PACKING.poses[0], parity=-1),))
    case = read(content(mirrored, conformers))
    same(case, mirrored, conformers)
    assert case.packing.poses[0].parity == -1
    assert "mirror image" in " ".join(case.notes)


TWO = Packing(
    "-P 1",
    (7.1, 8.3, 9.7, 82.0, 101.0, 77.0),
    (
        Pose(0, "a", "1", (0.21, 0.34, 0.13), (0.8, 0.3, -0.4, float(np.sqrt(1 - 0.89)))),
        Pose(0, "b", "1", (0.68, 0.79, 0.51), (0.2, -0.7, 0.5, float(np.sqrt(1 - 0.78)))),
    ),
)


def test_two_molecules_in_overlapping_frames(read):
    conformers = {(0, "a"): molecule(), (0, "b"): chiral()}
    case = read(content(TWO, conformers))
    same(case, TWO, conformers)
    assert {key[0] for key in case.conformers} == {0}
    assert [one.stoichiometry for one in case.conformers.values()] == [
        2,
        2,
    ]  # Z = 2: both molecules are the unit
    data = content(TWO, conformers)
    data["crystal"]["Z"] = 4
    case = read(data)
    assert [one.stoichiometry for one in case.conformers.values()] == [1, 1]  # Z counts molecules


def test_centring_that_is_not_listed(read):
    """A dense packing, as crystals are: the other centrings leave worse contacts."""
    quaternion = (0.552909883033, -0.321947526829, -0.747878105802, 0.176971156052)
    pose = Pose(0, "ttt", "1", (0.14, 0.33, 0.40), quaternion)
    packing = Packing("-C 2yc", (12.1, 7.2, 9.4, 90.0, 104.0, 90.0), (pose,))
    data = content(packing, CONFORMERS)
    data["crystal"]["symmetry_operations"] = ["-x,y,-z+1/2", "-x,-y,-z", "x,-y,z+1/2"]
    case = read(data)
    assert case.packing.hall_symbol == "-C 2yc"
    assert case.notes == ("lattice centring C, not listed, follows from Z",)
    same(case, packing)


def test_special_position(read):
    pose = replace(PACKING.poses[0], translation_c=(0.5, 0.0, 0.5), site_symmetry="-1")
    packing = Packing(PACKING.hall_symbol, PACKING.cell, (pose,))
    plain = {(0, "ttt"): builders.oxalic_acid()}
    data = content(packing, plain)
    data["crystal"]["Z"] = 2
    case = read(data)
    assert case.packing.poses[0].site_symmetry == "-1"
    assert next(iter(case.conformers.values())).stoichiometry == 1
    assert len(case.packing.to_atoms(case.conformers)) == 16


def test_pairs_named_by_elements_with_two_kinds_of_hydrogen(read):
    """H-H stands three times; the labels and FIT's parameters tell which is which."""
    conformers = {
        (0, "ttt"): replace(molecule(), potential_type_a=("C", "O", "O", "H_p", "C", "O", "O", "H_c"))
    }
    data = content(PACKING, conformers)
    data["potentials"]["pairs"] = fit_pairs(("C", "O", "H_p", "H_c"))[::-1]
    data["molecule"]["sites"][7]["label"] = "H_F1_8____"
    # the second hydrogen is on oxygen, too, so that FIT's rules call both polar: only names can help
    with pytest.raises(InputError, match="type1, type2"):
        read(data)
    data["potentials"]["pairs"] = fit_pairs(("C", "O", "H_p", "H_c"), typed=True)
    found = read(data).potential.pair_parameters(["H_F1", "H_F2"])
    fit = load_potential("fit").pair_parameters(["H_c", "H_p"])
    np.testing.assert_allclose(found.prefactor_aa, fit.prefactor_aa)


def test_missing_pairs_are_filled_and_said(read):
    data = content(PACKING, CONFORMERS)
    data["potentials"]["pairs"] = [p for p in data["potentials"]["pairs"] if "O" not in (p["el1"], p["el2"])]
    case = read(data)
    assert any("filled from fit" in note and "O_F1-O_F1" in note for note in case.notes)
    found = case.potential.pair_parameters(["C_F1", "O_F1"])
    fit = load_potential("fit").pair_parameters(["C", "O"])
    np.testing.assert_allclose(found.prefactor_aa, fit.prefactor_aa, rtol=1e-9)
    np.testing.assert_allclose(found.decay_aa, fit.decay_aa, rtol=1e-9)


def test_multipoles_in_other_axes_are_noticed(read):
    conformers = {(0, "a"): molecule(), (0, "b"): molecule()}
    data = content(TWO, conformers)
    for site in data["molecule"]["sites"]:
        q = np.array([site["multipoles"]["components"]])
        site["multipoles"]["components"] = rotate_multipoles(q, TURN @ TURN)[0].tolist()
    assert any("other axes" in note for note in read(data).notes)


DEFECTS = {
    "crystal": lambda d: d.pop("crystal"),
    "crystal.cell.beta": lambda d: d["crystal"]["cell"].update(beta="ninety"),
    "crystal.cell": lambda d: d["crystal"]["cell"].update(alpha=20.0, beta=100.0, gamma=170.0),
    "crystal.Z": lambda d: d["crystal"].update(Z=5),
    "crystal.atoms[1].element": lambda d: d["crystal"]["atoms"][1].update(element="Xx"),
    "crystal.atoms[0].frac_xyz": lambda d: d["crystal"]["atoms"][0].update(frac_xyz=[0.1, 0.2]),
    "crystal.symmetry_operations[0]": lambda d: d["crystal"].update(symmetry_operations=["x,y"]),
    "molecule.sites": lambda d: d["molecule"]["sites"].pop(),
    "molecule.sites[2].position_bohr[1]": lambda d: d["molecule"]["sites"][2]["position_bohr"].__setitem__(
        1, None
    ),
    "molecule.sites[3].multipoles.rank": lambda d: d["molecule"]["sites"][3]["multipoles"].update(rank=5),
    "molecule.sites[3].multipoles.components": lambda d: d["molecule"]["sites"][3]["multipoles"].update(
        rank=2
    ),
    "molecule.sites[0].atomic_number": lambda d: d["molecule"]["sites"][0].update(atomic_number=7),
    "potentials.pairs": lambda d: d["potentials"].update(pairs=[]),
    "potentials.pairs[0].rho_ang": lambda d: d["potentials"]["pairs"][0].update(rho_ang=3.6),
    "potentials.pairs[0].kind": lambda d: d["potentials"]["pairs"][0].update(kind="LJ"),
    "settings.repulsion_dispersion_cutoff_angstrom": lambda d: d["settings"].pop(
        "repulsion_dispersion_cutoff_angstrom"
    ),
    "settings.short_range_potential_kind": lambda d: d["settings"].update(short_range_potential_kind="lj"),
    "settings.spline.min": lambda d: d["settings"].update(spline={}),
}


@pytest.mark.parametrize("key", DEFECTS)
def test_a_defect_is_one_line_with_file_and_key(read, key):
    data = copy.deepcopy(content(PACKING, CONFORMERS))
    DEFECTS[key](data)
    with pytest.raises(InputError) as caught:
        read(data)
    line = caught.value.line()
    assert caught.value.key == key
    assert "crystal.json" in line
    assert "\n" not in line


def test_sites_of_another_molecule(read):
    data = content(PACKING, CONFORMERS)
    positions = [site["position_bohr"] for site in data["molecule"]["sites"]]
    data["molecule"]["sites"][1]["position_bohr"] = [2 * x for x in positions[1]]
    with pytest.raises(InputError, match="cannot be laid over"):
        read(data)


def test_no_json(tmp_path):
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(InputError, match="is no JSON file"):
        read_case(tmp_path / "x.json")
