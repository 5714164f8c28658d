"""Whether the example campaigns find the known crystals of their molecules: one JSON line per form.

Runs each campaign of config/examples as a user does, up to the landscape, one core; a campaign that ran already goes on
where it stopped, and its CPU time adds up.  A form is found when 15 of 15 molecules overlay the published crystal with
an RMSD below 0.5 A and the form's own force-field minimum below 0.1 A.  Where that minimum is itself further from the
crystal, `kept_by_the_potential` is false: no search with this potential can find the form.

python -m tests.benchmarks.recovery FOLDER [oxalic_acid urea ...]
"""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np

from polyscape.schemas import KNOWN_FORMS, LANDSCAPE, MINIMA
from polyscape.settings import load_settings
from polyscape.stages.known_forms import ORIGIN

ROOT = Path(__file__).parents[2]
NAMES = (
    "carbon_dioxide",
    "urea",
    "acetic_acid",
    "imidazole",
    "benzene",
    "oxalic_acid",
    "naphthalene",
)

MOLECULES, PUBLISHED_A, MINIMISED_A = 15, 0.5, 0.1


def campaign(folder, config):
    """Run a campaign up to the landscape; its results, and the CPU seconds of all runs so far."""
    name = load_settings(config).campaign
    results = folder / "results" / name
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--configfile", config]
    before = children_cpu_s()
    with (folder / f"{name}.log").open("a") as log:
        subprocess.run(
            [*command, "--cores", "1", "--until", "landscape"],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT / "workflow"), "OMP_NUM_THREADS": "1"},
            stdout=log,
            stderr=subprocess.STDOUT,
            check=True,
        )
    spent = results / "recovery_cpu_s.json"
    total = (json.loads(spent.read_text()) if spent.exists() else 0.0) + children_cpu_s() - before
    spent.write_text(json.dumps(total))
    return results, total


def children_cpu_s():
    """CPU seconds of all finished child processes."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def recovered(results, cpu_s):
    """What became of each known form of a campaign."""
    landscape = LANDSCAPE.read(results / "landscape.parquet")
    distinct = landscape[landscape.duplicate_of.isna()].reset_index(drop=True)
    minima = MINIMA.read_all(sorted(results.glob("minima/*/*.parquet")))
    for form in KNOWN_FORMS.read(results / "known_forms.parquet").to_dict("records"):
        said = {
            "molecule": results.name,
            "form": form["form"],
            "found": False,
            "minimised_form_to_experiment_A": form["minimised_rmsd_A"],
            "kept_by_the_potential": bool(form["minimised_rmsd_A"] < PUBLISHED_A),
        }
        for rank, row in enumerate(distinct.to_dict("records"), start=1):
            for match in row["known_forms"] if row["known_forms"] is not None else ():
                if match["form"] == form["form"] and not said["found"]:
                    said |= matched(rank, row, match)
        said |= {"distinct": len(distinct), "trials": len(minima), "cpu_s": round(cpu_s)}
        yield {key: rounded(value) for key, value in said.items()}


def matched(rank, row, match):
    """The match of a structure with a form."""
    near = [match["rmsd_A"], match["minimised_rmsd_A"]]
    rmsd_A, minimised_A = (np.inf if value is None else value for value in near)
    whole = match["molecules"] >= MOLECULES
    return {
        "found": row["origin"] != ORIGIN and whole and rmsd_A < PUBLISHED_A and minimised_A < MINIMISED_A,
        "structure": row["structure_id"],
        "space_group": row["symmetry_found"],
        "molecules": match["molecules"],
        "rmsd_A": match["rmsd_A"],
        "rmsd_to_minimised_A": match["minimised_rmsd_A"],
        "powder_similarity": match["powder_similarity"],
        "rank": rank,
        "kJ_per_mol_above_lowest": row["relative_energy_kJ_per_mol"],
        "hits": row["hits"],
    }


def rounded(value):
    """Three decimals of real numbers; null for what is not a number."""
    if isinstance(value, float):
        return round(value, 3) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def main():
    """Run the campaigns named, one after another."""
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "config").exists():
        (folder / "config").symlink_to(ROOT / "config")
    for name in sys.argv[2:] or NAMES:
        for line in recovered(*campaign(folder, ROOT / "config/examples" / f"{name}.yaml")):
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
