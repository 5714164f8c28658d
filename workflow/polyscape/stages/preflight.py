"""What can be said about the user's input before any job starts: chemistry, files, levels, size."""

from polyscape.errors import InputError
from polyscape.levels.check import check_elements, check_levels
from polyscape.settings import Settings
from polyscape.stages.components import check_components, read_component
from polyscape.stages.plan import Plan

MAX_CHUNKS = 1000
"""Most chunks of a search: a workflow of more jobs takes minutes to plan, and its commands grow too long."""


def preflight(plan: Plan, where: str) -> None:
    """Check what the settings' types cannot: molecules, files, potentials and levels together.

    Parameters
    ----------
    plan : Plan
        The plan of the config, its types checked.
    where : str
        The config file, named in errors.

    Raises
    ------
    InputError
        At the first input that cannot be used.
    """
    settings = plan.settings
    _check_chunks(plan, where)
    check_components(settings, where)
    check_levels(settings, where)
    check_elements(settings.levels, _elements(settings, where), where)
    if settings.search.imported:
        from polyscape.stages.import_crystals import (
            check_imported,
        )  # slow to import, and few campaigns import

        check_imported(settings, where)
    if settings.known_forms:
        from polyscape.stages.known_forms import (
            check_known_forms,
        )  # slow to import, and not every campaign has one

        check_known_forms(settings, where)


def _elements(settings: Settings, where: str) -> set[int]:
    """Atomic numbers of all components."""
    molecules = [read_component(c, i, where) for i, c in enumerate(settings.molecule.components)]
    return {atom.GetAtomicNum() for molecule in molecules for atom in molecule.GetAtoms()}


def _check_chunks(plan: Plan, where: str) -> None:
    chunks, size = plan.jobs, plan.settings.search.chunk_size
    if chunks > MAX_CHUNKS:
        wanted = -(-size * chunks // MAX_CHUNKS)
        problem = f"makes {chunks} jobs of the search, more than {MAX_CHUNKS}"
        raise InputError(where, "search.chunk_size", size, problem, f"write at least {wanted}")
