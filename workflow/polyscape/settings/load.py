"""From YAML to `Settings`, and from pydantic's complaints to one line with file, key, value and remedy."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from polyscape.errors import InputError
from polyscape.settings.campaign import Settings
from polyscape.settings.complaints import input_error


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
        raise _yaml_error(error, path) from error


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
        raise input_error(error.errors(include_url=False), Settings, where) from error


def _yaml_error(error: yaml.YAMLError, path: Path) -> InputError:
    """The place first, then what the parser found there."""
    mark = getattr(error, "problem_mark", None)
    place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "the whole file"
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return InputError(
        str(path), place, _line(mark), f"is not valid YAML: {problem}", "mend it (indentation, colon, quotes)"
    )


def _line(mark: yaml.Mark | None) -> str:
    """The line of a config that a mark points to."""
    if mark is None or mark.buffer is None:
        return ""
    lines = (mark.buffer or "").rstrip("\0").splitlines()
    return lines[mark.line].strip() if mark.line < len(lines) else "(end of file)"
