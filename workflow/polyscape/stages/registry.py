"""Which part of the config each stage depends on, and the VERSION of what it computes.

A stage's *slice* is its VERSION and its keys of the config as sorted JSON.  Snakemake keeps it as the rule's
parameter: a changed slice reruns the stage and what follows; an edited comment reruns nothing.  The stage itself sees
its slice only, so it cannot depend on anything else.  A potential file of the user's is there with a hash of what it
says: a job that finds another content than the campaign started with stops.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter

from polyscape.errors import InputError
from polyscape.settings import Settings, load_settings
from polyscape.stages.potential_file import KEY as POTENTIAL
from polyscape.stages.potential_file import content_id

_CONTENT: Final = "potential_content"


_TELLS_APART: Final = (
    "landscape.window_kJ_per_mol",
    "landscape.duplicate_energy_kJ_per_mol",
    "landscape.duplicate_density_g_per_cm3",
    "landscape.duplicate_rmsd_A",
    "landscape.overlay_molecules",
)
"""What decides which minima count as one structure, and so when a series has the coverage that is asked for."""


@dataclass(frozen=True)
class Stage:
    """A stage of the campaign.

    Attributes
    ----------
    name : str
        Name of the stage; its script is scripts/<name>.py.
    version : int
        Raised when the stage's results change for the same input.
    keys : tuple of str
        Dotted keys of the config that the stage reads.
    """

    name: str
    version: int
    keys: tuple[str, ...]

    def reads(self, key: str, settings: Settings) -> bool:
        """Whether the stage reads a key under these settings.

        The molecules depend on the known forms only where a component searches the forms' conformers.
        """
        if key not in self.keys:
            return False
        asked = any(component.conformers == "known_forms" for component in settings.molecule.components)
        return asked or (self.name, key) != ("molecule", "known_forms")

    def potential_content(self, settings: Settings, where: str) -> str | None:
        """Hash of the user's potential file, where the stage depends on one.

        The molecules depend on the typing of the atoms only: other numbers repeat no quantum chemistry.
        """
        if not {POTENTIAL, "energy"} & set(self.keys):
            return None
        return content_id(settings.energy.potential, where, typing_only="energy" not in self.keys)


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage("molecule", 3, ("molecule", "energy.potential", "seed", "known_forms")),
        Stage(
            "known_forms",
            4,
            ("known_forms", "molecule", "energy", "minimiser", "landscape.overlay_molecules"),
        ),
        Stage("search", 3, ("seed", "search.sampling", "search.chirality")),
        Stage("import_crystals", 3, ("search.chirality",)),
        Stage("minimise", 2, ("energy", "minimiser")),
        Stage(
            "minimise_until_complete",
            1,
            ("energy", "minimiser", *_TELLS_APART, "search.stop_at_coverage", "search.chirality"),
        ),
        Stage("landscape", 7, ("landscape", "energy", "minimiser", "search.chirality")),
        Stage("completeness", 1, ()),
        Stage("features", 4, ("features", "energy")),
        Stage("dispersion", 1, ("levels",)),
        # not "select": a script of that name would hide the module that Python's own sockets need
        Stage(
            "selection",
            5,
            ("seed", "molecule.components", "levels", "features", "selection", "budget", "learning"),
        ),
        Stage("single_point", 3, ("molecule.components", "levels")),
        Stage("isolated_molecule", 3, ("levels",)),
        Stage("stored_points", 3, ("molecule.components", "levels")),
        Stage("learn", 4, ("molecule.components", "levels", "features", "learning")),
        Stage("rank", 5, ("seed", "molecule.components", "levels", "features", "learning")),
        Stage("ledger", 3, ("levels",)),
        Stage(
            "report",
            2,
            (
                *("campaign", "seed", "molecule", "search.space_groups", "search.trials_per_space_group"),
                *(
                    "search.z_prime",
                    "search.chirality",
                    "search.stop_at_coverage",
                    "search.sampling",
                    "energy",
                    "minimiser",
                    "landscape",
                    "features",
                    "levels",
                    "selection",
                    "budget",
                    "learning",
                ),
                *("report", "known_forms"),
            ),
        ),
    )
}


def stage_slice(settings: Settings, stage: str, where: str = "config") -> str:
    """The stage's VERSION and settings as one line of sorted JSON; `where` names the config file in errors.

    Raises
    ------
    InputError
        When the stage depends on a potential file that cannot be used.
    """
    declared = STAGES[stage]
    values = {
        key: _dump(_lookup(settings, key)) if declared.reads(key, settings) else [] for key in declared.keys
    }
    said = {"stage": stage, "version": declared.version, "settings": values}
    content = declared.potential_content(settings, where)
    text = json.dumps(said | ({} if content is None else {_CONTENT: content}), sort_keys=True)
    return re.sub(r'\{(?!["}])', r"\\u007b", text)  # Snakemake takes {x} in a text for a wildcard


@dataclass(frozen=True)
class Slice:
    """The typed settings of one stage: ``part["search.sampling"]`` is a `Sampling`."""

    stage: str
    version: int
    values: dict[str, Any]

    def __getitem__(self, key: str) -> Any:
        """The settings under a dotted key that the stage has declared."""
        return self.values[key]


def parse_slice(stage: str, text: str) -> Slice:
    """A stage's settings from its JSON slice, or, for work by hand, from the path of a config file."""
    if not text.lstrip().startswith("{"):
        text = stage_slice(load_settings(Path(text)), stage, text)
    data = json.loads(text)
    declared = STAGES[stage]
    if data.get("stage") != stage or data.get("version") != declared.version:
        raise InputError(
            "--settings",
            "",
            text,
            f"is not of stage {stage!r}, version {declared.version}",
            "pass a config file",
        )
    values = {key: _parse(key, data["settings"][key]) for key in declared.keys}
    _check_content(declared, values, data.get(_CONTENT))
    return Slice(stage, declared.version, values)


def _check_content(declared: Stage, values: dict[str, Any], expected: str | None) -> None:
    """Refuse a potential file that is no longer the one that the campaign started with."""
    if expected is None:
        return
    name = values[POTENTIAL] if POTENTIAL in values else values["energy"].potential
    if content_id(name, "config", typing_only="energy" not in declared.keys) != expected:
        problem = "the file has changed since the campaign started"
        raise InputError(
            "config", POTENTIAL, name, problem, "start the campaign again: it goes on with the new one"
        )


def _lookup(settings: Settings, key: str) -> Any:
    value: Any = settings
    for part in key.split("."):
        value = getattr(value, part)
    return value


def _dump(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list):
        return [_dump(item) for item in value]
    return value


def _parse(key: str, value: Any) -> Any:
    annotation: Any = Settings
    for part in key.split("."):
        annotation = annotation.model_fields[part].annotation
    return TypeAdapter(annotation).validate_json(json.dumps(value))
