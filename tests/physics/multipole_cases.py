"""One door to the engine's sums: a crystal of multipoles with any choice of terms, Ewald or direct, and its energies."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from polyscape.energy.coordinates import chart_at, moved, pulled_back
from polyscape.energy.crystal_sum import crystal_energy
from polyscape.energy.potentials import load_potential
from polyscape.energy.sites import pose_of, sites_of
from polyscape.energy.splitting import ALL, Splitting, sums_of
from tests.builders import multipole_conformers, multipole_packings, special_packings

CONFORMERS = multipole_conformers()
PACKINGS = multipole_packings()
SPECIAL = special_packings()

PAIRS = [(i, j) for i in range(5) for j in range(i, 5) if i + j <= 4]
"""The nine terms: charge-charge to charge-hexadecapole, dipole-octopole and quadrupole-quadrupole."""

CUTOFF_A, DECADES = 10.0, 9.0


def mask(*pairs):
    """The terms (l_A, l_B) of some pairs of ranks, and (l_B, l_A)."""
    terms_ll = np.zeros((5, 5), bool)
    for i, j in pairs:
        terms_ll[i, j] = terms_ll[j, i] = True
    return terms_ll


def ewald(terms_ll=ALL, cutoff=CUTOFF_A, decades=DECADES):
    """Ewald's method for some electrostatic terms, and for dispersion."""
    return Splitting.full(cutoff, decades, terms_ll)


def direct(terms_ll, cutoff=CUTOFF_A, spline=None):
    """Some electrostatic terms summed directly: by pairs of sites with a spline beyond the cutoff, else by molecules."""
    return Splitting(cutoff, DECADES, mask(), terms_ll, False, spline)


def _typed(conformers, potential):
    """The conformers with the potential's types."""
    return {
        key: replace(
            molecule, potential_type_a=potential.assign_types(molecule.atomic_number_a, molecule.bonds)
        )
        for key, molecule in conformers.items()
    }


@dataclass(frozen=True)
class Case:
    """A crystal and how it is summed.

    Attributes
    ----------
    packing, conformers : Packing, Conformers
        The crystal.
    splitting : Splitting
        Which sums.
    exp6 : bool
        Whether repulsion and dispersion act.
    potential : str
        Of repulsion and dispersion.
    """

    packing: object
    conformers: dict
    splitting: Splitting
    exp6: bool = True
    potential: str = "fit"

    @cached_property
    def sites(self):
        """The sites as the sums see them."""
        potential = load_potential(self.potential)
        sites = sites_of(self.packing, _typed(self.conformers, potential), potential)
        if self.exp6:
            return sites
        off = ("prefactor_aa", "c6_aa", "wall_aa", "dispersion_a")
        return sites._replace(**{name: 0.0 * getattr(sites, name) for name in off})

    @cached_property
    def sums(self):
        """The sums."""
        return sums_of(self.sites, self.splitting)

    @cached_property
    def pose(self):
        """The variables."""
        return pose_of(self.packing, self.conformers)

    @cached_property
    def chart(self):
        """The free variables about the pose."""
        return chart_at(self.sites, self.pose, self.packing, self.conformers)

    @property
    def operations(self):
        """Operations of the group: asymmetric units in the cell."""
        return len(self.sites.operation_scc)

    def terms(self):
        """Electrostatics, repulsion, dispersion, pV of the cell, eV."""
        return self.operations * crystal_energy(self.sites, self.sums, self.pose)[0]

    def electrostatic(self):
        """Electrostatic energy of the cell, eV."""
        return float(self.terms()[0])

    def energy_along(self, x):
        """Energy of the asymmetric unit, eV, where the free variables lead."""
        return float(crystal_energy(self.sites, self.sums, moved(self.pose, self.chart, x))[0].sum())

    def gradient(self):
        """Its derivatives by the free variables, eV/Angstrom."""
        return pulled_back(self.pose, self.chart, crystal_energy(self.sites, self.sums, self.pose)[1])
