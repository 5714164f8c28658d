"""Lattice energies of known crystals at a level of theory, atoms relaxed, against X23b: one JSON line a crystal.

Crystals at their experimental cells; atoms of the crystal, and of the free molecule in its lowest conformer, relax on the
surface of the level (PBE-D3(BJ), the campaign's settings), so that neither X-ray bond lengths nor the molecule's
deformation in the crystal enter.  What was computed is kept in a store; the same command goes on where it stopped.

    python -m tests.benchmarks.lattice_energies FOLDER [carbon_dioxide urea ...]

References
----------
G. A. Dolgonos, J. Hoja, A. D. Boese, Phys. Chem. Chem. Phys. 21, 24333 (2019), https://doi.org/10.1039/C9CP04488D
"""

import argparse
import json
from pathlib import Path

import numpy as np
from tests.benchmarks.dft_convergence import crystal

from polyscape.levels.box import box_edge_A, in_box
from polyscape.levels.ladder import climb
from polyscape.levels.store import Store
from polyscape.molecule.cut import whole_molecules
from polyscape.settings.levels import Level
from polyscape.units import KJ_PER_MOL_PER_EV

X23B_KJ_PER_MOL = {"co2": -29.4, "urea": -102.1, "beta": -96.8, "alpha": -98.8}
LEVEL = Level(name="pbe-d3", relax="atoms")


def free_molecule(name):
    """The molecule of a crystal in its box; oxalic acid with both hydrogens turned to its own oxygens (cTc)."""
    cell = crystal(name)
    numbers, positions = whole_molecules(cell.numbers, cell.get_scaled_positions(), np.asarray(cell.cell))[0]
    atoms = in_box(numbers, positions, box_edge_A(positions, [LEVEL]))
    if name in ("alpha", "beta"):
        for hydrogen in np.flatnonzero(atoms.numbers == 1):
            oxygen, carbon = _path(atoms, hydrogen)
            other = next(i for i in np.flatnonzero(atoms.numbers == 6) if i != carbon)
            atoms.set_dihedral(other, carbon, oxygen, hydrogen, 0.0, indices=[hydrogen])
    return atoms


def _path(atoms, hydrogen):
    """The oxygen of a hydroxyl group's hydrogen, and the carbon behind it."""
    oxygens, carbons = (np.flatnonzero(atoms.numbers == number) for number in (8, 6))
    oxygen = oxygens[np.argmin(atoms.get_distances(hydrogen, oxygens))]
    return oxygen, carbons[np.argmin(atoms.get_distances(oxygen, carbons))]


def relaxed(atoms, store, scratch):
    """What the level says of a crystal or molecule after its atoms have relaxed."""
    (rung,), _ = climb(atoms, [LEVEL], store, scratch)
    point, relaxation = rung.point, rung.relaxation
    if point.energy_eV is None or relaxation is None:
        raise RuntimeError(f"{point.status}: {point.message}")
    return point.energy_eV + rung.dispersion_eV, relaxation, point.work


def line(name, store, scratch):
    """The lattice energy of a crystal per molecule."""
    atoms, alone = crystal(name), free_molecule(name)
    molecules = len(atoms) / len(alone)
    crystal_eV, relaxation, work = relaxed(atoms, store, scratch)
    free_eV, _, free_work = relaxed(alone, store, scratch)
    lattice = (crystal_eV / molecules - free_eV) * KJ_PER_MOL_PER_EV
    return {
        "crystal": name,
        "lattice_energy_kJ_per_mol": round(lattice, 2),
        "x23b_kJ_per_mol": X23B_KJ_PER_MOL[name],
        "relaxation_steps": relaxation.steps,
        "relaxation_rmsd_A": round(relaxation.rmsd_A, 3),
        "connectivity_kept": relaxation.connectivity_kept,
        "core_s": round(work.core_s + free_work.core_s),
    }


def main():
    """Compute what the store lacks and print a line for each crystal."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="keeps the store and the scratch files")
    parser.add_argument("crystals", nargs="*", default=list(X23B_KJ_PER_MOL))
    options = parser.parse_args()
    scratch = options.folder / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    for name in options.crystals:
        print(json.dumps(line(name, Store(options.folder / "store"), scratch)), flush=True)


if __name__ == "__main__":
    main()
