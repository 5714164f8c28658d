"""The crystal-energy landscape: energy above the lowest against density, a figure per level."""

from collections.abc import Sequence
from html import escape

from polyscape.report.figure_style import Figure, base_layout, form_style, hover, rounded, selection_trace
from polyscape.report.model import KnownForm, ReportData, Structure
from polyscape.report.words import capital


def landscape(data: ReportData, index: int) -> Figure:
    """The landscape at one level: computed structures filled, predicted ones hollow with error bars."""
    ordinary = [s for s in data.structures if not s.known_form]
    computed = [s for s in ordinary if s.levels[index].computed]
    predicted = [s for s in ordinary if not s.levels[index].computed]
    hollow = {"symbol": "circle-open", "size": 7, "color": "var(--predicted)", "line": {"width": 1.4}}
    filled = {"symbol": "circle", "size": 8, "color": "var(--computed)", "line": {"width": 0}}
    traces = [_points(predicted, index, "predicted", hollow), _points(computed, index, "computed", filled)]
    labels = []
    for form in data.known_forms:
        marks = [*_matches(data, form, index), *_own_minimum(data, form, index)]
        traces.extend(marks)
        if marks:
            name = form.name if form.structure else f"{form.name} (not found)"
            labels.append(_label(data, name, marks[0]["x"][0], marks[0]["y"][0]))
    layout = base_layout(f"{capital(data.quantity)} against density at {data.levels[index]}")
    layout["xaxis"] |= {"title": {"text": "density / g cm<sup>−3</sup>"}}
    layout["yaxis"] |= {
        "title": {"text": f"{data.quantity} above the lowest / kJ mol<sup>−1</sup>"},
        "range": energy_range(data),
    }
    layout["annotations"] = labels
    return {"data": [trace for trace in (*traces, selection_trace()) if trace], "layout": layout}


def energy_range(data: ReportData) -> list[float]:
    """One energy axis for all levels: 1.5 times the force field's window, or less when nothing reaches it."""
    highest = max(
        e.relative_energy_kJ_per_mol + e.sd_relative_kJ_per_mol for s in data.structures for e in s.levels
    )
    window = max(s.levels[0].relative_energy_kJ_per_mol for s in data.structures)
    top = min(highest, 1.5 * window) or 1.0
    return [rounded(-0.07 * top), rounded(1.05 * top)]


def _points(structures: Sequence[Structure], index: int, name: str, marker: Figure) -> Figure:
    """A trace of structures at a level; error bars (one standard deviation) where the energy is predicted."""
    if not structures:
        return {}
    energies = [s.levels[index] for s in structures]
    sds = [0.0 if energy.computed else rounded(energy.sd_relative_kJ_per_mol) for energy in energies]
    trace: Figure = {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [rounded(s.density_g_per_cm3) for s in structures],
        "y": [rounded(energy.relative_energy_kJ_per_mol) for energy in energies],
        "marker": marker,
        "customdata": [[s.structure_id] for s in structures],
        "hovertext": [hover(s, index) for s in structures],
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


def _matches(data: ReportData, form: KnownForm, index: int) -> list[Figure]:
    """The structures that match a known form, with the form's mark."""
    symbol, colour = form_style(data, form.name)
    traces = []
    for structure in (s for s in data.structures if form.name in s.known_forms):
        shape = symbol if structure.levels[index].computed else f"{symbol}-open"
        marker = {"symbol": shape, "size": 15, "color": colour, "line": {"width": 2, "color": colour}}
        traces.append(_points([structure], index, escape(form.name), marker) | {"showlegend": False})
    return traces


def _own_minimum(data: ReportData, form: KnownForm, index: int) -> list[Figure]:
    """A form that was not found: a cross at its own minimum, which is known at the force field only."""
    height, density = form.ff_relative_energy_kJ_per_mol, form.minimised_density_g_per_cm3
    if form.structure or index > 0 or height is None or density is None:
        return []
    colour = form_style(data, form.name)[1]
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": escape(form.name),
            "x": [rounded(density)],
            "y": [rounded(height)],
            "marker": {
                "symbol": "x-thin",
                "size": 11,
                "color": colour,
                "line": {"width": 2.5, "color": colour},
            },
            "hovertext": [
                f"<b>{escape(form.name)}</b>, not found by the search:<br>its own force-field minimum"
            ],
            "hoverinfo": "text",
            "showlegend": False,
        }
    ]


def _label(data: ReportData, text: str, x: float, y: float) -> Figure:
    """A known form's name on a patch of the card's colour, towards the middle of the figure."""
    densities = [s.density_g_per_cm3 for s in data.structures]
    to_the_left = x > (min(densities) + max(densities)) / 2
    return {
        "x": x,
        "y": y,
        "text": f"<b>{escape(text)}</b>",
        "showarrow": False,
        "xanchor": "right" if to_the_left else "left",
        "xshift": -12 if to_the_left else 12,
        "bgcolor": "var(--veil)",
        "borderpad": 1,
        "font": {"size": 13, "color": "var(--ink)"},
    }
