"""Checks of the molecules in the config that need no quantum chemistry: run before any job."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from rdkit import Chem

from polyscape.energy.potentials import Potential
from polyscape.errors import InputError
from polyscape.molecule.read import MoleculeError, read_file, read_smiles
from polyscape.settings import Settings
from polyscape.settings.molecule import Component
from polyscape.stages.potential_file import KEY, campaign_potential

if TYPE_CHECKING:
    from polyscape.molecule.dma import DistributedMultipoles

BASIS_ELEMENTS: Final = {
    "sto-3g": {*range(1, 54)},
    "6-31g**": {*range(1, 31)},
    "6-311g**": {*range(1, 21), *range(31, 37), 53},
    "def2-svp": {*range(1, 37)},
    "def2-tzvp": {*range(1, 37)},
}
"""Elements for which PySCF's basis set treats all electrons, as the multipole analysis needs; a test asks PySCF."""


def check_components(settings: Settings, where: str) -> None:
    """Check every component: readable, whole, closed-shell, typed by the potential, covered by the basis; neutral sum.

    Parameters
    ----------
    settings : Settings
        The config.
    where : str
        The config file, named in errors.

    Raises
    ------
    InputError
        At the first component that cannot be used.
    """
    potential = campaign_potential(settings.energy.potential, where)
    seen: dict[str, str] = {}
    for index, component in enumerate(settings.molecule.components):
        molecule = read_component(component, index, where)
        _check_new(component, index, molecule, seen, where)
        _check_basis(molecule, settings.molecule.gas_phase.basis, where)
        _check_types(molecule, potential, settings, where)
        _check_punch_file(component, index, molecule, where)
        if component.conformers not in ("lowest", "all"):
            from polyscape.stages.conformer_choice import check_choice  # slow to import, and seldom needed

            check_choice(component, index, molecule, settings.known_forms, where)
    total = sum(c.charge * c.stoichiometry for c in settings.molecule.components)
    if total != 0:
        problem = "charges times stoichiometries of a formula unit must sum to 0"
        raise InputError(where, "molecule.components", total, problem, "mend `charge` or `stoichiometry`")


def _check_new(
    component: Component, index: int, molecule: Chem.Mol, seen: dict[str, str], where: str
) -> None:
    """Refuse a molecule that is listed twice; the two hands of one are two molecules."""
    smiles = Chem.MolToSmiles(Chem.RemoveHs(molecule))
    if smiles in seen:
        key, value = f"molecule.components[{index}].name", component.name
        problem = f"is the molecule {smiles} of component {seen[smiles]} again"
        raise InputError(
            where, key, value, problem, f"take it out, and raise the stoichiometry of {seen[smiles]}"
        )
    seen[smiles] = component.name


def read_component(component: Component, index: int, where: str) -> Chem.Mol:
    """The molecule of a component, checked; with coordinates when it comes from a file.

    Raises
    ------
    InputError
        When it cannot be read or is no single closed-shell molecule of the stated charge.
    """
    source = "smiles" if component.smiles is not None else "file"
    key, value = f"molecule.components[{index}].{source}", component.smiles or component.file
    try:
        if component.smiles is not None:
            molecule = read_smiles(component.smiles)
        else:
            molecule = read_file(Path(str(component.file)), component.charge)
        _check_molecule(molecule)
    except MoleculeError as error:
        raise InputError(where, key, value, error.problem, error.remedy) from error
    formal = Chem.GetFormalCharge(molecule)
    if formal != component.charge:
        key = f"molecule.components[{index}].charge"
        raise InputError(
            where, key, component.charge, f"the {source} has the charge {formal}", f"write {formal}"
        )
    given = component.multipoles_file
    if given is not None and not Path(given).is_file():
        key = f"molecule.components[{index}].multipoles_file"
        raise InputError(where, key, given, "there is no such file", "mend the path, or leave the key out")
    return molecule


def _check_molecule(molecule: Chem.Mol) -> None:
    """Raise `MoleculeError` unless it is one closed-shell molecule or ion with defined configuration."""
    if len(Chem.GetMolFrags(molecule)) > 1:
        raise MoleculeError(
            "holds several molecules", "make each a component of its own, with its stoichiometry"
        )
    if any(atom.GetAtomicNum() == 0 for atom in molecule.GetAtoms()):
        raise MoleculeError("has an atom of no element ('*')", "name the element")
    electrons = sum(atom.GetAtomicNum() for atom in molecule.GetAtoms()) - Chem.GetFormalCharge(molecule)
    if electrons % 2 or any(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms()):
        raise MoleculeError("is an open-shell molecule", "give one with all electrons paired")
    _check_configuration(molecule)


def _check_configuration(molecule: Chem.Mol) -> None:
    """One undefined stereocentre alone is a racemate, which the search covers; more are several substances."""
    elements = Chem.FindPotentialStereo(Chem.Mol(molecule), cleanIt=False)
    undefined = [e for e in elements if e.specified == Chem.StereoSpecified.Unspecified]
    if undefined and (len(elements) > 1 or undefined[0].type == Chem.StereoType.Bond_Double):
        remedy = "write the configuration into the SMILES (@, @@, /, \\), or give a 3D file"
        raise MoleculeError(f"leaves {len(undefined)} stereocentres or double bonds undefined", remedy)


def _check_basis(molecule: Chem.Mol, basis: str, where: str) -> None:
    for atom in molecule.GetAtoms():
        number, symbol = atom.GetAtomicNum(), atom.GetSymbol()
        if number not in BASIS_ELEMENTS[basis]:
            others = [name for name, elements in BASIS_ELEMENTS.items() if number in elements]
            remedy = f"choose one of {', '.join(others)}" if others else f"{symbol} is not supported yet"
            raise InputError(
                where, "molecule.gas_phase.basis", basis, f"has no functions for {symbol}", remedy
            )


def _check_punch_file(component: Component, index: int, molecule: Chem.Mol, where: str) -> None:
    """Check given multipoles, which all lattice energies hang on; of wave functions the stage `molecule` does it."""
    if component.multipoles_file is not None:
        from polyscape.molecule.given import is_wave_function  # slow to import, and seldom needed

        if not is_wave_function(Path(component.multipoles_file)):
            given_multipoles(component, index, molecule, 0.0, where)


def given_multipoles(
    component: Component, index: int, molecule: Chem.Mol, switch: float, where: str
) -> "DistributedMultipoles | None":
    """The multipoles of a component's `multipoles_file`, found to be this molecule's; None without such a file.

    Raises
    ------
    InputError
        When it cannot be read, or holds another molecule or charge.
    """
    if component.multipoles_file is None:
        return None
    from polyscape.molecule.given import check_multipoles, read_multipoles

    try:
        read = read_multipoles(Path(component.multipoles_file), switch)
        check_multipoles(read, molecule)
    except MoleculeError as error:
        key = f"molecule.components[{index}].multipoles_file"
        raise InputError(where, key, component.multipoles_file, error.problem, error.remedy) from error
    return read


def _check_types(molecule: Chem.Mol, potential: Potential, settings: Settings, where: str) -> None:
    bonds = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in molecule.GetBonds()]
    try:
        potential.assign_types([atom.GetAtomicNum() for atom in molecule.GetAtoms()], bonds)
    except ValueError as error:
        remedy = "choose another potential or molecule"
        raise InputError(where, KEY, settings.energy.potential, str(error), remedy) from error
