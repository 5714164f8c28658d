"""The accounts: what was paid, and whether the uncertainties are honest."""

import math
from html import escape

from polyscape.report.figure_style import FORM_COLOURS, FORM_SYMBOLS, Figure, base_layout, rounded
from polyscape.report.model import ReportData


def costs(data: ReportData) -> Figure:
    """CPU hours of the computed points, when they were made, and the price of every structure, by level."""
    levels = [level for level in data.levels if any(cost.level == level for cost in data.costs)]
    paid = [sum(cost.core_s for cost in data.costs if cost.level == level) / 3600 for level in levels]
    full = [
        sum(cost.full_core_s or 0.0 for cost in data.costs if cost.level == level) / 3600 for level in levels
    ]
    names = [escape(level) for level in levels]
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": names,
            "x": [rounded(value) for value in values],
            "marker": {"color": colour},
            "text": [f"{value:.3g} h" for value in values],
            "textposition": "outside",
            "cliponaxis": False,
            "hovertemplate": "%{y}: %{x:.3g} core hours<extra>" + name + "</extra>",
        }
        for name, values, colour in (
            ("computed", paid, "var(--computed)"),
            ("every structure (predicted)", full, "var(--line)"),
        )
    ]
    layout = base_layout("Cost by level")
    layout["height"] = 130 + 80 * len(levels)
    shown = [math.log10(value) for value in (*paid, *full) if value > 0]
    room = [rounded(min(shown) - 0.5), rounded(max(shown) + 0.8)]
    layout["xaxis"] |= {"title": {"text": "core hours"}, "type": "log", "dtick": 1, "range": room}
    layout["yaxis"] |= {"autorange": "reversed", "showgrid": False, "automargin": True}
    return {"data": traces, "layout": layout}


def calibration(data: ReportData) -> Figure:
    """Observed against nominal share of errors inside the intervals; on the diagonal the uncertainties are honest."""
    traces: list[Figure] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [0, 100],
            "y": [0, 100],
            "line": {"dash": "dot", "color": "var(--line)"},
            "hoverinfo": "skip",
            "showlegend": False,
        }
    ]
    levels = list(dict.fromkeys(row.level for row in data.calibration))
    for index, level in enumerate(levels):
        rows = sorted((row for row in data.calibration if row.level == level), key=lambda row: row.nominal)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": escape(level),
                "x": [rounded(100 * row.nominal) for row in rows],
                "y": [rounded(100 * row.observed) for row in rows],
                "marker": {
                    "symbol": FORM_SYMBOLS[index % 6],
                    "size": 10,
                    "color": f"var({FORM_COLOURS[index % 6]})",
                },
                "line": {"color": f"var({FORM_COLOURS[index % 6]})"},
                "hovertemplate": "%{x:.0f} % interval holds %{y:.0f} %<extra></extra>",
            }
        )
    layout = base_layout("Are the uncertainties honest?")
    layout["height"] = 360
    layout["xaxis"] |= {"title": {"text": "nominal interval / %"}, "range": [0, 102]}
    layout["yaxis"] |= {"title": {"text": "errors inside / %"}, "range": [0, 102]}
    return {"data": traces, "layout": layout}
