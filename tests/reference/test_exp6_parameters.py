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

pytestmark = pytest.mark.skipif(
    not TABLE.is_file(), reason=f"no reference data: {TABLE} (set POLYSCAPE_REFERENCE)"
)


def reference(name):
    return yaml.safe_load(TABLE.read_text(encoding="utf-8"))[name]


@pytest.mark.parametrize(("ours", "theirs"), [("fit", "fit"), ("w99rev", "w99rev_6311")])
def test_parameters_of_types(ours, theirs):
    atoms, types = reference(theirs)["atoms"], load_potential(ours).types
    assert set(types) == set(atoms)
    for name, (A, rho, c6) in atoms.items():
        assert (types[name].A_eV, types[name].rho_A, types[name].C6_eV_A6) == (A, rho, c6)


def test_w99rev_hydrogen_bonds():
    """As many pairs as there are in the table, A as printed, rho and C6 by the rules."""
    table, potential = reference("w99rev_6311")["pairs"], load_potential("w99rev")
    assert len(potential.pairs) == len(table) > 20
    for pair, A in table.items():
        hydrogen, acceptor = pair.split("-")
        found = potential.pair_parameters([hydrogen, acceptor])
        assert found.prefactor_aa[0, 1] == A
        assert found.c6_aa[0, 1] == 0.0
        term = potential.pairs[hydrogen, acceptor]
        assert (term.rho_A, term.C6_eV_A6) == (None, None)


def test_w99rev_halogens_and_moved_hydrogens():
    table, types = reference("w99rev_6311"), load_potential("w99rev").types
    stretches = {name: kind.stretch_A for name, kind in types.items() if kind.stretch_A}
    assert stretches == table["halogen_anisotropy_a2_A"]
    moved = {name: kind.moved_A for name, kind in types.items() if kind.moved_A}
    assert moved == dict.fromkeys(["H1", "H2", "H3", "H4", "Ha"], 0.1)


def test_fit_moves_nothing_and_stretches_nothing():
    assert not any(kind.moved_A or kind.stretch_A for kind in load_potential("fit").types.values())
