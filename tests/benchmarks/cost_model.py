"""How well the cost model predicts the points of a store: one JSON line per level, and one for all.

  python tests/benchmarks/cost_model.py results/store config/config.yaml

The points are taken in the order in which they were made.  `law`: share within a factor of 1.5 of what the laws of
`polyscape.levels.cost` say; `refined`: of what the model says that all other points refine; `sequential`: of what the
model said that had seen the points before it only, from the ninth on.
"""

import json
import sys
from pathlib import Path

import numpy as np

from polyscape.levels.cost import Cost, predict_work
from polyscape.levels.entry import Entry
from polyscape.levels.method import method_ids
from polyscape.levels.refine import Observation, refine
from polyscape.settings import load_settings
from polyscape.stages.costs import WITHIN, left_out
from polyscape.stages.stored_results import Choice, entry_files

LEAST = 8


def read(store, levels):
    """What each point of the ladder's methods took, the earliest first."""
    ids = method_ids(levels)
    names = list(ids)
    files = [(path, level) for level in names for path in entry_files(store, Choice(ids[level]))]
    found = []
    for path, level in sorted(files, key=lambda pair: pair[0].stat().st_mtime):
        entry = Entry.read(path)
        predicted = predict_work(entry.atoms, levels, names.index(level), entry.work)
        actual = Cost(entry.work.core_s, entry.work.peak_memory_MB)
        found.append(Observation(level, entry.work.machine, predicted, actual))
    return found


def shares(actual_n, predicted_n):
    """Share within the factor, median and 90 % quantile of the factor."""
    log_n = np.abs(np.log(np.asarray(actual_n) / np.asarray(predicted_n)))
    quantiles = np.exp(np.quantile(log_n, [0.5, 0.9])).round(3).tolist() if len(log_n) else [None, None]
    within = float((log_n <= np.log(WITHIN)).mean().round(3)) if len(log_n) else None
    return {"points": len(log_n), "within": within, "median_factor": quantiles[0], "q90_factor": quantiles[1]}


def main():
    """Read a store, print."""
    store, config = map(Path, sys.argv[1:3])
    levels = load_settings(config).levels
    seen = read(store, levels)
    others = left_out(seen, levels)
    for what in ("core_s", "memory_MB"):
        value = [getattr(point.actual, what) for point in seen]
        law = [getattr(point.predicted, what) for point in seen]
        refined = [getattr(cost, what) for cost in others]
        before = [
            getattr(refine(seen[:n], levels).corrected(seen[n].predicted, seen[n].level), what)
            for n in range(LEAST, len(seen))
        ]
        for level in (*(level.name for level in levels), None):
            own = [n for n, point in enumerate(seen) if level in (None, point.level)]
            late = [n for n in own if n >= LEAST]
            line = {"what": what, "level": level}
            line["law"] = shares([value[n] for n in own], [law[n] for n in own])
            line["refined"] = shares([value[n] for n in own], [refined[n] for n in own])
            line["sequential"] = shares([value[n] for n in late], [before[n - LEAST] for n in late])
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
