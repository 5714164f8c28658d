"""How energies of plane-wave DFT converge with cutoff, grid, k-points and the molecule's box: one JSON line a point.

python -m tests.benchmarks.dft_convergence --results FILE [--cpu-s SECONDS]    computes what FILE lacks, and adds it
python -m tests.benchmarks.dft_convergence --results FILE --tables             prints the tables of the decision page

Crystals at their experimental cells, X-ray hydrogens moved out to the distances of neutron diffraction, one setting
changed at a time about a centre.  The points come in the order of what they tell, so that a run may be stopped at
any time; a point that failed is a line with its status.  PBE0 stands on PBE orbitals: the dependence on k-points
that it adds is of the exchange alone, and converged on its own with cheaper plane waves.

References
----------
O-H of carboxylic acids by neutrons: F. H. Allen, I. J. Bruno, Acta Cryst. B 66, 380 (2010),
https://doi.org/10.1107/S0108768110012048
Lattice energies: G. A. Dolgonos, J. Hoja, A. D. Boese, Phys. Chem. Chem. Phys. 21, 24333 (2019),
https://doi.org/10.1039/C9CP04488D
"""

import argparse
import json
import tempfile
import time
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path

import numpy as np
from ase import Atoms

from polyscape.crystal.cif import read_cif
from polyscape.levels.box import box_edge_A, in_box
from polyscape.levels.dispersion import dispersion_energy_eV
from polyscape.levels.registry import backend
from polyscape.molecule.cut import whole_molecules
from polyscape.settings.gpaw import GpawSettings
from polyscape.settings.levels import Level
from polyscape.units import KJ_PER_MOL_PER_EV

FORMS = Path(__file__).resolve().parents[2] / "config/known_forms"
CRYSTALS = {
    "alpha": "oxalic_acid_alpha",
    "beta": "oxalic_acid_beta",
    "co2": "carbon_dioxide",
    "urea": "urea",
}
MOLECULES = {"oxalic_molecule": "beta", "co2_molecule": "co2", "urea_molecule": "urea"}
"""Isolated molecules, each as it stands in a crystal."""

MOLECULE_OF = {
    "alpha": "oxalic_molecule",
    "beta": "oxalic_molecule",
    "co2": "co2_molecule",
    "urea": "urea_molecule",
}
OH_A = 1.018


@dataclass(frozen=True)
class Point:
    """A system at one setting."""

    system: str
    functional: str = "PBE"
    cutoff_eV: float = 600.0
    grid_A: float = 0.16
    k_per_A: float = 0.6
    box_A: float = 10.0

    def levels(self):
        """The ladder that ends at this point."""
        settings = GpawSettings(
            plane_wave_cutoff_eV=self.cutoff_eV,
            grid_spacing_A=self.grid_A,
            k_spacing_per_A=self.k_per_A,
            molecule_box_A=self.box_A,
        )
        low = Level(name="pbe", gpaw=settings)
        if self.functional == "PBE":
            return [low]
        hybrid = settings.model_copy(update={"functional": self.functional, "hybrid": "non_self_consistent"})
        return [low, Level(name="hybrid", gpaw=hybrid)]


def points():
    """All points, those that tell most first."""
    crystals, molecules = [Point(name) for name in CRYSTALS], [Point(name) for name in MOLECULES]
    exchange = [Point(name, "PBE0", 400.0, 0.2) for name in ("co2", "urea", "beta", "alpha")]
    yield from crystals
    yield from (Point(name, k_per_A=0.8) for name in ("beta", "urea"))  # the others have the mesh of 0.6
    yield from molecules
    yield from (replace(exchange[2], k_per_A=spacing) for spacing in (0.8, 0.6))
    yield from (replace(exchange[1], k_per_A=spacing) for spacing in (0.8, 0.6))
    yield replace(molecules[1], cutoff_eV=800.0, grid_A=0.12)
    yield from (replace(Point("urea_molecule"), box_A=box) for box in (8.0, 12.0, 14.0))
    yield replace(molecules[0], cutoff_eV=800.0, grid_A=0.12)
    yield from (replace(point, k_per_A=spacing) for point in exchange[:2] for spacing in (0.8, 0.6))
    yield from (replace(point, k_per_A=0.45) for point in crystals)
    yield replace(exchange[0], k_per_A=0.45)
    yield from (replace(point, cutoff_eV=800.0, grid_A=0.12) for point in crystals + molecules)
    yield from (replace(point, k_per_A=0.45) for point in exchange[1:3])
    yield from (replace(point, cutoff_eV=1000.0, grid_A=0.12) for point in crystals + molecules)
    yield from (replace(point, grid_A=0.12) for point in crystals)
    yield from (replace(point, cutoff_eV=cutoff) for cutoff in (500.0, 700.0, 400.0) for point in crystals)
    yield from (replace(point, cutoff_eV=cutoff) for cutoff in (500.0, 700.0) for point in molecules)
    yield from (replace(point, k_per_A=0.35) for point in crystals)
    yield from (
        replace(point, cutoff_eV=500.0, k_per_A=spacing) for spacing in (0.8, 0.45) for point in crystals
    )
    yield from (replace(point, cutoff_eV=500.0, grid_A=0.12) for point in crystals)
    yield from (replace(exchange[3], k_per_A=spacing) for spacing in (0.8, 0.6))
    yield from (replace(Point("oxalic_molecule"), box_A=box) for box in (12.0, 14.0))


def geometry(point):
    """The crystal's cell, or the first whole molecule of a crystal in its box."""
    if point.system in CRYSTALS:
        return crystal(point.system)
    cell = crystal(MOLECULES[point.system])
    numbers, positions = whole_molecules(cell.numbers, cell.get_scaled_positions(), np.asarray(cell.cell))[0]
    return in_box(numbers, positions, box_edge_A(positions, point.levels()))


def crystal(name):
    """The experimental cell of a known form, hydrogens on oxygen at the distance that neutrons see."""
    read = read_cif(FORMS / f"{CRYSTALS[name]}.cif")
    atoms = Atoms(read.atomic_number_a, read.fractional_ac @ read.cell_cv, cell=read.cell_cv, pbc=True)
    for hydrogen in np.flatnonzero(atoms.numbers == 1):
        distance_a = atoms.get_distances(hydrogen, range(len(atoms)), mic=True)
        nearest = int(np.argsort(distance_a)[1])
        if atoms.numbers[nearest] == 8:
            bond_v = atoms.get_distance(nearest, hydrogen, mic=True, vector=True)
            atoms.positions[hydrogen] = atoms.positions[nearest] + bond_v * OH_A / np.linalg.norm(bond_v)
    return atoms


def measured(point, scratch):
    """The line of one point; for PBE0 the cost is that of the exchange alone, `exchange_eV` what it adds to PBE."""
    atoms, levels = geometry(point), point.levels()
    results = list(backend(levels[0]).climb(atoms, levels, scratch))
    result = results[-1]
    molecules = len(whole_molecules(atoms.numbers, atoms.get_scaled_positions(), np.asarray(atoms.cell)))
    line = asdict(point) | {"status": str(result.status), "message": result.message, "molecules": molecules}
    if result.energy_eV is None:
        return line
    return line | {
        "energy_eV": round(result.energy_eV / molecules, 7),
        "exchange_eV": round((result.energy_eV - results[0].energy_eV) / molecules, 7),
        "d3_eV": round(dispersion_energy_eV(atoms, levels[-1]) / molecules, 7),
        "core_s": round(result.work.core_s, 1),
        "peak_memory_MB": round(result.work.peak_memory_MB),
        "k_points": result.work.k_points,
        "plane_waves": result.work.plane_waves,
        "scf_steps": result.work.scf_steps,
    }


def known(results):
    """The points of a file."""
    lines = [json.loads(text) for text in results.read_text().splitlines()] if results.exists() else []
    fields = Point.__dataclass_fields__
    return {Point(**{name: line[name] for name in fields}): line for line in lines}


def run(results, cpu_s):
    """Compute what is missing until the CPU time is spent."""
    with tempfile.TemporaryDirectory() as scratch:
        for point in points():
            if point in known(results) or time.process_time() > cpu_s:
                continue
            line = json.dumps(measured(point, Path(scratch)))
            with results.open("a") as file:
                file.write(line + "\n")
            print(line, flush=True)


def tables(results):
    """Markdown: what each setting changes with the others fixed, kJ/mol per molecule, against the finest value."""
    found = {point: line for point, line in known(results).items() if "energy_eV" in line}
    for setting in ("cutoff_eV", "grid_A", "k_per_A", "box_A"):
        print(f"\n{setting}: E - E(finest) in kJ/mol per molecule (CPU s)")
        print_series(found, setting)
    exchange = {
        point: line | {"energy_eV": line["exchange_eV"]}
        for point, line in found.items()
        if point.functional != "PBE"
    }
    print("\nk_per_A of PBE0 - PBE alone")
    print_series(exchange, "k_per_A")
    differences(found)


def print_series(found, setting):
    """The points that differ in one setting, a row each."""
    groups = {}
    for point, line in found.items():
        groups.setdefault(replace(point, **{setting: 0.0}), {})[getattr(point, setting)] = line
    for point, lines in groups.items():
        if len(lines) > 1:
            names = ", ".join(str(value) for value in asdict(point).values() if value)
            print("|", names, "|", row(setting, lines))


def row(setting, lines):
    """The energies of a series from the finest one's."""
    values = sorted(lines, reverse=setting not in ("cutoff_eV", "box_A"))
    finest = lines[values[-1]]["energy_eV"]
    shifts = [(lines[value]["energy_eV"] - finest) * KJ_PER_MOL_PER_EV for value in values]
    cells = zip(values, shifts, strict=True)
    return " | ".join(f"{value}: {shift:+.2f} ({lines[value]['core_s']})" for value, shift in cells)


def differences(found):
    """What counts: alpha - beta, and the energies of crystals from their molecules, kJ/mol with D3."""
    print("\nalpha - beta and E(crystal) - E(molecule as in the crystal), kJ/mol per molecule, D3 included")
    for settings in sorted({replace(point, system="") for point in found}, key=astuple):
        at = {
            point.system: line["energy_eV"] + line["d3_eV"]
            for point, line in found.items()
            if replace(point, system="") == settings
        }
        pairs = [("alpha", "beta"), *MOLECULE_OF.items()]
        told = [
            f"{first}-{second} {(at[first] - at[second]) * KJ_PER_MOL_PER_EV:.2f}"
            for first, second in pairs
            if first in at and second in at
        ]
        if told:
            print("|", ", ".join(str(value) for value in astuple(settings) if value), "|", " | ".join(told))


def main():
    """Compute, or print tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--results", type=Path, required=True, help="file of JSON lines, added to")
    parser.add_argument("--cpu-s", type=float, default=3000.0, help="no new point after this CPU time")
    parser.add_argument("--tables", action="store_true", help="print tables of what is there")
    options = parser.parse_args()
    if options.tables:
        tables(options.results)
    else:
        run(options.results, options.cpu_s)


if __name__ == "__main__":
    main()
