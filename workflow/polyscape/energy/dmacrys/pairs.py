"""The pair potential of a file whose pairs name elements where types are meant, and leave some out.

The type of a site is in its label (``H_F2_1____``: hydrogen, type F2) or named outright.  Where a pair of elements stands
several times, each pair of types takes the parameters nearest to those of a known potential for such atoms; where it is
missing, the known potential fills it by the combining rules.
"""

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from ase.data import chemical_symbols

from polyscape.energy.dmacrys.document import Document
from polyscape.energy.patterns import Graph
from polyscape.energy.potentials import Potential, load_potential
from polyscape.molecule.model import Conformer

_LABEL: Final = re.compile(r"([A-Z][a-z_][A-Z][A-Za-z0-9])_\d+_*")
_KNOWN: Final = ("fit", "w99rev")
_NEAR: Final = 0.05
"""Published parameters of one type agree within rounding, those of different types differ by far more."""

_SMALL_C6: Final = 1e-3

Parameters = tuple[float, float, float]
"""A in eV, rho in Angstrom, C6 in eV Angstrom^6."""


class _Types(NamedTuple):
    """Types of the file: atomic number of each, and the type of each known potential for most of its atoms."""

    number: dict[str, int]
    known: dict[str, dict[str, str]]


def site_types(document: Document, site_a: Sequence[int], conformer: Conformer) -> tuple[str, ...]:
    """The types of a molecule's sites: named by the file, in the labels, or the element's known types."""
    found = []
    graph = Graph.of(conformer.atomic_number_a, conformer.bonds)
    for atom, index in enumerate(site_a):
        site = document.sites[int(index)]
        labelled = _LABEL.fullmatch(site.label)
        in_label = labelled is not None and labelled[1][:2].strip("_") == chemical_symbols[site.number]
        if site.type_name is not None:
            found.append(site.type_name)
        elif labelled is not None and in_label:
            found.append(labelled[1])
        else:
            kind = _known_type(load_potential(_KNOWN[0]), graph, atom)
            found.append(kind or chemical_symbols[site.number])
    return tuple(found)


def _known_type(potential: Potential, graph: Graph, atom: int) -> str | None:
    """The first type of a potential that holds for an atom, None for an atom that it does not know."""
    for name, kind in potential.types.items():
        if kind.pattern is not None and kind.pattern.holds(graph, atom):
            return name
    return None


def potential_of(document: Document, molecules: Sequence[Conformer]) -> tuple[Potential, list[str]]:
    """The potential of a file between the types of its molecules' sites, and what had to be assumed.

    Raises
    ------
    InputError
        When a pair is missing or ambiguous and no known potential helps.
    """
    types = _types_of(molecules)
    reference = _nearest_known(document, types)
    table: dict[tuple[str, str], Parameters] = {}
    filled = []
    for pair in itertools.combinations_with_replacement(sorted(types.number), 2):
        found = _from_file(document, types, pair, reference)
        if found is None:
            filled.append(pair)
        else:
            table[pair] = found
    _refuse_confusion(document, types, table, reference)
    likes = {name: _like(document, types, name, table, reference) for pair in filled for name in pair}
    for first, second in filled:
        table[first, second] = _combined(likes[first], likes[second])
    notes = []
    if filled:
        shown = ", ".join(f"{a}-{b}" for a, b in filled)
        notes.append(f"pairs not in the file, filled from {reference} by the combining rules: {shown}")
    return Potential.from_pairs(f"pairs of {document.title}", table), notes


def _types_of(molecules: Sequence[Conformer]) -> _Types:
    number: dict[str, int] = {}
    votes: dict[str, dict[str, Counter[str]]] = {name: {} for name in _KNOWN}
    for molecule in molecules:
        graph = Graph.of(molecule.atomic_number_a, molecule.bonds)
        for atom, kind in enumerate(molecule.potential_type_a):
            number[kind] = int(molecule.atomic_number_a[atom])
            for name in _KNOWN:
                known = _known_type(load_potential(name), graph, atom)
                if known is not None:
                    votes[name].setdefault(kind, Counter())[known] += 1
    known_types = {
        name: {kind: counts.most_common(1)[0][0] for kind, counts in found.items()}
        for name, found in votes.items()
    }
    return _Types(number, known_types)


def _expected(types: _Types, pair: tuple[str, str], reference: str) -> Parameters | None:
    """Parameters of a known potential for a pair of the file's types, None for atoms that it does not know."""
    known = types.known[reference]
    if pair[0] not in known or pair[1] not in known:
        return None
    found = load_potential(reference).pair_parameters([known[pair[0]], known[pair[1]]])
    return (
        float(found.prefactor_aa[0, 1]),
        float(1.0 / found.decay_aa[0, 1]),
        float(found.c6_aa[0, 1]),
    )


def _nearest_known(document: Document, types: _Types) -> str:
    """The known potential that most of the file's pairs come from."""

    def agreeing(name: str) -> int:
        pairs = itertools.combinations_with_replacement(sorted(types.number), 2)
        expected = [(pair, _expected(types, pair, name)) for pair in pairs]
        return sum(
            wanted is not None
            and any(_distance(one, wanted) < _NEAR for one in _listed(document, types, pair))
            for pair, wanted in expected
        )

    return max(_KNOWN, key=agreeing)


def _listed(document: Document, types: _Types, pair: tuple[str, str]) -> list[Parameters]:
    """What the file has for a pair of types: by their names where it names any, else by their elements, none twice."""
    typed = [one for one in document.pairs if one.type_names is not None]
    if typed:
        found = [one.parameters for one in typed if one.type_names in (pair, pair[::-1])]
    else:
        numbers = sorted(types.number[name] for name in pair)
        found = [one.parameters for one in document.pairs if sorted(one.numbers) == numbers]
    different: list[Parameters] = []
    for one in found:
        if all(_distance(one, other) > 1e-3 for other in different):
            different.append(one)
    return different


def _from_file(document: Document, types: _Types, pair: tuple[str, str], reference: str) -> Parameters | None:
    """The file's parameters for a pair of types, None when it has none."""
    listed = _listed(document, types, pair)
    numbers = sorted(types.number[name] for name in pair)
    sharing = [
        other
        for other in itertools.combinations_with_replacement(sorted(types.number), 2)
        if sorted(types.number[name] for name in other) == numbers
    ]
    by_name = any(one.type_names is not None for one in document.pairs)
    if len(listed) == 1 and (by_name or len(sharing) == 1):
        return listed[0]
    wanted = _expected(types, pair, reference)
    if not listed:
        return None
    if wanted is None:
        raise _ambiguous(document, types, pair, len(listed))
    nearest = min(listed, key=lambda one: _distance(one, wanted))
    if _distance(nearest, wanted) < _NEAR:
        return nearest
    if len(listed) < len(sharing):  # another pair of types has them
        return None
    raise _ambiguous(document, types, pair, len(listed))


def _refuse_confusion(
    document: Document, types: _Types, table: dict[tuple[str, str], Parameters], reference: str
) -> None:
    """Refuse a file that tells types apart which are one to the known potential: parameters are then left unused."""
    known = types.known[reference]
    for first, second in itertools.combinations(sorted(types.number), 2):
        if types.number[first] == types.number[second] and known.get(first) == known.get(second):
            numbers = {types.number[first]}
            used = [one for pair, one in table.items() if {types.number[name] for name in pair} == numbers]
            listed = _listed(document, types, (first, second))
            if any(all(_distance(one, other) > 1e-3 for other in used) for one in listed):
                raise _ambiguous(document, types, (first, second), len(listed))


def _ambiguous(document: Document, types: _Types, pair: tuple[str, str], count: int) -> Exception:
    elements = "-".join(chemical_symbols[types.number[name]] for name in pair)
    return document.refusal(
        "potentials.pairs",
        elements,
        f"stands {count} times, and which is meant for the types {pair[0]} and {pair[1]} cannot be told",
        "name the types in each pair: type1, type2",
    )


def _distance(one: Parameters, other: Parameters) -> float:
    """Largest relative difference of two sets of parameters."""
    A, rho, c6 = (abs(a - b) / max(abs(a), abs(b), 1e-12) for a, b in zip(one, other, strict=True))
    small = max(one[2], other[2]) < _SMALL_C6
    return max(A, rho, 0.0 if small else c6)


def _like(
    document: Document,
    types: _Types,
    name: str,
    table: dict[tuple[str, str], Parameters],
    reference: str,
) -> Parameters:
    """Parameters of two sites of one type: the file's, else a known potential's."""
    if (name, name) in table:
        return table[name, name]
    for potential in (reference, *_KNOWN):
        found = _expected(types, (name, name), potential)
        if found is not None:
            return found
    raise document.refusal(
        "potentials.pairs",
        chemical_symbols[types.number[name]],
        f"the pairs of type {name} are missing, and neither {' nor '.join(_KNOWN)} has parameters for them",
        "add them",
    )


def _combined(one: Parameters, other: Parameters) -> Parameters:
    """Geometric means of A and C6, arithmetic mean of 1/rho."""
    return (
        float(np.sqrt(one[0] * other[0])),
        2.0 / (1.0 / one[1] + 1.0 / other[1]),
        float(np.sqrt(one[2] * other[2])),
    )
