"""Starting geometries of conformers: random embedding and systematic torsions, relaxed by a force field and GFN2.

References
----------
S. Riniker, G. A. Landrum, J. Chem. Inf. Model. 55, 2562 (2015), https://doi.org/10.1021/acs.jcim.5b00654 (ETKDG);
T. A. Halgren, J. Comput. Chem. 17, 490 (1996), https://doi.org/10.1002/(SICI)1096-987X(199604)17:5/6<490::AID-JCC1>3.0.CO;2-P.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers, rdMolTransforms

from polyscape.molecule.symmetry import least_rmsd
from polyscape.molecule.torsions import RotatableBond, letter, torsions_deg

_MAX_SYSTEMATIC = 400
_MAX_STARTS = 60
_FORCE_FIELD_WINDOW_KJ_PER_MOL = 120.0
_KJ_PER_KCAL = 4.184
_TETRAHEDRAL = (60.0, 180.0, -60.0)
_PLANAR = (0.0, 180.0, 90.0, -90.0)


@dataclass(frozen=True)
class Start:
    """A geometry to optimise.

    Attributes
    ----------
    position_av : numpy.ndarray, shape (atoms, 3)
        Positions in Angstrom.
    energy_kJ_per_mol : float
        Energy of the method that made it; comparable among starts of one molecule only.
    """

    position_av: NDArray[np.float64]
    energy_kJ_per_mol: float


def generate(
    molecule: Chem.Mol,
    bonds: tuple[RotatableBond, ...],
    seed: int,
    shapes: Sequence[NDArray[np.float64]] = (),
) -> list[Start]:
    """Geometries as given (the molecule's own, and `shapes`), then distinct force-field geometries, lowest first.

    Every combination of torsions is tried while there are at most 400: 0, 180 and +-90 degrees for conjugated bonds,
    +-60 and 180 for others, each both fully relaxed and relaxed with the torsions held, since a force field lacks
    some minima of DFT.  Random embeddings cover rings and longer chains.
    """
    embedded = Chem.Mol(molecule)
    embedded.RemoveAllConformers()
    parameters: Any = rdDistGeom.ETKDGv3()
    parameters.randomSeed = seed
    parameters.useSmallRingTorsions = True
    rdDistGeom.EmbedMultipleConfs(embedded, min(30 + 30 * len(bonds), 300), parameters)
    if not embedded.GetNumConformers():
        parameters.useRandomCoords = True
        rdDistGeom.EmbedMultipleConfs(embedded, 20, parameters)
    given = [c.GetPositions() for c in molecule.GetConformers()] + list(shapes)
    geometries = [(g, True) for g in given] + [(c.GetPositions(), False) for c in embedded.GetConformers()]
    if not geometries:
        return []
    geometries += [(g, True) for g in _systematic(molecule, bonds, geometries[0][0])]
    found = []
    for geometry, held in geometries:
        for hold in (False, True) if held and bonds else (False,):
            found.append(_relaxed(molecule, bonds, geometry, hold))
    return [Start(g, _energy(molecule, g)) for g in given] + _thinned(molecule, bonds, found)


def distinct(
    starts: list[Start],
    permutation_pa: NDArray[np.int64],
    mirror: bool,
    rmsd_A: float,
    energy_kJ_per_mol: float,
) -> list[Start]:
    """Starts without those that repeat a lower one: energies and geometries within the tolerances; lowest first."""
    kept: list[Start] = []
    for start in sorted(starts, key=lambda s: s.energy_kJ_per_mol):
        if not any(
            abs(start.energy_kJ_per_mol - other.energy_kJ_per_mol) < energy_kJ_per_mol
            and least_rmsd(start.position_av, other.position_av, permutation_pa, mirror) < rmsd_A
            for other in kept
        ):
            kept.append(start)
    return kept


def _systematic(
    molecule: Chem.Mol, bonds: tuple[RotatableBond, ...], base_av: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """The base geometry with every combination of ideal torsions; nothing when there are too many."""
    choices = [_PLANAR if bond.conjugated else _TETRAHEDRAL for bond in bonds]
    if not bonds or np.prod([len(c) for c in choices]) > _MAX_SYSTEMATIC:
        return []
    work = Chem.Mol(molecule)
    work.RemoveAllConformers()
    conformer = Chem.Conformer(molecule.GetNumAtoms())
    conformer.SetPositions(base_av)
    work.AddConformer(conformer)
    turned = []
    for angles in itertools.product(*choices):
        work.GetConformer().SetPositions(base_av)
        for bond, angle in zip(bonds, angles, strict=True):
            rdMolTransforms.SetDihedralDeg(work.GetConformer(), *bond.quadruple, angle)
        turned.append(work.GetConformer().GetPositions().copy())
    return turned


def _relaxed(
    molecule: Chem.Mol, bonds: tuple[RotatableBond, ...], position_av: NDArray[np.float64], hold: bool
) -> Start:
    """A force-field minimum, with the torsions held within 10 degrees when `hold`."""
    work = _with_positions(molecule, position_av)
    field, uses_mmff = _force_field(work)
    if hold:
        for bond in bonds:
            _hold(
                field, uses_mmff, bond, rdMolTransforms.GetDihedralDeg(work.GetConformer(), *bond.quadruple)
            )
    field.Minimize(maxIts=1000)
    relaxed_av = work.GetConformer().GetPositions().copy()
    return Start(relaxed_av, _energy(molecule, relaxed_av))


def _hold(field: Any, uses_mmff: bool, bond: RotatableBond, angle_deg: float) -> None:
    add = field.MMFFAddTorsionConstraint if uses_mmff else field.UFFAddTorsionConstraint
    add(*bond.quadruple, False, angle_deg - 10, angle_deg + 10, 100.0)


def _force_field(work: Chem.Mol) -> tuple[Any, bool]:
    """MMFF94, or UFF where it lacks parameters; and whether it is MMFF94."""
    properties = rdForceFieldHelpers.MMFFGetMoleculeProperties(work)
    if properties is not None:
        field = rdForceFieldHelpers.MMFFGetMoleculeForceField(work, properties)
    else:
        field = rdForceFieldHelpers.UFFGetMoleculeForceField(work)
    field.Initialize()
    return field, properties is not None


def _energy(molecule: Chem.Mol, position_av: NDArray[np.float64]) -> float:
    work = _with_positions(molecule, position_av)  # the field points into it: keep it alive
    field, _ = _force_field(work)
    return float(field.CalcEnergy()) * _KJ_PER_KCAL


def _with_positions(molecule: Chem.Mol, position_av: NDArray[np.float64]) -> Chem.Mol:
    work = Chem.Mol(molecule)
    work.RemoveAllConformers()
    conformer = Chem.Conformer(molecule.GetNumAtoms())
    conformer.SetPositions(np.ascontiguousarray(position_av))
    work.AddConformer(conformer)
    return work


def _thinned(molecule: Chem.Mol, bonds: tuple[RotatableBond, ...], starts: list[Start]) -> list[Start]:
    """At most 60 starts: of those with the same letters and nearly the same energy only the first."""
    starts = sorted(starts, key=lambda start: start.energy_kJ_per_mol)
    lowest = starts[0].energy_kJ_per_mol
    seen: set[tuple[str, int]] = set()
    kept = []
    for start in starts:
        name = "".join(letter(angle) for angle in torsions_deg(bonds, start.position_av))
        key = (name, round(start.energy_kJ_per_mol / 2.0))
        if key not in seen and start.energy_kJ_per_mol - lowest < _FORCE_FIELD_WINDOW_KJ_PER_MOL:
            seen.add(key)
            kept.append(start)
    return kept[:_MAX_STARTS]
