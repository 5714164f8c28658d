"""Kinds of atoms that sums over a crystal are told apart by: an element with the elements bonded to it."""

from polyscape.crystal.packing import Conformers, Packing
from polyscape.energy.patterns import Graph
from polyscape.molecule.model import Conformer


def kinds_of(conformer: Conformer) -> tuple[str, ...]:
    """The kind of each atom: `O(C,H)` is the oxygen of a hydroxyl group, `O(C)` that of a carbonyl group."""
    graph = Graph.of(conformer.atomic_number_a, conformer.bonds)
    return tuple(
        f"{symbol}({','.join(sorted(graph.elements_around(atom)))})"
        for atom, symbol in enumerate(graph.symbols)
    )


def element_of(kind: str) -> str:
    """Symbol of a kind's element."""
    return kind.partition("(")[0]


def all_kinds(conformers: Conformers) -> list[str]:
    """The kinds of all molecules of a campaign, in order: the same for each of its crystals."""
    return sorted({kind for conformer in conformers.values() for kind in kinds_of(conformer)})


def kinds_of_sites(packing: Packing, conformers: Conformers) -> list[str]:
    """The kind of each site of the independent molecules."""
    return [kind for pose in packing.poses for kind in kinds_of(conformers[pose.component, pose.conformer])]
