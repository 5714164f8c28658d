"""Cost of the lattice energy and of minimisations: one JSON line.

python -m tests.benchmarks.engine [--quick]

On one core; medians; the peer (occpy's `CrystalEnergy`) and polyscape take turns in the same run.  CPU times, so that
other work on the machine disturbs little.  The reference crystals are read below POLYSCAPE_REFERENCE; without
them the comparison with the peer is left out, and the line says so.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from tests.benchmarks.molecules import GROWTH, folder, load
from tests.benchmarks.peer import peer_energy
from tests.benchmarks.trials import group_trials, trials

from polyscape.energy.crystal_sum import crystal_energy
from polyscape.energy.dmacrys.case import read_case
from polyscape.energy.model import FINE_DECADES, RigidLatticeEnergy, build_model
from polyscape.energy.potentials import load_potential
from polyscape.energy.rigid import build_minimiser
from polyscape.energy.splitting import Splitting
from polyscape.settings.search import EnergySettings, MinimiserSettings
from polyscape.status import Status
from polyscape.units import KJ_PER_MOL_PER_EV

CRYSTALS = ("01.lem_fit_AXOSOW", "11.properties_CBMZPN", "16.symmred_PAPTUX")
CUTOFF_A = 15.0
P21C = 14
TIGHT_DECADES = 14.0


def median_ms(run, repeats):
    """Median CPU time of calls, milliseconds."""
    return 1e3 * float(np.median([seconds(run) for _ in range(repeats)]))


def seconds(run):
    """CPU time of one call."""
    start = time.process_time()
    run()
    return time.process_time() - start


def against_peer(model, packing, repeats):
    """The same crystal by both programs, in turns; energies in kJ/mol per formula unit."""
    prepared = model.prepare(packing)
    units = model.formula_units(packing, prepared[0]) * len(prepared[0].operation_scc)
    peer, states = peer_energy(model, packing, CUTOFF_A)
    energy_t, _, _ = crystal_energy(*prepared)
    theirs = peer.compute(states)
    ours_s, theirs_s = [], []
    for _ in range(repeats):
        ours_s += [seconds(lambda: crystal_energy(*prepared)) for _ in range(5)]
        theirs_s.append(seconds(lambda: peer.compute(states)))
    ours_ms, theirs_ms = 1e3 * float(np.median(ours_s)), 1e3 * float(np.median(theirs_s))
    scale = KJ_PER_MOL_PER_EV * len(prepared[0].operation_scc) / units
    ours = {
        "electrostatic": round(scale * float(energy_t[0]), 4),
        "repulsion_dispersion": round(scale * float(energy_t[1] + energy_t[2]), 4),
    }
    return {
        "molecules_in_cell": len(states),
        "sites": len(prepared[0].body_av),
        "polyscape_ms": round(ours_ms, 3),
        "occpy_ms": round(theirs_ms, 1),
        "ratio": round(theirs_ms / ours_ms, 1),
        "polyscape_kJ_per_mol": ours,
        "occpy_kJ_per_mol": {
            "electrostatic": round(theirs.electrostatic_energy / units, 4),
            "repulsion_dispersion": round(theirs.repulsion_dispersion / units, 4),
        },
    } | converged_peer(model, packing, units)


def converged_peer(model, packing, units):
    """The peer's electrostatic energy with a tighter Ewald sum.

    It takes as many wave vectors along every axis as the shortest axis needs, too few along a much longer one.
    """
    tight, states = peer_energy(model, packing, CUTOFF_A, ewald_accuracy=1e-40)
    energy = tight.compute(states).electrostatic_energy / units
    return {"occpy_electrostatic_ewald_accuracy_1e-40_kJ_per_mol": round(energy, 4)}


def dmacrys_model(conformers, potential):
    """DMACRYS's sums without spline."""
    return RigidLatticeEnergy(conformers, potential, Splitting.dmacrys(CUTOFF_A, FINE_DECADES, None))


def peers(repeats):
    """The comparison on the reference crystals and on oxalic acid."""
    root = Path(__file__).resolve().parents[2]
    reference = Path(os.environ.get("POLYSCAPE_REFERENCE", root / ".." / "shared" / "reference")) / "dmacrys"
    found = {}
    for name in CRYSTALS:
        if not (reference / f"{name}.json").is_file():
            found[name] = f"absent below {reference}"
            continue
        case = read_case(reference / f"{name}.json")
        found[name] = against_peer(dmacrys_model(case.conformers, case.potential), case.packing, repeats)
    conformers = load("oxalic_acid")
    model = dmacrys_model(conformers, load_potential("fit"))
    found["oxalic_acid"] = against_peer(model, monoclinic(conformers), repeats)
    return found


def monoclinic(conformers):
    """A minimum in P2_1/c: the end of the first trial that converges."""
    minimiser = build_minimiser(conformers, EnergySettings(), MinimiserSettings())
    ends = map(minimiser.minimise, group_trials(conformers, P21C, 20))
    return next(end.packing for end in ends if end.status == Status.OK)


def convergence(conformers, packing):
    """Energy and gradient of oxalic acid by default settings, and what tighter sums change."""
    model = build_model(conformers, EnergySettings())
    prepared = model.prepare(packing)
    usual, _ = model.evaluate(packing)
    tight, _ = replace(model, splitting=Splitting.full(14.0, TIGHT_DECADES)).evaluate(packing)
    return {
        "ms": round(median_ms(lambda: crystal_energy(*prepared), 200), 3),
        "sites": len(prepared[0].body_av),
        "total_kJ_per_mol": round(usual.total, 6),
        "less_tighter_sums_kJ_per_mol": float(f"{usual.total - tight.total:.2g}"),
    }


def minimisations(conformers, packings, settings):
    """CPU seconds of complete minimisations and their ends."""
    minimiser = build_minimiser(conformers, EnergySettings(), settings)
    minimiser.minimise(packings[0])
    spent, ends = [], []
    for packing in packings:
        start = time.process_time()
        ends.append(minimiser.minimise(packing))
        spent.append(time.process_time() - start)
    return {
        "trials": len(packings),
        "converged": sum(end.status == Status.OK for end in ends),
        "evaluations": float(np.median([end.evaluations for end in ends])),
        "cpu_s_median": round(float(np.median(spent)), 4),
        "cpu_s_mean": round(float(np.mean(spent)), 4),
    }


def growth(count):
    """Energy and minimisation in P2_1/c by size of the molecule, and with two independent molecules."""
    found = {}
    names = [(name, 1) for name in GROWTH if (folder() / f"{name}.npz").exists()] + [("oxalic_acid", 2)]
    for name, independent in names:
        conformers = load(name)
        packings = group_trials(conformers, P21C, count, independent)
        prepared = build_model(conformers, EnergySettings()).prepare(packings[0])
        found[f"{name}, Z' = {independent}"] = {
            "sites": len(prepared[0].body_av),
            "ms_at_a_trial": round(median_ms(lambda p=prepared: crystal_energy(*p), 20), 3),
        } | minimisations(conformers, packings, MinimiserSettings())
    return found


def cores(conformers, packings, workers=2):
    """Wall time of the same minimisations in one thread over that in several: compiled code holds no lock."""
    minimiser = build_minimiser(conformers, EnergySettings(), MinimiserSettings())
    elapsed = {}
    for count in (1, workers):
        start = time.perf_counter()
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(minimiser.minimise, packings))
        elapsed[count] = time.perf_counter() - start
    return {
        "threads": workers,
        "speedup": round(elapsed[1] / elapsed[workers], 2),
        "load_before": round(os.getloadavg()[0], 1),
    }


_START = """
import resource, time
from tests.builders import conformers, oxalic_packing
from polyscape.energy.rigid import build_minimiser
from polyscape.settings.search import EnergySettings, MinimiserSettings
build_minimiser(conformers(), EnergySettings(), MinimiserSettings(leave_saddles="always")).minimise(oxalic_packing())
print(time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def starts():
    """CPU seconds of a worker's start and first minimisation without and with machine code in the cache."""
    found = {}
    with tempfile.TemporaryDirectory() as cache:
        for name in ("fresh_cache", "cached"):
            environment = os.environ | {"NUMBA_CACHE_DIR": cache}
            run = subprocess.run(
                [sys.executable, "-c", _START], env=environment, capture_output=True, text=True, check=True
            )
            cpu_s, rss_MB = map(float, run.stdout.split())
            found[name] = {"cpu_s": round(cpu_s, 1), "peak_rss_MB": round(rss_MB)}
    return found


def main():
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the repetitions")
    scale = 1 if parser.parse_args().quick else 10
    oxalic = load("oxalic_acid")
    packings = trials(oxalic, 10 * scale)
    always = MinimiserSettings(leave_saddles="always")
    line = {
        "benchmark": "engine",
        "against_occpy": peers(repeats=max(scale, 2)),
        "oxalic_acid_P21c_default": convergence(oxalic, monoclinic(oxalic)),
        "oxalic_acid_minimisation": minimisations(oxalic, packings, MinimiserSettings()),
        "oxalic_acid_minimisation_leave_saddles_always": minimisations(oxalic, packings, always),
        "growth": growth(2 * scale),
        "cores": cores(oxalic, packings),
        "peak_rss_MB_of_this_process": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "start_and_first_minimisation": starts(),
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
