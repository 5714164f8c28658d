"""The lines of `learning_curve.py` as a table and a figure.

Each seed's campaign is read at some cost fractions: what it knew when it had spent no more.  Means over the seeds; a seed
that stopped earlier keeps its last line.  A fraction that a seed's first round exceeds already has no entry.

    python -m tests.benchmarks.learning_table curve.jsonl [--figure docs/figures/learning_curve.png]
"""

import argparse
from pathlib import Path

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

FRACTIONS = (0.01, 0.02, 0.04, 0.068, 0.10, 0.15, 0.20)
SHOWN = (
    "mae_kJ_per_mol",
    "max_error_kJ_per_mol",
    "spearman",
    "coverage_95",
    "rank_of_true_minimum",
    "core_h",
)
_TITLES = {"nscf": "PBE0 on the orbitals of PBE", "scf": "self-consistent PBE0"}
_TICKS = (0.5, 1, 2, 5, 10, 20)
_STYLES = {
    "polyscape": ("#0072B2", "-"),
    "random": ("#E69F00", "--"),
    "lowest_energy": ("#D55E00", "--"),
    "farthest_points": ("#009E73", "--"),
    "single_level_gp": ("#CC79A7", "-."),
    "linear": ("#7A5195", "-."),
    "smt_mfk": ("#56B4E9", "-."),
}


def at_fractions(lines: pd.DataFrame, fractions=FRACTIONS) -> pd.DataFrame:
    """Means over the seeds at cost fractions, a row per basis, method and fraction that every seed has reached."""
    lines = lines.assign(
        first_level=lines.points.map(lambda points: points[0]), top_level=lines.points.map(lambda p: p[-1])
    )
    rows = []
    for (basis, method), own in lines.groupby(["cost_basis", "method"]):
        for fraction in fractions:
            known = own[own.cost_fraction <= fraction].sort_values("cost_fraction", kind="stable")
            last = known.groupby("seed").tail(1)
            if len(last) == own.seed.nunique():
                means = last[[*SHOWN, "first_level", "top_level"]].mean().to_dict()
                rows.append({"cost_basis": basis, "method": method, "fraction": fraction} | means)
    return pd.DataFrame(rows)


def markdown(table: pd.DataFrame) -> str:
    """The table for people."""
    titles = (
        "basis",
        "method",
        "cost, %",
        "points",
        "core-h",
        "MAE",
        "max",
        "Spearman",
        "coverage",
        "rank of the minimum",
    )
    out = ["| " + " | ".join(titles) + " |", "|" + " --- |" * len(titles)]
    for row in table.to_dict("records"):
        words = (
            row["cost_basis"], row["method"], f"{100 * row['fraction']:g}",
            f"{row['first_level']:.0f} + {row['top_level']:.0f}", f"{row['core_h']:.2f}",
            f"{row['mae_kJ_per_mol']:.2f}", f"{row['max_error_kJ_per_mol']:.1f}", f"{row['spearman']:.3f}",
            f"{100 * row['coverage_95']:.0f} %", f"{row['rank_of_true_minimum']:.1f}",
        )  # fmt: skip
        out.append("| " + " | ".join(words) + " |")
    return "\n".join(out)


def figure(lines: pd.DataFrame, path: Path) -> None:
    """Mean absolute error against cost, a panel per basis, a line per method as far as all its seeds go."""
    bases = sorted(lines.cost_basis.unique())
    canvas = Figure(figsize=(4.6 * len(bases), 3.8), dpi=160, layout="constrained")
    FigureCanvasAgg(canvas)
    table = at_fractions(lines, [0.0025 * 1.08**n for n in range(62)])
    end = lines.groupby(["cost_basis", "method", "seed"]).cost_fraction.max().groupby(level=[0, 1]).min()
    for axis, basis in zip(canvas.subplots(1, len(bases), sharey=True, squeeze=False)[0], bases, strict=True):
        for method, (colour, dash) in _STYLES.items():
            own = table[(table.cost_basis == basis) & (table.method == method)]
            own = own[own.fraction <= end.get((basis, method), 0.0)]
            if own.empty:
                continue
            axis.plot(
                100 * own.fraction, own.mae_kJ_per_mol, dash, color=colour, label=method.replace("_", " ")
            )
        axis.axhline(1.0, color="#888888", linewidth=0.7)
        axis.set_xscale("log")
        axis.set_xticks(_TICKS, [f"{tick:g}" for tick in _TICKS])
        axis.minorticks_off()
        axis.set_xlabel("price, % of PBE0 for every structure")
        axis.set_title(_TITLES[basis], fontsize=10)
        axis.set_ylim(bottom=0)
        axis.spines[["top", "right"]].set_visible(False)
        axis.set_ylabel("mean absolute error / kJ mol$^{-1}$" if basis == bases[0] else "")
    canvas.axes[-1].legend(frameon=False, fontsize=8)
    canvas.savefig(path, metadata={"Software": None}, facecolor="white")


def main() -> None:
    """Read lines, print the table, draw the figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lines", type=Path, nargs="+", help="what `learning_curve.py` printed")
    parser.add_argument("--figure", type=Path, help="PNG to write")
    options = parser.parse_args()
    lines = pd.concat([pd.read_json(path, lines=True) for path in options.lines], ignore_index=True)
    print(markdown(at_fractions(lines)))
    if options.figure:
        figure(lines, options.figure)


if __name__ == "__main__":
    main()
