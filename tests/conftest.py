"""What tests of several folders share: third-party reference numbers, kept elsewhere, and a finished campaign."""

import os
import re
from pathlib import Path

import pytest

from tests.workflow.campaigns import MACHINE_CODE, Campaign

os.environ.setdefault("NUMBA_CACHE_DIR", str(MACHINE_CODE))  # compiled once for unit tests and campaigns

_ROOT = Path(__file__).resolve().parents[1]
_REFERENCE = Path(os.environ.get("POLYSCAPE_REFERENCE", _ROOT / ".." / "shared" / "reference")).resolve()
_ABSENT = "reference data {} absent"


@pytest.fixture(scope="session")
def root():
    """The repository."""
    return _ROOT


@pytest.fixture(scope="session")
def reference():
    """Path of a reference file or folder by its name; skips the test, and says so at the end, where it is absent."""

    def find(name):
        path = _REFERENCE / name
        if not path.exists():
            pytest.skip(f"{_ABSENT.format(name)}: point POLYSCAPE_REFERENCE at the folder that holds it")
        return path

    return find


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The tiny campaign, run once to its end on two cores; only to be read or copied."""
    campaign = Campaign.create(tmp_path_factory.mktemp("finished"))
    campaign.run()
    return campaign


def pytest_collection_modifyitems(items):
    """A file's tests stay in one process, and so do all that read the finished campaign; what takes long begins first."""
    for item in items:
        group = "finished" if "finished" in item.fixturenames else item.location[0]
        item.add_marker(pytest.mark.xdist_group(group))
    slow = {item.location[0] for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.location[0] not in slow)


def pytest_terminal_summary(terminalreporter):
    """Say loudly which reference numbers nothing was compared with."""
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    missing = sorted(set(re.findall(_ABSENT.format(r"(\S+)"), "\n".join(skipped))))
    if missing:
        terminalreporter.section("NOT COMPARED WITH REFERENCE DATA", red=True)
        names = ", ".join(missing)
        terminalreporter.line(f"absent below {_REFERENCE}: {names} (set POLYSCAPE_REFERENCE)")
