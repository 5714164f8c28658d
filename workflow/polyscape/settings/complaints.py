"""From pydantic's complaints about a config to one line that names file, key, value and remedy."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from polyscape.errors import InputError

Part = int | str
"""A step of a location: a key, an index, or the name of a union's branch."""


@dataclass(frozen=True)
class Place:
    """Where in the config a complaint points.

    Attributes
    ----------
    path : tuple of int and str
        Keys and indices, without the names of union branches.
    section : type of BaseModel
        The innermost section on the way.
    field : FieldInfo, optional
        The declaration of the innermost known key.
    in_union : bool
        Whether the value may have several forms, so that one complaint tells a part of the story only.
    """

    path: tuple[Part, ...]
    section: type[BaseModel]
    field: FieldInfo | None
    in_union: bool

    @property
    def key(self) -> str:
        """The dotted path, ``levels[1].gpaw.functional``."""
        return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path).lstrip(".")


def input_error(errors: Sequence[ErrorDetails], root: type[BaseModel], where: str) -> InputError:
    """The complaint that helps most as an `InputError`.

    An unknown key comes first, for a typo is also a missing key; then wrong values, the deepest first among the forms
    that one value may have; then missing keys.
    """
    located = [(detail, locate(detail["loc"], root)) for detail in errors]
    order = {"extra_forbidden": 0, "missing": 2}
    detail, place = min(located, key=lambda pair: (order.get(pair[0]["type"], 1), -len(pair[1].path)))
    kind, value = detail["type"], detail["input"]
    if kind == "refusal":
        said = detail["ctx"]
        key = f"{place.key}.{said['key']}".lstrip(".")
        return InputError(where, key, said["value"], said["problem"], said["remedy"])
    problem, remedy = _plain(detail["msg"]), _explanation(place)
    if kind == "extra_forbidden":
        problem, remedy = "unknown key", _nearest_key(place)
    elif kind == "missing":
        problem, value, remedy = "a required key is missing", None, f"add it; {remedy}"
    elif kind == "literal_error" and not place.in_union:
        problem, remedy = "is not one of the choices", _nearest_choice(value, place)
    elif kind == "value_error" and place.field is None:
        value = _brief(value)
    elif kind in {"model_type", "dict_type"}:
        problem, remedy = "is not a section", f"write the section's keys below it; {remedy}"
    elif place.in_union:
        problem = "has none of the allowed forms"
    elif kind == "invalid_key":
        problem, remedy = "is not a key, for keys are text", "put it in quotes, or remove it"
    elif kind == "float_type" and isinstance(value, str) and _is_number(value):
        problem, remedy = (
            "is text to YAML",
            "write a decimal point and a signed exponent, 1.0e-3 for instance",
        )
    elif kind == "string_type" and isinstance(value, int | float):
        problem, remedy = "is not text to YAML", "put it in quotes"
    return InputError(where, place.key, value, problem, remedy)


def locate(location: Iterable[Part], root: type[BaseModel]) -> Place:
    """Follow one of pydantic's locations through the types of the settings."""
    path: list[Part] = []
    annotation: Any = root
    section, field, in_union = root, None, False
    for part in location:
        branches = _branches(annotation)
        model = next((branch for branch in branches if _is_section(branch)), None)
        if model is not None and len(branches) > 1 and not isinstance(part, int):
            in_union = True  # a branch's name, no key
            annotation = model if part == model.__name__ else Any
        elif model is not None:
            section = model
            path.append(part)
            field = _field(model, part)
            annotation = field.annotation if field else Any
        elif isinstance(part, int):
            path.append(part)
            items = [get_args(branch)[0] for branch in branches if get_origin(branch) is list]
            annotation = items[0] if items else Any
        elif len(branches) > 1:
            in_union = True  # a branch's name, no key
            if part.startswith("list["):
                annotation = next(branch for branch in branches if get_origin(branch) is list)
        else:
            path.append(part)
    return Place(tuple(path), section, field, in_union)


def _field(model: type[BaseModel], part: Part) -> FieldInfo | None:
    """The declaration of a key, by the name that a config gives it."""
    return next((f for name, f in model.model_fields.items() if (f.alias or name) == part), None)


def _branches(annotation: Any) -> list[Any]:
    """The forms that a value may have; ``None`` is none of them."""
    if get_origin(annotation) in {list, Literal} or not get_args(annotation):
        return [annotation]
    return [branch for branch in get_args(annotation) if branch is not NoneType]


def _plain(message: str) -> str:
    """Pydantic's message in words for someone who edits a file."""
    message = message.removeprefix("Value error, ").partition(" after validation")[0]
    for theirs, ours in (("Input should", "should"), ("List should", "should"), ("String should", "should")):
        message = message.replace(theirs, ours)
    return message


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _explanation(place: Place) -> str:
    """What the key means; the config's handbook for what belongs to no key."""
    if place.field is None or not place.field.description:
        return "see config/README.md"
    return f"it is: {place.field.description}"


def _nearest_key(place: Place) -> str:
    names = [field.alias or name for name, field in place.section.model_fields.items()]
    *parents, unknown = place.path
    prefix = Place(tuple(parents), place.section, None, False).key
    close = _nearest(str(unknown), names)
    if close:
        return f"did you mean '{prefix + '.' if prefix else ''}{close}'?"
    return f"valid keys here: {', '.join(names)}"


def _nearest_choice(value: Any, place: Place) -> str:
    annotation = place.field.annotation if place.field else None
    choices = [str(choice) for branch in _branches(annotation) for choice in get_args(branch)]
    close = _nearest(str(value), choices)
    return (
        f"did you mean '{close}'? (choices: {', '.join(choices)})"
        if close
        else f"choices: {', '.join(choices)}"
    )


def _nearest(text: str, names: Sequence[str]) -> str:
    """The most similar name; else one that contains the text or begins it; else nothing."""
    folded = {name.lower(): name for name in names}
    close = difflib.get_close_matches(text.lower(), list(folded), n=1, cutoff=0.5)
    close += [name for name in folded if text.lower() in name or text.lower().startswith(name)]
    return folded[close[0]] if close else ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _brief(value: Any) -> Any:
    """A whole section is too long for a line: its keys say enough."""
    return sorted(value) if isinstance(value, dict) else value
