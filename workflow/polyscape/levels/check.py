"""Whether a ladder can be climbed at all, told before any work starts and without importing a DFT program."""

import importlib.util
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from ase.data import chemical_symbols

from polyscape.errors import InputError
from polyscape.levels.dispersion import dispersion_functional, has_parameters
from polyscape.levels.method import needs_orbitals
from polyscape.settings import Settings
from polyscape.settings.levels import Level

SEMILOCAL: Final = ("PBE", "PBEsol", "RPBE", "revPBE", "LDA", "PW91", "BLYP", "TPSS", "revTPSS", "M06-L")
HYBRIDS: Final = ("PBE0", "HSE03", "HSE06", "B3LYP")
_OWN_SETUPS: Final = ("LDA", "RPBE", "revPBE")


def check_levels(settings: Settings, where: str) -> None:
    """Refuse a ladder with an unknown functional, missing dispersion parameters or a charged component.

    Raises
    ------
    InputError
        Naming the key and what to write instead.
    """
    for index, level in enumerate(settings.levels):
        _check_functional(level, f"levels[{index}].gpaw.functional", where)
        _check_dispersion(level, f"levels[{index}]", where)
    for index, component in enumerate(settings.molecule.components):
        if component.charge != 0:
            raise InputError(
                where,
                f"molecule.components[{index}].charge",
                component.charge,
                "the isolated reference of an ion cannot be computed yet",
                "use neutral components",
            )


def check_elements(levels: Sequence[Level], atomic_numbers: Iterable[int], where: str) -> None:
    """Refuse an element without PAW setup.

    Parameters
    ----------
    levels : sequence of Level
        The ladder.
    atomic_numbers : iterable of int
        Elements of the molecules.
    where : str
        File named in the error.
    """
    folders = setup_folders()
    if not folders:
        raise InputError(
            where, "levels", "gpaw", "GPAW's PAW setups are not installed", "run scripts/setup.sh"
        )
    for symbol in sorted({chemical_symbols[number] for number in atomic_numbers}):
        for index, level in enumerate(levels):
            name = f"{symbol}.{_setup_functional(level)}.gz"
            if not any((folder / name).exists() for folder in folders):
                raise InputError(
                    where,
                    f"levels[{index}]",
                    symbol,
                    f"GPAW has no PAW setup {name}",
                    "use another functional or molecule",
                )


def setup_folders() -> list[Path]:
    """Where the PAW setups lie: the installed `gpaw_data` package."""
    found = importlib.util.find_spec("gpaw_data")
    if found is None:
        return []
    return [Path(place) / "setups" for place in found.submodule_search_locations or []]


def _setup_functional(level: Level) -> str:
    return level.gpaw.functional if level.gpaw.functional in _OWN_SETUPS else "PBE"


def _check_functional(level: Level, key: str, where: str) -> None:
    name = level.gpaw.functional
    if needs_orbitals(level):
        if name not in HYBRIDS:
            raise InputError(
                where, key, name, "is no hybrid functional of GPAW", f"use one of {', '.join(HYBRIDS)}"
            )
    elif name in HYBRIDS:
        remedy = "set `hybrid: non_self_consistent`, on a semilocal level below"
        raise InputError(where, key, name, "hybrid functionals are not computed self-consistently", remedy)
    elif name not in SEMILOCAL and not _is_libxc(name):
        remedy = f"use one of {', '.join(SEMILOCAL)}, or libxc names such as GGA_X_PBE+GGA_C_PBE"
        raise InputError(where, key, name, "is no functional that GPAW or libxc knows", remedy)


def _is_libxc(name: str) -> bool:
    """Whether a name is made of libxc's names of semilocal functionals, ``GGA_X_PBE+GGA_C_PBE``."""
    if not name.startswith(("LDA_", "GGA_", "MGGA_")):
        return False
    from pyscf.dft.libxc import XC_CODES  # slow to import, and rarely needed

    return all(part.upper() in XC_CODES for part in name.split("+"))


def _check_dispersion(level: Level, key: str, where: str) -> None:
    if level.dispersion == "none" or has_parameters(dispersion_functional(level)):
        return
    given = level.dispersion_functional
    raise InputError(
        where,
        f"{key}.dispersion_functional" if given else f"{key}.gpaw.functional",
        given or level.gpaw.functional,
        "D3(BJ) has no parameters for this functional",
        "name a related one as dispersion_functional, or set `dispersion: none`",
    )
