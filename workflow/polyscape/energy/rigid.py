"""Minimisation of crystals of rigid molecules: a coarse surface first, the full model, and the proof of a minimum."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from polyscape.crystal.packing import Conformers, Packing
from polyscape.energy import descent
from polyscape.energy.coordinates import Chart, chart_at, packing_at
from polyscape.energy.curvature import below_saddle, curvature_at
from polyscape.energy.model import RigidLatticeEnergy, build_model
from polyscape.energy.protocol import LatticeEnergy, Minimisation, Minimiser
from polyscape.energy.sites import Pose, Sites
from polyscape.energy.splitting import sums_of
from polyscape.settings.search import EnergySettings, MinimiserSettings
from polyscape.status import Status
from polyscape.units import KJ_PER_MOL_PER_EV

COARSE_TOLERANCE_EV_PER_A: Final = 0.02
"""The coarse pass stops here; its surface is rough by up to 1e-4 eV."""

COARSE_SHARE: Final = 0.5
"""Share of the allowed steps that the coarse pass may spend."""

COARSE_NOISE_EV: Final = 1e-4
FINE_NOISE_EV: Final = 1e-8
SHARP_NOISE_EV: Final = 1e-4
"""What a molecule that crosses a sharp cutoff changes."""

LONGEST_STEP_A: Final = 0.5
"""A molecule's diameter in ten steps: far enough for speed, too short to jump through a wall."""

MAX_GROWTH: Final = 5.0
ROOMY_A3_PER_ATOM: Final = 12.0
"""A crystal has flown apart when it fills five times its starting volume, or five times a roomy crystal's.

Organic crystals fill 8 to 11 cubic Angstrom per atom, hydrogen included.
"""

MAX_PUSHES: Final = 3
"""Saddles left one after another; each step down at least halves the symmetry."""

_LOWER_KJ_PER_MOL: Final = 1e-3

_ENDS: Final = {
    descent.CONVERGED: Status.OK,
    descent.STEP_LIMIT: Status.STEP_LIMIT,
    descent.STALLED: Status.STALLED,
    descent.ESCAPED: Status.ESCAPED,
    descent.COLLAPSED: Status.COLLAPSED,
}


@dataclass(frozen=True)
class RigidMinimiser:
    """Quasi-Newton minimisation in two passes: a coarse surface first, then the full model."""

    energy: RigidLatticeEnergy
    settings: MinimiserSettings

    def minimise(self, packing: Packing, *, from_trial: bool = True) -> Minimisation:
        """The local minimum below a crystal; see `polyscape.energy.protocol.Minimiser`."""
        end = self._descend(packing, from_trial)
        return self.leave_saddle(end) if self.settings.leave_saddles == "always" else end

    def leave_saddle(self, end: Minimisation) -> Minimisation:
        """The true minimum below a stationary point; the point itself where it is one.

        A saddle is left along its lowest mode, in the subgroup that keeps the mode: molecules that were images of one
        another become independent.
        """
        for _ in range(0 if self.energy.splitting.sharp else MAX_PUSHES):  # jumps have no curvature
            if end.status != Status.OK:
                break
            lower = self._below(end)
            if lower is end:
                break
            end = lower
        return end

    def _below(self, end: Minimisation) -> Minimisation:
        """The minimum on the way down from a saddle; the end itself where it is a minimum."""
        curvature = curvature_at(self.energy, end.packing)
        for start in below_saddle(self.energy, end.packing, curvature):
            found = self._descend(start, False)
            if found.status == Status.OK and _lower(found, end):
                spent = (end.steps + found.steps, end.evaluations + found.evaluations)
                return replace(found, steps=spent[0], evaluations=spent[1])
        return end

    def _descend(self, packing: Packing, from_trial: bool) -> Minimisation:
        """A descent in the crystal's own symmetry."""
        sites, sums, pose = self.energy.prepare(packing)
        chart = chart_at(sites, pose, packing, self.energy.conformers)
        metric = np.eye(len(chart.strain_kvv))
        steps = evaluations = 0
        here = None
        if from_trial:
            here, steps, evaluations, end = self._coarse_pass(packing, pose, chart, metric)
            if end in (descent.ESCAPED, descent.COLLAPSED):
                return self._result(packing, sites, here, (steps, evaluations, end))
            pose = here[0]
        limits = self._limits(sites, pose)._replace(
            max_steps=self.settings.max_steps - steps,
            tolerance=self._tolerance,
            noise=SHARP_NOISE_EV if self.energy.splitting.sharp else FINE_NOISE_EV,
        )
        here, more_steps, more, end = descent.descend(
            (sites, sums, chart), pose, metric, limits, here is None
        )
        return self._result(packing, sites, here, (steps + more_steps, evaluations + more, end))

    def _coarse_pass(
        self, packing: Packing, pose: Pose, chart: Chart, metric: np.ndarray
    ) -> tuple[tuple, int, int, int]:
        """A descent on the coarse surface; the metric is left as updated."""
        coarse = self.energy.coarse()
        sites = coarse.sites(packing)
        problem = (sites, sums_of(sites, coarse.splitting), chart)
        here, steps, evaluations, end = descent.descend(
            problem, pose, metric, self._limits(sites, pose), True
        )
        return here, steps, evaluations, end

    @property
    def _tolerance(self) -> float:
        return self.settings.gradient_tolerance_kJ_per_mol_A / KJ_PER_MOL_PER_EV

    def _limits(self, sites: Sites, pose: Pose) -> descent.Limits:
        """The limits of the coarse pass."""
        atoms = float(np.sum(sites.weight_m[sites.molecule_a])) * len(sites.operation_scc)
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
        if end == descent.STALLED and self.energy.splitting.sharp:
            status = Status.OK  # as low as jumps of the energy let it
        if closest < 1.0:
            status = Status.COLLAPSED
        norm = float(np.max(np.abs(gradient))) * KJ_PER_MOL_PER_EV
        return Minimisation(
            packing=packing_at(pose, packing, sites.operation_scc),
            terms=self.energy.terms(packing, sites, energy_t) if status == Status.OK else None,
            gradient_norm=norm if np.isfinite(norm) else 0.0,
            steps=steps,
            evaluations=evaluations,
            status=status,
        )


def _lower(found: Minimisation, than: Minimisation) -> bool:
    """Whether a minimisation ended lower than another by more than their convergence."""
    if found.terms is None or than.terms is None:
        return False
    return found.terms.enthalpy < than.terms.enthalpy - _LOWER_KJ_PER_MOL


def build_lattice_energy(conformers: Conformers, energy: EnergySettings) -> LatticeEnergy:
    """The lattice energy that the settings ask for."""
    return build_model(conformers, energy)


def build_minimiser(
    conformers: Conformers, energy: EnergySettings, minimiser: MinimiserSettings
) -> Minimiser:
    """The minimiser that the settings ask for; several threads may share it."""
    return RigidMinimiser(build_model(conformers, energy), minimiser)
