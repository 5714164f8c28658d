"""What can be said about the user's input before any job starts: chemistry, files, levels, size."""

from pathlib import Path

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
    _check_size(settings, where)
    _check_store(settings, where)
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


def _check_size(settings: Settings, where: str) -> None:
    """A crystal holds a formula unit at least: with fewer atoms no structure would ever be computed."""
    atoms = sum(
        read_component(component, index, where).GetNumAtoms() * component.stoichiometry
        for index, component in enumerate(settings.molecule.components)
    )
    most = settings.selection.max_atoms
    if most < atoms:
        problem = f"is less than the {atoms} atoms of a formula unit: no crystal would be computed"
        raise InputError(where, "selection.max_atoms", most, problem, f"write at least {atoms}")


def _check_store(settings: Settings, where: str) -> None:
    """The store is a folder, or nothing yet."""
    store = Path(settings.store)
    for path in (store, *store.parents):
        if path.exists() and not path.is_dir():
            raise InputError(where, "store", settings.store, f"{path} is a file", "name a folder")


def _check_chunks(plan: Plan, where: str) -> None:
    chunks, size = plan.jobs, plan.settings.search.chunk_size
    if chunks > MAX_CHUNKS:
        wanted = -(-size * chunks // MAX_CHUNKS)
        problem = f"makes {chunks} jobs of the search, more than {MAX_CHUNKS}"
        raise InputError(where, "search.chunk_size", size, problem, f"write at least {wanted}")
