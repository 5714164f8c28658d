"""Time of the stages of learning on landscapes of 500 and 5,000 structures, from tables to tables: one JSON line each.

Structures, energies and points are those of the tests (`tests/unit/learn/landscapes.py`), descriptors random vectors of the
usual lengths: what a fit costs depends on numbers, not on what they say.  All combinations of descriptors are tried.

    python -m tests.benchmarks.learn_time [--structures 500 5000] [--points 100 40]
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from tests.unit.learn import landscapes

from polyscape.learn.registry import LINEAR
from polyscape.schemas import FEATURES
from polyscape.stages.learn import learn
from polyscape.stages.rank import rank
from polyscape.stages.rows import reduced_atoms
from polyscape.stages.selection import SelectionPlan, select

LENGTHS = {"soap": 16, "acsf": 16, "amd": 16, "terms": 4, "pairs": 16, LINEAR: 38}


def vectors(names, seed=0):
    """A table `features` of random vectors of total variance 1."""
    generator = np.random.default_rng(seed)
    return FEATURES.from_rows(
        {"structure_id": name, "block": block, "descriptor": block, "features": vector.tolist()}
        for block, length in LENGTHS.items()
        for name, vector in zip(names, generator.normal(size=(len(names), length)) / length**0.5, strict=True)
    )


def measured(work: Callable[[], Any]) -> dict[str, float]:
    """Wall and CPU seconds of a call."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {
        "wall_s": round(time.perf_counter() - wall, 2),
        "cpu_s": round(time.process_time() - cpu, 2),
    }


def stages(structures: int, points: list[int]) -> dict[str, dict[str, float]]:
    """Times of choosing, learning and ranking."""
    settings = landscapes.settings(features={"descriptor": "auto"}, selection={"rounds": 3, "batch": 6})
    plan = landscapes.plan(settings)
    table = landscapes.landscape(structures)
    names = table.structure_id[table.duplicate_of.isna()].tolist()
    climbed = dict.fromkeys(names[: points[0]], "pbe-d3") | dict.fromkeys(names[: points[1]], "pbe0-d3")
    energies = landscapes.truth(table.head(points[0]), reduced_atoms)
    known = landscapes.points(table, energies, climbed)
    tables = landscapes.tables(table, vectors(names), (known,))
    return {
        "select": measured(lambda: select(1, tables, SelectionPlan(plan, settings.selection, 1))),
        "learn": measured(lambda: learn(tables, plan)),
        "rank": measured(lambda: rank(tables, plan, 1)),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--structures", type=int, nargs="*", default=[500, 5000])
    parser.add_argument("--points", type=int, nargs=2, default=[100, 40], help="first level, second level")
    options = parser.parse_args()
    for structures in options.structures:
        found = stages(structures, options.points)
        line = {"benchmark": "learn_time", "structures": structures, "points": options.points} | found
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
