"""Any calculator of ASE as a back end, by its import path: ``backend: ase:package.module.Class``.

Whatever stands at the path is called with the keyword arguments of the config and must give a calculator: a class, or a
function such as ``mace.calculators.mace_mp``.  Nothing of the config is evaluated as Python, and nothing of Python's own
library is called.

References
----------
A. Hjorth Larsen et al., J. Phys.: Condens. Matter 29, 273002 (2017), https://doi.org/10.1088/1361-648X/aa680e
"""

import functools
import hashlib
import importlib
import importlib.metadata
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import CalculatorError

from polyscape.errors import InputError
from polyscape.levels.box import charge_of
from polyscape.levels.protocol import SinglePoint
from polyscape.levels.serial import Clock, SerialBackend
from polyscape.settings.levels import Level
from polyscape.status import Status

_REFUSALS = (
    TypeError,
    ValueError,
    KeyError,
    AttributeError,
    AssertionError,
    RuntimeError,
    OSError,
    ImportError,
)
"""What packages that are not ours raise when they are imported or called with what they do not take."""

_FAILURES = (CalculatorError, NotImplementedError, ArithmeticError, np.linalg.LinAlgError)
"""What a calculator raises when it has no energy of a geometry; the rest (memory, files, bugs) ends the job."""


class AseCalculator(SerialBackend):
    """The back end of all ASE calculators; one calculator serves all steps of a relaxation."""

    def __init__(self) -> None:
        self._calculators: dict[str, Any] = {}

    def climb(self, atoms: Atoms, levels: Sequence[Level], scratch: Path) -> Iterator[SinglePoint]:
        """The levels one after the other; each stands on its own."""
        for level in levels:
            yield self._point(atoms, level, scratch, ["energy"])

    def gradient(self, atoms: Atoms, level: Level, scratch: Path, stress: bool) -> SinglePoint:
        """Energy, forces and, if asked for, stress."""
        return self._point(atoms, level, scratch, ["energy", "forces", *(["stress"] if stress else [])])

    def _point(self, atoms: Atoms, level: Level, scratch: Path, wanted: Sequence[str]) -> SinglePoint:
        if charge_of(atoms) and level.ase.ion_charge == "none":
            return SinglePoint(level.name, Status.SKIPPED, None, None, "no way to tell it the ion's charge")
        if level.name not in self._calculators:
            self._calculators[level.name] = calculator_of(level, f"level {level.name}", "backend")
        calculator = self._calculators[level.name]
        if hasattr(calculator, "directory"):  # of programs that work on files
            calculator.directory = str(scratch / level.name)
        clock = Clock()
        try:
            told = _charged(atoms, level)
            values = {name: calculator.get_property(name, told) for name in wanted}
        except _FAILURES as error:
            del self._calculators[level.name]  # what a failed one still knows is not to be trusted
            message = f"{type(error).__name__}: {error}"
            return SinglePoint(level.name, Status.SCF_FAILED, None, clock.work(), message)
        if not math.isfinite(values["energy"]):
            return SinglePoint(level.name, Status.UNTRUSTED, None, clock.work(), "the energy is not finite")
        return SinglePoint(
            level.name,
            Status.OK,
            float(values["energy"]),
            clock.work(),
            forces_av=np.array(values["forces"], float) if "forces" in values else None,
            stress_vv=_square(values["stress"]) if "stress" in values else None,
        )


def _charged(atoms: Atoms, level: Level) -> Atoms:
    """An ion as the calculator wants it: ``info["charge"]`` stands there already, initial charges are spread evenly."""
    if not charge_of(atoms) or level.ase.ion_charge != "initial_charges":
        return atoms
    told: Atoms = atoms.copy()
    told.set_initial_charges(np.full(len(told), charge_of(atoms) / len(told)))
    return told


def calculator_of(level: Level, where: str, key: str) -> Any:
    """The calculator of a level.

    Parameters
    ----------
    level : Level
        A level with ``backend: ase:<import path>``.
    where, key : str
        File and key of the back end, named in errors; the keywords' key stands beside it.

    Raises
    ------
    InputError
        When there is nothing at the import path, it does not take the keyword arguments, or gives no calculator.
    """
    make = _imported(level, where, key)
    keywords = f"{key.rpartition('.')[0]}.ase.keywords".lstrip(".")
    try:
        calculator = make(**level.ase.keywords)
    except _REFUSALS as error:
        problem = f"{level.backend.partition(':')[2]} refuses them ({_first_line(error)})"
        remedy = "see the calculator's documentation"
        raise InputError(where, keywords, level.ase.keywords, problem, remedy) from error
    if isinstance(calculator, type) or not callable(getattr(calculator, "get_property", None)):
        problem = f"gives {type(calculator).__name__}, which is no calculator of ASE"
        raise InputError(
            where, key, level.backend, problem, "name a calculator, ase:ase.calculators.emt.EMT for instance"
        )
    return calculator


def offers(calculator: Any, name: str) -> bool:
    """Whether a calculator says that it has a property, ``forces`` or ``stress``."""
    return name in getattr(calculator, "implemented_properties", ())


def identity(level: Level) -> dict[str, Any]:
    """What the energies of an ASE calculator depend on: import path, package version, keywords, content of files."""
    path = level.backend.partition(":")[2]
    keywords = level.ase.keywords
    files = _contents(keywords)
    named: dict[str, Any] = {
        "calculator": path,
        "program": package_version(path.partition(".")[0]),
        "keywords": keywords,
    }
    if level.ase.ion_charge != "none":
        named["ion_charge"] = level.ase.ion_charge
    return named | ({"files": files} if files else {})


@functools.cache
def package_version(module: str) -> str:
    """Name and version of the package that a top-level module comes from; a module of nobody's has none."""
    names = sorted(set(importlib.metadata.packages_distributions().get(module, [])))
    return " ".join(f"{name} {importlib.metadata.version(name)}" for name in names) or f"{module} unpackaged"


def _imported(level: Level, where: str, key: str) -> Callable[..., Any]:
    path = level.backend.partition(":")[2]
    module, _, name = path.rpartition(".")
    if path.partition(".")[0] in sys.stdlib_module_names:
        raise InputError(where, key, level.backend, "is of Python's own library", "name a calculator of ASE")
    try:
        package = importlib.import_module(module)
    except (*_REFUSALS, SyntaxError) as error:
        problem = f"cannot be imported ({_first_line(error)})"
        raise InputError(
            where, key, level.backend, problem, "install the package, or mend the path"
        ) from error
    if not hasattr(package, name):
        raise InputError(where, key, level.backend, f"there is no {name} in {module}", "mend the path")
    found = getattr(package, name)
    if not callable(found):
        raise InputError(where, key, level.backend, "is neither a class nor a function", "name a calculator")
    return found


def _contents(keywords: Mapping[str, Any]) -> dict[str, str]:
    """Hash of every file that a keyword names: other weights under the same name are another method."""
    paths = [Path(word) for word in _words(keywords) if os.path.isfile(word)]  # noqa: PTH113 -- any text
    return {str(path): _content(path, path.stat().st_mtime_ns) for path in paths}


def _words(value: Any) -> Iterator[str]:
    """Every text in keywords, also in lists and mappings."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key in sorted(value):
            yield from _words(value[key])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _words(item)


@functools.cache
def _content(path: Path, changed_ns: int) -> str:
    """Hash of a file, read once for each time that it is changed."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _square(stress: Any) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """A stress in Voigt's order as a matrix."""
    xx, yy, zz, yz, xz, xy = np.asarray(stress, float)
    return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
