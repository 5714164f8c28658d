"""The landscape as a picture for papers and slides: one panel per level, known forms marked."""

import io
from typing import Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from polyscape.report.model import ReportData

_MARKERS: Final = ("*", "D", "s", "^", "p", "h")
_COLOURS: Final = ("#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5195")
"""The first five are Okabe and Ito's, told apart by colour-blind readers too."""

_COMPUTED: Final = "#0072B2"
_PREDICTED: Final = "#7d93a8"
_DPI: Final = 200


def landscape_png(data: ReportData) -> bytes:
    """Energy above the lowest against density, a panel per level, as PNG bytes (the same for the same data)."""
    count = len(data.levels)
    figure = Figure(figsize=(min(3.6 * count + 0.8, 24.0), 4.4), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, count, sharex=True, sharey=True, squeeze=False)[0]
    for index, axis in enumerate(axes):
        _panel(axis, data, index)
    axes[0].set_ylabel("energy above the lowest / kJ mol$^{-1}$")
    axes[0].set_ylim(*_limits(data))
    figure.supxlabel("density / g cm$^{-3}$", fontsize=10)
    figure.legend(
        handles=_legend(data), loc="outside upper center", ncols=2 + len(data.known_forms), frameon=False
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None}, facecolor="white")
    return buffer.getvalue()


def _panel(axis: Axes, data: ReportData, index: int) -> None:
    """One level: predicted structures hollow with a standard deviation, computed ones filled, known forms on top."""
    for structure in data.structures:
        energy = structure.levels[index]
        x, y = structure.density_g_per_cm3, energy.relative_energy_kJ_per_mol
        form = (
            [f.name for f in data.known_forms].index(structure.known_form) if structure.known_form else None
        )
        colour = _COLOURS[form % 6] if form is not None else (_COMPUTED if energy.computed else _PREDICTED)
        marker = _MARKERS[form % 6] if form is not None else "o"
        size = {"*": 14.0, "o": 4.2}.get(marker, 8.5)
        if not energy.computed:
            axis.errorbar(
                x, y, energy.sd_kJ_per_mol, fmt="none", ecolor=colour, elinewidth=0.7, alpha=0.45, zorder=1
            )
        face = colour if energy.computed else "white"
        axis.plot(
            x,
            y,
            marker,
            ms=size,
            mfc=face,
            mec=colour,
            mew=1.0,
            zorder=4 if form is not None else 2 + energy.computed,
        )
        if form is not None:
            halo = [withStroke(linewidth=3, foreground="white")]
            axis.annotate(
                str(structure.known_form),
                (x, y),
                xytext=(0, -14),
                textcoords="offset points",
                ha="center",
                fontsize=9,
                zorder=5,
                path_effects=halo,
            )
    computed = sum(structure.levels[index].computed for structure in data.structures)
    axis.set_title(
        f"{data.levels[index]}  ({computed} of {len(data.structures)} computed)",
        fontsize=10,
        parse_math=False,
    )
    axis.grid(True, color="#e4e7ea", linewidth=0.6)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=9, color="#888888")


def _limits(data: ReportData) -> tuple[float, float]:
    """The same window as the page's: 1.5 times the force field's, or less when nothing reaches it."""
    highest = max(e.relative_energy_kJ_per_mol + e.sd_kJ_per_mol for s in data.structures for e in s.levels)
    window = max(s.levels[0].relative_energy_kJ_per_mol for s in data.structures)
    top = min(highest, 1.5 * window) or 1.0
    return -0.09 * top, 1.05 * top


def _legend(data: ReportData) -> list[Line2D]:
    entries = [
        Line2D([], [], ls="", marker="o", ms=5, color=_COMPUTED, label="computed"),
        Line2D(
            [],
            [],
            ls="",
            marker="o",
            ms=5,
            mfc="white",
            color=_PREDICTED,
            label="predicted, one standard deviation",
        ),
    ]
    for index, form in enumerate(data.known_forms):
        found = "" if form.structure else " (not found)"
        marker, colour = _MARKERS[index % 6], _COLOURS[index % 6]
        entries.append(Line2D([], [], ls="", marker=marker, ms=9, color=colour, label=f"{form.name}{found}"))
    return entries
