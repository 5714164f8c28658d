"""The page's figures as plotly specifications (plain dictionaries), the same for the same data.

Every point carries its structure's id in ``customdata[0]``, which ties figures and table together.
"""

from polyscape.report.figure_accounts import calibration, costs
from polyscape.report.figure_landscape import landscape
from polyscape.report.figure_ranking import bump, forest
from polyscape.report.figure_style import Figure
from polyscape.report.model import ReportData


def figures(data: ReportData) -> dict[str, Figure]:
    """Every figure of the page by the id of its place."""
    made = {f"landscape-{index}": landscape(data, index) for index in range(len(data.levels))}
    made["ranking-plot"] = forest(data)
    if len(data.levels) > 1:
        made["ranks-plot"] = bump(data)
    if any(cost.full_core_s for cost in data.costs):
        made["cost-plot"] = costs(data)
    if data.calibration:
        made["calibration-plot"] = calibration(data)
    return made
