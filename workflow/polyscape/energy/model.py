"""The lattice energy of rigid molecules as a model with settings: exp-6 and distributed multipoles."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from polyscape.crystal.packing import Conformers, Packing
from polyscape.energy.crystal_sum import crystal_energy
from polyscape.energy.exp6 import Potential
from polyscape.energy.machine_code import prepare
from polyscape.energy.potentials import load_potential
from polyscape.energy.protocol import EnergyGradient, EnergyTerms
from polyscape.energy.sites import Pose, Sites, Sums, pose_of, sites_of, with_charges
from polyscape.energy.splitting import ALL, CHARGES, POINT, Splitting, sums_of
from polyscape.molecule.multipoles import RANK
from polyscape.settings.search import EnergySettings
from polyscape.units import GPA_PER_EV_PER_A3, KJ_PER_MOL_PER_EV

FINE_DECADES: Final = 9.0
"""Powers of ten by which the terms of both Ewald sums have fallen at their cutoffs: jumps of 1e-8 eV."""

COARSE_DECADES: Final = 5.0
COARSE_CUTOFF_A: Final = 7.0

_RANK: Final = np.arange(RANK + 1)
TERMS: Final = {
    "charge_charge": CHARGES,
    "charge_dipole": np.add.outer(_RANK, _RANK) == 1,
    "dipole_dipole": np.minimum.outer(_RANK, _RANK) * POINT == 1,
    "higher_multipole": ALL & ~POINT,
}
"""The electrostatic terms that are told apart, as pairs of ranks."""


@dataclass(frozen=True)
class RigidLatticeEnergy:
    """The lattice energy of rigid molecules, see `polyscape.energy.protocol.LatticeEnergy`.

    Attributes
    ----------
    conformers : Mapping
        The rigid molecules.
    potential : Potential
        Repulsion and dispersion.
    splitting : Splitting
        How it is summed.
    charges : bool
        Electrostatics of the charges fitted to the molecules' potential in the place of the multipoles.
    """

    conformers: Conformers
    potential: Potential
    splitting: Splitting
    charges: bool = False

    def prepare(self, packing: Packing) -> tuple[Sites, Sums, Pose]:
        """The packing as the compiled sums see it."""
        sites = self.sites(packing)
        return sites, sums_of(sites, self.splitting), pose_of(packing, self.conformers)

    def sites(self, packing: Packing) -> Sites:
        """The independent molecules of a packing, with charges in the place of multipoles if these are asked for."""
        sites = sites_of(packing, self.conformers, self.potential)
        return with_charges(sites) if self.charges else sites

    def evaluate(self, packing: Packing) -> tuple[EnergyTerms, EnergyGradient]:
        """Energy and gradient of a crystal as it stands, kJ/mol per formula unit."""
        sites, sums, pose = self.prepare(packing)
        energy_t, (strain_vv, centre_mv, rotation_mv), _ = crystal_energy(sites, sums, pose)
        cartesian_svv = pose.cell_cv.T @ sites.operation_scc @ np.linalg.inv(pose.cell_cv.T)
        strain_vv = np.mean(cartesian_svv @ strain_vv @ cartesian_svv.transpose(0, 2, 1), axis=0)
        scale = KJ_PER_MOL_PER_EV / self.formula_units(packing, sites)
        return self.terms(packing, sites, energy_t), EnergyGradient(
            scale * strain_vv, scale * centre_mv, scale * rotation_mv
        )

    def term_energies(self, packing: Packing) -> dict[str, float]:
        """The energy between molecules term by term, kJ/mol per formula unit.

        `charge_charge`, `charge_dipole`, `dipole_dipole`, `higher_multipole`, `repulsion`, `dispersion`: their sum is
        the lattice energy without the conformers' own.
        """
        sites, _, pose = self.prepare(packing)
        scale = KJ_PER_MOL_PER_EV / self.formula_units(packing, sites)
        out = {}
        for name, terms_ll in TERMS.items():
            energy_t, _, _ = crystal_energy(sites, sums_of(sites, self.splitting.only(terms_ll)), pose)
            out[name] = scale * float(energy_t[0])
        return out | {"repulsion": scale * float(energy_t[1]), "dispersion": scale * float(energy_t[2])}

    def formula_units(self, packing: Packing, sites: Sites) -> float:
        """Formula units in the asymmetric unit; a molecule on a special position counts in part.

        Raises
        ------
        ValueError
            When the crystal's composition is not the formula unit's.
        """
        stoichiometry = {
            component: molecule.stoichiometry for (component, _), molecule in self.conformers.items()
        }
        found: Counter[int] = Counter()
        for pose, weight in zip(packing.poses, sites.weight_m, strict=True):
            found[pose.component] += float(weight)  # type: ignore[assignment]
        units = sum(found.values()) / sum(stoichiometry.values())
        if any(abs(found[component] - units * count) > 1e-6 for component, count in stoichiometry.items()):
            raise ValueError(
                f"a crystal of {dict(found)} molecules per component, formula unit {stoichiometry}"
            )
        return units

    def terms(self, packing: Packing, sites: Sites, energy_t: NDArray[np.float64]) -> EnergyTerms:
        """Terms in eV per asymmetric unit, and the conformers' energies, as kJ/mol per formula unit."""
        units = self.formula_units(packing, sites)
        conformers = sum(
            weight * self.conformers[pose.component, pose.conformer].intramolecular_kJ_per_mol
            for pose, weight in zip(packing.poses, sites.weight_m, strict=True)
        )
        electrostatic, repulsion, dispersion, work = (
            float(value) * KJ_PER_MOL_PER_EV / units for value in energy_t
        )
        return EnergyTerms(electrostatic, repulsion, dispersion, float(conformers) / units, work)

    def coarse(self) -> "RigidLatticeEnergy":
        """A rough and fast model near this one: charges, short sums.

        Molecules without fitted charges keep their multipoles.
        """
        charged = all(np.any(molecule.charge_a != 0.0) for molecule in self.conformers.values())
        splitting = Splitting.full(
            min(COARSE_CUTOFF_A, self.splitting.cutoff_A), COARSE_DECADES, CHARGES if charged else ALL
        )
        return replace(
            self,
            splitting=replace(splitting, pressure=self.splitting.pressure),
            charges=charged,
        )


def build_model(conformers: Conformers, energy: EnergySettings) -> RigidLatticeEnergy:
    """The model that the settings ask for; compiles its sums when nobody did before."""
    prepare()
    pressure = energy.pressure_GPa / GPA_PER_EV_PER_A3
    charges = energy.electrostatics == "esp_charges"
    if energy.sums == "dmacrys":
        splitting = Splitting.dmacrys(energy.cutoff_A, FINE_DECADES, energy.spline_A)
    else:
        splitting = Splitting.full(energy.cutoff_A, FINE_DECADES, CHARGES if charges else ALL)
    potential = load_potential(energy.potential)
    return RigidLatticeEnergy(conformers, potential, replace(splitting, pressure=pressure), charges)
