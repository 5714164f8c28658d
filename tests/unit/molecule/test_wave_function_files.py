"""`multipoles_file` end to end: the wave function of another run, in a Molden file, analysed and turned into our frame."""

import numpy as np
import pytest
from pyscf import gto, scf
from pyscf.tools import molden

from polyscape.molecule.given import fitted, read_multipoles
from polyscape.molecule.multipoles import total_moments
from polyscape.molecule.read import from_coordinates
from polyscape.units import ANGSTROM_PER_BOHR

NUMBERS_A = np.array([8, 6, 1, 1])
FORMALDEHYDE_AV = np.array([[0.0, 0.0, 0.675], [0.0, 0.0, -0.53], [0.0, 0.935, -1.12], [0.0, -0.935, -1.12]])


@pytest.fixture(scope="module")
def other_run(tmp_path_factory):
    """A calculation of the same molecule, its atoms in another order and frame."""
    order, frame = [2, 0, 3, 1], [2, 0, 1]
    place_av = FORMALDEHYDE_AV[order][:, frame] + [0.3, -1.0, 2.0]
    molecule = gto.M(
        atom=list(zip(NUMBERS_A[order].tolist(), place_av.tolist(), strict=True)), basis="6-31g**", verbose=0
    )
    field = scf.RHF(molecule).run()
    path = tmp_path_factory.mktemp("wave") / "other.molden"
    molden.from_scf(field, str(path))
    return path, np.linalg.norm(field.dip_moment(unit="AU", verbose=0))


def test_a_molden_file_gives_the_multipoles_of_our_conformer(other_run):
    path, dipole = other_run
    molecule = from_coordinates(NUMBERS_A, FORMALDEHYDE_AV, 0)
    read = read_multipoles(path, switch=4.0)
    assert "other.molden" in read.source
    multipole_aq = fitted(read, molecule, FORMALDEHYDE_AV)
    charge, dipole_v, _ = total_moments(multipole_aq, FORMALDEHYDE_AV / ANGSTROM_PER_BOHR)
    assert charge == pytest.approx(0, abs=1e-5)  # part of the analysis is on a grid
    np.testing.assert_allclose(dipole_v, [0, 0, -dipole], atol=1e-4)  # from O to C, along -z
    assert dipole > 0.9
    np.testing.assert_allclose(multipole_aq[2, 0], multipole_aq[3, 0], atol=1e-5)
