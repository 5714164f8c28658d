"""Crystals of other generators: recognised, put into their space group, refused in one line when they are others."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.io import write

from polyscape.crystal.packing import Packing, Pose
from polyscape.errors import InputError
from polyscape.schemas import CONFORMERS, MOLECULE, TRIALS
from polyscape.settings import parse_settings
from polyscape.stages.import_crystals import check_imported, import_crystals
from polyscape.stages.rows import packing_of, packing_values
from tests import builders


@pytest.fixture
def tables():
    return builders_tables(builders.oxalic_acid())


def builders_tables(acid):
    """The tables `molecule` and `conformers` of one rigid molecule."""
    sites = [
        {
            "component": 0,
            "conformer": acid.name,
            "site": a,
            "element": "X",
            "atomic_number": int(z),
            **dict(zip(("x_A", "y_A", "z_A"), map(float, acid.position_av[a]), strict=True)),
            "potential_type": acid.potential_type_a[a],
            "mass_amu": float(acid.mass_a[a]),
            "bonded_sites": [b for bond in acid.bonds if a in bond for b in bond if b != a],
            "esp_charge_e": float(acid.charge_a[a]),
            "multipoles_au": acid.multipole_aq[a].tolist(),
        }
        for a, z in enumerate(acid.atomic_number_a)
    ]
    row = {
        "component": 0,
        "component_name": "acid",
        "conformer": acid.name,
        "selected": True,
        "stoichiometry": 1,
        "charge": 0,
        "atoms": len(sites),
        "smiles": "OC(=O)C(=O)O",
        "energy_hartree": 0.0,
        "intramolecular_kJ_per_mol": 0.0,
        "gas_phase_level": "none",
        "point_group": "C2h",
        "rotatable_bonds": 0,
        "torsions_deg": [],
        "status": "ok",
    }
    return MOLECULE.from_rows(sites), CONFORMERS.from_rows([row])


def special():
    """Oxalic acid on an inversion centre of P2_1/c."""
    pose = Pose(0, "ttt", "-1", (0.0, 0.5, 0.0), (0.8, 0.3, -0.4, np.sqrt(1 - 0.89)))
    return Packing("-P 2ybc", (8.1, 7.6, 7.9, 90.0, 104.0, 90.0), (pose,))


def config(*files):
    components = [{"name": "acid", "smiles": "OC(=O)C(=O)O"}]
    return {
        "campaign": "x",
        "molecule": {"components": components},
        "search": {"import": [str(f) for f in files]},
    }


def check(*files):
    check_imported(parse_settings(config(*files), "c.yaml"), "c.yaml")


@pytest.mark.parametrize(("suffix", "form"), [("cif", "cif"), ("xyz", "extxyz")])
def test_crystals_come_back_in_their_own_group(tmp_path, tables, suffix, form):
    general = Packing("-P 2ybc", (11.0, 10.0, 12.0, 90.0, 95.0, 90.0), builders.oxalic_packing().poses)
    crystals = [general, special()]
    path = tmp_path / f"others.{suffix}"
    write(path, [crystal.to_atoms(builders.conformers()) for crystal in crystals], format=form)
    check(path)
    trials = import_crystals(*tables, path, "others", "racemic")
    assert list(trials.trial_id) == ["import-others-0000000", "import-others-0000001"]
    assert set(trials.origin) == {"import:others"}
    assert list(trials.space_group) == [14, 14]
    rows = trials.to_dict("records")
    assert [row["poses"][0]["site_symmetry"] for row in rows] == ["1", "-1"]
    for row, crystal in zip(rows, crystals, strict=True):
        found = packing_of(row)
        # coordinates of CIFs have eight decimals
        assert found.volume_A3 == pytest.approx(crystal.volume_A3, rel=1e-5)
        assert len(found.to_atoms(builders.conformers())) == len(crystal.to_atoms(builders.conformers()))


def test_trials_of_another_campaign(tmp_path, tables):
    values = {"volume_A3": 1.0, "expansion": 1.0, "status": "ok"}
    rows = [
        {"trial_id": "a", "sobol_index": 0, **packing_values(special(), 14, "search"), **values},
        {
            "trial_id": "b",
            "sobol_index": 1,
            **packing_values(special(), 14, "search"),
            **values,
            "status": "overlap",
        },
    ]
    path = tmp_path / "theirs.parquet"
    TRIALS.write(TRIALS.from_rows(rows), path)
    check(path)
    trials = import_crystals(*tables, path, "theirs", "racemic")
    assert list(trials.trial_id) == ["import-theirs-0000000"]
    assert packing_of(trials.to_dict("records")[0]) == special()


def water():
    return Atoms("OH2", [(0, 0, 0), (0.76, 0.59, 0), (-0.76, 0.59, 0)], cell=[6, 6, 6], pbc=True)


def bad_files(folder):
    acid = special().to_atoms(builders.conformers())
    lacking = acid[[atom.index for atom in acid if atom.symbol != "H"]]
    for name, atoms in (("water", water()), ("lacking", lacking), ("second", [acid, water()])):
        write(folder / f"{name}.xyz", atoms, format="extxyz")
    write(folder / "gas.xyz", Atoms(acid.numbers, acid.positions), format="extxyz")
    write(folder / "water.cif", water(), format="cif")
    nowhere = acid.copy()
    nowhere.positions[0, 0] = np.nan
    write(folder / "nowhere.xyz", nowhere, format="extxyz")
    for name in ("empty.xyz", "empty.cif", "empty.parquet", "crystals.res"):
        (folder / name).write_text("")
    return folder


@pytest.mark.parametrize(
    "name",
    [
        *("water.xyz", "water.cif", "lacking.xyz", "second.xyz", "gas.xyz", "none.cif", "crystals.res"),
        "nowhere.xyz",
        *("empty.xyz", "empty.cif", "empty.parquet"),
    ],
)
def test_other_files_stop_in_one_line(tmp_path, name):
    with pytest.raises(InputError) as caught:
        check(bad_files(tmp_path) / name)
    line = caught.value.line()
    assert line.startswith("c.yaml: search.import[0] = ")
    assert name in line
    assert "\n" not in line


def isomer():
    """Formic acid and carbon dioxide in one place would have the elements of oxalic acid; here as one molecule."""
    chain = [("O", 0), ("O", 1.4), ("C", 2.8), ("C", 4.2), ("O", 5.6), ("O", 7.0), ("H", -1.0), ("H", 8.0)]
    cell = [14, 8, 8]
    return Atoms([symbol for symbol, _ in chain], [(x + 2, 4, 4) for _, x in chain], cell=cell, pbc=True)


@pytest.mark.parametrize("place", [0, 1])
def test_isomers_are_refused_before_anything_runs(tmp_path, place):
    crystals = [special().to_atoms(builders.conformers())] * 2
    crystals[place] = isomer()
    write(tmp_path / "isomers.xyz", crystals, format="extxyz")
    with pytest.raises(InputError, match=rf"search\.import\[0\].*crystal {place} .*bonded unlike"):
        check(tmp_path / "isomers.xyz")


def trial_row(status="ok", **changes):
    values = {"trial_id": "a", "sobol_index": 0, "volume_A3": 1.0, "expansion": 1.0, "status": status}
    row = values | packing_values(special(), 14, "search")
    pose = row["poses"][0] | {key: value for key, value in changes.items() if key in row["poses"][0]}
    own = {key: value for key, value in changes.items() if key not in pose}
    return row | {"poses": [pose]} | own


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (trial_row(status="overlap"), "holds no crystal that is not rejected"),
        (trial_row(hall_symbol="P nonsense"), "a has the Hall symbol 'P nonsense', which is none"),
        (trial_row(a_A=0.001), "a has a cell that no lattice has"),
        (trial_row(alpha_deg=170.0, gamma_deg=170.0), "a has a cell that no lattice has"),
        (trial_row(qw=0.0, qx=0.0, qy=0.0, qz=0.0), "a has a quaternion that is no rotation"),
        (trial_row(component=1), "a holds a molecule of component 1, the config has 1"),
        (trial_row(poses=[]), "a lacks a component"),
    ],
)
def test_rows_of_a_table_that_are_no_crystals_stop_in_one_line(tmp_path, row, said):
    path = tmp_path / "theirs.parquet"
    TRIALS.write(TRIALS.from_rows([row]), path)
    with pytest.raises(InputError) as caught:
        check(path)
    assert said in caught.value.line()


def test_a_row_that_claims_a_symmetry_its_molecule_has_not_is_refused(tmp_path, tables):
    path = tmp_path / "theirs.parquet"
    TRIALS.write(TRIALS.from_rows([trial_row(site_symmetry="2/m")]), path)
    with pytest.raises(InputError, match="site of symmetry -1, not 2/m"):
        import_crystals(*tables, path, "theirs", "racemic")


@pytest.mark.parametrize("suffix", ["cif", "parquet"])
def test_crystals_of_the_other_hand_are_turned_in_an_enantiopure_search(tmp_path, suffix):
    """A conformer with a hand of its own, in a crystal of its mirror images."""
    acid = builders.oxalic_acid()
    bent = replace(acid, position_av=acid.position_av + bend(acid.position_av))
    tables, rigid = builders_tables(bent), {(0, bent.name): bent}
    pose = Pose(0, bent.name, "1", (0.1, 0.2, 0.15), (0.6, 0.0, 0.8, 0.0), -1)
    other = Packing("P 4w", (15.0, 15.0, 18.0, 90.0, 90.0, 90.0), (pose,))
    path = tmp_path / f"other.{suffix}"
    if suffix == "cif":
        write(path, other.to_atoms(rigid), format="cif")
    else:
        TRIALS.write(TRIALS.from_rows([trial_row() | packing_values(other, 76, "search")]), path)
    row = import_crystals(*tables, path, "other", "enantiopure").to_dict("records")[0]
    assert (row["space_group"], row["poses"][0]["parity"]) == (78, 1)
    kept = import_crystals(*tables, path, "other", "racemic").to_dict("records")[0]
    assert (kept["space_group"], kept["poses"][0]["parity"]) == (76, -1)


def bend(position_av):
    """Displacements that take the symmetry of a flat molecule away."""
    return 0.1 * np.sin(1.0 + 2.0 * position_av[:, [1, 2, 0]] + 3.0 * position_av[:, [2, 0, 1]])


def test_both_hands_are_refused_in_an_enantiopure_search(tmp_path, tables):
    path = tmp_path / "racemate.xyz"
    write(path, special().to_atoms(builders.conformers()), format="extxyz")
    with pytest.raises(InputError, match="both hands"):
        import_crystals(*tables, path, "racemate", "enantiopure")
