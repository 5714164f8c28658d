"""What a single point will cost, before it is made: CPU seconds and megabytes.

Self-consistent semilocal plane-wave DFT works on the grid (density, potential), transforms every band at
every irreducible k-point and orthogonalises the bands:

    t = c_0 + c_g G + k b (c_f G log2 G + c_o b p)

with G grid points, k irreducible k-points, b occupied bands and p plane waves. A hybrid on those orbitals
transforms the pairs of orbitals of P distinct pairs of k-points:

    t = c_1 + c_p P b^2 G log2 G

A self-consistent hybrid applies its exchange operators to those of the irreducible with all K k-points, and converges with
every one of them: about twelve times as much with k K in the place of P, and three times what a semilocal one takes.
A mesh of Gamma alone has real orbitals: half of the transforms and of the plane waves.

The coefficients minimise the relative error of 15 self-consistent and 7 hybrid points of campaigns: cells of
8 to 32 atoms with 1 to 14 irreducible k-points, and molecules in boxes of 300 to 1300 cubic Angstrom, of
formaldehyde (300 eV) and oxalic acid (500 eV); GPAW 26.7, one core. They fit to 15 % on average, 35 % at
worst. Other programs have a power law in the number of atoms, of which only the order of magnitude is meant.
Other processors differ by a factor, and one that is shared by others can take thrice the CPU time:
`polyscape.levels.refine` corrects the laws by what points really took.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from ase import Atoms

from polyscape.levels.box import charge_of
from polyscape.levels.check import is_meta_gga
from polyscape.levels.method import alike, needs_orbitals, start_of
from polyscape.levels.protocol import Work
from polyscape.levels.sampling import (
    at_best_origin,
    distinct_pairs,
    grid,
    irreducible_points,
    mesh,
    usable_operations,
)
from polyscape.settings.gpaw import GpawSettings
from polyscape.settings.levels import Level

_START_S: Final = 1.6
_GRID_S: Final = 3.2e-5
_TRANSFORM_S: Final = 9.9e-8
_ORTHOGONAL_S: Final = 2.3e-7
_HYBRID_START_S: Final = 0.25
_PAIR_S: Final = 1.1e-9
_EXCHANGES: Final = 12.0
"""Evaluations of all pairs of orbitals in a self-consistent hybrid, in units of one energy on given orbitals: 4 in HCN, 12 to
15 in five crystals of oxalic acid."""
_CONVERGENCES: Final = 3.0
"""Steps of a self-consistent hybrid, in units of a semilocal functional's."""
_DISPERSION_S: Final = 1.0
"""What a level costs whose electronic energy is there: between D3's 0.01 s and D4's 10, not fitted."""
_META: Final = 3.0
"""A meta-GGA, PBE before it included, in units of a semilocal functional's: 2 to 4 in HCN."""
_BASE_MB: Final = 270.0
_GRID_MB: Final = 1.3e-3
_ORBITAL_MB: Final = 16e-6
_OTHERS: Final = {"tblite": (0.5, 0.033, 1.16), "ase": (5.0, 0.05, 1.0)}
"""Seconds to start, seconds for one atom, power of the number of atoms; tblite's from cells of 16 to 128 atoms."""
_OTHER_MB: Final = 500.0
_OTHER_ATOMS_MB: Final = 5e-3
"""Programs and libraries; a few matrices of ten orbitals an atom."""
_RELAXATION_STEPS: Final = {"none": 0, "atoms": 20, "cell": 40}
"""Gradients before the single point, each of the price of an energy."""
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
    """Cost of level `index` alone, on orbitals that are there if it needs any.

    Where a level below differs in its dispersion only, that of the dispersion is left.
    """
    level = levels[index]
    if alike(levels, index) < index:
        return Cost(_DISPERSION_S, _BASE_MB)
    if level.program == "gpaw":
        cost = _plane_waves(_size(atoms, levels[start_of(levels, index)].gpaw), level)
    else:
        cost = _by_atoms(atoms, level)
    return Cost(cost.core_s * (1 + _RELAXATION_STEPS[level.relax]), cost.memory_MB)


def _by_atoms(atoms: Atoms, level: Level) -> Cost:
    """Cost of a program of which no more than the number of atoms is known, those of its supercell."""
    count = float(len(atoms))
    if level.program == "tblite" and atoms.pbc.any():
        heights_c = 1 / np.linalg.norm(np.linalg.inv(np.asarray(atoms.cell)), axis=0)
        count *= float(np.prod(np.maximum(1, np.ceil(level.tblite.supercell_width_A / heights_c))))
    start_s, atom_s, power = _OTHERS[level.program]
    return Cost(start_s + atom_s * count**power, _OTHER_MB + _OTHER_ATOMS_MB * count**2)


def _plane_waves(size: "_Size", level: Level) -> Cost:
    """Cost of plane-wave DFT."""
    transforms = size.irreducible * size.bands * size.grid_points * size.real_factor
    doublings = math.log2(size.grid_points)
    orbital_pair_s = _PAIR_S * size.bands**2 * size.grid_points * size.real_factor * doublings
    orbitals_MB = _ORBITAL_MB * transforms
    memory_MB = _BASE_MB + _GRID_MB * size.grid_points + orbitals_MB
    if needs_orbitals(level):
        return Cost(_HYBRID_START_S + orbital_pair_s * size.pairs, memory_MB + orbitals_MB)
    core_s = _START_S + _GRID_S * size.grid_points + _TRANSFORM_S * transforms * doublings
    core_s += _ORTHOGONAL_S * size.irreducible * size.bands**2 * size.plane_waves
    if is_meta_gga(level.gpaw.functional):
        return Cost(_META * core_s, memory_MB)
    if level.gpaw.hybrid == "none":
        return Cost(core_s, memory_MB)
    exchange_s = orbital_pair_s * size.irreducible * size.k_points
    return Cost(_CONVERGENCES * core_s + _EXCHANGES * exchange_s, memory_MB + orbitals_MB)


def predict_climb(atoms: Atoms, levels: Sequence[Level], level: str) -> Cost:
    """Cost of climbing the ladder up to and including `level` in one job."""
    names = [rung.name for rung in levels]
    return together([predict(atoms, levels, index) for index in range(names.index(level) + 1)])


def predict_work(atoms: Atoms, levels: Sequence[Level], index: int, work: Work) -> Cost:
    """Predicted cost of what a calculation did: the orbitals too, if it is one on orbitals that it made itself.

    Such a calculation has the self-consistency steps of its orbitals; one on the orbitals of the level below has 0.
    """
    made_orbitals = needs_orbitals(levels[index]) and work.scf_steps > 0
    first = start_of(levels, index) if made_orbitals else index
    return together([predict(atoms, levels, rung) for rung in range(first, index + 1)])


def together(costs: Sequence[Cost]) -> Cost:
    """Cost of one job that does several things one after another."""
    return Cost(sum(cost.core_s for cost in costs), max(cost.memory_MB for cost in costs))


@dataclass(frozen=True)
class _Size:
    bands: float
    plane_waves: float
    grid_points: int
    k_points: int
    irreducible: int
    pairs: float
    real_factor: float


def _size(atoms: Atoms, settings: GpawSettings) -> _Size:
    """Bands, grid, k-points, and plane waves below the cutoff, ``V (2 E)^{3/2} / 6 pi^2`` in atomic units."""
    cell_cv = np.asarray(atoms.cell)
    points_c = grid(cell_cv, settings.grid_spacing_A)
    mesh_c = mesh(cell_cv, settings.k_spacing_per_A) if atoms.pbc.any() else (1, 1, 1)
    k_points = math.prod(mesh_c)
    placed = at_best_origin(atoms, points_c, mesh_c) if k_points > 1 else atoms
    real_factor = 0.5 if k_points == 1 else 1.0
    irreducible, pairs = 1, 0.5
    if k_points > 1:
        operations = usable_operations(placed, points_c, mesh_c)
        irreducible, pairs = irreducible_points(operations, mesh_c), distinct_pairs(operations, mesh_c)
    wave_number_per_A = math.sqrt(settings.plane_wave_cutoff_eV / _HARTREE_PER_BOHR2_EV_A2)
    return _Size(
        bands=(sum(valence_electrons(int(number)) for number in atoms.numbers) - charge_of(atoms)) / 2,
        plane_waves=real_factor * atoms.get_volume() * wave_number_per_A**3 / (6 * math.pi**2),
        grid_points=math.prod(points_c),
        k_points=k_points,
        irreducible=irreducible,
        pairs=pairs,
        real_factor=real_factor,
    )


def valence_electrons(number: int) -> int:
    """Electrons outside the noble-gas core."""
    return number - max((core for core in _NOBLE_CORES if core < number), default=0)
