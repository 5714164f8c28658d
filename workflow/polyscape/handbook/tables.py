"""docs/tables.md: every table of a campaign, from its declaration in `polyscape.schemas`."""

from collections.abc import Iterable

import pyarrow as pa

from polyscape.schemas import ALL
from polyscape.tables import Column, Table

_HEAD = """# The tables of a campaign

Generated from `workflow/polyscape/schemas/` by `make docs`; change it there.

Energies of crystals are per formula unit: one molecule, or one of each component times its stoichiometry. Unit and
meaning of each column also travel in the Parquet file itself. What failed keeps its row, with a status.
"""


def tables_page() -> str:
    """The page."""
    return "\n".join([_HEAD, *map(_section, ALL)])


def _section(table: Table) -> str:
    lines = [
        f"## {table.name}",
        "",
        f"A row is {table.row}; its key: {', '.join(f'`{name}`' for name in table.key)}.",
        "",
        *markdown_table(
            ("column", "type", "unit", "meaning"),
            ((f"`{c.name}`", type_words(c.type), c.unit, _meaning(c)) for c in table.columns),
        ),
    ]
    return "\n".join(lines) + "\n"


def _meaning(column: Column) -> str:
    return column.doc + (" (may be null)" if column.nullable else "")


def type_words(kind: pa.DataType) -> str:
    """An Arrow type in words."""
    if pa.types.is_list(kind):
        return f"list of {type_words(kind.value_type)}"
    if pa.types.is_struct(kind):
        return "{" + ", ".join(field.name for field in kind) + "}"
    words = {pa.string(): "text", pa.float64(): "real", pa.bool_(): "flag"}
    return words.get(kind, "integer" if pa.types.is_integer(kind) else str(kind))


def markdown_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """The lines of a table in Markdown; bars in the cells are escaped."""
    lines = [head, ("---",) * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
