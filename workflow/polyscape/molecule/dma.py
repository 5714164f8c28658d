"""Distributed multipole analysis of a wave function, by occpy.

References
----------
A. J. Stone, J. Chem. Theory Comput. 1, 1128 (2005), https://doi.org/10.1021/ct050190+ (the analysis and its switch).
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from polyscape.molecule.multipoles import COMPONENTS, RANK
from polyscape.units import ANGSTROM_PER_BOHR

HYDROGEN_RADIUS_A: Final = 0.325
"""Radius of hydrogen on the grid, half of the other elements': Stone's choice (2005, section 4), which occpy does not make.

With equal radii a hydrogen takes the density of its neighbour, -0.4 e and a hexadecapole of 1 e bohr^4 in an O-H group,
and expansions diverge at hydrogen bonds.
"""


@dataclass(frozen=True)
class DistributedMultipoles:
    """Multipoles on the atoms, in the frame of the wave function's file.

    Attributes
    ----------
    atomic_number_a : numpy.ndarray, shape (atoms,)
        Atomic numbers.
    position_av : numpy.ndarray, shape (atoms, 3)
        Positions in Angstrom.
    multipole_aq : numpy.ndarray, shape (atoms, 25)
        In e bohr^l, Stone's real order.
    source : str
        Program and settings.
    """

    atomic_number_a: NDArray[np.int64]
    position_av: NDArray[np.float64]
    multipole_aq: NDArray[np.float64]
    source: str


def analyse(path: Path, switch: float) -> DistributedMultipoles:
    """Multipoles to rank 4 of the wave function in a Molden or fchk file.

    Parameters
    ----------
    path : pathlib.Path
        ``*.molden`` (or ``*.molden.input``) or ``*.fchk``.
    switch : float
        Exponent in 1/bohr^2 below which densities are integrated on a grid.

    Raises
    ------
    ValueError
        When occpy cannot read the file.
    """
    import occpy

    occpy.set_num_threads(1)
    occpy.set_log_level(occpy.LogLevel.ERROR)
    read = (
        occpy.Wavefunction.from_fchk if path.suffix in {".fchk", ".fch"} else occpy.Wavefunction.from_molden
    )
    try:
        wavefunction = read(str(path))
    except RuntimeError as error:
        raise ValueError(f"occpy cannot read it: {error}") from error
    calculator = occpy.DMACalculator(wavefunction)
    settings = calculator.settings()
    settings.max_rank, settings.big_exponent = RANK, switch
    calculator.update_settings(settings)
    calculator.set_radius_for_element(1, HYDROGEN_RADIUS_A)
    result = calculator.compute_multipoles()
    multipole_aq = np.array([np.asarray(site.q)[:COMPONENTS] for site in result.multipoles])
    atoms = wavefunction.atoms
    return DistributedMultipoles(
        np.array([atom.atomic_number for atom in atoms]),
        np.array([atom.position for atom in atoms]) * ANGSTROM_PER_BOHR,
        multipole_aq,
        f"occpy {occpy.__version__} DMA, switch {switch:g}, hydrogen radius {HYDROGEN_RADIUS_A:g} A",
    )


def analyse_text(molden: str, switch: float) -> DistributedMultipoles:
    """Multipoles of orbitals in Molden form."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "orbitals.molden"
        path.write_text(molden)
        return analyse(path, switch)
