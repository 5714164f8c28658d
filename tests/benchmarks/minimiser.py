"""Cost and outcome of minimisations of oxalic acid from quasi-random trials in the common space groups: one JSON line.

python tests/benchmarks/minimiser.py [trials per space group, 20]
"""

import json
import sys
import time
from collections import Counter

import numpy as np
from tests.builders import conformers, oxalic_packing

from polyscape.crystal.groups import COMMON10, SpaceGroup
from polyscape.energy.crystal_sum import crystal_energy
from polyscape.energy.potentials import load_potential
from polyscape.energy.rigid import FINE_DECADES, build_minimiser
from polyscape.energy.sites import pose_of, sites_of, sums_of
from polyscape.search.overlap import relieve
from polyscape.search.sampling import draw_packing, make_recipe, sobol_points
from polyscape.settings.search import EnergySettings, MinimiserSettings, Sampling


def starts(count):
    """Trials without overlap: `count` points of each group's sequence."""
    rigid, sampling = conformers(), Sampling()
    recipe = make_recipe(rigid, sampling)
    for number in COMMON10:
        group = SpaceGroup.find(number)
        for point in sobol_points(1, number, recipe.dimensions, 0, count):
            trial = relieve(
                draw_packing(point, group, recipe), rigid, sampling.contact_factor, sampling.max_expansion
            )
            if trial.status == "ok":
                yield trial.packing


def milliseconds_per_evaluation(repeats=500):
    """CPU time of energy and gradient, Z = 4, eight sites, default accuracy."""
    sites = sites_of(oxalic_packing(), conformers(), load_potential("fit"))
    sums, pose = sums_of(sites, EnergySettings().cutoff_A, FINE_DECADES), pose_of(oxalic_packing())
    crystal_energy(sites, sums, pose)
    start = time.process_time()
    for _ in range(repeats):
        crystal_energy(sites, sums, pose)
    return 1e3 * (time.process_time() - start) / repeats


def main():
    """Print the measurements."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    minimiser = build_minimiser(conformers(), EnergySettings(), MinimiserSettings())
    start = time.process_time()
    minimiser.minimise(oxalic_packing())
    compile_s = time.process_time() - start
    trials = list(starts(count))
    start = time.process_time()
    ends = [minimiser.minimise(trial) for trial in trials]
    cpu_s = (time.process_time() - start) / len(trials)
    result = {
        "benchmark": "minimiser",
        "trials": len(trials),
        "first_call_cpu_s": round(compile_s, 1),
        "cpu_ms_per_evaluation": round(milliseconds_per_evaluation(), 4),
        "cpu_s_per_minimisation": round(cpu_s, 5),
        "evaluations": round(float(np.mean([end.evaluations for end in ends])), 1),
        "ends": dict(Counter(str(end.status) for end in ends)),
        "lowest_kJ_per_mol": round(min(end.terms.total for end in ends if end.terms), 4),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
