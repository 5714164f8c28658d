"""What tests of several folders share: third-party reference numbers, kept elsewhere, and a finished campaign."""

import os
from pathlib import Path

import pytest

from tests.workflow.campaigns import MACHINE_CODE, Campaign

os.environ.setdefault("NUMBA_CACHE_DIR", str(MACHINE_CODE))  # compiled once for unit tests and campaigns

_ROOT = Path(__file__).resolve().parents[1]
_REFERENCE = Path(os.environ.get("POLYSCAPE_REFERENCE", _ROOT / ".." / "shared" / "reference")).resolve()
_missing = set()


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
            _missing.add(name)
            pytest.skip(
                f"reference data {name} absent: point POLYSCAPE_REFERENCE at the folder that holds it"
            )
        return path

    return find


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The tiny campaign, run once to its end on two cores; only to be read or copied."""
    campaign = Campaign.create(tmp_path_factory.mktemp("finished"))
    campaign.run()
    return campaign


def pytest_terminal_summary(terminalreporter):
    """Say loudly which reference numbers nothing was compared with."""
    if _missing:
        terminalreporter.section("NOT COMPARED WITH REFERENCE DATA", red=True)
        terminalreporter.line(
            f"absent below {_REFERENCE}: {', '.join(sorted(_missing))} (set POLYSCAPE_REFERENCE)"
        )
