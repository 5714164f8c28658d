"""The engine's lattice sums, every term alone, against slow summation and constants of the literature."""

from dataclasses import replace

import numpy as np
import pytest

from polyscape.crystal.packing import Packing, Pose
from polyscape.units import COULOMB_EV_A
from tests.builders import chlorine_packing, conformer
from tests.physics.lattices import DIPOLES, MADELUNG, QUADRUPOLES, axial
from tests.physics.multipole_cases import CONFORMERS, PACKINGS, PAIRS, SPECIAL, Case, direct, ewald, mask
from tests.physics.slow_multipoles import (
    direct_ll,
    ewald_ll,
    molecular_ll,
    pair_sum,
    pairs_of_sites,
    site_step,
    slow_crystal,
)

NAMES = [f"{i}-{j}" for i, j in PAIRS]
DEEP = {"cutoff": 12.0, "decades": 14.0}
"""Both of Ewald's sums to rounding error."""


@pytest.fixture(scope="module")
def slow():
    """The slow sums of the crystals, each computed once."""
    known = {}

    def sums(name, function, *arguments):
        key = (name, function.__name__, *arguments)
        if key not in known:
            known[key] = function(slow_crystal((PACKINGS | SPECIAL)[name], CONFORMERS), *arguments)
        return known[key]

    return sums


def of(terms_ll, ranks):
    """A term and its mirror image (l_B, l_A)."""
    i, j = ranks
    return terms_ll[i, j] + (terms_ll[j, i] if i != j else 0.0)


@pytest.mark.parametrize("ranks", PAIRS, ids=NAMES)
@pytest.mark.parametrize(
    "name", ["P1, Z' = 2, one mirrored", "P2_1/c", "Pna2_1, mirrored", "P2_13, linear molecule", *SPECIAL]
)
def test_ewald_terms(slow, name, ranks):
    expected = of(slow(name, ewald_ll, 0.4), ranks)
    case = Case((PACKINGS | SPECIAL)[name], CONFORMERS, ewald(mask(ranks), **DEEP), exp6=False)
    # rounding: parts of 1e3 eV cancel between the two sums and within molecules
    assert case.electrostatic() == pytest.approx(expected, rel=1e-9, abs=1e-10)
    assert abs(expected) > 1e-5


@pytest.mark.parametrize(
    "name", [name for name in PACKINGS if name != "R-3"]
)  # 144 sites: see the expansion to P1
def test_all_ewald_terms_at_once(slow, name):
    expected = slow(name, ewald_ll, 0.4).sum()
    case = Case(PACKINGS[name], CONFORMERS, ewald(**DEEP), exp6=False)
    assert case.electrostatic() == pytest.approx(expected, rel=1e-9, abs=1e-10)


@pytest.mark.parametrize("ranks", PAIRS[1:], ids=NAMES[1:])
@pytest.mark.parametrize("name", ["P1, Z' = 2, one mirrored", "Pna2_1, mirrored", *SPECIAL])
def test_direct_terms_by_whole_molecules(slow, name, ranks):
    expected = of(slow(name, molecular_ll, 9.2), ranks)
    case = Case((PACKINGS | SPECIAL)[name], CONFORMERS, direct(mask(ranks), 9.2), exp6=False)
    assert case.electrostatic() == pytest.approx(expected, rel=1e-9, abs=1e-10)  # rounding, as above


@pytest.mark.parametrize("ranks", PAIRS[1:], ids=NAMES[1:])
@pytest.mark.parametrize("name", ["P1, Z' = 2, one mirrored", "P2_13, linear molecule"])
def test_direct_terms_by_pairs_of_sites_with_a_spline(slow, name, ranks):
    expected = of(slow(name, direct_ll, 7.0, 2.0), ranks)
    case = Case(PACKINGS[name], CONFORMERS, direct(mask(ranks), 7.0, 2.0), exp6=False)
    assert case.electrostatic() == pytest.approx(expected, rel=1e-9, abs=1e-10)  # rounding, as above


@pytest.mark.parametrize("name", ["P1, Z' = 2, one mirrored", "P2_13, linear molecule", *SPECIAL])
def test_repulsion_and_dispersion(name):
    packing = (PACKINGS | SPECIAL)[name]
    case = Case(packing, CONFORMERS, ewald(mask(), **DEEP))
    crystal, sites, cutoff = slow_crystal(packing, CONFORMERS), case.sites, 30.0
    kind_a = np.concatenate(
        [np.tile(np.arange(first, last), count) for first, last, count in _copies(case, crystal)]
    )

    def repulsion(a, b, r):
        i, j = kind_a[a], kind_a[b]
        return sites.prefactor_aa[i, j] * np.exp(-sites.decay_aa[i, j] * r)

    def dispersion(a, b, r):
        return -sites.c6_aa[kind_a[a], kind_a[b]] / r**6

    fast_repulsion, fast_dispersion = case.terms()[1:3]
    assert fast_repulsion == pytest.approx(
        pair_sum(crystal, repulsion, 16.0), rel=1e-9
    )  # exp(-16 / 0.28) = 1e-25
    # the tail beyond R is an integral over a uniform crystal: -(2 pi / 3) (sum sqrt C6)^2 / V / R^3
    tail = -2 * np.pi / 3 * np.sum(sites.dispersion_a[kind_a]) ** 2 / packing.volume_A3 / cutoff**3
    slow_dispersion = pair_sum(crystal, dispersion, cutoff) + tail
    assert fast_dispersion == pytest.approx(
        slow_dispersion, rel=1e-5
    )  # shells at 30 A are not quite a continuum


def _copies(case, crystal):
    """First and last site and number of copies in the cell of each independent molecule."""
    for m, weight in enumerate(case.sites.weight_m):
        yield case.sites.first_m[m], case.sites.first_m[m + 1], round(case.operations * weight)


def test_repulsion_of_flattened_chlorine():
    """``A exp(-(r - s)/rho)``, s = sum of a2 (3 cos^2 theta - 1)/2 over the chlorines of a pair, theta from the bond."""
    case = Case(chlorine_packing(), CONFORMERS, ewald(mask(), **DEEP), potential="w99rev")
    crystal, sites, total = (
        slow_crystal(chlorine_packing(), _with_moved_hydrogen("chloride")),
        case.sites,
        0.0,
    )
    assert np.count_nonzero(sites.stretch_a) == 1
    for a, b, r_nv, _ in pairs_of_sites(crystal, 16.0, site_step):
        i, j = a % 4, b % 4
        r_n = np.linalg.norm(r_nv, axis=1)
        s_n = np.zeros_like(r_n)
        for site, kind in ((a, i), (b, j)):
            carbon = site - kind
            bond_v = crystal.position_av[site] - crystal.position_av[carbon]
            cosine_n = r_nv @ bond_v / r_n / max(np.linalg.norm(bond_v), 1e-9)
            s_n += sites.stretch_a[kind] * (1.5 * cosine_n**2 - 0.5)
        total += 0.5 * np.sum(sites.prefactor_aa[i, j] * np.exp(-sites.decay_aa[i, j] * (r_n - s_n)))
    assert case.terms()[1] == pytest.approx(
        total, rel=1e-9
    )  # the engine's repulsion is switched off at 10 to 12 A


def _with_moved_hydrogen(name):
    """The conformers, the last atom of one, hydrogen, moved 0.1 A towards its carbon, the first, as W99rev asks."""
    molecule = CONFORMERS[0, name]
    position_av = molecule.position_av.copy()
    bond_v = position_av[-1] - position_av[0]
    position_av[-1] -= 0.1 * bond_v / np.linalg.norm(bond_v)
    return CONFORMERS | {(0, name): replace(molecule, position_av=position_av)}


def lattice_case(cell_A, site_ac, multipole_aq):
    """A lattice of single sites, one molecule each, as the engine sees it."""
    molecules, poses = {}, []
    for n, (site_c, Q_q) in enumerate(zip(site_ac, multipole_aq, strict=True)):
        atom = conformer([8], [[0.0, 0.0, 0.0]], ["O"], [Q_q[0]], [], name=f"site{n}")
        molecules[0, atom.name] = replace(atom, multipole_aq=np.asarray(Q_q)[None])
        poses.append(Pose(0, atom.name, "1", tuple(float(x) for x in site_c), (1.0, 0.0, 0.0, 0.0)))
    packing = Packing("P 1", (cell_A, cell_A, cell_A, 90.0, 90.0, 90.0), tuple(poses))
    return Case(packing, molecules, ewald(**DEEP), exp6=False)


@pytest.mark.parametrize("name", MADELUNG)
def test_madelung_constants(name):
    site_ac, charge_a, units, nearest, constant = MADELUNG[name]
    case = lattice_case(5.0, site_ac, [axial(0, (0, 0, 1), q) for q in charge_a])
    found = -case.electrostatic() / COULOMB_EV_A / units * nearest * 5.0
    assert found == pytest.approx(constant, abs=1e-9)  # rounding


@pytest.mark.parametrize("name", DIPOLES)
def test_dipole_arrays(name):
    site_ac, axis_av, constant = DIPOLES[name]
    case = lattice_case(8.0, site_ac, [axial(1, axis_v) for axis_v in axis_av])
    density = len(site_ac) / 8.0**3
    found = case.electrostatic() / COULOMB_EV_A / len(site_ac) / density
    assert found == pytest.approx(constant, abs=2e-9)  # digits of the constants


@pytest.mark.parametrize("name", QUADRUPOLES)
def test_quadrupole_arrays(name):
    site_ac, axis_av, constant, _ = QUADRUPOLES[name]
    case = lattice_case(4.0, site_ac, [axial(2, axis_v) for axis_v in axis_av])
    found = case.electrostatic() / COULOMB_EV_A / len(site_ac) * 4.0**5
    assert found == pytest.approx(constant, rel=1e-10)  # digits of the constants


def test_parallel_dipoles_are_in_tin_foil():
    case = lattice_case(4.0, [(0.0, 0.0, 0.0)], [axial(1, (1, 2, 2))])
    assert case.electrostatic() / COULOMB_EV_A * 4.0**3 == pytest.approx(
        -2 * np.pi / 3, rel=1e-10
    )  # rounding
