"""From a molecule to its conformers in the gas phase: starts, DFT geometries, duplicates removed, names.

Force-field minima -> GFN2 -> single points with a small basis -> geometries at the gas-phase level (density fitting,
light grid) -> exact wave function of each distinct conformer.  What fails keeps its row, with a status.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from polyscape.molecule import starts as starting
from polyscape.molecule import symmetry, torsions
from polyscape.molecule.frame import principal_frame
from polyscape.molecule.gfn2 import Gfn2, Gfn2Error
from polyscape.molecule.optimise import optimise
from polyscape.molecule.parallel import map_tasks
from polyscape.molecule.properties import Properties, compute_properties
from polyscape.molecule.read import bonds_by_distance
from polyscape.molecule.starts import Start
from polyscape.molecule.wavefunction import EnergySurface, GasPhaseLevel, ScfError
from polyscape.status import Status
from polyscape.units import ANGSTROM_PER_BOHR, KJ_PER_MOL_PER_HARTREE

_GFN2_MARGIN_KJ_PER_MOL = 40.0
"""GFN2 energies of conformers may be wrong by this much (oxalic acid: 16 kJ/mol)."""

_SCREENING_MARGIN_KJ_PER_MOL = 15.0
"""So may single points with a small basis at GFN2 geometries."""

_SCREENING_BASIS = "def2-svp"
_SAME_RMSD_A = 0.1
_SAME_ENERGY_KJ_PER_MOL = 0.5
_SYMMETRY_TOLERANCE_A = 0.02


@dataclass(frozen=True)
class Plan:
    """How conformers are looked for.

    Attributes
    ----------
    level : GasPhaseLevel
        Level of theory.
    window_kJ_per_mol : float
        Conformers up to this energy above the lowest are kept.
    max_conformers : int
        Most geometries optimised with DFT.
    switch : float
        Switch of the multipole analysis.
    seed : int
        Seed of the random embedding.
    cores : int
        Processes at once.
    symmetric_window_kJ_per_mol : float
        Geometries of higher symmetry up to this energy above the minimum nearby are conformers; 0 for none.
    """

    level: GasPhaseLevel
    window_kJ_per_mol: float
    max_conformers: int
    switch: float
    seed: int
    cores: int
    symmetric_window_kJ_per_mol: float = 0.0


@dataclass(frozen=True)
class GasConformer:
    """A conformer in the gas phase, in its principal frame.

    Attributes
    ----------
    name : str
        A letter per rotatable bond.
    torsions_deg : list of float
        The torsions behind the letters.
    position_av : numpy.ndarray, shape (atoms, 3)
        Positions in Angstrom.
    energy_hartree : float
        Energy at the gas-phase level.
    point_group : str
        Schoenflies symbol.
    status : Status
        ok, or how the optimisation ended.
    properties : Properties or None
        Charges, multipoles and moments; None unless the status is ok.
    above_minimum_kJ_per_mol : float
        Energy above the minimum nearby, for a geometry held in a higher symmetry; 0 for a minimum.
    beside : str or None
        Name of the minimum that a symmetric geometry is offered beside.
    """

    name: str
    torsions_deg: list[float]
    position_av: NDArray[np.float64]
    energy_hartree: float
    point_group: str
    status: Status
    properties: Properties | None
    above_minimum_kJ_per_mol: float = 0.0
    beside: str | None = None


@dataclass(frozen=True)
class Graph:
    """What every step needs to know of the molecule."""

    molecule: Chem.Mol
    symbols: list[str]
    numbers_a: NDArray[np.int64]
    mass_a: NDArray[np.float64]
    bonds: tuple[torsions.RotatableBond, ...]
    permutation_pa: NDArray[np.int64]
    mirror: bool


def find_conformers(
    molecule: Chem.Mol, plan: Plan, shapes: Sequence[NDArray[np.float64]] = ()
) -> list[GasConformer]:
    """The conformers of a molecule within the window, the lowest first; failed ones last.

    Parameters
    ----------
    molecule : rdkit.Chem.Mol
        With all hydrogens; its own coordinates, when it has any, are one start.
    plan : Plan
        Level of theory, window and numbers.
    shapes : sequence of numpy.ndarray, shape (atoms, 3)
        Further geometries to start from, in Angstrom.
    """
    graph = graph_of(molecule)
    if len(graph.symbols) == 1:
        return with_properties(graph, [_single_atom()], plan)
    candidates = _screened(graph, plan, shapes)
    ends = map_tasks(
        partial(_optimise, graph.symbols, graph.numbers_a, plan.level), candidates, plan.cores, "geometries"
    )
    good, bad = _distinct_ends(graph, ends)
    lowest = min((start.energy_kJ_per_mol for start, _ in good), default=0.0)
    good = [
        end
        for end in good
        if end[0].energy_kJ_per_mol - lowest <= plan.window_kJ_per_mol + _SAME_ENERGY_KJ_PER_MOL
    ]
    placed = [framed(graph, start, status) for start, status in (*good, *bad)]
    return _in_window(with_properties(graph, placed, plan), plan.window_kJ_per_mol)


def _single_atom() -> GasConformer:
    """A single ion, which has every symmetry and nothing to optimise."""
    return GasConformer(torsions.RIGID, [], np.zeros((1, 3)), 0.0, "Kh", Status.OK, None)


def is_chiral(molecule: Chem.Mol) -> bool:
    """Whether the molecule differs from its mirror image by configuration, not only by conformation."""
    return any(
        tag
        for _, tag in Chem.FindMolChiralCenters(
            molecule, includeUnassigned=False, useLegacyImplementation=False
        )
    )


def graph_of(molecule: Chem.Mol) -> Graph:
    """What the steps need to know of a molecule."""
    atoms = list(molecule.GetAtoms())
    return Graph(
        molecule,
        [atom.GetSymbol() for atom in atoms],
        np.array([atom.GetAtomicNum() for atom in atoms]),
        np.array([Chem.GetPeriodicTable().GetAtomicWeight(atom.GetAtomicNum()) for atom in atoms]),
        torsions.rotatable_bonds(molecule),
        symmetry.automorphisms(molecule),
        not is_chiral(molecule),
    )


def _screened(graph: Graph, plan: Plan, shapes: Sequence[NDArray[np.float64]]) -> list[Start]:
    """Starts worth an optimisation with DFT."""
    raw = starting.generate(graph.molecule, graph.bonds, plan.seed, shapes)
    found = map_tasks(
        partial(_relax_gfn2, graph.numbers_a, plan.level.charge), raw, plan.cores, "GFN2 starts"
    )
    found = [start for start in found if _usable(graph, start)] or raw[:1]
    found = starting.distinct(
        found, graph.permutation_pa, graph.mirror, _SAME_RMSD_A, _SAME_ENERGY_KJ_PER_MOL
    )
    found = _below(found, plan.window_kJ_per_mol + _GFN2_MARGIN_KJ_PER_MOL)
    if len(found) > 1:
        small = replace(plan.level, basis=min(_SCREENING_BASIS, plan.level.basis, key=_basis_size))
        found = map_tasks(
            partial(_single_point, graph.symbols, small), found, plan.cores, f"single points {small.label}"
        )
        found = _below(found, plan.window_kJ_per_mol + _SCREENING_MARGIN_KJ_PER_MOL)  # keeps what failed
    return found[: plan.max_conformers]


def _basis_size(basis: str) -> int:
    return ["sto-3g", "6-31g**", "def2-svp", "6-311g**", "def2-tzvp"].index(basis)


def _below(found: list[Start], window_kJ_per_mol: float) -> list[Start]:
    """Starts within a window of the lowest, in order; at the end those whose energy is not known."""
    ordered = sorted(found, key=lambda start: start.energy_kJ_per_mol)
    limit = ordered[0].energy_kJ_per_mol + window_kJ_per_mol
    return [s for s in ordered if s.energy_kJ_per_mol <= limit or np.isinf(s.energy_kJ_per_mol)]


def _relax_gfn2(numbers_a: NDArray[np.int64], charge: int, start: Start) -> Start:
    """The GFN2 minimum; infinite energy where its self-consistency fails."""
    try:
        position_av, energy = Gfn2(numbers_a, charge).relax(start.position_av)
    except Gfn2Error:
        return Start(start.position_av, np.inf)
    return Start(position_av, energy * KJ_PER_MOL_PER_HARTREE)


def _single_point(symbols: list[str], level: GasPhaseLevel, start: Start) -> Start:
    """The energy at the start's geometry; infinite where self-consistency fails: it may be reached elsewhere."""
    try:
        energy = EnergySurface(symbols, level).energy(start.position_av / ANGSTROM_PER_BOHR)
    except ScfError:
        return Start(start.position_av, np.inf)
    return Start(start.position_av, energy * KJ_PER_MOL_PER_HARTREE)


def _optimise(
    symbols: list[str], numbers_a: NDArray[np.int64], level: GasPhaseLevel, start: Start
) -> tuple[Start, Status]:
    """The geometry at the gas-phase level, begun with the GFN2 Hessian."""
    try:
        hessian_ii = Gfn2(numbers_a, level.charge).hessian_ii(start.position_av)
    except Gfn2Error:
        hessian_ii = None
    try:
        end = optimise(EnergySurface(symbols, level), symbols, start.position_av, hessian_ii)
    except ScfError:
        return start, Status.SCF_FAILED
    return Start(end.position_av, end.energy_hartree * KJ_PER_MOL_PER_HARTREE), (
        Status.OK if end.converged else Status.STEP_LIMIT
    )


def _usable(graph: Graph, start: Start) -> bool:
    """Whether GFN2 gave an energy and left the molecule whole."""
    return bool(np.isfinite(start.energy_kJ_per_mol)) and intact(graph, start.position_av)


def intact(graph: Graph, position_av: NDArray[np.float64]) -> bool:
    """Whether the atoms are still bonded as the molecule says."""
    wanted = {tuple(sorted((b.GetBeginAtomIdx(), b.GetEndAtomIdx()))) for b in graph.molecule.GetBonds()}
    return set(bonds_by_distance(graph.numbers_a, position_av)) == wanted


def _distinct_ends(
    graph: Graph, ends: list[tuple[Start, Status]]
) -> tuple[list[tuple[Start, Status]], list[tuple[Start, Status]]]:
    """Distinct converged geometries, and what failed."""
    checked = [
        (start, status if status is not Status.OK or intact(graph, start.position_av) else Status.BROKEN)
        for start, status in ends
    ]
    good = starting.distinct(
        [start for start, status in checked if status is Status.OK],
        graph.permutation_pa, graph.mirror, _SAME_RMSD_A, _SAME_ENERGY_KJ_PER_MOL,
    )  # fmt: skip
    return [(start, Status.OK) for start in good], [end for end in checked if end[1] is not Status.OK]


def framed(graph: Graph, start: Start, status: Status) -> GasConformer:
    """Symmetrised, in the principal frame, named; of mirror images the one that the name means."""
    group = symmetry.operations(start.position_av, graph.permutation_pa, _SYMMETRY_TOLERANCE_A)
    position_av = symmetry.symmetrise(start.position_av, group)
    name, angles, mirrored = torsions.conformer_name(
        graph.bonds, position_av, graph.permutation_pa, graph.mirror
    )
    position_av = principal_frame(position_av * ([1, 1, -1] if mirrored else 1), graph.mass_a)
    linear = bool(np.abs(position_av[:, 1:]).max() < _SYMMETRY_TOLERANCE_A)
    group = symmetry.operations(position_av, graph.permutation_pa, _SYMMETRY_TOLERANCE_A)
    return GasConformer(
        name, angles, np.round(position_av, 8) + 0.0, start.energy_kJ_per_mol / KJ_PER_MOL_PER_HARTREE,
        symmetry.schoenflies(group, linear), status, None,
    )  # fmt: skip


def with_properties(graph: Graph, found: list[GasConformer], plan: Plan) -> list[GasConformer]:
    """The exact wave functions of the good ones."""
    good = [conformer for conformer in found if conformer.status is Status.OK]
    groups = [symmetry.operations(c.position_av, graph.permutation_pa, _SYMMETRY_TOLERANCE_A) for c in good]
    tasks = list(zip([c.position_av for c in good], groups, strict=True))
    work = partial(_properties, graph.symbols, plan.level, plan.switch)
    computed = map_tasks(work, tasks, plan.cores, "wave functions and multipoles")
    finished = [
        replace(conformer, status=Status.SCF_FAILED)
        if properties is None
        else replace(conformer, properties=properties, energy_hartree=properties.energy_hartree)
        for conformer, properties in zip(good, computed, strict=True)
    ]
    return finished + [conformer for conformer in found if conformer.status is not Status.OK]


def _properties(
    symbols: list[str],
    level: GasPhaseLevel,
    switch: float,
    task: tuple[NDArray[np.float64], list[symmetry.Operation]],
) -> Properties | None:
    """The properties, or None where the exact wave function does not converge."""
    try:
        return compute_properties(symbols, level, switch, task)
    except ScfError:
        return None


def _in_window(conformers: list[GasConformer], window_kJ_per_mol: float) -> list[GasConformer]:
    """Sorted by energy, those above the window left out, equal names numbered in the order of energy."""
    good = sorted((c for c in conformers if c.status is Status.OK), key=lambda c: c.energy_hartree)
    bad = sorted((c for c in conformers if c.status is not Status.OK), key=lambda c: c.energy_hartree)
    limit = window_kJ_per_mol / KJ_PER_MOL_PER_HARTREE
    kept = [c for c in good if c.energy_hartree - good[0].energy_hartree <= limit] + bad
    seen: dict[str, int] = {}
    named = []
    for conformer in kept:
        seen[conformer.name] = seen.get(conformer.name, 0) + 1
        number = seen[conformer.name]
        named.append(conformer if number == 1 else replace(conformer, name=f"{conformer.name}-{number}"))
    return named
