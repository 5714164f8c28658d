"""From YAML to `Settings`, and from pydantic's complaints to one line with file, key, value and remedy."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from polyscape.errors import InputError
from polyscape.settings.campaign import Settings


class _UniqueKeyLoader(yaml.SafeLoader):
    """The safe loader, refusing a key that stands twice in one mapping."""


def _mapping(loader: _UniqueKeyLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"key {key!r} stands twice", key_node.start_mark
            )
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_UniqueKeyLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load_settings(path: Path) -> Settings:
    """Read and check a config file.

    Raises
    ------
    InputError
        When the file is missing, is not YAML, or does not fit the types of the settings.
    """
    return parse_settings(read_config(path), str(path))


def read_config(path: Path) -> Any:
    """The content of a config file, not yet checked against the types of the settings.

    Raises
    ------
    InputError
        When the file is missing, is not YAML, or names a key twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            str(path), "", "", f"cannot be read ({error})", "name a config file in YAML"
        ) from error
    try:
        return yaml.load(text, Loader=_UniqueKeyLoader)
    except yaml.YAMLError as error:
        raise InputError(str(path), "", "", f"is not valid YAML ({error})", "mend the line named") from error


def merge_configs(contents: Sequence[Any]) -> Any:
    """One config from several: a later one replaces the values that it names, section by section."""
    merged: Any = {}
    for content in contents:
        if not (isinstance(merged, dict) and isinstance(content, dict)):
            merged = content
            continue
        kept = dict(merged)
        for key, value in content.items():
            both = isinstance(kept.get(key), dict) and isinstance(value, dict)
            kept[key] = merge_configs([kept[key], value]) if both else value
        merged = kept
    return merged


def parse_settings(data: Any, where: str) -> Settings:
    """Check the content of a config, as Snakemake hands it over; `where` names its file in errors."""
    if not isinstance(data, dict):
        raise InputError(where, "", data, "is not a mapping of settings", "start from config/config.yaml")
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise _input_error(error.errors(include_url=False), where) from error


def _input_error(errors: list[ErrorDetails], where: str) -> InputError:
    """The first complaint as an `InputError`; unknown keys first, for a typo is also a missing key."""
    first = min(errors, key=lambda detail: detail["type"] != "extra_forbidden")
    location = [part for part in first["loc"] if not _is_union_branch(part)]
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    problem, value = first["msg"], first["input"]
    remedy = "see config/README.md"
    if first["type"] == "extra_forbidden":
        problem = "unknown key"
        remedy = _nearest_key(location)
    elif first["type"] == "missing":
        problem, value, remedy = "a required key is missing", None, f"add it; {remedy}"
    elif first["type"] == "value_error":
        problem = problem.removeprefix("Value error, ")
    return InputError(where, key, value, problem, remedy)


def _is_union_branch(part: int | str) -> bool:
    """Whether a part of pydantic's location names a branch of a union rather than a key."""
    return isinstance(part, str) and ("[" in part or part in {"int", "str", "float", "bool"})


def _nearest_key(location: list[int | str]) -> str:
    model: Any = Settings
    for part in location[:-1]:
        if isinstance(part, str):
            model = _section_of(model.model_fields[part].annotation)
    names = list(model.model_fields)
    close = difflib.get_close_matches(str(location[-1]), names, n=1, cutoff=0.5)
    if not close:
        close = [name for name in names if str(location[-1]).lower() in name.lower()][:1]
    prefix = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in location[:-1]).lstrip(".")
    if close:
        return f"did you mean '{prefix + '.' if prefix else ''}{close[0]}'?"
    return f"valid keys here: {', '.join(names)}"


def _section_of(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = _section_of(argument)
        if found is not None:
            return found
    return None
