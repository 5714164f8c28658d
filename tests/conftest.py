"""What tests of several folders share: third-party reference numbers, kept elsewhere, and a finished campaign."""

import os
import re
from pathlib import Path

import pytest

from polyscape.locks import held
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
def finished(tmp_path_factory, request):
    """The tiny campaign, run once to its end on two cores by the first process that asks; only to be read or copied."""
    folder = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):  # one of several processes of one session
        folder = folder.parent
    folder /= "finished-campaign"
    with held([folder.with_suffix(".lock")]):
        if not (folder / "config/config.yaml").exists():
            folder.mkdir()
            Campaign.create(folder)
        campaign = Campaign(folder)
        if not (campaign.results / "report/index.html").exists():
            campaign.run()
    return campaign


def pytest_collection_modifyitems(items):
    """Files whose tests take long begin first, those of SLURM, which mostly wait, before all others."""
    slow = {item.location[0] for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.get_closest_marker("slurm") is None, item.location[0] not in slow))


def pytest_terminal_summary(terminalreporter):
    """Say loudly which reference numbers nothing was compared with."""
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    missing = sorted(set(re.findall(_ABSENT.format(r"(\S+)"), "\n".join(skipped))))
    if missing:
        terminalreporter.section("NOT COMPARED WITH REFERENCE DATA", red=True)
        names = ", ".join(missing)
        terminalreporter.line(f"absent below {_REFERENCE}: {names} (set POLYSCAPE_REFERENCE)")
