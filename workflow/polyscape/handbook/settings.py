"""The keys of config/README.md: type, unit, default and meaning of each, from the types of the settings."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from polyscape.handbook.tables import markdown_table
from polyscape.settings import Settings
from polyscape.settings.campaign import default_levels

UNITS = {
    "_kJ_per_mol_A": "kJ/mol/Å",
    "_kJ_per_mol": "kJ/mol",
    "_g_per_cm3": "g/cm³",
    "_eV_per_A": "eV/Å",
    "_per_A": "1/Å",
    "_A": "Å",
    "_GPa": "GPa",
    "_eV": "eV",
    "_K": "K",
    "_deg": "degree",
    "_MB": "MB",
    "_s": "s",
    "_h": "h",
}
"""Unit by the end of a key, the longest end first."""


@dataclass(frozen=True)
class Leaf:
    """A key of the config that holds a value."""

    key: str
    field: FieldInfo

    @property
    def unit(self) -> str:
        """The unit that the key's name ends in; empty for names, counts, factors and choices."""
        return next((unit for end, unit in UNITS.items() if self.key.endswith(end)), "")

    @property
    def type(self) -> str:
        """The type in words, with the bounds of a number."""
        return type_words(self.field.annotation) + _bounds(self.field)

    @property
    def default(self) -> str:
        """The default as YAML, or that the key must be given."""
        default = self.field.default
        if default is PydanticUndefined:
            factory: Any = self.field.default_factory
            return "**required**" if factory is None else f"`{_plain(factory())}`"
        return "none" if default is None else f"`{default}`"


def leaves(section: type[BaseModel], prefix: str = "") -> Iterator[Leaf]:
    """Every key below a section that holds a value; ``[]`` stands for the entries of a list."""
    for attribute, field in section.model_fields.items():
        name = field.alias or attribute
        inner, is_list = _inner_section(field.annotation)
        if inner is None or _has_other_forms(field.annotation):
            yield Leaf(prefix + name, field)
        if inner is not None:
            yield from leaves(inner, f"{prefix}{name}{'[]' if is_list else ''}.")


def keys_page() -> str:
    """A table for each part of the config, in the order in which the config is usually written."""
    parts = ["### The campaign\n", _table(leaf for leaf in leaves(Settings) if "." not in leaf.key)]
    for name, field in Settings.model_fields.items():
        inner, is_list = _inner_section(field.annotation)
        if inner is None:
            continue
        parts += [f"### `{name}`\n", f"{field.description}\n"]
        if name == "levels":
            parts.append(f"By default:\n\n```yaml\n{_default_ladder()}```\n")
        parts.append(_table(leaves(inner, f"{name}{'[]' if is_list else ''}.")))
    return "\n".join(parts)


def type_words(annotation: Any) -> str:
    """A type of the settings in words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_words(arguments[0])
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin is list:
        return f"list of {type_words(arguments[0])}"
    if origin is dict:
        return "mapping"
    if arguments:
        return " or ".join(type_words(argument) for argument in arguments if argument is not NoneType)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "mapping"
    return {int: "integer", float: "number", str: "text", bool: "true, false"}[annotation]


def _plain(value: Any) -> Any:
    """A default without the classes of the settings."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.model_dump() if isinstance(value, BaseModel) else value


def _bounds(field: FieldInfo) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    found = [
        f"{sign} {getattr(item, name)}"
        for item in field.metadata
        for name, sign in signs.items()
        if isinstance(getattr(item, name, None), int | float)
    ]
    return f", {', '.join(found)}" if found else ""


def _inner_section(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The section that a key holds, if it holds one, and whether it holds a list of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    if get_origin(annotation) is list:
        return _inner_section(get_args(annotation)[0])[0], True
    for argument in get_args(annotation):
        found = _inner_section(argument)
        if found[0] is not None:
            return found
    return None, False


def _has_other_forms(annotation: Any) -> bool:
    """Whether a value may be something else than a section, or each entry of a list."""
    if get_origin(annotation) is list:
        return _has_other_forms(get_args(annotation)[0])
    forms = [form for form in get_args(annotation) if form is not NoneType]
    return len(forms) > 1 or any(_has_other_forms(form) for form in forms)


def _default_ladder() -> str:
    ladder = [level.model_dump(exclude_defaults=True) for level in default_levels()]
    return yaml.safe_dump({"levels": ladder}, sort_keys=False)


def _table(found: Iterator[Leaf]) -> str:
    rows = (
        (f"`{leaf.key}`", leaf.type, leaf.unit, leaf.default, leaf.field.description or "") for leaf in found
    )
    return (
        "\n".join(markdown_table(("key", "type", "unit", "default", "what it is, why change it"), rows))
        + "\n"
    )
