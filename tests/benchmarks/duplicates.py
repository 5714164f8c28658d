"""Time and memory of telling minima apart, and agreement with overlays of all pairs: one JSON line per size.

A few hundred trials of oxalic acid are minimised; random packings of like density stand for the other structures of a
longer search.  Each is given several times, as a search finds it: another molecule of the cell, all molecules in P1, a
supercell, everything a little off, as minimisations end.

python -m tests.benchmarks.duplicates [minima ..., 1000 10000 100000]
"""

import json
import resource
import sys
import time
from dataclasses import replace

import numpy as np
from tests.benchmarks.trials import trials
from tests.builders import conformers, oxalic_acid
from tests.unit.search.crystals import minimum_row, molecule_tables, no_forms

from polyscape.crystal import pointwise
from polyscape.crystal.asymmetric import placed
from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Packing
from polyscape.crystal.sites import cartesian
from polyscape.energy.rigid import build_minimiser
from polyscape.schemas import MINIMA
from polyscape.search.duplicates import Comparison, Minimum, representatives
from polyscape.search.similarity import overlay
from polyscape.settings.search import EnergySettings, LandscapeSettings, MinimiserSettings
from polyscape.stages.distinct import crystal_of
from polyscape.stages.landscape import make_landscape

CORES = 2
MINIMISED = 200
SAMPLE = 250
DISTINCT_EXPONENT = 0.8
"""Structures among n minima: n to this power."""

NOISE = 2e-5
"""Relative: minimisations from different trials end this near (the PDDs of a search differ by less than 0.001 A)."""


def structures(count):
    """(packing, energy) of distinct crystals: minimised trials, then random packings of like density."""
    rigid, rng = conformers(), np.random.default_rng(1)
    minimiser = build_minimiser(rigid, EnergySettings(), MinimiserSettings())
    ends = [minimiser.minimise(trial) for trial in trials(rigid, MINIMISED)]
    made = [(end.packing, end.terms.total) for end in ends if end.terms is not None]
    lowest = min(energy for _, energy in made)
    made = [(packing, energy) for packing, energy in made if energy < lowest + 20]
    density = np.array([packing.density_g_per_cm3(rigid) for packing, _ in made])
    for packing in trials(rigid, max(0, count - len(made))):
        factor = (packing.density_g_per_cm3(rigid) / rng.choice(density) / rng.normal(1, 0.01)) ** (1 / 3)
        cell = (*(factor * length for length in packing.cell[:3]), *packing.cell[3:])
        made.append((replace(packing, cell=cell), lowest + 20 * rng.uniform() ** 0.5))
    return made[:count]


def described(packing, rng):
    """The crystal as another trial finds it."""
    group = SpaceGroup.from_hall(packing.hall_symbol)
    images = [
        placed(pose, cartesian(w_cc, packing.cell_cv), w_cc @ np.array(pose.translation_c) + w_c)
        for pose in packing.poses
        for w_cc, w_c in group.operations
    ]
    kind = rng.uniform()
    if kind < 0.8:
        poses = (images[rng.integers(len(images))],)
    elif kind < 0.95 or len(images) > 8:
        poses = tuple(images)
    else:
        a, *rest = packing.cell
        poses = tuple(
            replace(pose, translation_c=((pose.translation_c[0] + n) / 2, *pose.translation_c[1:]))
            for pose in images
            for n in (0, 1)
        )
        packing = replace(packing, cell=(2 * a, *rest))
    hall = packing.hall_symbol if kind < 0.8 else "P 1"
    noisy = [x * (1 + NOISE * rng.normal()) for x in packing.cell[:3]]
    return Packing(hall, (*noisy, *packing.cell[3:]), poses)


def minima(count):
    """Rows of the table of minima, and which structure each is."""
    rng = np.random.default_rng(2)
    distinct = structures(round(count**DISTINCT_EXPONENT))
    source = np.concatenate(
        [np.arange(len(distinct)), rng.integers(len(distinct), size=count - len(distinct))]
    )
    rows = []
    for index, which in enumerate(rng.permutation(source)):
        packing, energy = distinct[which]
        found = described(packing, rng)
        row = minimum_row(f"014-{index:07d}", found, energy + 1e-5 * rng.normal())
        row["density_g_per_cm3"] = found.density_g_per_cm3(conformers())
        rows.append((row, found))
    return rows


def disagreements(rows, settings):
    """Pairs of a sample, near in energy, that the funnel and overlays of all pairs judge differently."""
    rigid = conformers()
    rows = sorted(rows, key=lambda row: row[0]["lattice_energy_kJ_per_mol"])[:SAMPLE]
    listed = [
        Minimum(
            row["trial_id"],
            row["lattice_energy_kJ_per_mol"],
            row["density_g_per_cm3"],
            pointwise.of_packing(p, rigid),
        )
        for row, p in rows
    ]
    crystals = [crystal_of(packing, rigid) for _, packing in rows]
    same = representatives(listed, crystals.__getitem__, Comparison(settings))
    pairs = wrong = 0
    for i, one in enumerate(listed):
        for j, other in enumerate(listed[:i]):
            if abs(one.energy_kJ_per_mol - other.energy_kJ_per_mol) > settings.duplicate_energy_kJ_per_mol:
                continue
            if abs(one.density_g_per_cm3 - other.density_g_per_cm3) > settings.duplicate_density_g_per_cm3:
                continue
            if pairs >= 1000:
                return pairs, wrong
            pairs += 1
            laid = overlay(crystals[j], crystals[i], settings.overlay_molecules)
            wrong += laid.same(settings.overlay_molecules, settings.duplicate_rmsd_A) != (same[i] == same[j])
    return pairs, wrong


def main():
    """Print the measurements."""
    settings = LandscapeSettings()
    tables = molecule_tables(oxalic_acid())
    make_landscape(*tables, no_forms(), MINIMA.from_rows([row for row, _ in minima(60)]), settings, CORES)
    for count in map(int, sys.argv[1:] or (1000, 10_000, 100_000)):
        rows = minima(count)
        table = MINIMA.from_rows([row for row, _ in rows])
        start = time.perf_counter()
        frame = make_landscape(*tables, no_forms(), table, settings, CORES)
        wall_s = time.perf_counter() - start
        pairs, wrong = disagreements(rows, settings)
        memory = [
            resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        ]
        result = {
            "benchmark": "duplicates",
            "minima": count,
            "cores": CORES,
            "wall_s": round(wall_s, 1),
            "peak_GB": round((memory[0] + CORES * memory[1]) / 1e6, 2),
            "in_window": len(frame),
            "distinct": int(frame.duplicate_of.isna().sum()),
            "made_of": round(count**DISTINCT_EXPONENT),
            "pairs_overlaid_in_sample": pairs,
            "judged_otherwise": int(wrong),
        }
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
