"""How minimisations of random trials end, for five unlike molecules: one JSON line per molecule.

python -m tests.benchmarks.robustness [--trials 2000] [MOLECULE ...]

Trials of the ten common space groups.  Every converged end is the start of a second minimisation (of the full model
from the first, `from_trial=False`); how far that moves the energy says how tight the convergence is.
"""

import argparse
import json
import time
from collections import Counter

import numpy as np
from tests.benchmarks.molecules import FIVE, load
from tests.benchmarks.trials import trials

from polyscape.energy.rigid import build_minimiser
from polyscape.settings.search import EnergySettings, MinimiserSettings
from polyscape.status import Status

MOVED_KJ_PER_MOL = 1e-3


def ends_of(conformers, count):
    """Ends, CPU seconds of each, and the moves of the energy by second minimisations, kJ/mol."""
    minimiser = build_minimiser(conformers, EnergySettings(), MinimiserSettings())
    packings = trials(conformers, count)
    minimiser.minimise(packings[0])  # the machine code is compiled or loaded
    ends, seconds, moves, again = [], [], [], []
    for packing in packings:
        start = time.process_time()
        end = minimiser.minimise(packing)
        seconds.append(time.process_time() - start)
        ends.append(end)
        if end.status == Status.OK:
            second = minimiser.minimise(end.packing, from_trial=False)
            again.append(str(second.status))
            if second.terms is not None:
                moves.append(second.terms.total - end.terms.total)
    return ends, np.array(seconds), np.array(moves), Counter(again)


def summary(name, count):
    """The line of one molecule."""
    conformers = load(name)
    ends, cpu_s, move, again = ends_of(conformers, count)
    shares = Counter(str(end.status) for end in ends)
    converged = [end for end in ends if end.status == Status.OK]
    return {
        "benchmark": "robustness",
        "molecule": name,
        "atoms": len(next(iter(conformers.values())).mass_a),
        "trials": len(ends),
        "share": {status: round(number / len(ends), 4) for status, number in sorted(shares.items())},
        "steps_median": float(np.median([end.steps for end in ends])),
        "steps_max": max(end.steps for end in ends),
        "evaluations_mean": round(float(np.mean([end.evaluations for end in ends])), 1),
        "cpu_s_median": round(float(np.median(cpu_s)), 4),
        "cpu_s_mean": round(float(np.mean(cpu_s)), 4),
        "cpu_s_max": round(float(np.max(cpu_s)), 3),
        "second_start": dict(sorted(again.items())),
        "second_start_moves_over_0.001_kJ_per_mol": round(float(np.mean(np.abs(move) > MOVED_KJ_PER_MOL)), 4),
        "largest_move_kJ_per_mol": float(f"{np.max(np.abs(move)):.3g}"),
        "lowest_kJ_per_mol": round(min(end.terms.total for end in converged), 4),
    }


def main():
    """Print the lines."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("molecules", nargs="*", default=FIVE, metavar="MOLECULE")
    parser.add_argument("--trials", type=int, default=2000, help="trials of each molecule")
    arguments = parser.parse_args()
    for name in arguments.molecules:
        print(json.dumps(summary(name, arguments.trials)), flush=True)


if __name__ == "__main__":
    main()
