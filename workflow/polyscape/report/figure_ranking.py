"""The ranking: energies with error bars, and how the ranks move between the levels."""

from collections.abc import Sequence
from html import escape
from typing import Final

from polyscape.report.figure_style import Figure, base_layout, form_style, hover, rounded, selection_trace
from polyscape.report.model import ReportData, Structure
from polyscape.report.words import certainty, interval

_BUMP_LINES: Final = 20


def forest(data: ReportData) -> Figure:
    """Energies of the lowest structures with one and two standard deviations, the most stable on top."""
    shown = data.lowest
    y = list(range(len(shown), 0, -1))
    traces: list[Figure] = []
    for label, computed in (("predicted", False), ("computed", True)):
        pairs = [(place, s) for place, s in zip(y, shown, strict=True) if s.top.computed == computed]
        if not pairs:
            continue
        key = {"symbol": "circle" if computed else "circle-open", "size": 10, "color": "var(--computed)"}
        bars = [_bars(pairs, factor, width) for factor, width in ((2.0, 1.5), (1.0, 5.0))]
        legend = {
            "type": "scatter",
            "mode": "markers",
            "name": label,
            "x": [None],
            "y": [None],
            "marker": key,
        }
        traces.extend((*bars, legend, _marks(data, pairs)))
    traces.append(selection_trace())
    layout = base_layout(f"The lowest structures at {data.levels[-1]} with their uncertainty")
    layout["height"] = 110 + 24 * len(shown)
    layout["xaxis"] |= {
        "title": {"text": f"{data.quantity} above the lowest / kJ mol<sup>−1</sup>"},
        "zeroline": True,
    }
    layout["yaxis"] |= {
        "tickvals": y,
        "ticktext": [_tick(s) for s in shown],
        "range": [0.3, len(shown) + 0.7],
        "showgrid": False,
        "automargin": True,
    }
    return {"data": traces, "layout": layout}


def _marks(data: ReportData, pairs: Sequence[tuple[int, Structure]]) -> Figure:
    """The mean energies; a known form has its own mark."""
    marker: Figure = {"size": 10, "symbol": [], "color": []}
    for _, s in pairs:
        symbol, colour = form_style(data, s.known_forms[0]) if s.known_form else ("circle", "var(--computed)")
        marker["symbol"].append(symbol if s.top.computed else f"{symbol}-open")
        marker["color"].append(colour)
    marker["line"] = {"width": 2, "color": marker["color"]}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "energy",
        "showlegend": False,
        "x": [rounded(s.top.relative_energy_kJ_per_mol) for _, s in pairs],
        "y": [place for place, _ in pairs],
        "marker": marker,
        "customdata": [[s.structure_id] for _, s in pairs],
        "hovertext": [hover(s, -1) + f"<br>{escape(certainty(s))}, rank {interval(s)}" for _, s in pairs],
        "hoverinfo": "text",
    }


def _tick(structure: Structure) -> str:
    name = f"<b>{escape(structure.known_form)}</b> " if structure.known_form else ""
    return f"{name}{escape(structure.structure_id)}"


def _bars(pairs: Sequence[tuple[int, Structure]], factor: float, width: float) -> Figure:
    """Horizontal bars of a multiple of the standard deviation relative to the lowest structure, as broken lines."""
    x: list[float | None] = []
    y: list[int | None] = []
    for place, s in pairs:
        half = factor * s.top.sd_relative_kJ_per_mol
        x.extend(
            (
                rounded(s.top.relative_energy_kJ_per_mol - half),
                rounded(s.top.relative_energy_kJ_per_mol + half),
                None,
            )
        )
        y.extend((place, place, None))
    line = {"width": width, "color": "var(--error-bar)"}
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "line": line,
        "hoverinfo": "skip",
        "showlegend": False,
    }


def bump(data: ReportData) -> Figure:
    """The rank of the lowest structures at every level, on a logarithmic axis that gives the low ranks their room."""
    places = list(range(len(data.levels)))
    traces: list[Figure] = []
    shown = [s for i, s in enumerate(data.structures) if i < min(data.listed, _BUMP_LINES) or s.known_form]
    for s in sorted(shown, key=lambda s: (s.known_form is not None, -s.rank)):
        symbol, colour = form_style(data, s.known_forms[0]) if s.known_form else ("circle", "var(--line)")
        strong = s.known_form is not None
        label = f"<b>{escape(s.known_form)}</b>" if s.known_form else escape(s.structure_id)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers+text",
                "name": escape(s.structure_id),
                "x": places,
                "y": [energy.rank for energy in s.levels],
                "line": {"width": 3 if strong else 1.3, "color": colour, "shape": "spline", "smoothing": 0.6},
                "marker": {
                    "symbol": [symbol if e.computed else f"{symbol}-open" for e in s.levels],
                    "size": 12 if strong else 7,
                    "color": colour,
                    "line": {"width": 1.6, "color": colour},
                },
                "text": [""] * (len(places) - 1) + ["  " + label if strong or s.rank <= 5 else ""],
                "textposition": "middle right",
                "textfont": {"size": 12, "color": "var(--ink)"},
                "cliponaxis": False,
                "customdata": [[s.structure_id]] * len(places),
                "hovertext": [hover(s, place) for place in places],
                "hoverinfo": "text",
                "showlegend": False,
            }
        )
    worst = max((e.rank for s in shown for e in s.levels), default=1)
    ticks = [
        rank for rank in (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000) if rank <= max(worst, 3)
    ]
    layout = base_layout("How the ranks move between the levels")
    layout["height"] = 110 + 24 * data.listed
    layout["xaxis"] |= {
        "tickvals": places,
        "ticktext": [escape(level) for level in data.levels],
        "range": [-0.12, places[-1] + 0.06],
        "side": "top",
    }
    layout["yaxis"] |= {"title": {"text": "rank"}, "type": "log", "autorange": "reversed", "tickvals": ticks}
    layout["margin"] |= {"t": 40, "b": 20, "r": 104}
    return {"data": [*traces, selection_trace()], "layout": layout}
