"""Molecules for benchmarks and robustness runs, by the library's own molecule code at a cheap level.

Force-field start -> GFN2 geometry -> HF/6-31G* charges and multipoles to rank 4; one rigid conformer each.  Results
are kept as ``NAME.npz`` in the folder that POLYSCAPE_BENCHMARK_MOLECULES names, else in the system's temporary folder.

python -m tests.benchmarks.molecules [NAME ...]      computes what is missing, one line each
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from polyscape.energy.potentials import load_potential
from polyscape.files import write_atomically
from polyscape.molecule import starts, symmetry, torsions
from polyscape.molecule.frame import principal_frame
from polyscape.molecule.gfn2 import Gfn2
from polyscape.molecule.model import Conformer
from polyscape.molecule.properties import compute_properties
from polyscape.molecule.read import read_smiles
from polyscape.molecule.wavefunction import GasPhaseLevel

SMILES = {
    "oxalic_acid": "OC(=O)C(=O)O",
    "naphthalene": "c1ccc2ccccc2c1",
    "dichlorobenzene": "Clc1ccc(Cl)cc1",
    "formamide": "NC=O",
    "ibuprofen": "CC(C)Cc1ccc(cc1)[C@H](C)C(=O)O",
    "urea": "NC(N)=O",
    "chloroacetic_acid": "OC(=O)CCl",
    "hydrocortisone_acetate": (
        "CC(=O)OCC(=O)[C@@]1(O)CC[C@H]2[C@@H]3CCC4=CC(=O)CC[C@]4(C)[C@H]3[C@@H](O)C[C@]12C"
    ),
}

FIVE = ("oxalic_acid", "naphthalene", "dichlorobenzene", "formamide", "ibuprofen")
"""Unlike molecules for robustness: hydrogen-bonded, aromatic, halogenated, small and polar, large (33 atoms)."""

GROWTH = ("formamide", "oxalic_acid", "naphthalene", "ibuprofen", "hydrocortisone_acetate")
"""6, 8, 18, 33 and 61 atoms: how the cost grows."""

CONFORMER = {"oxalic_acid": "ttt"}
"""Conformers of the crystals where the force field's lowest is another one."""

LEVEL = GasPhaseLevel("hf", "6-31g*")
SWITCH = 4.0
SEED = 1
SYMMETRY_TOLERANCE_A = 0.05  # minima of GFN2 are converged to about 0.01 A


def load(name):
    """The one conformer of a molecule as the mapping that the crystal stages take: {(0, conformer): Conformer}."""
    path = folder() / f"{name}.npz"
    if not path.exists():
        with write_atomically(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **_computed(name))
    with np.load(path, allow_pickle=False) as arrays:
        data = {key: arrays[key] for key in arrays.files}
    bonds = tuple((int(a), int(b)) for a, b in data["bonds"])
    conformer = Conformer(
        component=0,
        name=str(data["conformer"]),
        atomic_number_a=data["atomic_number_a"],
        position_av=data["position_av"],
        mass_a=data["mass_a"],
        potential_type_a=load_potential("fit").assign_types(data["atomic_number_a"], bonds),
        charge_a=data["charge_a"],
        multipole_aq=data["multipole_aq"],
        bonds=bonds,
    )
    return {(0, conformer.name): conformer}


def folder():
    """Where computed molecules are kept."""
    given = os.environ.get("POLYSCAPE_BENCHMARK_MOLECULES")
    return Path(given) if given else Path(tempfile.gettempdir()) / "polyscape-benchmark-molecules"


def _computed(name):
    """All arrays of a molecule."""
    graph = read_smiles(SMILES[name])
    atoms = list(graph.GetAtoms())
    mass_a = np.array([atom.GetMass() for atom in atoms])
    number_a = np.array([atom.GetAtomicNum() for atom in atoms])
    permutation_pa = symmetry.automorphisms(graph)
    conformer, position_av = _geometry(graph, number_a, permutation_pa, CONFORMER.get(name))
    group = symmetry.operations(position_av, permutation_pa, SYMMETRY_TOLERANCE_A)
    position_av = principal_frame(symmetry.symmetrise(position_av, group), mass_a)
    group = symmetry.operations(position_av, permutation_pa, SYMMETRY_TOLERANCE_A)
    symbols = [atom.GetSymbol() for atom in atoms]
    found = compute_properties(symbols, LEVEL, SWITCH, (position_av, group))
    return {
        "conformer": np.array(conformer),
        "atomic_number_a": number_a,
        "position_av": position_av,
        "mass_a": mass_a,
        "charge_a": found.charge_a,
        "multipole_aq": found.multipole_aq,
        "bonds": np.array(sorted(sorted((b.GetBeginAtomIdx(), b.GetEndAtomIdx())) for b in graph.GetBonds())),
    }


def _geometry(graph, number_a, permutation_pa, wanted):
    """Name and GFN2 geometry (Angstrom) of the conformer wanted, or of the force field's lowest."""
    bonds = torsions.rotatable_bonds(graph)
    for start in starts.generate(graph, bonds, SEED):
        name, _, _ = torsions.conformer_name(bonds, start.position_av, permutation_pa, wanted is not None)
        if wanted is None or name.lower() == wanted:
            return name.lower(), Gfn2(number_a, 0).relax(start.position_av)[0]
    raise ValueError(f"no start has the conformer {wanted}")


def main():
    """Compute the molecules named, or all."""
    for name in sys.argv[1:] or SMILES:
        start = time.process_time()
        (key, conformer), *_ = load(name).items()
        print(
            f"{name} {key[1]}: {len(conformer.mass_a)} atoms, {time.process_time() - start:.0f} CPU-s",
            flush=True,
        )


if __name__ == "__main__":
    main()
