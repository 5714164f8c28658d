"""Which molecules are of one kind: the same elements bonded alike, whatever their shape."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

Bonds = Iterable[tuple[int, int]]


def bond_graph(atomic_number_a: Sequence[int] | NDArray[np.int64], bonds: Bonds) -> Chem.RWMol:
    """Elements and bonds alone, without bond orders, charges or hydrogens of RDKit's own."""
    graph = Chem.RWMol()
    for number in atomic_number_a:
        atom = Chem.Atom(int(number))
        atom.SetNoImplicit(True)
        graph.AddAtom(atom)
    for first, second in bonds:
        graph.AddBond(int(first), int(second), Chem.BondType.SINGLE)
    return graph


def kinds_of(molecules: Sequence[tuple[NDArray[np.int64], Bonds]]) -> tuple[int, ...]:
    """The kind of each molecule, numbered as they first occur.

    Parameters
    ----------
    molecules : sequence of (atomic numbers, bonds)
        The molecules.
    """
    names = [Chem.MolToSmiles(bond_graph(numbers_a, bonds)) for numbers_a, bonds in molecules]
    first = list(dict.fromkeys(names))
    return tuple(first.index(name) for name in names)
