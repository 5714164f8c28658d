"""Opening a campaign: read the config, check the user's input, claim the campaign for this process."""

import fcntl
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import yaml

from polyscape.errors import InputError
from polyscape.files import write_text
from polyscape.settings.load import merge_configs, parse_settings, read_config
from polyscape.stages.plan import Plan

_claims: list[IO[str]] = []
"""Open lock files; the kernel releases them when this process ends, however it ends."""


def open_campaign(configfiles: Sequence[Path], overrides: Mapping[str, Any], driver: bool) -> Plan:
    """The plan of the campaign of one or more config files.

    Parameters
    ----------
    configfiles : sequence of Path
        The config; what a later file names replaces what an earlier one said.
    overrides : mapping
        Keys given on the command line; they replace those of the files.
    driver : bool
        Whether this process runs the campaign; a job that only reads the plan checks nothing again.

    Raises
    ------
    InputError
        When the user's input cannot be used; nothing has been written then.
    """
    where = ", ".join(_shown(path) for path in configfiles) + (" with --config" if overrides else "")
    contents = [read_config(path) for path in configfiles]
    for path, content in zip(configfiles, contents, strict=True):
        if not isinstance(content, dict):
            raise InputError(
                _shown(path), "", content, "is not a mapping of settings", "start from config/config.yaml"
            )
    settings = parse_settings(merge_configs([*contents, _typed(dict(overrides))]), where)
    plan = Plan.of(settings, where)
    if driver:
        # chemistry is slow to import, and the jobs of a cluster, which read the plan only, do without
        from polyscape.stages.forecast import forecast
        from polyscape.stages.preflight import preflight

        preflight(plan, where)
        expected = forecast(plan, where)
        expected.check(where)
        print(expected.words(), file=sys.stderr)
        claim(settings.campaign)
    return plan


def keep_config(plan: Plan) -> None:
    """Write the config as it is used, defaults and ``--config`` included: ``provenance/config.yaml``.

    The file is a config itself, with which the campaign can be repeated.
    """
    text = yaml.safe_dump(plan.settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    write_text(Path(plan.folder) / "provenance/config.yaml", text)


def claim(campaign: str, engine: Path = Path(".snakemake")) -> bool:
    """Claim a campaign for this process and clear the locks of a process that was killed.

    Snakemake marks the files of a running campaign in ``locks/``; after ``kill -9`` these marks stay and stop
    the next run.  A lock of the kernel dies with its process: who gets it knows that the marks are stale, and
    removes those of this campaign.  Who does not get it leaves them to Snakemake, which refuses a second run.
    Marks of a run on another machine are left as well: not every disk tells machines of each other's locks, and a
    login node must not take the place of a run that lives on another.

    Parameters
    ----------
    campaign : str
        Name of the campaign.
    engine : Path
        Snakemake's folder in the working directory.

    Returns
    -------
    bool
        Whether no other process runs this campaign.
    """
    engine.mkdir(exist_ok=True)
    handle = (engine / f"polyscape-{campaign}.lock").open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        return False
    marks = [m for m in sorted((engine / "locks").glob("*.lock")) if f"results/{campaign}/" in m.read_text()]
    if marks and not _is_here(handle):
        handle.close()
        return False
    _claims.append(handle)
    for mark in marks:
        mark.unlink()
    handle.truncate(0)
    handle.write(socket.gethostname())
    handle.flush()
    return True


def _is_here(handle: IO[str]) -> bool:
    """Whether the run that last had this lock ran on this machine."""
    handle.seek(0)
    return handle.read() in ("", socket.gethostname())


def _typed(value: Any) -> Any:
    """A value given by ``--config``: inside a mapping or a list Snakemake leaves numbers as text."""
    if isinstance(value, Mapping):
        return {key: _typed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_typed(inner) for inner in value]
    if isinstance(value, str):
        number = yaml.safe_load(value) if value.strip() else value
        return number if isinstance(number, int | float) else value
    return value


def _shown(path: Path) -> str:
    """A path as the user would write it: relative to the working directory where it lies inside."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
