"""The shipped CIFs of oxalic acid against the same crystals of the X23 set (P1 lists made by others)."""

import numpy as np
import pytest
from ase import Atoms
from ase.io import read

from polyscape.crystal.cif import read_cif
from polyscape.molecule.cut import whole_molecules
from polyscape.search.similarity import Fingerprint, overlay


def whole(atoms):
    """A crystal prepared for comparison, its molecules made whole."""
    molecules = whole_molecules(atoms.numbers, atoms.get_scaled_positions(), np.asarray(atoms.cell))
    numbers = np.concatenate([numbers for numbers, _ in molecules])
    positions = np.concatenate([positions for _, positions in molecules])
    starts = np.cumsum([0, *(len(numbers) for numbers, _ in molecules)])
    return Fingerprint(Atoms(numbers, positions, cell=atoms.cell, pbc=True), starts)


@pytest.mark.parametrize("form", ["alpha", "beta"])
def test_shipped_form_is_the_published_packing(root, reference, form):
    published = read(reference("x23") / f"oxalic_acid_{form}.cif")
    ours = read_cif(root / f"config/known_forms/oxalic_acid_{form}.cif")
    atoms = Atoms(ours.atomic_number_a, ours.fractional_ac @ ours.cell_cv, cell=ours.cell_cv, pbc=True)
    assert len(atoms) == len(published)
    np.testing.assert_allclose(atoms.get_volume(), published.get_volume(), rtol=1e-4)
    found = overlay(whole(atoms), whole(published), 15)
    assert found.molecules == 15
    assert found.rmsd_A < 0.05  # both lists come from one experiment; rounding of coordinates is 0.001 A
