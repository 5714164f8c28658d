import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from polyscape import schemas
from polyscape.tables import Column, Table, TableError, describe

POINT = pa.struct(
    [pa.field("x", pa.float64(), nullable=False), pa.field("name", pa.string(), nullable=False)]
)
TABLE = Table(
    "example",
    "an example",
    ("name", "index"),
    (
        Column("name", pa.string(), "", "a name"),
        Column("index", pa.int32(), "", "an index", low=0),
        Column("energy_kJ_per_mol", pa.float64(), "kJ/mol", "an energy", nullable=True, high=10.0),
        Column("steps", pa.int64(), "", "a count", nullable=True),
        Column("flag", pa.bool_(), "", "a flag"),
        Column("numbers", pa.list_(pa.float64()), "A", "numbers", nullable=True, low=-1.0),
        Column("points", pa.list_(POINT), "", "structs", nullable=True),
    ),
)


def row(**changes):
    values = {
        "name": "a",
        "index": 0,
        "energy_kJ_per_mol": -1.5,
        "steps": 3,
        "flag": True,
        "numbers": [0.25, 1e-300],
        "points": [{"x": 1.0, "name": "p"}],
    }
    return values | changes


@pytest.fixture
def frame():
    return TABLE.from_rows(
        [row(), row(index=1, energy_kJ_per_mol=None, steps=None, numbers=None, points=None, flag=False)]
    )


def test_what_is_written_is_read_again(tmp_path, frame):
    path = tmp_path / "new" / "example.parquet"
    TABLE.write(frame, path)
    again = TABLE.read(path)
    pd.testing.assert_frame_equal(again, frame)
    assert again.steps.tolist() == [3, pd.NA]
    assert str(again.steps.dtype) == "Int64"  # no float, although one is missing
    assert again.numbers[0].tolist() == [0.25, 1e-300]


def test_reading_and_writing_again_gives_the_same_bytes(tmp_path, frame):
    TABLE.write(frame, tmp_path / "one")
    TABLE.write(TABLE.read(tmp_path / "one"), tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_an_empty_table_keeps_its_columns(tmp_path):
    TABLE.write(TABLE.from_rows([]), tmp_path / "empty")
    assert list(TABLE.read(tmp_path / "empty").columns) == TABLE.names


def test_unit_and_meaning_travel_in_the_file(tmp_path, frame):
    TABLE.write(frame, tmp_path / "t")
    assert 'energy_kJ_per_mol: {"unit": "kJ/mol", "doc": "an energy"}' in describe(tmp_path / "t")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": None}, r"example.name: 1 missing"),
        ({"flag": None}, r"example.flag: 1 missing"),
        ({"index": -1}, r"example.index: -1 is below 0"),
        ({"energy_kJ_per_mol": 10.5}, r"10.5 is above 10"),
        ({"energy_kJ_per_mol": np.inf}, r"energy_kJ_per_mol: a value is not finite"),
        ({"numbers": [0.0, np.nan]}, r"numbers: .*not finite"),
        ({"numbers": [0.0, None]}, r"numbers: .*not finite"),
        ({"numbers": [0.0, -2.0]}, r"-2.0 is below -1"),
        ({"points": [{"x": np.inf, "name": "p"}]}, r"points: a value is not finite"),
        ({"points": [{"x": None, "name": "p"}]}, r"points.x: missing"),
        ({"points": [{"x": 1.0, "name": None}]}, r"points.name: missing"),
        ({"name": 3}, r"example.name: not string"),
        ({"energy_kJ_per_mol": "1.0"}, r"'1.0' where double is declared"),
        ({"energy_kJ_per_mol": True}, r"True where double is declared"),
        ({"index": "1"}, r"'1' where int32 is declared"),
        ({"index": 1.0}, r"1.0 where int32 is declared"),
        ({"index": True}, r"True where int32 is declared"),
        ({"index": 2**40}, r"example.index: not int32"),
        ({"flag": 1}, r"example.flag: not bool"),
        ({"numbers": 3.0}, r"example.numbers: not list"),
    ],
)
def test_a_wrong_value_is_refused(tmp_path, change, message):
    with pytest.raises(TableError, match=message):
        TABLE.write(TABLE.from_rows([row(**change)]), tmp_path / "t")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: f.drop(columns="flag"), r"missing \['flag'\]"),
        (lambda f: f.assign(more=1), r"extra \['more'\]"),
        (lambda f: f[[*TABLE.names[1:], TABLE.names[0]]], r"in another order"),
        (lambda f: f.assign(name="a", index=0), r"1 repeated keys, the first \{'name': 'a', 'index': 0\}"),
        (lambda f: f.assign(index=[0.0, 1.0]), r"0.0 where int32 is declared"),
        (lambda f: f.assign(energy_kJ_per_mol=["1.0", "2.0"]), r"'1.0' where double is declared"),
        (lambda f: f.assign(steps=["1", None]), r"'1' where int64 is declared"),
    ],
)
def test_a_wrong_frame_is_refused(tmp_path, frame, spoil, message):
    with pytest.raises(TableError, match=message):
        TABLE.write(spoil(frame), tmp_path / "t")
    assert list(tmp_path.iterdir()) == []


def test_rows_with_unknown_columns_are_refused():
    with pytest.raises(TableError, match="no such columns: \\['energy'\\]"):
        TABLE.from_rows([row(energy=1.0)])


def _parquet(path, change):
    table = pa.Table.from_pylist([row()], schema=TABLE.schema)
    pq.write_table(change(table), path)
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop_columns("flag"), "column 'flag' is missing"),
        (lambda t: t.append_column("more", pa.array([1])), r"extra columns \['more'\]"),
        (lambda t: t.set_column(1, "index", pa.array(["0"])), "column 'index' is .*string"),
        (
            lambda t: t.set_column(5, TABLE.schema.field(5), pa.array([[1.0, None]], TABLE.schema.types[5])),
            "numbers: 1 missing or not finite elements",
        ),
        (lambda t: t.select(TABLE.names[::-1]), "another order"),
        (lambda t: pa.concat_tables([t, t]), "1 repeated keys"),
        (lambda t: t.set_column(1, TABLE.schema.field(1), pa.array([-5], pa.int32())), "-5 is below 0"),
    ],
)
def test_a_file_that_is_not_the_table_is_refused(tmp_path, change, message):
    path = _parquet(tmp_path / "t.parquet", change)
    with pytest.raises(TableError, match=message):
        TABLE.read(path)


def test_a_damaged_or_missing_file_is_named(tmp_path, frame):
    path = tmp_path / "t.parquet"
    with pytest.raises(TableError, match=r"t\.parquet: not a readable"):
        TABLE.read(path)
    TABLE.write(frame, path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(TableError, match=r"t\.parquet: not a readable"):
        TABLE.read(path)


def test_several_files_are_one_table(tmp_path):
    paths = [tmp_path / "a", tmp_path / "b", tmp_path / "c"]
    for rows, path in zip(([row()], [], [row(index=7, steps=None)]), paths, strict=True):
        TABLE.write(TABLE.from_rows(rows), path)
    together = TABLE.read_all(paths)
    pd.testing.assert_frame_equal(together, TABLE.from_rows([row(), row(index=7, steps=None)]))
    with pytest.raises(TableError, match="1 repeated keys"):
        TABLE.read_all([paths[0], paths[0]])
    assert TABLE.read_all([]).empty


@pytest.mark.parametrize("table", schemas.ALL, ids=lambda table: table.name)
def test_every_declared_table_is_sound(table, tmp_path):
    assert len(set(table.names)) == len(table.names)
    keys = [column for column in table.columns if column.name in table.key]
    assert len(keys) == len(table.key)
    assert not any(column.nullable for column in keys)
    assert all(column.doc for column in table.columns)
    table.write(table.from_rows([]), tmp_path / "t")
    assert table.read(tmp_path / "t").empty


UNITS_IN_NAMES = {
    "kJ/mol": "kJ_per_mol",
    "Angstrom": "_A",
    "eV": "_eV",
    "hartree": "_hartree",
    "degree": "_deg",
    "g/cm^3": "_g_per_cm3",
    "core second": "core_s",
    "s": "_s",
    "MB": "_MB",
    "amu": "_amu",
    "debye": "_debye",
    "Angstrom^3": "_A3",
}


@pytest.mark.parametrize("table", schemas.ALL, ids=lambda table: table.name)
def test_a_unit_stands_in_the_name_of_its_column(table):
    for column in table.columns:
        wanted = UNITS_IN_NAMES.get(column.unit)
        if wanted and not pa.types.is_list(column.type):
            assert column.name.endswith(wanted), f"{column.name} is in {column.unit}"
