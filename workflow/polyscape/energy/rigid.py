"""Lattice energy and minimiser of crystals of rigid molecules: exp-6 with Ewald sums of charges and dispersion.

All independent molecules move freely within the space group; the cell keeps the strains that the group allows.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np

from polyscape.crystal.packing import Conformers, Packing
from polyscape.energy import descent
from polyscape.energy.coordinates import chart_at, packing_at
from polyscape.energy.crystal_sum import crystal_energy
from polyscape.energy.potentials import Potential, load_potential
from polyscape.energy.protocol import EnergyGradient, EnergyTerms, LatticeEnergy, Minimisation, Minimiser
from polyscape.energy.sites import Pose, Sites, Sums, pose_of, sites_of, sums_of
from polyscape.settings.search import EnergySettings, MinimiserSettings
from polyscape.status import Status
from polyscape.units import KJ_PER_MOL_PER_EV

FINE_DECADES: Final = 9.0
"""Powers of ten by which the terms of both Ewald sums have fallen at their cutoffs: jumps of 1e-8 eV."""

COARSE_DECADES: Final = 5.0
COARSE_CUTOFF_A: Final = 7.0
COARSE_TOLERANCE_EV_PER_A: Final = 0.02
"""The coarse pass stops here; its surface is rough by up to 1e-4 eV."""

COARSE_SHARE: Final = 0.5
"""Share of the allowed steps that the coarse pass may spend."""

COARSE_NOISE_EV: Final = 1e-4
FINE_NOISE_EV: Final = 1e-8

LONGEST_STEP_A: Final = 0.5
"""A molecule's diameter in ten steps: far enough for speed, too short to jump through a wall."""

MAX_GROWTH: Final = 5.0
ROOMY_A3_PER_ATOM: Final = 12.0
"""A crystal has flown apart when it fills five times its starting volume, or five times a roomy crystal's.

Organic crystals fill 8 to 11 cubic Angstrom per atom, hydrogen included.
"""

_ENDS: Final = {
    descent.CONVERGED: Status.OK,
    descent.STEP_LIMIT: Status.STEP_LIMIT,
    descent.STALLED: Status.STALLED,
    descent.ESCAPED: Status.ESCAPED,
}


@dataclass(frozen=True)
class RigidLatticeEnergy:
    """The lattice energy of `EnergySettings`, see `polyscape.energy.protocol.LatticeEnergy`.

    Attributes
    ----------
    conformers : Mapping
        The rigid molecules.
    potential : Potential
        Repulsion and dispersion.
    cutoff_A : float
        Of the direct sums.
    decades : float
        Convergence of the Ewald sums, see `polyscape.energy.sites.sums_of`.
    """

    conformers: Conformers
    potential: Potential
    cutoff_A: float
    decades: float = FINE_DECADES

    def prepare(self, packing: Packing) -> tuple[Sites, Sums, Pose]:
        """The packing as the compiled sums see it."""
        sites = sites_of(packing, self.conformers, self.potential)
        return sites, sums_of(sites, self.cutoff_A, self.decades), pose_of(packing)

    def evaluate(self, packing: Packing) -> tuple[EnergyTerms, EnergyGradient]:
        """Energy and gradient of a crystal as it stands, kJ/mol per formula unit."""
        sites, sums, pose = self.prepare(packing)
        energy_t, (strain_vv, centre_mv, rotation_mv), _ = crystal_energy(sites, sums, pose)
        cartesian_svv = pose.cell_cv.T @ sites.operation_scc @ np.linalg.inv(pose.cell_cv.T)
        strain_vv = np.mean(cartesian_svv @ strain_vv @ cartesian_svv.transpose(0, 2, 1), axis=0)
        scale = KJ_PER_MOL_PER_EV / self.formula_units(packing)
        return self.terms(packing, energy_t), EnergyGradient(
            scale * strain_vv, scale * centre_mv, scale * rotation_mv
        )

    def formula_units(self, packing: Packing) -> float:
        """Formula units in the asymmetric unit.

        Raises
        ------
        ValueError
            When the crystal's composition is not the formula unit's.
        """
        stoichiometry = {
            component: molecule.stoichiometry for (component, _), molecule in self.conformers.items()
        }
        found = Counter(pose.component for pose in packing.poses)
        units = len(packing.poses) / sum(stoichiometry.values())
        if any(found[component] != units * count for component, count in stoichiometry.items()):
            raise ValueError(
                f"a crystal of {dict(found)} molecules per component, formula unit {stoichiometry}"
            )
        return units

    def terms(self, packing: Packing, energy_t: np.ndarray) -> EnergyTerms:
        """Terms in eV per asymmetric unit, and the conformers' energies, as kJ/mol per formula unit."""
        units = self.formula_units(packing)
        conformers = sum(
            self.conformers[pose.component, pose.conformer].intramolecular_kJ_per_mol
            for pose in packing.poses
        )
        electrostatic, repulsion, dispersion = (
            float(value) * KJ_PER_MOL_PER_EV / units for value in energy_t
        )
        return EnergyTerms(electrostatic, repulsion, dispersion, conformers / units)


@dataclass(frozen=True)
class RigidMinimiser:
    """Quasi-Newton minimisation in two passes: a short-cutoff surface first, then the full model."""

    energy: RigidLatticeEnergy
    settings: MinimiserSettings

    def minimise(self, packing: Packing) -> Minimisation:
        """The local minimum below a crystal."""
        sites, fine, pose = self.energy.prepare(packing)
        coarse = sums_of(sites, min(COARSE_CUTOFF_A, self.energy.cutoff_A), COARSE_DECADES)
        chart = chart_at(sites, pose)
        metric = np.eye(len(chart.strain_kvv) + 6 * len(pose.centre_mc))
        problem = (sites, coarse, chart)
        here, steps, evaluations, end = descent.descend(
            problem, pose, metric, self._limits(sites, pose), True
        )
        if end != descent.ESCAPED:
            limits = self._limits(sites, pose)._replace(
                max_steps=self.settings.max_steps - steps, tolerance=self._tolerance, noise=FINE_NOISE_EV
            )
            here, more_steps, more, end = descent.descend(
                (sites, fine, chart), here[0], metric, limits, False
            )
            steps, evaluations = steps + more_steps, evaluations + more
        return self._result(packing, sites, here, (steps, evaluations, end))

    @property
    def _tolerance(self) -> float:
        return self.settings.gradient_tolerance_kJ_per_mol_A / KJ_PER_MOL_PER_EV

    def _limits(self, sites: Sites, pose: Pose) -> descent.Limits:
        """The limits of the coarse pass."""
        atoms = len(sites.body_av) * len(sites.operation_scc)
        volume = max(abs(float(np.linalg.det(pose.cell_cv))), ROOMY_A3_PER_ATOM * atoms)
        return descent.Limits(
            max_steps=max(int(COARSE_SHARE * self.settings.max_steps), 1),
            tolerance=max(self._tolerance, COARSE_TOLERANCE_EV_PER_A),
            longest_step=LONGEST_STEP_A,
            noise=COARSE_NOISE_EV,
            largest_volume=MAX_GROWTH * volume,
        )

    def _result(
        self, packing: Packing, sites: Sites, here: tuple, ending: tuple[int, int, int]
    ) -> Minimisation:
        pose, energy_t, gradient, closest = here
        steps, evaluations, end = ending
        status = _ENDS[end]
        if closest < 1.0:
            status = Status.COLLAPSED
        norm = float(np.max(np.abs(gradient))) * KJ_PER_MOL_PER_EV
        return Minimisation(
            packing=packing_at(pose, packing, sites.operation_scc),
            terms=self.energy.terms(packing, energy_t) if status == Status.OK else None,
            gradient_norm=norm if np.isfinite(norm) else 0.0,
            steps=steps,
            evaluations=evaluations,
            status=status,
        )


def build_lattice_energy(conformers: Conformers, energy: EnergySettings) -> LatticeEnergy:
    """The lattice energy that the settings ask for."""
    return RigidLatticeEnergy(conformers, load_potential(energy.potential), energy.cutoff_A)


def build_minimiser(
    conformers: Conformers, energy: EnergySettings, minimiser: MinimiserSettings
) -> Minimiser:
    """The minimiser that the settings ask for; several threads may share it."""
    model = RigidLatticeEnergy(conformers, load_potential(energy.potential), energy.cutoff_A)
    return RigidMinimiser(model, minimiser)
