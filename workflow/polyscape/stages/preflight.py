"""What can be said about the user's input before any job starts: chemistry, space groups, files, levels."""

from polyscape.settings import Settings


def preflight(settings: Settings, where: str) -> None:
    """Check what the settings' types cannot: molecules, files, potentials and levels together.

    Parameters
    ----------
    settings : Settings
        The config, its types checked.
    where : str
        The config file, named in errors.

    Raises
    ------
    InputError
        At the first input that cannot be used.
    """
