"""The lists in envs/: complete, pinned, hashed, and free of addresses."""

import ast
import re
import sys
from importlib.metadata import packages_distributions

import pytest

OPTIONAL = {"pymbd", "smt"}  # imported where they are installed; neither comes from a wheel alone


def names(path):
    """Normalised names of the packages of a list."""
    lines = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return {
        re.split(r"[=<> \\]", line)[0].lower().replace("_", "-")
        for line in lines
        if re.match(r"[A-Za-z]", line)
    }


@pytest.mark.parametrize("lock", ["requirements", "gpaw"])
def test_a_lock_is_pinned_hashed_and_without_addresses(root, lock):
    text = (root / "envs" / f"{lock}.lock").read_text(encoding="utf-8")
    packages = re.findall(r"^[A-Za-z][^\n]*", text, re.MULTILINE)
    assert packages
    assert all(re.match(r"[A-Za-z0-9._-]+==[0-9][^ ]*( ;.*)? \\", package) for package in packages)
    assert len(re.findall(r"\\\n +--hash=sha256:[0-9a-f]{64}", text)) >= len(packages)
    assert "://" not in text


@pytest.mark.parametrize("lock", ["requirements", "gpaw"])
def test_a_lock_holds_what_was_asked_for(root, lock):
    assert names(root / "envs" / f"{lock}.in") <= names(root / "envs" / f"{lock}.lock")


def test_every_package_that_is_imported_is_asked_for(root):
    asked = names(root / "envs" / "requirements.in") | names(root / "envs" / "gpaw.in") | {"polyscape"}
    distributions = packages_distributions()
    missing = set()
    for path in [
        p for folder in ("workflow", "scripts", "tests", "envs") for p in (root / folder).rglob("*.py")
    ]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            found += [node.module] if isinstance(node, ast.ImportFrom) else []
            for package in {name.split(".")[0] for name in found} - set(sys.stdlib_module_names) - {"tests"}:
                brought_by = {
                    name.lower().replace("_", "-") for name in distributions.get(package, [package])
                }
                if not brought_by & (asked | OPTIONAL):
                    missing.add(f"{package} ({path.relative_to(root)})")
    assert missing == set()
