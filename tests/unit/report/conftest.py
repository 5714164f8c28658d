import pytest
from tests.unit.report.synthetic import Names, report_slice, tables

from polyscape.stages.report import report_data

HOSTILE = "<script>alert(1)</script>\"'&</title>"


@pytest.fixture(scope="session")
def data():
    return report_data(tables(), report_slice(), {"gpaw": "26.7.0"})


@pytest.fixture(scope="session")
def hostile_data():
    """Everything that a config or a file of the user can name, made to break out of its place."""
    names = Names(form=HOSTILE, citation=HOSTILE, smiles=HOSTILE, component=HOSTILE, message=HOSTILE)
    return report_data(tables(names), report_slice(), {HOSTILE: HOSTILE})
