"""What all settings share: unknown keys are refused, values are frozen, texts are not turned into numbers."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+.-]{0,63}")


class Section(BaseModel):
    """A section of the config."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def refusal(key: str, value: object, problem: str, remedy: str) -> PydanticCustomError:
    """What a validator of several keys raises: the one key to change, seen from its section, and how."""
    return PydanticCustomError(
        "refusal", "{problem}", {"key": key, "value": value, "problem": problem, "remedy": remedy}
    )


def _check_name(text: str) -> str:
    if _NAME.fullmatch(text) is None:
        raise ValueError("use 1 to 64 letters, digits, '_', '-', '+' or '.', the first a letter or digit")
    return text


Name = Annotated[str, AfterValidator(_check_name)]
"""A name that is safe in a path and in a shell command."""


def _check_folder(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("give the path of a folder")
    return text


FolderName = Annotated[str, AfterValidator(_check_folder)]
"""Path of a folder: some text without control characters."""
