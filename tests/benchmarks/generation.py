"""Cost and acceptance of quasi-random trials: three molecules, kinds of crystal, some space groups; one JSON line.

python -m tests.benchmarks.generation [trials per series, 200]
"""

import json
import sys
import time
from collections import Counter

import numpy as np
from tests import builders

from polyscape.crystal.groups import SpaceGroup
from polyscape.search.overlap import relieve
from polyscape.search.sampling import draw_packing, make_recipe, scramble_key, sobol_points
from polyscape.search.special import make_special
from polyscape.settings.search import Sampling

GROUPS = (2, 4, 14, 15, 19, 61, 113, 205)
KINDS = ("special", 1, 2)
MOLECULES = {
    "oxalic_acid": {(0, "ttt"): builders.oxalic_acid()},
    "carbon_dioxide": {(0, "linear"): builders.linear_triatomic()},
    "formamide": {(0, "formamide"): builders.formamide()},
}


def series(rigid, group, kind):
    """Axes of a point, and the crystal of one."""
    recipe = make_recipe(rigid, Sampling(), 1 if kind == "special" else kind)
    if kind == "special":
        special = make_special(rigid, group, recipe)
        return special.dimensions, special.draw
    return recipe.dimensions, lambda point: draw_packing(point, group, recipe)


def measured(rigid, group, kind, count):
    """CPU milliseconds a trial, the share that is kept, and the median growth of their volume; None without trials."""
    sampling, begin = Sampling(), time.process_time()
    dimensions, draw = series(rigid, group, kind)
    prepared = time.process_time() - begin
    if not dimensions:
        return None
    done = []
    for point in sobol_points(1, scramble_key(group.number, kind), dimensions, 0, count):
        done.append(relieve(draw(point), rigid, sampling.contact_factor, sampling.max_expansion))
    spent = time.process_time() - begin - prepared
    ends = Counter(str(one.status) for one in done)
    return {
        "ms": round(1e3 * spent / count, 2),
        "accepted": round(ends["ok"] / count, 3),
        "expansion": round(float(np.median([one.expansion for one in done])), 2),
        "prepare_ms": round(1e3 * prepared, 1),
    }


def main():
    """Print the measurements."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    begin = time.process_time()
    measured(MOLECULES["formamide"], SpaceGroup.find(14), 1, 1)
    result = {
        "benchmark": "generation",
        "trials": count,
        "first_call_s": round(time.process_time() - begin, 1),
    }
    for name, rigid in MOLECULES.items():
        for number in GROUPS:
            for kind in KINDS:
                found = measured(rigid, SpaceGroup.find(number), kind, count)
                if found is not None:
                    result[f"{name} {number} {kind}"] = found
    print(json.dumps(result))


if __name__ == "__main__":
    main()
