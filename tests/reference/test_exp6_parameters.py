"""The potential files against third-party tables of the same parameters."""

import json
import os
from pathlib import Path

import pytest
import yaml

from polyscape.energy.potentials import load_potential

ROOT = Path(__file__).parents[2]
REFERENCE = Path(os.environ.get("POLYSCAPE_REFERENCE", ROOT / ".." / "shared" / "reference"))
TABLE = REFERENCE / "potentials" / "exp6.yaml"
UREA = REFERENCE / "dmacrys" / "UREAXX22.json"

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


def test_all_pairs_of_urea_are_those_that_dmacrys_used():
    """Combining rules and hydrogen-bond pairs together: names there are ours with W, C_W3 for C3."""
    w99rev = load_potential("w99rev")
    pairs = json.loads(UREA.read_text(encoding="utf-8"))["potentials"]["pairs"]
    assert len(pairs) == 10
    for pair in pairs:
        found = w99rev.pair_parameters([pair[key].replace("_W", "") for key in ("type1", "type2")])
        # printed with six to eight digits
        assert found.prefactor_aa[0, 1] == pytest.approx(pair["A_eV"], rel=1e-6)
        assert 1.0 / found.decay_aa[0, 1] == pytest.approx(pair["rho_ang"], rel=4e-6)
        assert found.c6_aa[0, 1] == pytest.approx(pair["C6_eV_ang6"], rel=1e-6)
