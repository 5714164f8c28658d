"""Elastic constants of urea against DMACRYS's for the same model, and against experiment."""

import json

import numpy as np
import pytest

from polyscape.energy.curvature import curvature_at, elastic_constants_GPa
from polyscape.energy.dmacrys.case import read_case
from polyscape.energy.model import FINE_DECADES, RigidLatticeEnergy
from polyscape.energy.splitting import Splitting

EXPERIMENT_GPA = {(1, 1): 21.7, (3, 3): 53.2, (4, 4): 6.26}
"""Fischer & Zarembowitch, C. R. Acad. Sci. Paris B 270 (1970) 852, as used by Day, Price & Leslie, Cryst. Growth Des. 1
(2001) 13, https://doi.org/10.1021/cg0055070.  The numbers are quoted from the literature at second hand and have not been
checked against either paper, hence the wide tolerance below.  C66 (0.45) is left out: rigid molecules make it far too
stiff."""


@pytest.fixture(scope="module")
def path(reference):
    return reference("dmacrys") / "UREAXX22.json"


@pytest.fixture(scope="module")
def stiffness_GPa(path):
    case = read_case(path)
    splitting = Splitting.dmacrys(case.cutoff_A, FINE_DECADES, case.spline_A)
    model = RigidLatticeEnergy(case.conformers, case.potential, splitting)
    return elastic_constants_GPa(curvature_at(model, case.packing))


def test_dmacrys(path, stiffness_GPa):
    """The cubic spline's curvature jumps at 15 and 17 A: constants change by 1 % with the step of the differences."""
    theirs = json.loads(path.read_text())["reference"]["optimized"]["elastic_constants_GPa"]
    assert len(theirs) == 21
    for name, value in theirs.items():
        i, j = int(name[1]) - 1, int(name[2]) - 1
        assert stiffness_GPa[i, j] == pytest.approx(value, rel=0.015, abs=0.1), name


def test_experiment(stiffness_GPa):
    """Static rigid molecules against a crystal at room temperature: 30 %."""
    for (i, j), value in EXPERIMENT_GPA.items():
        assert stiffness_GPa[i - 1, j - 1] == pytest.approx(value, rel=0.3)
    assert stiffness_GPa[2, 2] > 2.0 * stiffness_GPa[0, 0]  # stiff along the chains of hydrogen bonds
    assert np.linalg.eigvalsh(stiffness_GPa)[0] > 0.0
