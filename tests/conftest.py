"""What tests of several folders share."""

import pytest

from tests.workflow.campaigns import Campaign

from tests.workflow.campaigns import Campaign


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The tiny campaign, run once to its end on two cores; only to be read or copied."""
    campaign = Campaign.create(tmp_path_factory.mktemp("finished"))
    campaign.run()
    return campaign
