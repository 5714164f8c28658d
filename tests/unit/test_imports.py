"""The layers of the library: imports point one way, and heavy or foreign packages stay where they belong."""

import ast
from pathlib import Path

import pytest

LAYERS = (
    ("units", "ids", "status", "errors", "files", "locks", "parallel"),
    ("tables", "provenance"),
    ("schemas",),
    ("settings",),
    ("molecule", "crystal"),
    ("energy",),
    ("search",),
    ("levels",),
    ("learn",),
    ("report",),
    ("handbook", "stages"),
    ("cli",),
)
"""A module may import from its own layer and those above it in this list."""

HOMES = {
    "gpaw": ("levels/gpaw/",),
    "pandas": ("stages/", "tables.py"),
    "pyarrow": ("tables.py", "schemas/", "handbook/"),
    "numba": ("energy/", "crystal/", "search/", "learn/"),
    "sklearn": ("learn/",),
    "dscribe": ("learn/",),
    "pyscf": ("molecule/", "levels/check.py", "levels/gpaw/meta_gga.py"),  # there for libxc and what it has
    "occpy": ("molecule/",),
    "rdkit": ("molecule/", "search/", "report/", "stages/"),
    "plotly": ("report/",),
    "matplotlib": ("report/",),
    "snakemake": (),
}
"""Where a package may be imported; everything else is free."""

LIBRARY = Path(__file__).resolve().parents[2] / "workflow" / "polyscape"
FILES = sorted(LIBRARY.rglob("*.py"))


def imported(path):
    """Names of the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of(path):
    """The module or folder of the library that a file belongs to."""
    inside = path.relative_to(LIBRARY)
    return inside.parts[0].removesuffix(".py")


def layer(part):
    return next(i for i, parts in enumerate(LAYERS) if part in parts)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_imports_point_one_way(path):
    if path == LIBRARY / "__init__.py":
        assert not list(imported(path))
        return
    here = part_of(path)
    for name in imported(path):
        if name.startswith("polyscape."):
            there = name.split(".")[1]
            assert layer(there) <= layer(here), f"{here} imports {there}"


@pytest.mark.parametrize("package", HOMES)
def test_a_package_stays_at_home(package):
    for path in FILES:
        inside = str(path.relative_to(LIBRARY))
        if any(name.split(".")[0] == package for name in imported(path)):
            assert inside.startswith(HOMES[package]), f"{inside} imports {package}"


def test_no_module_is_named_after_nothing():
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}
    assert [path for path in FILES if path.stem in vague or path.parent.name in vague] == []


def lines_of(path):
    """Lines that say something."""
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def test_modules_stay_readable():
    assert [path.name for path in FILES if len(lines_of(path)) > 400] == []


def test_scripts_stay_thin():
    scripts = LIBRARY.parents[1] / "scripts"
    assert [path.name for path in scripts.glob("*.py") if len(lines_of(path)) > 60] == []
