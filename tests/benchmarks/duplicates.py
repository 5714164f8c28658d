"""Time and memory of the stage `landscape`, and agreement with overlays of single pairs: one JSON line per size.

A few hundred trials of oxalic acid are minimised; random packings of like density stand for the other structures of a
longer search.  Each is given several times, as a search finds it: another molecule of the cell, all molecules in P1, a
supercell, everything a little off, as minimisations end.

python -m tests.benchmarks.duplicates [minima ..., 1000 10000 100000]
"""

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from tests.benchmarks.process_tree import run_and_measure
from tests.benchmarks.trials import trials
from tests.builders import conformers, oxalic_acid
from tests.unit.search.crystals import minimum_row, molecule_tables, no_forms

from polyscape.crystal.asymmetric import placed
from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Packing
from polyscape.crystal.sites import cartesian
from polyscape.energy.rigid import build_minimiser
from polyscape.schemas import CONFORMERS, KNOWN_FORMS, LANDSCAPE, MINIMA, MOLECULE
from polyscape.search.similarity import overlay
from polyscape.settings import load_settings
from polyscape.settings.search import EnergySettings, MinimiserSettings
from polyscape.stages.distinct import crystal_of
from polyscape.stages.registry import stage_slice

CORES = 2
MINIMISED = 200
SAMPLE = 200
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


def same_pairs(frame, crystals, settings):
    """Pairs of a sample that are overlaid, those of them that are one crystal, and those that the landscape judges otherwise.

    A pair is a minimum and one of the nearest after it in energy, or any within the energy window.
    """
    rng = np.random.default_rng(3)
    rows = frame.sort_values("lattice_energy_kJ_per_mol").reset_index(drop=True)
    leader = rows.duplicate_of.where(rows.duplicate_of.notna(), rows.structure_id).to_numpy()
    energy, density = rows.lattice_energy_kJ_per_mol.to_numpy(), rows.density_g_per_cm3.to_numpy()
    overlaid = same = wrong = 0
    for i in rng.choice(len(rows), min(SAMPLE, len(rows)), replace=False):
        end = np.searchsorted(energy, energy[i] + settings.duplicate_energy_kJ_per_mol, side="right")
        near = np.arange(i + 1, end)[
            np.abs(density[i + 1 : end] - density[i]) <= settings.duplicate_density_g_per_cm3
        ]
        for j in {*near[:3], *rng.choice(near, min(3, len(near)), replace=False)}:
            one, other = (crystal_of(crystals[rows.structure_id[k]], conformers()) for k in (i, j))
            is_same = overlay(one, other, settings.overlay_molecules).same(
                settings.overlay_molecules, settings.duplicate_rmsd_A
            )
            overlaid, same, wrong = (
                overlaid + 1,
                same + is_same,
                wrong + (is_same != (leader[i] == leader[j])),
            )
    return overlaid, same, wrong


def measure(count, folder):
    """One line: the stage `landscape` run on the minima as a campaign runs it, no Hessians."""
    settings = load_settings(Path("config/config.yaml"))
    settings = settings.model_copy(update={"minimiser": MinimiserSettings(leave_saddles="never")})
    rows = minima(count)
    molecule, conformer = molecule_tables(oxalic_acid())
    tables = {
        "molecule": (MOLECULE, molecule),
        "conformers": (CONFORMERS, conformer),
        "known-forms": (KNOWN_FORMS, no_forms()),
        "minima": (MINIMA, MINIMA.from_rows([row for row, _ in rows])),
    }
    for name, (table, frame) in tables.items():
        table.write(frame, folder / f"{name}.parquet")
    files = [word for name in tables for word in (f"--{name}", f"{folder / name}.parquet")]
    program = [sys.executable, "scripts/landscape.py", "--settings", stage_slice(settings, "landscape")]
    output = folder / "landscape.parquet"
    wall_s, cpu_s, peak_GB = run_and_measure(
        [*program, *files, "--output", str(output), "--cores", str(CORES)]
    )
    frame = LANDSCAPE.read(output)
    crystals = {row["trial_id"]: packing for row, packing in rows}
    pairs, same, wrong = same_pairs(frame, crystals, settings.landscape)
    return {
        "benchmark": "duplicates",
        "minima": count,
        "cores": CORES,
        "wall_s": round(wall_s, 1),
        "cpu_s": round(cpu_s, 1),
        "peak_pss_GB": round(peak_GB, 2),
        "in_window": len(frame),
        "distinct": int(frame.duplicate_of.isna().sum()),
        "made_of": round(count**DISTINCT_EXPONENT),
        "pairs_overlaid_in_sample": pairs,
        "of_one_crystal": int(same),
        "judged_otherwise": int(wrong),
    }


def main():
    """Print the measurements; the first run of the smallest size compiles."""
    for count in map(int, sys.argv[1:] or (1000, 10_000, 100_000)):
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measure(count, Path(folder))), flush=True)


if __name__ == "__main__":
    main()
