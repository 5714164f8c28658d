"""Settings of the ladder of levels of theory."""

from typing import Literal

from pydantic import Field

from polyscape.settings.base import Name, Section
from polyscape.settings.gpaw import GpawSettings


class Level(Section):
    """One rung of the ladder."""

    name: Name = Field(description="Name of the level in tables and reports.")
    backend: Literal["gpaw"] = Field("gpaw", description="Program that computes the level.")
    dispersion: Literal["none", "d3bj"] = Field(
        "d3bj", description="Dispersion correction added to the electronic energy."
    )
    dispersion_functional: str | None = Field(
        None, description="Functional whose D3 parameters are used; by default the level's own."
    )
    gpaw: GpawSettings = Field(default_factory=GpawSettings, description="Settings of the GPAW back end.")
