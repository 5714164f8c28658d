"""What all settings share: unknown keys are refused, values are frozen, texts are not turned into numbers."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+.-]{0,63}")


class Section(BaseModel):
    """A section of the config."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _check_name(text: str) -> str:
    if _NAME.fullmatch(text) is None:
        raise ValueError("use 1 to 64 letters, digits, '_', '-', '+' or '.', the first a letter or digit")
    return text


Name = Annotated[str, AfterValidator(_check_name)]
"""A name that is safe in a path and in a shell command."""
