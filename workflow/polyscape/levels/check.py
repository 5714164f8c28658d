"""Whether a ladder can be climbed at all, told before any work starts and without importing a DFT program."""

import importlib.util
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from ase.data import chemical_symbols

from polyscape.errors import InputError
from polyscape.levels.dispersion import dispersion_functional, has_parameters
from polyscape.levels.many_body import DAMPING, is_installed
from polyscape.levels.method import needs_orbitals, start_of
from polyscape.levels.sampling import coarsest_grid_A
from polyscape.settings import Settings
from polyscape.settings.levels import Level

GGAS: Final = ("PBE", "PBEsol", "RPBE", "revPBE", "LDA", "PW91", "BLYP")
LIBXC_NAMES: Final = {"r2SCAN": "MGGA_X_R2SCAN+MGGA_C_R2SCAN"}
"""Meta-GGAs of libxc that have a name here, under which dispersion has parameters."""
GPAW_META_GGAS: Final = ("TPSS", "revTPSS", "M06-L")
META_GGAS: Final = (*GPAW_META_GGAS, *LIBXC_NAMES)
SEMILOCAL: Final = (*GGAS, *META_GGAS)
HYBRIDS: Final = ("PBE0", "HSE03", "HSE06", "B3LYP")
OWN_SETUPS: Final = ("PBE", "LDA", "RPBE", "revPBE")
"""Functionals with PAW setups of their own; the others use PBE's."""

_LIBXC: Final = re.compile(r"(LDA|GGA|MGGA)_(XC|X|C)_(?![12]D)\w+")
_NAMES: Final = {"d3bj": "D3(BJ)", "d3bj-atm": "D3(BJ)", "d4": "D4"}


def check_levels(settings: Settings, where: str) -> None:
    """Refuse a ladder with an unknown functional, missing dispersion parameters or no way to tell an ion's charge.

    Raises
    ------
    InputError
        Naming the key and what to write instead.
    """
    for index, level in enumerate(settings.levels):
        key = f"levels[{index}]"
        if level.program == "gpaw":
            _check_functional(level, f"{key}.gpaw.functional", where)
            _check_plane_waves(settings.levels, index, where)
        if level.program == "ase":
            _check_calculator(level, key, where)
            _check_charges(settings, index, where)
        _check_dispersion(level, key, where)
        if level.relax == "cell" and settings.energy.pressure_GPa:
            problem = "cells relax to zero pressure, and the campaign has energy.pressure_GPa"
            raise InputError(where, f"{key}.relax", level.relax, problem, "write `relax: atoms` or `none`")


def check_elements(levels: Sequence[Level], atomic_numbers: Iterable[int], where: str) -> None:
    """Refuse an element without PAW setup, where a level is GPAW's, or without volume ratio.

    Parameters
    ----------
    levels : sequence of Level
        The ladder.
    atomic_numbers : iterable of int
        Elements of the molecules.
    where : str
        File named in the error.
    """
    _check_volume_ratios(levels, atomic_numbers := sorted(set(atomic_numbers)), where)
    if all(level.program != "gpaw" for level in levels):
        return
    folders = setup_folders()
    if not folders:
        raise InputError(
            where, "levels", "gpaw", "GPAW's PAW setups are not installed", "run scripts/setup.sh"
        )
    for symbol in sorted(chemical_symbols[number] for number in atomic_numbers):
        for index, level in enumerate(levels):
            if level.program != "gpaw":
                continue
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
    return level.gpaw.functional if level.gpaw.functional in OWN_SETUPS else "PBE"


def _check_functional(level: Level, key: str, where: str) -> None:
    name = level.gpaw.functional
    if level.gpaw.hybrid != "none":
        if name not in HYBRIDS:
            raise InputError(
                where, key, name, "is no hybrid functional of GPAW", f"use one of {', '.join(HYBRIDS)}"
            )
    elif name in HYBRIDS:
        remedy = "set `hybrid: self_consistent`, or `non_self_consistent` on a semilocal level below"
        raise InputError(where, key, name, "is a hybrid functional", remedy)
    elif name not in SEMILOCAL and not _is_libxc(name):
        remedy = f"use one of {', '.join(SEMILOCAL)}, or libxc names such as GGA_X_PBE+GGA_C_PBE"
        raise InputError(where, key, name, "is no functional that GPAW or libxc knows", remedy)
    elif name not in SEMILOCAL and is_meta_gga(name):
        _check_meta_gga(name, key, where)


def _check_plane_waves(levels: Sequence[Level], index: int, where: str) -> None:
    """Whether the grid carries the plane waves, and the hybrids of a ladder have what they stand on."""
    level, key = levels[index], f"levels[{index}].gpaw"
    if needs_orbitals(level):
        if levels[start_of(levels, index)].gpaw.hybrid == "self_consistent":
            problem = "stands on the orbitals of a self-consistent hybrid"
            raise InputError(where, f"{key}.hybrid", level.gpaw.hybrid, problem, "put it below that level")
        if is_meta_gga(levels[start_of(levels, index)].gpaw.functional):
            problem = "stands on the orbitals of a meta-GGA, which was never tried"
            raise InputError(where, f"{key}.hybrid", level.gpaw.hybrid, problem, "put a GGA right below it")
        return
    if level.gpaw.hybrid == "self_consistent" and level.relax != "none":
        problem = "hybrid functionals have no forces here"
        raise InputError(where, f"levels[{index}].relax", level.relax, problem, "relax at a level below")
    spacing_A, coarsest_A = level.gpaw.grid_spacing_A, coarsest_grid_A(level.gpaw.plane_wave_cutoff_eV)
    if spacing_A > coarsest_A:
        problem = f"is too coarse for plane waves of {level.gpaw.plane_wave_cutoff_eV:g} eV"
        raise InputError(where, f"{key}.grid_spacing_A", spacing_A, problem, f"at most {coarsest_A:.3f}")


def _is_libxc(name: str) -> bool:
    """Whether a name is an exchange and a correlation functional of libxc's, ``GGA_X_PBE+GGA_C_PBE``, or both in one.

    A hybrid, a kinetic-energy or a two-dimensional functional would be taken for a semilocal one.
    """
    found = [_LIBXC.fullmatch(part) for part in name.split("+")]
    if sorted(match[2] if match else "" for match in found) not in (["C", "X"], ["XC"]):
        return False
    from pyscf.dft.libxc import XC_CODES  # slow to import, and rarely needed

    return all(part in XC_CODES for part in name.split("+"))


def is_meta_gga(name: str) -> bool:
    """Whether a functional, by GPAW's name or by libxc's, depends on the kinetic energy density."""
    return name in META_GGAS or "MGGA_" in name


def _check_meta_gga(name: str, key: str, where: str) -> None:
    """Refuse what the evaluation of libxc's meta-GGAs does not have."""
    from pyscf.dft import libxc

    parts = name.split("+")
    remedy = "use r2SCAN, another pair such as MGGA_X_SCAN+MGGA_C_SCAN, or a GGA"
    if not all(part.startswith("MGGA_") for part in parts):
        raise InputError(where, key, name, "is a meta-GGA and a GGA in one, which is not supported", remedy)
    if any(libxc.needs_laplacian(part) for part in parts):
        raise InputError(where, key, name, "needs the density's Laplacian, which GPAW does not have", remedy)
    if any(libxc.is_nlc(part) for part in parts):
        raise InputError(where, key, name, "has nonlocal correlation, which is not supported", remedy)


def _check_calculator(level: Level, key: str, where: str) -> None:
    """Whether a calculator of ASE can be made, and has what a relaxation needs."""
    from polyscape.levels.ase_any import calculator_of, offers  # imports a package that is not ours

    calculator = calculator_of(level, where, f"{key}.backend")
    needed = {"none": (), "atoms": ("forces",), "cell": ("forces", "stress")}[level.relax]
    for name in needed:
        if not offers(calculator, name):
            problem = f"{level.backend.partition(':')[2]} has no {name}"
            raise InputError(where, f"{key}.relax", level.relax, problem, "relax less, or at another level")


def _check_charges(settings: Settings, index: int, where: str) -> None:
    """A calculator that is not told the charge of an isolated ion would compute another molecule."""
    ions = [component.name for component in settings.molecule.components if component.charge]
    if ions and settings.levels[index].ase.ion_charge == "none":
        problem = f"does not say how the calculator is told the charge of the isolated ion {ions[0]}"
        remedy = (
            "write info or initial_charges, as the calculator's documentation says, or use gpaw or tblite"
        )
        raise InputError(where, f"levels[{index}].ase.ion_charge", "none", problem, remedy)


def _check_dispersion(level: Level, key: str, where: str) -> None:
    given, kind = level.dispersion_functional, f"{key}.dispersion"
    key = f"{key}.dispersion_functional" if given else f"{key}.gpaw.functional"
    functional = dispersion_functional(level)
    remedy = "name a related one as dispersion_functional, or set `dispersion: none`"
    if level.dispersion == "mbd":
        if not is_installed():
            problem = "many-body dispersion needs the optional package pymbd, which is not installed"
            remedy = "install libmbd and pymbd beside polyscape (conda-forge has both), or choose d4"
            raise InputError(where, kind, "mbd", problem, remedy)
        if functional not in DAMPING:
            problem = f"many-body dispersion has parameters for {', '.join(DAMPING)} only"
            raise InputError(where, key, given or level.gpaw.functional, problem, remedy)
    elif level.dispersion != "none" and not has_parameters(functional, level.dispersion):
        problem = f"{_NAMES[level.dispersion]} has no parameters for this functional"
        raise InputError(where, key, given or level.gpaw.functional, problem, remedy)


def _check_volume_ratios(levels: Sequence[Level], atomic_numbers: Iterable[int], where: str) -> None:
    for index, level in enumerate(levels):
        missing = {chemical_symbols[number] for number in atomic_numbers} - {*level.mbd_volume_ratios}
        if level.dispersion == "mbd" and missing:
            key, problem = f"levels[{index}].mbd_volume_ratios", f"has no {', '.join(sorted(missing))}"
            raise InputError(where, key, level.mbd_volume_ratios, problem, "give a ratio for every element")
