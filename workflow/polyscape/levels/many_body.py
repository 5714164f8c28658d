"""Many-body dispersion, MBD@rsSCS, where the optional package `pymbd` is installed.

The atoms are coupled oscillators; their polarisabilities are those of free atoms times the ratio of Hirshfeld volumes.
The ratios are a setting, one for each element: they differ little between packings of one molecule, and a correction
that depends on the geometry alone is known for every structure without DFT.

References
----------
A. Ambrosetti, A. M. Reilly, R. A. DiStasio Jr., A. Tkatchenko, J. Chem. Phys. 140, 18A508 (2014),
https://doi.org/10.1063/1.4865104
"""

import importlib.util
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from polyscape.units import ANGSTROM_PER_BOHR

DAMPING: Final = {"pbe": 0.83, "pbe0": 0.85, "hse06": 0.85}
"""Range-separation parameter beta of the functionals for which it was fitted (Ambrosetti et al., table I)."""

_K_SPACING_PER_A: Final = 0.4
"""Largest distance between the points that sample the oscillators' modes, 2 pi included."""


def is_installed() -> bool:
    """Whether `pymbd` can be imported, without importing it."""
    return importlib.util.find_spec("pymbd") is not None


def many_body_dispersion(
    atoms: Atoms, volume_ratios: Mapping[str, float], functional: str, derivatives: bool
) -> dict[str, Any]:
    """Energy in hartree; gradient in hartree/bohr and virial ``dE/d strain`` in hartree if asked for.

    Parameters
    ----------
    atoms : ase.Atoms
        Crystal (``pbc`` true) or molecule.
    volume_ratios : mapping of str to float
        Hirshfeld volume over that of the free atom, by element.
    functional : str
        One of `DAMPING`.
    derivatives : bool
        Whether gradient and virial are needed.
    """
    from pymbd.fortran import MBDGeom  # optional: compiled by the user

    periodic = bool(atoms.pbc.any())
    position_av = atoms.positions / ANGSTROM_PER_BOHR
    cell_cv = np.asarray(atoms.cell) / ANGSTROM_PER_BOHR
    symbols = atoms.get_chemical_symbols()
    ratio_a = [volume_ratios[symbol] for symbol in symbols]
    crystal = {"lattice": cell_cv, "k_grid": _mesh(np.asarray(atoms.cell))} if periodic else {}
    found = MBDGeom(position_av, **crystal).mbd_energy_species(
        symbols, ratio_a, DAMPING[functional], force=derivatives
    )
    if not derivatives:
        return {"energy": found}
    result = {"energy": found[0], "gradient": found[1]}
    if periodic:
        result["virial"] = found[1].T @ position_av + found[2].T @ cell_cv
    return result


def _mesh(cell_cv: NDArray[np.float64]) -> list[int]:
    reciprocal_cv = 2 * np.pi * np.linalg.inv(cell_cv).T
    return [math.ceil(length / _K_SPACING_PER_A) for length in np.linalg.norm(reciprocal_cv, axis=1)]
