"""The same crystal as occpy's `CrystalEnergy` sees it: all molecules of the cell, the same sites, multipoles and pairs.

OCC: https://doi.org/10.5281/zenodo.10703204; its Python package is occpy.
"""

import numpy as np
import occpy
from ase.data import chemical_symbols
from scipy.spatial.transform import Rotation

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.sites import cartesian
from polyscape.energy.bodies import body_of

LABELS = ("H_W1", "H_W2", "H_W3", "H_W4", "H_Wa", "C_W4", "C_W3", "C_W2")
"""Names of types that OCC knows; each stands for one of the crystal's types, with that type's parameters."""


def peer_energy(model, packing, cutoff_A, ewald_accuracy=1e-8):
    """The peer's calculator and its molecules' states.

    Without a spline it sums exp-6 over sites and multipoles over molecules within the cutoff, charges and dipoles by
    Ewald's method (1e-8 is the peer's default), and returns kJ/mol per cell with forces, torques and the gradient by
    strain.
    """
    occpy.set_num_threads(1)
    occpy.set_log_level(occpy.LogLevel.WARN)
    crystal, used = (
        occpy.CrystalData(),
        dict.fromkeys((pose.component, pose.conformer) for pose in packing.poses),
    )
    (crystal.a, crystal.b, crystal.c), (crystal.alpha, crystal.beta, crystal.gamma) = (
        packing.cell[:3],
        packing.cell[3:],
    )
    crystal.space_group = "P 1"
    bodies = {key: body_of(model.conformers[key], model.potential) for key in used}
    alias = dict(
        zip(sorted({kind for body in bodies.values() for kind in body.type_a}), LABELS, strict=False)
    )
    element = {kind: _symbol(model, key, a) for key in used for a, kind in enumerate(bodies[key].type_a)}
    kinds = {key: _molecule_type(model, key, bodies[key], alias) for key in used}
    crystal.molecules = list(_molecules(packing, kinds))
    potentials = occpy.Potentials()
    potentials.cutoff = cutoff_A
    potentials.buckingham = list(_pairs(model.potential, alias, element))
    basis = occpy.Basis()
    basis.molecule_types, basis.potentials = list(kinds.values()), potentials
    case = occpy.StructureInput()
    case.crystal, case.basis = crystal, basis
    setup = occpy.from_structure_input(case)
    setup.ewald_accuracy = ewald_accuracy
    peer = occpy.CrystalEnergy(setup)
    return peer, peer.initial_states()


def _symbol(model, key, a):
    return chemical_symbols[int(model.conformers[key].atomic_number_a[a])]


def _molecule_type(model, key, body, alias):
    """A rigid molecule: sites in Angstrom, multipoles in e bohr^l."""
    sites = []
    for a, position_v in enumerate(body.position_av):
        site = occpy.MoleculeSite()
        site.element, site.label, site.type = _symbol(model, key, a), f"{a}", alias[body.type_a[a]]
        site.position = position_v.tolist()
        site.multipoles = occpy.SiteMultipoles.from_flat(body.multipole_aq[a].tolist())
        sites.append(site)
    molecule = occpy.MoleculeType()
    molecule.name, molecule.sites = f"{key[0]}-{key[1]}", sites
    return molecule


def _molecules(packing, kinds):
    """All molecules of the cell; the peer's places are of the centre of mass of its own atomic masses."""
    for pose in packing.poses:
        kind = kinds[pose.component, pose.conformer]
        mass_a = np.array([occpy.Element(site.element).mass for site in kind.sites])
        centre_v = mass_a @ np.array([site.position for site in kind.sites]) / mass_a.sum()
        for rotation_cc, shift_c in SpaceGroup.from_hall(packing.hall_symbol).operations:
            matrix_vv = cartesian(rotation_cc, packing.cell_cv) @ pose.rotation_vv()
            place_c = rotation_cc @ np.asarray(pose.translation_c) + shift_c
            parity = 1 if np.linalg.det(matrix_vv) > 0 else -1
            molecule = occpy.IndependentMolecule()
            molecule.type, molecule.parity = kind.name, parity
            molecule.orientation = Rotation.from_matrix(parity * matrix_vv).as_rotvec().tolist()
            molecule.translation = (place_c + matrix_vv @ centre_v @ np.linalg.inv(packing.cell_cv)).tolist()
            yield molecule


def _pairs(potential, alias, element):
    """exp-6 of all pairs of types, eV and Angstrom."""
    kinds = list(alias)
    found = potential.pair_parameters(kinds)
    for i, first in enumerate(kinds):
        for j, second in enumerate(kinds[: i + 1]):
            pair = occpy.BuckinghamPair()
            pair.types = [alias[first], alias[second]]
            pair.elements = [element[first], element[second]]
            pair.A, pair.C6 = float(found.prefactor_aa[i, j]), float(found.c6_aa[i, j])
            pair.rho = 1.0 / float(found.decay_aa[i, j])
            yield pair
