"""Multipoles of another program in place of our own: a GDMA punch file, or a wave function (fchk, Molden) to analyse."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from polyscape.molecule import symmetry
from polyscape.molecule.conformers import GasConformer
from polyscape.molecule.dma import DistributedMultipoles, analyse
from polyscape.molecule.multipoles import COMPONENTS, rotate_multipoles
from polyscape.molecule.read import MoleculeError
from polyscape.molecule.shapes import mappings
from polyscape.units import ANGSTROM_PER_BOHR

_FITS_A = 0.3
_CHARGE_TOLERANCE_E = 5e-3
"""Files that round to three decimals pass; a charge of the crystal this small costs below 0.1 kJ/mol."""


def replace_multipoles(
    found: list[GasConformer], selected: set[str], molecule: Chem.Mol, read: DistributedMultipoles
) -> list[GasConformer]:
    """The conformers with the selected one's multipoles taken from a file, turned into its frame.

    Raises
    ------
    MoleculeError
        When several conformers are selected, or the file holds another conformer.
    """
    if len(selected) != 1:
        raise MoleculeError("is for one conformer", f"select one of {', '.join(sorted(selected))}")
    changed = []
    for conformer in found:
        if conformer.name in selected and conformer.properties is not None:
            multipole_aq = fitted(read, molecule, conformer.position_av)
            properties = replace(
                conformer.properties,
                multipole_aq=np.round(multipole_aq, 8) + 0.0,
                multipole_source=read.source,
            )
            conformer = replace(conformer, properties=properties)
        changed.append(conformer)
    return changed


def is_wave_function(path: Path) -> bool:
    """Whether a file holds a wave function, whose analysis takes seconds to minutes."""
    return path.suffix.lower() in {".fchk", ".fch", ".molden"} or path.name.endswith(".molden.input")


def check_multipoles(read: DistributedMultipoles, molecule: Chem.Mol) -> None:
    """Check that multipoles are those of a molecule: its atoms and bonds, and its charge.

    Raises
    ------
    MoleculeError
        When they are not.
    """
    if not mappings((read.atomic_number_a, read.position_av), molecule):
        raise MoleculeError(
            "its atoms and bonds are not those of this molecule", "give the multipoles of all its atoms"
        )
    charge, wanted = float(read.multipole_aq[:, 0].sum()), Chem.GetFormalCharge(molecule)
    if not abs(charge - wanted) < _CHARGE_TOLERANCE_E:
        problem = f"its charges Q00 sum to {charge:.4f} e, the molecule has {wanted} e"
        raise MoleculeError(problem, "give the multipoles of this molecule, all of them, with more digits")


def read_multipoles(path: Path, switch: float) -> DistributedMultipoles:
    """Multipoles on the atoms from a file: ``.fchk``/``.fch``, ``.molden``, else a GDMA punch file."""
    try:
        if is_wave_function(path):
            read = analyse(path, switch)
            return replace(read, source=f"{read.source}, wave function of {path.name}")
        return read_punch(path.read_text(encoding="utf-8"), path.name)
    except (ValueError, OSError, IndexError, KeyError) as error:
        raise MoleculeError(f"cannot be read ({error})", "give a GDMA punch, fchk or Molden file") from error


def read_punch(text: str, name: str) -> DistributedMultipoles:
    """Multipoles of a GDMA punch file.

    Every site is a line ``label x y z [Type t] Rank l`` followed by the multipoles of each rank up to l.  Lengths are
    in bohr unless a line says ``Units angstrom``.

    References
    ----------
    A. J. Stone, GDMA 2.3 user's manual, section "Punch"; https://doi.org/10.1021/ct050190+.
    """
    scale = ANGSTROM_PER_BOHR
    numbers, positions, multipoles = [], [], []
    words: list[float] = []
    wanted = 0
    for line in text.splitlines():
        parts = line.split("!")[0].split()
        if not parts:
            continue
        if parts[0].lower() == "units":
            scale = 1.0 if parts[1].lower().startswith("ang") else ANGSTROM_PER_BOHR
        elif len(words) < wanted:
            words.extend(float(part) for part in parts)
        elif "rank" in [part.lower() for part in parts]:
            rank = int(parts[[part.lower() for part in parts].index("rank") + 1])
            numbers.append(_atomic_number(parts[0]))
            positions.append([float(part) * scale for part in parts[1:4]])
            words, wanted = [], (rank + 1) ** 2
            multipoles.append(words)
    if not numbers or len(words) < wanted:
        raise ValueError("no complete list of sites with 'Rank' in it")
    multipole_aq = np.zeros((len(numbers), COMPONENTS))
    for row_q, values in zip(multipole_aq, multipoles, strict=True):
        row_q[: min(len(values), COMPONENTS)] = values[:COMPONENTS]
    return DistributedMultipoles(
        np.array(numbers), np.array(positions), multipole_aq, f"GDMA punch file {name}"
    )


def _atomic_number(label: str) -> int:
    """Element of a site's label: ``C1``, ``Cl``, ``O_2``."""
    letters = "".join(character for character in label if character.isalpha())[:2].capitalize()
    table = Chem.GetPeriodicTable()
    for symbol in (letters, letters[:1]):
        try:
            return int(table.GetAtomicNumber(symbol))
        except RuntimeError:
            continue
    raise ValueError(f"{label!r} names no element; sites must be the atoms")


def fitted(
    read: DistributedMultipoles, molecule: Chem.Mol, position_av: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Multipoles in the order and frame of a conformer: atoms mapped by the graph, the best superposition taken.

    Raises
    ------
    MoleculeError
        When the file's atoms are not this molecule, or its geometry differs by more than 0.3 Angstrom (rms).
    """
    centred_av = position_av - position_av.mean(axis=0)
    best: tuple[float, NDArray[np.int64], NDArray[np.float64]] | None = None
    for order_a in mappings((read.atomic_number_a, read.position_av), molecule):
        from_av = read.position_av[order_a] - read.position_av.mean(axis=0)
        for improper in (False, True):
            matrix_vv, rmsd = symmetry.superpose(from_av, centred_av, improper)
            if best is None or rmsd < best[0] - 1e-6:
                best = (rmsd, order_a, matrix_vv)
    if best is None:
        raise MoleculeError(
            "its atoms and bonds are not those of this molecule", "give the multipoles of all its atoms"
        )
    if best[0] > _FITS_A:
        raise MoleculeError(
            f"its geometry differs by {best[0]:.2f} Angstrom (rms)", "give the selected conformer's"
        )
    return rotate_multipoles(read.multipole_aq[best[1]], best[2])
