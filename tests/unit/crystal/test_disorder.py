"""The major part of disordered crystals, as CIFs of different programs write it."""

import numpy as np
import pytest
from ase.data import chemical_symbols

from polyscape.crystal.cif import CifError, read_cif
from polyscape.search.forms import molecules_of
from tests import builders

CELL_A = 9.0
OFF_A = (0.0, 0.9, 0.4)
"""From a hydrogen to its minor alternative."""


def cif(path, sites, group="P 1"):
    """A CIF of (label, element, x, y, z, occupancy, assembly, group), positions in Angstrom."""
    tags = ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy")
    tags += ("disorder_assembly", "disorder_group")
    cell = [f"_cell_length_{x} {CELL_A}" for x in "abc"] + [
        f"_cell_angle_{x} 90" for x in ("alpha", "beta", "gamma")
    ]
    head = ["data_x", *cell, f"_symmetry_space_group_name_H-M '{group}'", "loop_"]
    rows = [
        f"{label} {element} {x / CELL_A:.6f} {y / CELL_A:.6f} {z / CELL_A:.6f} {occupancy} {assembly} {number}"
        for label, element, (x, y, z), occupancy, assembly, number in sites
    ]
    path.write_text("\n".join([*head, *(f"_atom_site_{tag}" for tag in tags), *rows]) + "\n")
    return path


def acid(first, second):
    """Oxalic acid, each hydrogen with a minor alternative: (occupancy, assembly, group of the major, of the minor)."""
    molecule = builders.oxalic_acid()
    hydrogens = np.flatnonzero(molecule.atomic_number_a == 1)
    sites = []
    for a, (number, place) in enumerate(zip(molecule.atomic_number_a, molecule.position_av, strict=True)):
        element, place = chemical_symbols[number], place + 4.0
        if a not in hydrogens:
            sites.append((f"{element}{a}", element, place, 1, ".", "."))
            continue
        occupancy, assembly, major, minor = (first, second)[int(a == hydrogens[1])]
        sites.append((f"H{a}", "H", place, occupancy, assembly, major))
        sites.append((f"H{a}b", "H", place + OFF_A, round(1 - occupancy, 3), assembly, minor))
    return sites, molecule.position_av + 4.0


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((0.7, "A", 2, 1), (0.6, "B", 1, 2)),  # two assemblies, the major group of each another number
        ((0.7, ".", 2, 1), (0.6, ".", 1, 2)),  # no assemblies, numbers used again
        ((0.7, ".", 1, 2), (0.6, ".", 3, 4)),  # no assemblies, numbers used once
        ((0.7, "A", 1, 2), (0.6, ".", 2, 1)),  # one of each
    ],
)
def test_each_region_keeps_its_own_major_part(tmp_path, first, second):
    sites, wanted_av = acid(first, second)
    crystal = read_cif(cif(tmp_path / "x.cif", sites))
    assert len(molecules_of(crystal, ["C2 H2 O4"], [1])) == 1
    np.testing.assert_allclose(crystal.fractional_ac @ crystal.cell_cv, wanted_av, atol=1e-4)  # six decimals


def test_alternatives_that_lie_apart_are_one_region(tmp_path):
    """A proton on one oxygen in 70 % of the molecules and 4 A away on another in the rest."""
    molecule = builders.oxalic_acid()
    places = molecule.position_av + 4.0
    sites = [
        (f"X{a}", chemical_symbols[n], places[a], 1, ".", ".")
        for a, n in enumerate(molecule.atomic_number_a)
        if n != 1
    ]
    one, other = np.flatnonzero(molecule.atomic_number_a == 1)
    assert np.linalg.norm(places[one] - places[other]) > 2.5
    sites += [("Ha", "H", places[one], 0.3, ".", 1), ("Hb", "H", places[other], 0.7, ".", 2)]
    crystal = read_cif(cif(tmp_path / "x.cif", sites))
    np.testing.assert_allclose(crystal.fractional_ac[-1] * CELL_A, places[other], atol=1e-4)
    assert (crystal.atomic_number_a == 1).sum() == 1


def test_without_occupancies_the_first_group_is_kept(tmp_path):
    sites, wanted_av = acid((0.7, ".", 1, 2), (0.6, ".", 1, 2))
    sites = [(*site[:3], ".", *site[4:]) for site in sites]
    crystal = read_cif(cif(tmp_path / "x.cif", sites))
    np.testing.assert_allclose(crystal.fractional_ac @ crystal.cell_cv, wanted_av, atol=1e-4)


def test_disorder_about_a_symmetry_element_is_refused(tmp_path):
    sites = [("C1", "C", np.array([0.3, 0.2, 0.1]), 0.5, ".", -1)]
    with pytest.raises(CifError, match=r"C1 is disordered about a symmetry element.*subgroup"):
        read_cif(cif(tmp_path / "x.cif", sites, "P -1"))


def test_partial_occupation_without_groups_is_refused(tmp_path):
    sites = [("O1", "O", np.array([0.3, 0.2, 0.1]), 0.5, ".", ".")]
    with pytest.raises(CifError, match="O1 is occupied in part only"):
        read_cif(cif(tmp_path / "x.cif", sites))


def test_alternatives_that_leave_a_region_empty_in_part_are_refused(tmp_path):
    sites, _ = acid((0.5, ".", 1, 2), (0.5, ".", 1, 2))
    lone = [("X1", "C", (0.5, 0.5, 0.5), 0.5, ".", 3)]  # with nothing in the other half of the cells
    with pytest.raises(CifError, match="occupied in part only"):
        read_cif(cif(tmp_path / "a.cif", sites + lone))
