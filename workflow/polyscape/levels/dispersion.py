"""D3(BJ) dispersion of crystals and molecules with the `dftd3` package.

Two-body terms only, the form that most published D3(BJ) results use.

References
----------
S. Grimme, S. Ehrlich, L. Goerigk, J. Comput. Chem. 32, 1456 (2011), https://doi.org/10.1002/jcc.21759
"""

import numpy as np
from ase import Atoms
from dftd3.interface import DispersionModel, RationalDampingParam

from polyscape.settings.levels import Level
from polyscape.units import ANGSTROM_PER_BOHR, EV_PER_HARTREE


def dispersion_energy_eV(atoms: Atoms, level: Level) -> float:
    """The dispersion correction of a crystal's cell (``pbc`` true) or of an isolated molecule (false)."""
    if level.dispersion == "none":
        return 0.0
    periodic = bool(atoms.pbc.any())
    model = DispersionModel(
        atoms.numbers,
        atoms.positions / ANGSTROM_PER_BOHR,
        np.asarray(atoms.cell) / ANGSTROM_PER_BOHR if periodic else None,
        np.full(3, True) if periodic else None,
    )
    parameters = RationalDampingParam(method=dispersion_functional(level), atm=False)
    return float(model.get_dispersion(parameters, grad=False)["energy"]) * EV_PER_HARTREE


def dispersion_functional(level: Level) -> str:
    """The functional whose parameters a level uses, in the spelling of `dftd3`."""
    return (level.dispersion_functional or level.gpaw.functional).lower()


def has_parameters(functional: str) -> bool:
    """Whether D3(BJ) has parameters for a functional."""
    try:
        RationalDampingParam(method=functional.lower(), atm=False)
    except RuntimeError:
        return False
    return True
