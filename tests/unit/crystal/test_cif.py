"""CIFs as different programs write them: symmetry by name or by operations in any setting, encodings, broken cells."""

import numpy as np
import pytest

from polyscape.crystal.cif import CifError, read_cif, read_cifs

CELL = {"a": 5.33, "b": 6.015, "c": 5.436, "alpha": 90, "beta": 115.83, "gamma": 90}
SITES = [("C1", 0.1441, 0.0027, 0.0001), ("O1", 0.1785, 0.1044, -0.1776), ("H1", 0.499, -0.102, 0.181)]
OPERATIONS = ("x,y,z", "-x,y+1/2,-z+1/2", "-x,-y,-z", "x,-y+1/2,z+1/2")
MOVED = ("x,y,z", "-x+1/2,y+1/2,-z+1/2", "-x+1/2,-y,-z", "x,-y+1/2,z+1/2")
"""The same group, its origin a quarter of a away: in no table."""


def text(symmetry, shift=0.0, **cell):
    lengths = {"length": "abc", "angle": ("alpha", "beta", "gamma")}
    values = CELL | cell
    lines = ["data_x", *(f"_cell_{kind}_{n} {values[n]}" for kind, names in lengths.items() for n in names)]
    if isinstance(symmetry, str):
        lines.append(f"_symmetry_space_group_name_H-M '{symmetry}'")
    else:
        lines += ["loop_", "_space_group_symop_operation_xyz", *(f"'{triplet}'" for triplet in symmetry)]
    lines += ["loop_", *(f"_atom_site_{tag}" for tag in ("label", "fract_x", "fract_y", "fract_z"))]
    return "\n".join([*lines, *(f"{name} {x + shift} {y} {z}" for name, x, y, z in SITES)]) + "\n"


def crystal(folder, content):
    path = folder / "x.cif"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_cif(path)


@pytest.mark.parametrize(
    "content",
    [
        text("P21/c"),
        text("P2(1)/c"),
        text(OPERATIONS),
        text("P 1 21/c 1").replace("\n", "\r\n"),
        b"\xef\xbb\xbf" + text("P 1 21/c 1").encode(),
        b"# M\xfcller\n" + text("P 1 21/c 1").encode(),
    ],
    ids=["name", "brackets", "operations", "line ends of Windows", "byte-order mark", "Latin-1"],
)
def test_one_crystal_however_it_is_written(tmp_path, content):
    wanted = crystal(tmp_path, text("P 1 21/c 1"))
    found = crystal(tmp_path, content)
    assert found.space_group == 14
    assert len(found.atomic_number_a) == 4 * len(SITES)
    order = [np.lexsort(np.round(one.fractional_ac, 6).T) for one in (wanted, found)]
    np.testing.assert_allclose(found.fractional_ac[order[1]], wanted.fractional_ac[order[0]], atol=1e-9)


def numbered(number):
    return text("?").replace("_symmetry_space_group_name_H-M '?'", f"_symmetry_Int_Tables_number {number}")


@pytest.mark.parametrize("number", [2, 19, 205])
def test_a_number_alone_will_do_for_a_group_of_one_setting(tmp_path, number):
    assert crystal(tmp_path, numbered(number)).space_group == number


@pytest.mark.parametrize(
    ("number", "problem"), [(14, "number 14 .* not which setting"), (0, "no space group")]
)
def test_a_number_alone_is_refused_where_it_leaves_the_setting_open(tmp_path, number, problem):
    with pytest.raises(CifError, match=problem):
        crystal(tmp_path, numbered(number))


def test_a_number_does_not_mend_a_symbol_that_is_none(tmp_path):
    with pytest.raises(CifError, match="names no space group that is known"):
        crystal(tmp_path, text("P 21 21 2z").replace("loop_", "_symmetry_Int_Tables_number 19\nloop_", 1))


def test_operations_of_an_untabulated_origin_are_followed(tmp_path):
    wanted = crystal(tmp_path, text(OPERATIONS))
    found = crystal(tmp_path, text(MOVED, shift=0.25))
    assert found.space_group == 14
    back_ac = (found.fractional_ac - (0.25, 0, 0)) % 1.0
    order = [np.lexsort(np.round(fractions, 6).T) for fractions in (wanted.fractional_ac, back_ac)]
    np.testing.assert_allclose(back_ac[order[1]], wanted.fractional_ac[order[0]], atol=1e-9)


def test_an_atom_that_is_listed_with_its_images_is_there_once(tmp_path):
    """Files that give the symmetry and all atoms of the cell, too."""
    wanted = crystal(tmp_path, text(OPERATIONS))
    listed = [("C9" if z == 6 else "O9" if z == 8 else "H9", *xyz) for z, xyz in content(wanted)]
    lines = [f"{name} {x} {y} {z}\n" for name, x, y, z in listed]
    found = crystal(tmp_path, text(OPERATIONS) + "".join(lines))
    assert sorted(found.atomic_number_a) == sorted(wanted.atomic_number_a)


def content(found):
    return zip(found.atomic_number_a, found.fractional_ac, strict=True)


def test_blocks_of_one_name_are_several_crystals(tmp_path):
    path = tmp_path / "x.cif"
    path.write_text(text("P 21/c") + text("P 21/c", a=5.4))
    first, second = read_cifs(path)
    assert (first.cell_cv[0, 0], second.cell_cv[0, 0]) == pytest.approx((5.33, 5.4))
    path.write_text(text("P 21/c") + text("P 21/c", a=0))
    with pytest.raises(CifError, match="block x#2: names no cell"):
        read_cifs(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (text("P 21/q"), "names no space group that is known"),
        (text("P 21/c", a=0), "no cell"),
        (text("P 21/c", a=-5.33), "no cell"),
        (text("P 21/c", beta=0), "no cell"),
        (text("P 21/c", beta=200), "no cell"),
        (text("P 21/c").replace("_cell_length_b", "_cell_length_a"), "duplicate tag"),
        (text(("x,y,z", "-x,y+1/2,-z+1/3", "x+1/7,y,z")), "is no symmetry operation"),
    ],
)
def test_what_is_no_crystal_is_said(tmp_path, content, said):
    with pytest.raises(CifError, match=said):
        crystal(tmp_path, content)


def listing(symbol, operations):
    """A symbol, and operations beside it."""
    name = f"_symmetry_space_group_name_H-M '{symbol}'"
    return text(operations).replace("data_x", f"data_x\n{name}", 1)


def test_operations_win_where_they_are_the_symbols_group(tmp_path):
    """Generators alone, and another origin than the symbol's."""
    wanted = crystal(tmp_path, text("P 1 21/c 1"))
    for operations, shift in ((OPERATIONS[1:3], 0.0), (MOVED, 0.25)):
        content = listing("P 1 21/c 1", operations)
        moved = [(name, x + shift, y, z) for name, x, y, z in SITES]
        for (name, x, y, z), (_, new, _, _) in zip(SITES, moved, strict=True):
            content = content.replace(f"{name} {x + 0.0} {y} {z}", f"{name} {new} {y} {z}")
        found = crystal(tmp_path, content)
        back_ac = np.round(found.fractional_ac - (shift, 0, 0), 6) % 1.0
        wanted_ac = np.round(wanted.fractional_ac, 6) % 1.0
        order = [np.lexsort(fractions.T) for fractions in (back_ac, wanted_ac)]
        np.testing.assert_allclose(back_ac[order[0]], wanted_ac[order[1]], atol=1e-6)


@pytest.mark.parametrize(
    ("symbol", "operations", "said"),
    [
        ("P -4 21 m", ("x,y,z", "-x,-y,z"), "names P -4 21 m, and lists operations of P112;"),
        ("P 1 21/c 1", OPERATIONS[:2], "names P 1 21/c 1, and lists operations of P21;"),
        ("P 1 21/c 1", ("x,y,z", "-x,y+1/2,-q"), "no symmetry operation .*beside the symbol P 1 21/c 1"),
    ],
)
def test_a_symbol_and_operations_that_disagree_are_refused(tmp_path, symbol, operations, said):
    with pytest.raises(CifError, match=said):
        crystal(tmp_path, listing(symbol, operations))
