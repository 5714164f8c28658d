"""Geometries of higher symmetry as conformers: planar NH2 groups, flat rings, coplanar rings.

The isolated molecule of urea has pyramidal NH2 groups; in its crystal, as in most crystals of amides and amines, hydrogen
bonds hold them planar.  Such a geometry is a low saddle between equivalent minima, so that no optimisation ends there:
here it is looked for near each conformer (`polyscape.molecule.pseudosymmetry`), screened by GFN2, and optimised at the
gas-phase level with the gradient kept symmetric.  When it lies below the minimum plus about kT, where the molecule's
zero-point motion passes over it, it stands in the minimum's place; up to the window of the config, beside it.
"""

import sys
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from polyscape.molecule.conformers import GasConformer, Graph, Plan, framed, graph_of, intact, with_properties
from polyscape.molecule.gfn2 import Gfn2, Gfn2Error, relax
from polyscape.molecule.optimise import EnergyGradient, optimise
from polyscape.molecule.parallel import map_tasks
from polyscape.molecule.pseudosymmetry import SymmetricGeometry, near_geometries
from polyscape.molecule.starts import Start
from polyscape.molecule.symmetry import Operation, least_rmsd, operations, symmetrise
from polyscape.molecule.wavefunction import EnergySurface, GasPhaseLevel, ScfError
from polyscape.status import Status
from polyscape.units import KJ_PER_MOL_PER_HARTREE

INSTEAD_KJ_PER_MOL = 2.5
"""kT at 300 K, and about the zero-point energy of the inversion of NH2 (500 cm-1)."""

_GFN2_MARGIN_KJ_PER_MOL = 10.0
"""GFN2 flattens NH2 too easily (urea: 1.8 kJ/mol) and rings too hardly (biphenyl: 11 kJ/mol)."""

_MOST_PER_CONFORMER = 3
_SAME_RMSD_A = 0.1
_SAME_ENERGY_KJ_PER_MOL = 0.5
_ASYMMETRIC_STIFFNESS = 0.5
"""Hartree/bohr^2 of displacements that the optimiser must not make; any positive number."""


@dataclass(frozen=True)
class _Candidate:
    """A symmetric geometry near the conformer of this index."""

    parent: int
    position_av: NDArray[np.float64]
    group: list[Operation]


class SymmetricSurface:
    """An energy surface on the positions averaged over a group: its gradient has the symmetry, whatever the noise.

    Parameters
    ----------
    surface : callable
        Positions in bohr -> energy and gradient.
    group : list of Operation
        The operations.
    """

    def __init__(self, surface: EnergyGradient, group: list[Operation]) -> None:
        self._surface, self._group = surface, group

    def __call__(self, position_av: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """``E(P x)`` in hartree and ``P^T grad E`` in hartree/bohr, P the average over the group."""
        centre_v = position_av.mean(axis=0)
        energy, gradient_av = self._surface(averaged(position_av - centre_v, self._group) + centre_v)
        return energy, averaged(gradient_av, self._group)


def averaged(values_av: NDArray[np.float64], group: list[Operation]) -> NDArray[np.float64]:
    """A vector per atom averaged over a group, ``P v = mean_g O_g^T v_g(a)``, shape (atoms, 3)."""
    return np.mean([values_av[op.permutation_a] @ op.matrix_vv for op in group], axis=0)


def with_symmetric(molecule: Chem.Mol, plan: Plan, found: list[GasConformer]) -> list[GasConformer]:
    """The conformers with the symmetric geometries near them: in their place, or beside them as ``<name>-<group>``.

    Parameters
    ----------
    molecule : rdkit.Chem.Mol
        With all hydrogens.
    plan : Plan
        Level, window and cores.
    found : list of GasConformer
        `polyscape.molecule.conformers.find_conformers`.
    """
    good = [conformer for conformer in found if conformer.status is Status.OK]
    if not good or plan.symmetric_window_kJ_per_mol <= 0 or molecule.GetNumAtoms() == 1:
        return found
    graph = graph_of(molecule)
    candidates = _screened(graph, plan, good)
    work = partial(_optimise, graph.symbols, graph.numbers_a, plan.level)
    ends = map_tasks(work, candidates, plan.cores, "symmetric geometries")
    arrived = [
        (candidate.parent, end)
        for candidate, end in zip(candidates, ends, strict=True)
        if _arrived(graph, good[candidate.parent], candidate, end)
    ]
    placed = with_properties(graph, [framed(graph, start, status) for _, (start, status) in arrived], plan)
    options: list[list[GasConformer]] = [[] for _ in good]
    for (parent, _), option in zip(arrived, placed, strict=True):
        if option.status is Status.OK and not _is_another(graph, good, parent, option):
            options[parent].append(option)
    offered = [
        c for index, one in enumerate(good) for c in choose_symmetric(graph, plan, one, options[index])
    ]
    failed = [conformer for conformer in found if conformer.status is not Status.OK]
    return sorted(offered, key=lambda conformer: conformer.energy_hartree) + failed


def _screened(graph: Graph, plan: Plan, good: list[GasConformer]) -> list[_Candidate]:
    """Symmetric geometries worth an optimisation with DFT: distinct ones, each near the lowest conformer that it is near."""
    near = [near_geometries(c.position_av, graph.permutation_pa, graph.mirror) for c in good]
    tasks = [(c.position_av, geometries) for c, geometries in zip(good, near, strict=True) if geometries]
    parents = [index for index, geometries in enumerate(near) if geometries]
    work = partial(_relax_gfn2, graph.numbers_a, plan.level.charge)
    relaxed = map_tasks(work, tasks, plan.cores, "GFN2 symmetric geometries")
    limit = plan.symmetric_window_kJ_per_mol + _GFN2_MARGIN_KJ_PER_MOL
    candidates: list[_Candidate] = []
    for parent, geometries in zip(parents, relaxed, strict=True):
        fresh = [
            _Candidate(parent, position_av, group)
            for (position_av, group), above in geometries
            if above <= limit
            and intact(graph, position_av)
            and not any(
                len(other.group) == len(group) and _rmsd(graph, other.position_av, position_av) < _SAME_RMSD_A
                for other in candidates
            )
        ]
        candidates += fresh[:_MOST_PER_CONFORMER]
    return candidates[: plan.max_conformers]


def _rmsd(graph: Graph, one_av: NDArray[np.float64], other_av: NDArray[np.float64]) -> float:
    return least_rmsd(one_av, other_av, graph.permutation_pa, graph.mirror)


def _relax_gfn2(
    numbers_a: NDArray[np.int64], charge: int, task: tuple[NDArray[np.float64], list[SymmetricGeometry]]
) -> list[tuple[SymmetricGeometry, float]]:
    """The geometries relaxed with their symmetry kept, and their energies above the conformer's, by GFN2 in kJ/mol.

    Where GFN2 fails a geometry stays as it is, with energy 0: DFT decides.
    """
    conformer_av, geometries = task
    found = []
    for position_av, group in geometries:
        try:
            _, lowest = Gfn2(numbers_a, charge).relax(conformer_av)
            relaxed_av, energy = relax(SymmetricSurface(Gfn2(numbers_a, charge), group), position_av)
            above = (energy - lowest) * KJ_PER_MOL_PER_HARTREE
            found.append(((symmetrise(relaxed_av, group), group), above))
        except Gfn2Error:
            found.append(((position_av, group), 0.0))
    return found


def _optimise(
    symbols: list[str], numbers_a: NDArray[np.int64], level: GasPhaseLevel, candidate: _Candidate
) -> tuple[Start, Status]:
    """The geometry at the gas-phase level, its symmetry kept; begun with GFN2's Hessian of symmetric displacements."""
    group = candidate.group
    try:
        hessian_ii = symmetric_hessian(Gfn2(numbers_a, level.charge).hessian_ii(candidate.position_av), group)
    except Gfn2Error:
        hessian_ii = None
    surface = SymmetricSurface(EnergySurface(symbols, level), group)
    try:
        end = optimise(surface, symbols, candidate.position_av, hessian_ii)
    except ScfError:
        return Start(candidate.position_av, np.inf), Status.SCF_FAILED
    position_av = symmetrise(end.position_av, group)
    return Start(position_av, end.energy_hartree * KJ_PER_MOL_PER_HARTREE), (
        Status.OK if end.converged else Status.STEP_LIMIT
    )


def symmetric_hessian(hessian_ii: NDArray[np.float64], group: list[Operation]) -> NDArray[np.float64]:
    """``P H P + k (1 - P)``: a saddle's Hessian without its descent into lower symmetry, hartree/bohr^2."""
    size = len(hessian_ii)
    columns = [averaged(unit_i.reshape(-1, 3), group).ravel() for unit_i in np.eye(size)]
    projector_ii = np.array(columns).T
    kept_ii = projector_ii @ hessian_ii @ projector_ii.T
    return kept_ii + _ASYMMETRIC_STIFFNESS * (np.eye(size) - projector_ii)


def _arrived(graph: Graph, parent: GasConformer, candidate: _Candidate, end: tuple[Start, Status]) -> bool:
    """Whether an optimisation ended with the molecule whole; said on standard error when it did not."""
    start, status = end
    if status is Status.OK and not intact(graph, start.position_av):
        status = Status.BROKEN
    if status is not Status.OK:
        text = f"molecule: {parent.name}: a geometry with {len(candidate.group)} operations is left out: {status}"
        print(text, file=sys.stderr, flush=True)
    return status is Status.OK


def _is_another(graph: Graph, good: list[GasConformer], parent: int, option: GasConformer) -> bool:
    """Whether a symmetric geometry is another conformer that was found."""
    return any(
        abs(option.energy_hartree - other.energy_hartree) * KJ_PER_MOL_PER_HARTREE < _SAME_ENERGY_KJ_PER_MOL
        and _rmsd(graph, option.position_av, other.position_av) < _SAME_RMSD_A
        for index, other in enumerate(good)
        if index != parent
    )


def choose_symmetric(
    graph: Graph, plan: Plan, conformer: GasConformer, options: list[GasConformer]
) -> list[GasConformer]:
    """What is offered of a conformer: itself or a symmetric geometry in its place, and perhaps one beside it."""

    def rank(option: GasConformer) -> tuple[int, float]:
        order = len(operations(option.position_av, graph.permutation_pa))
        return order, -option.energy_hartree

    above = {id(o): (o.energy_hartree - conformer.energy_hartree) * KJ_PER_MOL_PER_HARTREE for o in options}
    limit = min(INSTEAD_KJ_PER_MOL, plan.symmetric_window_kJ_per_mol)
    near = [o for o in options if above[id(o)] <= limit]
    chosen = conformer
    if near:
        best = max(near, key=rank)
        chosen = replace(best, name=conformer.name, above_minimum_kJ_per_mol=above[id(best)])
        _say(conformer, chosen, "stands in its place")
    beside = [
        replace(
            option,
            name=f"{conformer.name}-{option.point_group}",
            above_minimum_kJ_per_mol=above[id(option)],
            beside=conformer.name,
        )
        for option in options
        if limit < above[id(option)] <= plan.symmetric_window_kJ_per_mol and rank(option)[0] > rank(chosen)[0]
    ]
    further = [max(beside, key=rank)] if beside else []
    for option in further:
        _say(conformer, option, f"is a conformer beside it, {option.name}")
    return [chosen, *further]


def _say(conformer: GasConformer, option: GasConformer, what: str) -> None:
    above = option.above_minimum_kJ_per_mol
    text = f"molecule: {conformer.name} ({conformer.point_group}): {option.point_group}, {above:.1f} kJ/mol above it, {what}"
    print(text, file=sys.stderr, flush=True)
