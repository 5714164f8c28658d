"""The page's figures as plotly specifications (plain dictionaries), the same for the same data.

A colour is written as the page's CSS variable, ``var(--accent)``; the page's script puts in the value of the reader's
colour scheme.  Every point carries its structure's id in ``customdata[0]``, which ties figures and table together.
"""

from collections.abc import Sequence
from html import escape
from typing import Any, Final

from polyscape.report.model import KnownForm, ReportData, Structure
from polyscape.report.words import interval, probability, with_sd, z_prime

Figure = dict[str, Any]

FORM_SYMBOLS: Final = ("star", "diamond", "square", "triangle-up", "pentagon", "hexagram")
FORM_COLOURS: Final = ("--form-1", "--form-2", "--form-3", "--form-4", "--form-5", "--form-6")
_SELECTED: Final = {"symbol": "circle-open", "size": 19, "color": "var(--ink)", "line": {"width": 2}}
_BUMP_LINES: Final = 20


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


def form_style(data: ReportData, name: str | None) -> tuple[str, str]:
    """Symbol and colour of a known form, by its place in the config."""
    names = [form.name for form in data.known_forms]
    index = names.index(name) if name in names else 0
    return FORM_SYMBOLS[index % len(FORM_SYMBOLS)], f"var({FORM_COLOURS[index % len(FORM_COLOURS)]})"


def landscape(data: ReportData, index: int) -> Figure:
    """Energy above the lowest against density at one level: computed filled, predicted hollow with error bars."""
    ordinary = [s for s in data.structures if not s.known_form]
    computed = [s for s in ordinary if s.levels[index].computed]
    predicted = [s for s in ordinary if not s.levels[index].computed]
    traces = [
        _points(
            predicted,
            index,
            "predicted",
            {"symbol": "circle-open", "size": 7, "color": "var(--predicted)", "line": {"width": 1.4}},
        ),
        _points(computed, index, "computed", {"symbol": "circle", "size": 8, "color": "var(--computed)"}),
    ]
    for form in data.known_forms:
        traces.extend(_form_traces(data, form, index))
    traces.append(_selection_trace())
    layout = _layout(f"Energy against density at {data.levels[index]}")
    layout["xaxis"] |= {"title": {"text": "density / g cm<sup>−3</sup>"}}
    layout["yaxis"] |= {
        "title": {"text": "energy above the lowest / kJ mol<sup>−1</sup>"},
        "range": _energy_range(data),
    }
    return {"data": [trace for trace in traces if trace], "layout": layout}


def _points(structures: Sequence[Structure], index: int, name: str, marker: Figure) -> Figure:
    """A trace of structures at a level; error bars (one standard deviation) where the energy is predicted."""
    if not structures:
        return {}
    sds = [0.0 if s.levels[index].computed else _round(s.levels[index].sd_kJ_per_mol) for s in structures]
    trace: Figure = {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [_round(s.density_g_per_cm3) for s in structures],
        "y": [_round(s.levels[index].relative_energy_kJ_per_mol) for s in structures],
        "marker": marker,
        "customdata": [[s.structure_id] for s in structures],
        "hovertext": [_hover(s, index) for s in structures],
        "hoverinfo": "text",
    }
    if any(sds):
        trace["error_y"] = {
            "type": "data",
            "array": sds,
            "thickness": 1,
            "width": 0,
            "color": "var(--error-bar)",
        }
    return trace


def _form_traces(data: ReportData, form: KnownForm, index: int) -> list[Figure]:
    """A known form: the structures that match it; where none does, its own minimum, at the force field only."""
    symbol, colour = form_style(data, form.name)
    label = {
        "mode": "markers+text",
        "text": [escape(form.name)],
        "textposition": "top center",
        "cliponaxis": False,
    }
    label["textfont"] = {"color": "var(--ink)", "size": 13}
    matches = [s for s in data.structures if s.known_form == form.name]
    traces = []
    for place, structure in enumerate(matches):
        hollow = not structure.levels[index].computed
        shape = {
            "symbol": f"{symbol}-open" if hollow else symbol,
            "size": 14,
            "color": colour,
            "line": {"width": 2},
        }
        trace = _points([structure], index, escape(form.name), shape) | {"showlegend": False}
        traces.append(trace | label if place == 0 else trace)
    if (
        not matches
        and index == 0
        and form.ff_relative_energy_kJ_per_mol is not None
        and form.minimised_density_g_per_cm3
    ):
        traces.append(
            {
                "type": "scatter",
                "name": f"{escape(form.name)} (not found)",
                "x": [_round(form.minimised_density_g_per_cm3)],
                "y": [_round(form.ff_relative_energy_kJ_per_mol)],
                "marker": {
                    "symbol": "x-thin",
                    "size": 11,
                    "color": colour,
                    "line": {"width": 2.5, "color": colour},
                },
                "customdata": [[""]],
                "hovertext": [
                    f"<b>{escape(form.name)}</b>, not found by the search:<br>its own force-field minimum"
                ],
                "hoverinfo": "text",
                "showlegend": False,
            }
            | label
            | {"text": [f"{escape(form.name)} (not found)"]}
        )
    return traces


def _hover(structure: Structure, index: int) -> str:
    """What the reader sees over a point."""
    energy = structure.levels[index]
    a, b, c, alpha, beta, gamma = structure.cell
    name = f" · {escape(structure.known_form)}" if structure.known_form else ""
    return "<br>".join(
        (
            f"<b>{escape(structure.structure_id)}</b>{name}",
            f"{escape(structure.symmetry)}, Z′ = {z_prime(structure.z_prime)}, {len(structure.atoms)} atoms in the primitive cell",
            f"{escape(energy.level)}: {with_sd(energy.relative_energy_kJ_per_mol, energy.sd_kJ_per_mol)} kJ/mol, "
            f"rank {energy.rank} ({'computed' if energy.computed else 'predicted'})",
            f"{structure.density_g_per_cm3:.3f} g/cm³",
            f"{a:.2f} × {b:.2f} × {c:.2f} Å; {alpha:.1f}°, {beta:.1f}°, {gamma:.1f}°",
        )
    )


def forest(data: ReportData) -> Figure:
    """Energies of the lowest structures with one and two standard deviations, the most stable on top."""
    shown = data.lowest
    y = list(range(len(shown), 0, -1))
    traces: list[Figure] = []
    for label, computed in (("predicted", False), ("computed", True)):
        pairs = [(place, s) for place, s in zip(y, shown, strict=True) if s.top.computed == computed]
        if not pairs:
            continue
        for factor, width in ((2.0, 1.5), (1.0, 5.0)):
            traces.append(_bars(pairs, factor, width))
        marker: Figure = {"size": 10, "symbol": [], "color": [], "line": {"width": 2}}
        for _, s in pairs:
            symbol, colour = form_style(data, s.known_form) if s.known_form else ("circle", "var(--computed)")
            marker["symbol"].append(symbol if computed else f"{symbol}-open")
            marker["color"].append(colour)
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": label,
                "x": [_round(s.relative_energy_kJ_per_mol) for _, s in pairs],
                "y": [place for place, _ in pairs],
                "marker": marker,
                "customdata": [[s.structure_id] for _, s in pairs],
                "hovertext": [
                    _hover(s, -1) + f"<br>P(rank 1) = {probability(s.p_rank_1)}, rank {interval(s)}"
                    for _, s in pairs
                ],
                "hoverinfo": "text",
            }
        )
    traces.append(_selection_trace())
    layout = _layout(f"The lowest structures at {data.levels[-1]} with their uncertainty")
    layout["height"] = 110 + 24 * len(shown)
    layout["xaxis"] |= {"title": {"text": "energy above the lowest / kJ mol<sup>−1</sup>"}, "zeroline": True}
    layout["yaxis"] |= {
        "tickvals": y,
        "ticktext": [_tick(s) for s in shown],
        "range": [0.3, len(shown) + 0.7],
        "showgrid": False,
        "automargin": True,
    }
    return {"data": traces, "layout": layout}


def _tick(structure: Structure) -> str:
    name = f"<b>{escape(structure.known_form)}</b> " if structure.known_form else ""
    return f"{name}{escape(structure.structure_id)}"


def _bars(pairs: Sequence[tuple[int, Structure]], factor: float, width: float) -> Figure:
    """Horizontal bars of a multiple of the standard deviation relative to the lowest structure, as broken lines."""
    x: list[float | None] = []
    y: list[int | None] = []
    for place, s in pairs:
        half = factor * s.sd_relative_kJ_per_mol
        x.extend(
            (_round(s.relative_energy_kJ_per_mol - half), _round(s.relative_energy_kJ_per_mol + half), None)
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
        symbol, colour = form_style(data, s.known_form) if s.known_form else ("circle", "var(--line)")
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
                    "line": {"width": 1.6},
                },
                "text": [""] * (len(places) - 1) + ["  " + label if strong or s.rank <= 5 else ""],
                "textposition": "middle right",
                "textfont": {"size": 12, "color": "var(--ink)"},
                "cliponaxis": False,
                "customdata": [[s.structure_id]] * len(places),
                "hovertext": [_hover(s, place) for place in places],
                "hoverinfo": "text",
                "showlegend": False,
            }
        )
    worst = max((e.rank for s in shown for e in s.levels), default=1)
    ticks = [
        rank for rank in (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000) if rank <= max(worst, 3)
    ]
    layout = _layout("How the ranks move between the levels")
    layout["height"] = 560
    layout["xaxis"] |= {
        "tickvals": places,
        "ticktext": [escape(level) for level in data.levels],
        "range": [-0.15, places[-1] + 0.45],
        "side": "top",
    }
    layout["yaxis"] |= {"title": {"text": "rank"}, "type": "log", "autorange": "reversed", "tickvals": ticks}
    layout["margin"] |= {"t": 40, "b": 20}
    return {"data": [*traces, _selection_trace()], "layout": layout}


def costs(data: ReportData) -> Figure:
    """CPU hours paid, and the price of every structure, by level, on a logarithmic axis."""
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
            "x": [_round(value) for value in values],
            "marker": {"color": colour},
            "text": [f"{value:.3g} h" for value in values],
            "textposition": "outside",
            "cliponaxis": False,
            "hovertemplate": "%{y}: %{x:.3g} core hours<extra>" + name + "</extra>",
        }
        for name, values, colour in (
            ("paid", paid, "var(--computed)"),
            ("every structure (predicted)", full, "var(--line)"),
        )
    ]
    layout = _layout("Cost by level")
    layout["height"] = 130 + 80 * len(levels)
    layout["xaxis"] |= {"title": {"text": "core hours"}, "type": "log", "dtick": 1}
    layout["yaxis"] |= {"autorange": "reversed", "showgrid": False, "automargin": True}
    layout["margin"] |= {"r": 60}
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
                "x": [_round(100 * row.nominal) for row in rows],
                "y": [_round(100 * row.observed) for row in rows],
                "marker": {
                    "symbol": FORM_SYMBOLS[index % 6],
                    "size": 10,
                    "color": f"var({FORM_COLOURS[index % 6]})",
                },
                "line": {"color": f"var({FORM_COLOURS[index % 6]})"},
                "hovertemplate": "%{x:.0f} % interval holds %{y:.0f} %<extra></extra>",
            }
        )
    layout = _layout("Are the uncertainties honest?")
    layout["height"] = 360
    layout["xaxis"] |= {"title": {"text": "nominal interval / %"}, "range": [0, 102]}
    layout["yaxis"] |= {"title": {"text": "errors inside / %"}, "range": [0, 102]}
    return {"data": traces, "layout": layout}


def _selection_trace() -> Figure:
    """The ring that the page's script puts around the selected structure."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "selected",
        "x": [],
        "y": [],
        "marker": _SELECTED,
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _energy_range(data: ReportData) -> list[float]:
    """One energy axis for all levels: 1.5 times the force field's window, or less when nothing reaches it."""
    highest = max(e.relative_energy_kJ_per_mol + e.sd_kJ_per_mol for s in data.structures for e in s.levels)
    window = max(s.levels[0].relative_energy_kJ_per_mol for s in data.structures)
    top = min(highest, 1.5 * window) or 1.0
    return [_round(-0.07 * top), _round(1.05 * top)]


def _layout(title: str) -> Figure:
    axis = {
        "gridcolor": "var(--grid)",
        "linecolor": "var(--axis)",
        "zeroline": False,
        "zerolinecolor": "var(--axis)",
        "ticks": "outside",
        "tickcolor": "var(--axis)",
        "showline": True,
        "fixedrange": False,
    }
    return {
        "meta": {"description": title},
        "font": {"family": "var(--font)", "size": 13, "color": "var(--ink)"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 60, "r": 16, "t": 16, "b": 52},
        "height": 430,
        "hovermode": "closest",
        "hoverlabel": {
            "bgcolor": "var(--card)",
            "bordercolor": "var(--axis)",
            "font": {"color": "var(--ink)", "size": 13},
            "align": "left",
        },
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        "xaxis": dict(axis),
        "yaxis": dict(axis),
    }


def _round(value: float) -> float:
    """Three decimals are below every uncertainty shown, and keep the page small."""
    return round(float(value), 4) + 0.0
