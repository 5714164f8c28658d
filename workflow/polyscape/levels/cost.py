"""What a single point will cost, before it is made: seconds of one core and megabytes.

Self-consistent semilocal plane-wave DFT applies the Hamiltonian (an FFT pair per band) and orthogonalises:

    t = k (c_f b g + c_o b^2 p) + c_0

with k irreducible k-points, b occupied bands, p plane waves, g = p log p. A hybrid on those orbitals
transforms every pair of orbitals of the irreducible with all k-points:

    t = c_x k K b^2 g

The coefficients were fitted to oxalic acid, alpha and beta and the isolated molecule, at 500 eV (GPAW 26.7,
one core of 2.x GHz); the ledger rescales the totals with a campaign's own points.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from ase import Atoms

from polyscape.levels.method import needs_orbitals, start_of
from polyscape.settings.levels import GpawSettings, Level

_FFT_S: Final = 2.3e-7
_ORTHOGONAL_S: Final = 2.5e-9
_PAIR_S: Final = 4.0e-9
_SETUP_S: Final = 4.0
_BASE_MB: Final = 220.0
_BYTES_PER_COEFFICIENT: Final = 6 * 16
_NOBLE_CORES: Final = (2, 10, 18, 36, 54, 86)
_HARTREE_PER_BOHR2_EV_A2: Final = 3.80998212


@dataclass(frozen=True)
class Cost:
    """A predicted cost.

    Attributes
    ----------
    core_s : float
        Core-seconds.
    memory_MB : float
        Peak resident memory.
    """

    core_s: float
    memory_MB: float


def predict(atoms: Atoms, levels: Sequence[Level], index: int) -> Cost:
    """Cost of level `index` alone, on orbitals that are there if it needs any."""
    settings = levels[index].gpaw
    size = _size(
        atoms, settings if not needs_orbitals(levels[index]) else levels[start_of(levels, index)].gpaw
    )
    memory_MB = _BASE_MB + size.k_points * size.bands * size.plane_waves * _BYTES_PER_COEFFICIENT / 1e6
    work = size.plane_waves * math.log2(size.plane_waves)
    if needs_orbitals(levels[index]):
        core_s = _PAIR_S * size.irreducible * size.k_points * size.bands**2 * work
    else:
        per_k = _FFT_S * size.bands * work + _ORTHOGONAL_S * size.bands**2 * size.plane_waves
        core_s = size.irreducible * per_k + _SETUP_S
    return Cost(core_s, memory_MB)


def predict_climb(atoms: Atoms, levels: Sequence[Level], level: str) -> Cost:
    """Cost of climbing the ladder up to and including `level` in one job."""
    names = [rung.name for rung in levels]
    costs = [predict(atoms, levels, index) for index in range(names.index(level) + 1)]
    return Cost(sum(cost.core_s for cost in costs), max(cost.memory_MB for cost in costs))


@dataclass(frozen=True)
class _Size:
    bands: float
    plane_waves: float
    k_points: int
    irreducible: int


def _size(atoms: Atoms, settings: GpawSettings) -> _Size:
    """Bands, k-points, and plane waves below the cutoff, ``V (2 E)^{3/2} / 6 pi^2`` in atomic units."""
    wave_number_per_A = math.sqrt(settings.plane_wave_cutoff_eV / _HARTREE_PER_BOHR2_EV_A2)
    plane_waves = atoms.get_volume() * wave_number_per_A**3 / (6 * math.pi**2)
    bands = sum(valence_electrons(int(number)) for number in atoms.numbers) / 2
    if not atoms.pbc.any():
        return _Size(bands, plane_waves / 2, 1, 1)
    lengths_c = 2 * np.pi * np.linalg.norm(np.linalg.inv(np.asarray(atoms.cell)), axis=0)
    k_points = int(
        np.prod([max(1, math.ceil(length / settings.k_spacing_per_A - 1e-9)) for length in lengths_c])
    )
    return _Size(bands, plane_waves, k_points, (k_points + 1) // 2)


def valence_electrons(number: int) -> int:
    """Electrons outside the noble-gas core."""
    return number - max((core for core in _NOBLE_CORES if core < number), default=0)
