"""The landscape as a picture for papers and slides: one panel per level, known forms marked."""

import io
from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from polyscape.report.model import ReportData, Structure

_MARKERS: Final = ("*", "D", "s", "^", "p", "h")
_COLOURS: Final = ("#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5195")
"""The first five are Okabe and Ito's, told apart by colour-blind readers too."""

_COMPUTED: Final = "#0072B2"
_PREDICTED: Final = "#7d93a8"
_DPI: Final = 200


def landscape_png(data: ReportData) -> bytes:
    """Energy (enthalpy) above the lowest against density, a panel per level, as PNG bytes (the same for the same data)."""
    count = len(data.levels)
    figure = Figure(figsize=(min(3.6 * count + 0.8, 24.0), 4.4), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, count, sharex=True, sharey=True, squeeze=False)[0]
    for index, axis in enumerate(axes):
        _panel(axis, data, index)
    axes[0].set_ylabel(f"{data.quantity} above the lowest / kJ mol$^{{-1}}$")
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
    names = [form.name for form in data.known_forms]
    for computed in (False, True):
        group = [s for s in data.structures if s.levels[index].computed == computed]
        _marks(
            axis,
            [s for s in group if s.known_form is None],
            index,
            ("o", _COMPUTED if computed else _PREDICTED),
        )
        for place, name in enumerate(names):
            own = [s for s in group if name in s.known_forms]
            _marks(axis, own, index, (_MARKERS[place % 6], _COLOURS[place % 6]))
            _names(axis, own[:1], index)
    count = sum(structure.levels[index].computed for structure in data.structures)
    said = (
        f"{len(data.structures)} structures" if index == 0 else f"{count} of {len(data.structures)} computed"
    )
    axis.set_title(f"{data.levels[index]}  ({said})", fontsize=10, parse_math=False)
    axis.grid(True, color="#e4e7ea", linewidth=0.6)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=9, color="#888888")


def _marks(axis: Axes, structures: Sequence[Structure], index: int, style: tuple[str, str]) -> None:
    """Structures that are all computed, or all predicted, at a level, in one marker and colour."""
    if not structures:
        return
    marker, colour = style
    energies = [structure.levels[index] for structure in structures]
    x = [structure.density_g_per_cm3 for structure in structures]
    y = [energy.relative_energy_kJ_per_mol for energy in energies]
    computed = energies[0].computed
    if not computed:
        sds = [energy.sd_relative_kJ_per_mol for energy in energies]
        axis.errorbar(x, y, sds, fmt="none", ecolor=colour, elinewidth=0.7, alpha=0.45, zorder=1)
    size = {"*": 14.0, "o": 4.2}.get(marker, 8.5)
    order = (2 if marker == "o" else 4) + computed
    axis.plot(x, y, marker, ms=size, mfc=colour if computed else "white", mec=colour, mew=1.0, zorder=order)


def _names(axis: Axes, structures: Sequence[Structure], index: int) -> None:
    """The known form's name under its mark."""
    for structure in structures:
        place = (structure.density_g_per_cm3, structure.levels[index].relative_energy_kJ_per_mol)
        axis.annotate(
            str(structure.known_form),
            place,
            xytext=(0, -15),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            zorder=6,
            path_effects=[withStroke(linewidth=3, foreground="white")],
            parse_math=False,
        )


def _limits(data: ReportData) -> tuple[float, float]:
    """The same window as the page's: 1.5 times the force field's, or less when nothing reaches it."""
    highest = max(
        e.relative_energy_kJ_per_mol + e.sd_relative_kJ_per_mol for s in data.structures for e in s.levels
    )
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
