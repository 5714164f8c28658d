"""The potential of a campaign: told apart from a file that cannot be used before any work, and rerun by its content."""

import hashlib
import json
from typing import Any

from polyscape.energy.potentials import Potential, load_potential, potential_names
from polyscape.errors import InputError

KEY = "energy.potential"


def campaign_potential(name: str, where: str) -> Potential:
    """The potential that the config names; a relative path starts in the folder where the campaign runs.

    Raises
    ------
    InputError
        When there is none of that name, or the file is no potential; it names the config, and the place in the file.
    """
    try:
        return load_potential(name)
    except InputError as error:
        place = f" at {error.key}" if error.key else ""
        found = f" = {error.value!r}" if error.key and error.value is not None else ""
        problem = f"the file is no potential:{place}{found} {error.problem}"
        raise InputError(where, KEY, name, problem, f"{error.remedy} (docs/potentials.md)") from error
    except ValueError as error:
        raise InputError(where, KEY, name, str(error), "mend the path or the name") from error


def content_id(name: str, where: str, typing_only: bool = False) -> str | None:
    """Hash of what a user's potential file says, comments and layout apart; None for one of the library.

    Parameters
    ----------
    name : str
        What the config says.
    where : str
        The config file, named in errors.
    typing_only : bool
        Leave out the numbers: only which atoms are of which type, in which order.
    """
    if name in potential_names():
        return None
    potential = campaign_potential(name, where)
    said: list[Any] = [(kind, repr(entry.pattern)) for kind, entry in potential.types.items()]
    if not typing_only:
        said += [repr(entry) for entry in potential.types.values()]
        said += sorted((pair, repr(term)) for pair, term in potential.pairs.items())
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
