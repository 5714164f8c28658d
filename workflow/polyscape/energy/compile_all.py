"""Compile everything that lattice energies use; `polyscape.energy.machine_code` runs this as a process of its own.

The types of what compiled functions are given do not depend on the crystal: two steps of any minimisation compile all.
"""

import numpy as np

from polyscape.crystal.packing import Conformers, Packing, Pose
from polyscape.energy.coordinates import chart_at
from polyscape.energy.crystal_sum import crystal_energy
from polyscape.energy.descent import Limits, descend
from polyscape.energy.model import RigidLatticeEnergy
from polyscape.energy.potentials import load_potential
from polyscape.energy.splitting import Splitting
from polyscape.molecule.model import Conformer


def compile_all() -> None:
    """Two steps down from a crystal, and its energy as it stands."""
    conformers, packing = _crystal()
    model = RigidLatticeEnergy(conformers, load_potential("fit"), Splitting.full(5.0, 5.0))
    sites, sums, pose = model.prepare(packing)
    crystal_energy(sites, sums, pose)
    chart = chart_at(sites, pose, packing, conformers)
    limits = Limits(max_steps=2, tolerance=1e-3, longest_step=0.1, noise=1e-8, largest_volume=1e4)
    descend((sites, sums, chart), pose, np.eye(len(chart.strain_kvv)), limits, True)


def _crystal() -> tuple[Conformers, Packing]:
    """Carbon dioxide in an arbitrary cell."""
    charge_a = np.array([0.7, -0.35, -0.35])
    molecule = Conformer(
        component=0,
        name="linear",
        atomic_number_a=np.array([6, 8, 8]),
        position_av=np.array([[0.0, 0.0, 0.0], [1.16, 0.0, 0.0], [-1.16, 0.0, 0.0]]),
        mass_a=np.array([12.011, 15.999, 15.999]),
        potential_type_a=("C", "O", "O"),
        charge_a=charge_a,
        multipole_aq=np.outer(charge_a, np.eye(25)[0]),
        bonds=((0, 1), (0, 2)),
    )
    pose = Pose(0, "linear", "1", (0.1, 0.2, 0.3), (1.0, 0.0, 0.0, 0.0), 1)
    return {(0, "linear"): molecule}, Packing("P 1", (5.0, 5.5, 6.0, 85.0, 95.0, 100.0), (pose,))


if __name__ == "__main__":
    compile_all()
