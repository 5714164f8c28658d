"""The potential files against third-party tables of the same parameters."""

import os
from pathlib import Path

import pytest
import yaml

from polyscape.energy.potentials import load_potential

ROOT = Path(__file__).parents[2]
TABLE = (
    Path(os.environ.get("POLYSCAPE_REFERENCE", ROOT / ".." / "shared" / "reference"))
    / "potentials"
    / "exp6.yaml"
)


@pytest.mark.skipif(not TABLE.is_file(), reason=f"no reference data: {TABLE} (set POLYSCAPE_REFERENCE)")
def test_fit_parameters():
    reference = yaml.safe_load(TABLE.read_text(encoding="utf-8"))["fit"]["atoms"]
    types = load_potential("fit").types
    assert set(types) == set(reference)
    for name, (A, rho, c6) in reference.items():
        assert (types[name].A_eV, types[name].rho_A, types[name].C6_eV_A6) == (A, rho, c6)
