"""Parameters of GPAW for a cell: cutoff, grid, k-points, symmetry and when to stop."""

from functools import cache
from typing import Any, Final

import numpy as np
from ase import Atoms
from gpaw import PW
from gpaw.dft import XC

from polyscape.levels.box import charge_of
from polyscape.levels.check import GPAW_META_GGAS, OWN_SETUPS, is_meta_gga
from polyscape.levels.gpaw.meta_gga import LibxcXC
from polyscape.levels.sampling import SYMMETRY_TOLERANCE_A, at_best_origin, grid, mesh, usable_operations
from polyscape.settings.gpaw import GpawSettings

ENERGY_CRITERIA: Final = {"energy": 2e-4, "density": 3e-3, "eigenstates": 1e-4}
"""Enough for an energy, whose error is of second order in the density's: below 0.005 kJ/mol per molecule.

Largest spread of the last three energies (eV), change of the density (electrons) and squared residuals (eV^2), each
per valence electron.
"""

ORBITAL_CRITERIA: Final = {"energy": 2e-4, "density": 2e-4, "eigenstates": 1e-6}
"""For what is of first order in the orbitals' error: another functional's energy on them (0.005 kJ/mol), forces."""


class _OnPbeSetups(XC):
    """A functional that is evaluated with the frozen cores and partial waves of PBE."""

    def functional(self, **keywords: Any) -> Any:
        """GPAW's functional; GPAW would look for setups under its own name."""
        found = super().functional(**keywords)
        found.get_setup_name = lambda: "PBE"
        return found


@cache
def functional_of(name: str) -> XC:
    """A semilocal functional, the same object for the same name; PBE's setups where it has none of its own."""
    if is_meta_gga(name) and name not in GPAW_META_GGAS:
        return LibxcXC(name)
    return XC(name) if name in OWN_SETUPS else _OnPbeSetups(name)


def best_placed(atoms: Atoms, settings: GpawSettings) -> Atoms:
    """A crystal where most of its operations fit the grid; a molecule as it stands."""
    if not atoms.pbc.any():
        return atoms
    cell_cv = np.asarray(atoms.cell)
    points_c = grid(cell_cv, settings.grid_spacing_A)
    return at_best_origin(atoms, points_c, mesh(cell_cv, settings.k_spacing_per_A))


def parameters_of(atoms: Atoms, settings: GpawSettings, criteria: dict[str, float]) -> dict[str, Any]:
    """The GPAW parameters of a cell.

    Parameters
    ----------
    atoms : ase.Atoms
        Crystal, or molecule in its box.
    settings : GpawSettings
        Functional and discretisation.
    criteria : dict
        `ENERGY_CRITERIA` or `ORBITAL_CRITERIA`.
    """
    cell_cv = np.asarray(atoms.cell)
    points_c = grid(cell_cv, settings.grid_spacing_A)
    mesh_c = mesh(cell_cv, settings.k_spacing_per_A) if atoms.pbc.any() else (1, 1, 1)
    charge = charge_of(atoms)
    return {
        **({"charge": charge} if charge else {}),
        "mode": PW(settings.plane_wave_cutoff_eV),
        "xc": functional_of(settings.functional),
        "gpts": points_c,
        "kpts": {"size": mesh_c},
        "symmetry": usable_symmetry(atoms, points_c, mesh_c),
        "convergence": dict(criteria),
    }


def usable_symmetry(
    atoms: Atoms, points_c: tuple[int, int, int], mesh_c: tuple[int, int, int]
) -> dict[str, Any]:
    """The operations that fit grid and mesh as GPAW takes them: it rounds translations without a word, and refuses
    a mesh that is less symmetric than the crystal.
    """
    operations = usable_operations(atoms, points_c, mesh_c)
    if len(operations.U_scc) == 1:
        return {"point_group": False}
    return {
        "rotations": operations.U_scc.tolist(),
        "translations": operations.translation_sc.tolist(),
        "tolerance": 10 * SYMMETRY_TOLERANCE_A,
        "symmorphic": False,
    }
