"""The mechanism of the tables: declared once, checked whenever one is written or read.

`Table.write` and `Table.read` are the only calls of the project that touch Parquet.  They compare names, order, types,
nulls, ranges and the key.  A column's unit and meaning travel in the metadata of its Arrow field.  The tables
themselves are declared in `polyscape.schemas`.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from polyscape.files import write_atomically


class TableError(Exception):
    """A table does not hold what its declaration says; a programming error or a damaged file, never bad input."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
        Name with the unit in it, ``density_g_per_cm3``.
    type : pyarrow.DataType
        Arrow type.
    unit : str
        Unit in words; empty for names, counts and flags.
    doc : str
        What the column means, per what.
    nullable : bool
        Whether a row may have no value.
    low, high : float, optional
        Inclusive bounds of a number (of each element of a list of numbers).
    """

    name: str
    type: pa.DataType
    unit: str
    doc: str
    nullable: bool = False
    low: float | None = None
    high: float | None = None

    def field(self) -> pa.Field:
        """The Arrow field with unit and meaning as metadata."""
        return pa.field(self.name, self.type, self.nullable, {"unit": self.unit, "doc": self.doc})

    def check(self, values: pa.ChunkedArray, table: str) -> None:
        """Raise `TableError` when a value is missing, out of range or not finite, within lists and structs too."""
        place = f"{table}.{self.name}"
        if not self.nullable and values.null_count:
            raise TableError(f"{place}: {values.null_count} missing values in a column that allows none")
        for numbers in _elements(values, place):
            self._check_numbers(numbers, place)

    def _check_numbers(self, numbers: pa.ChunkedArray, place: str) -> None:
        is_real = pa.types.is_floating(numbers.type)
        if not (is_real or pa.types.is_integer(numbers.type)) or len(numbers) == numbers.null_count:
            return
        if is_real and not pc.all(pc.is_finite(numbers)).as_py():
            raise TableError(f"{place}: a value is not finite; use a null and a status")
        extremes = pc.min_max(numbers).as_py()
        if self.low is not None and extremes["min"] < self.low:
            raise TableError(f"{place}: {extremes['min']} is below {self.low}")
        if self.high is not None and extremes["max"] > self.high:
            raise TableError(f"{place}: {extremes['max']} is above {self.high}")


@dataclass(frozen=True)
class Table:
    """A declared table.

    Attributes
    ----------
    name : str
        Name in error messages and in docs/tables.md.
    row : str
        What one row is.
    key : tuple of str
        Columns that identify a row.
    columns : tuple of Column
        All columns in their order.
    """

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema, with the table's name as metadata."""
        return pa.schema([column.field() for column in self.columns], {"table": self.name})

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [column.name for column in self.columns]

    def from_rows(self, rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
        """A data frame of this table from dictionaries; missing nullable entries become nulls."""
        allowed = set(self.names)
        listed = list(rows)
        for row in listed:
            extra = set(row) - allowed
            if extra:
                raise TableError(f"{self.name}: no such columns: {sorted(extra)}")
        arrays = [_array([row.get(c.name) for row in listed], c, self.name) for c in self.columns]
        return _to_pandas(pa.Table.from_arrays(arrays, schema=self.schema))

    def write(self, frame: pd.DataFrame, path: Path) -> None:
        """Check a data frame and write it as Parquet, under a temporary name first."""
        table = self._to_arrow(frame)
        self.check(table)
        with write_atomically(path) as temporary:
            pq.write_table(table, temporary, compression="zstd", store_schema=True)

    def read(self, path: Path) -> pd.DataFrame:
        """Read a Parquet file and check it against the declaration."""
        return _to_pandas(self._read_arrow(path))

    def read_all(self, paths: Sequence[Path]) -> pd.DataFrame:
        """Read several files of this table one after the other, and check the key over all of them."""
        if not paths:
            return self.from_rows([])
        table = pa.concat_tables([self._read_arrow(path) for path in paths])
        self._check_key(table)
        return _to_pandas(table)

    def check(self, table: pa.Table) -> None:
        """Raise `TableError` when values or the key break the declaration."""
        for column in self.columns:
            column.check(table[column.name], self.name)
        self._check_key(table)

    def _check_key(self, table: pa.Table) -> None:
        frame = table.select(list(self.key)).to_pandas()
        repeated = frame.duplicated()
        if repeated.any():
            first = frame.loc[repeated].iloc[0].to_dict()
            raise TableError(f"{self.name}: {int(repeated.sum())} repeated keys, the first {first}")

    def _read_arrow(self, path: Path) -> pa.Table:
        try:
            table = pq.ParquetFile(path).read()
        except (pa.ArrowInvalid, OSError) as error:
            raise TableError(f"{path}: not a readable Parquet file: {error}") from error
        if not table.schema.equals(self.schema):
            raise TableError(f"{path}: not a table {self.name!r}: {_difference(table.schema, self.schema)}")
        self.check(table)
        return table

    def _to_arrow(self, frame: pd.DataFrame) -> pa.Table:
        if list(frame.columns) != self.names:
            missing = sorted(set(self.names) - set(frame.columns))
            extra = sorted(set(frame.columns) - set(self.names))
            found = f"missing {missing}, extra {extra}" if missing or extra else "in another order"
            raise TableError(f"{self.name}: columns {found}")
        arrays = [_array(frame[column.name], column, self.name) for column in self.columns]
        return pa.Table.from_arrays(arrays, schema=self.schema)


def describe(path: Path) -> str:
    """The columns of a Parquet file with units and meanings, for people."""
    schema = pq.read_schema(path)
    lines = []
    for field in schema:
        metadata = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
        lines.append(f"{field.name}: {json.dumps(metadata, ensure_ascii=False)}")
    return "\n".join(lines)


def _array(values: Iterable[Any], column: Column, table: str) -> pa.Array:
    """An Arrow array of the declared type.  Arrow by itself reads "1.0", 1.0 and True as the integer 1: refused."""
    plain = [_plain(value) for value in values]
    wrong = _foreign_types(column.type)
    strange = next((value for value in plain if isinstance(value, wrong)), None)
    if strange is not None:
        raise TableError(f"{table}.{column.name}: {strange!r} where {column.type} is declared")
    try:
        return pa.array(plain, type=column.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError, OverflowError) as error:
        raise TableError(f"{table}.{column.name}: not {column.type}: {error}") from error


def _foreign_types(kind: pa.DataType) -> tuple[type, ...]:
    """Python types that Arrow would turn silently into this one."""
    if pa.types.is_integer(kind):
        return (str, float, bool)
    return (str, bool) if pa.types.is_floating(kind) else ()


def _elements(values: pa.ChunkedArray, place: str) -> Iterator[pa.ChunkedArray]:
    """The numbers and texts in a column, out of their lists and structs, where none may be missing."""
    inside = values
    while pa.types.is_list(inside.type) or pa.types.is_fixed_size_list(inside.type):
        inside = pc.list_flatten(inside)
        if inside.null_count:
            raise TableError(f"{place}: {inside.null_count} missing or not finite elements within lists")
    if not pa.types.is_struct(inside.type):
        yield inside
        return
    for field in inside.type:
        part = pc.struct_field(inside, field.name)
        if not field.nullable and part.null_count > inside.null_count:
            raise TableError(f"{place}.{field.name}: missing or not finite")
        yield part


def _plain(value: Any) -> Any:
    """A value that Arrow converts strictly: pandas' missing markers become None, arrays become lists."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float) and value != value:
        return None
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    return value


def _to_pandas(table: pa.Table) -> pd.DataFrame:
    """Integers with nulls keep their type (no silent floats); text is object-free pandas strings."""
    nullable_integers = {
        pa.int16(): pd.Int16Dtype(),
        pa.int32(): pd.Int32Dtype(),
        pa.int64(): pd.Int64Dtype(),
        pa.bool_(): pd.BooleanDtype(),
    }
    frame = table.to_pandas(ignore_metadata=True)
    for field in table.schema:
        if field.nullable and field.type in nullable_integers:
            frame[field.name] = pd.array(table[field.name].to_pylist(), dtype=nullable_integers[field.type])
    return frame


def _difference(found: pa.Schema, wanted: pa.Schema) -> str:
    for name in wanted.names:
        if name not in found.names:
            return f"column {name!r} is missing"
        if not found.field(name).equals(wanted.field(name)):
            return f"column {name!r} is {found.field(name)}, declared {wanted.field(name)}"
    extra = [name for name in found.names if name not in wanted.names]
    return f"extra columns {extra}" if extra else "the columns stand in another order"
