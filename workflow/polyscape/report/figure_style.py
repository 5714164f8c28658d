"""What all figures share: marks, colours, axes, the text over a point.

A colour is written as the page's CSS variable, ``var(--accent)``; the page's script puts in the value of the
reader's colour scheme.
"""

from html import escape
from typing import Any, Final

from polyscape.report.model import ReportData, Structure
from polyscape.report.words import symmetry_parts, with_sd, z_prime

Figure = dict[str, Any]
"""A plotly specification, or a part of one."""

FORM_SYMBOLS: Final = ("star", "diamond", "square", "triangle-up", "pentagon", "hexagram")
FORM_COLOURS: Final = ("--form-1", "--form-2", "--form-3", "--form-4", "--form-5", "--form-6")
_SELECTED: Final = {"symbol": "circle-open", "size": 19, "color": "var(--ink)", "line": {"width": 2}}


def form_style(data: ReportData, name: str | None) -> tuple[str, str]:
    """Symbol and colour of a known form, by its place in the config."""
    names = [form.name for form in data.known_forms]
    index = names.index(name) if name in names else 0
    return FORM_SYMBOLS[index % len(FORM_SYMBOLS)], f"var({FORM_COLOURS[index % len(FORM_COLOURS)]})"


def hover(structure: Structure, index: int) -> str:
    """What the reader sees over a point of the level with this index."""
    energy = structure.levels[index]
    a, b, c, alpha, beta, gamma = structure.cell
    name = f" · {escape(structure.known_form)}" if structure.known_form else ""
    height = with_sd(energy.relative_energy_kJ_per_mol, energy.sd_relative_kJ_per_mol)
    group = "".join(
        f"<{tag}>{part}</{tag}>" if tag else escape(part) for part, tag in symmetry_parts(structure.symmetry)
    )
    return "<br>".join(
        (
            f"<b>{escape(structure.structure_id)}</b>{name}",
            f"{group}, Z′ = {z_prime(structure.z_prime)}, {len(structure.atoms)} atoms in the primitive cell",
            f"{escape(energy.level)}: {height} kJ/mol, rank {energy.rank}, "
            + ("computed" if energy.computed else "predicted"),
            f"{structure.density_g_per_cm3:.3f} g/cm³",
            f"{a:.2f} × {b:.2f} × {c:.2f} Å, {alpha:.1f}° {beta:.1f}° {gamma:.1f}°",
        )
    )


def selection_trace() -> Figure:
    """The ring that the page's script puts around the selected structure."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "selected",
        "x": [],
        "y": [],
        "marker": _SELECTED,
        "cliponaxis": False,
        "hoverinfo": "skip",
        "showlegend": False,
    }


def base_layout(title: str) -> Figure:
    """Axes, fonts and hover labels of every figure; the title goes to readers of the specification only."""
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


def rounded(value: float) -> float:
    """Four decimals are below every uncertainty shown, and keep the page small."""
    return round(float(value), 4) + 0.0
