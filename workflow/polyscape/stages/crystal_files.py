"""Crystals that a user hands over as files: checked at once, made ready for the lattice energy when it is their turn."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from ase.geometry import cell_to_cellpar
from numpy.typing import NDArray

from polyscape.crystal.asymmetric import (
    asymmetric_unit,
    in_standard_setting,
    independent_molecules,
    symmetry_of,
)
from polyscape.crystal.cif import CifCrystal, CifError, read_cif
from polyscape.crystal.packing import Packing, Pose
from polyscape.energy.dmacrys.case import Case, read_case
from polyscape.energy.formula_unit import formula_unit
from polyscape.energy.model import FINE_DECADES, RigidLatticeEnergy, build_model
from polyscape.energy.potentials import Potential, load_potential
from polyscape.energy.splitting import Splitting
from polyscape.errors import InputError
from polyscape.molecule.charge_states import neutral_charges, possible_charges
from polyscape.molecule.cut import whole_molecules
from polyscape.molecule.model import Conformer
from polyscape.molecule.open_valences import lacks_hydrogens
from polyscape.molecule.properties import compute_properties
from polyscape.molecule.rigid import rigid_molecule
from polyscape.molecule.symmetry import Operation
from polyscape.molecule.wavefunction import GasPhaseLevel
from polyscape.schemas import CONFORMERS, MOLECULE
from polyscape.search.forms import form_crystal, formula, molecules_of
from polyscape.settings.load import load_settings
from polyscape.settings.molecule import GasPhase
from polyscape.settings.search import EnergySettings, MinimiserSettings
from polyscape.stages.components import BASIS_ELEMENTS
from polyscape.stages.rows import conformers_of
from polyscape.tables import TableError
from polyscape.units import GPA_PER_EV_PER_A3

Molecule = tuple[NDArray[np.int64], NDArray[np.float64]]

_MOVED_A: Final = 0.05
"""Hydrogen sites further than this from their atoms have been moved for a potential already."""


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes
    ----------
    energy, minimiser : EnergySettings, MinimiserSettings
        The force field and the minimiser; of JSON files only the pressure is taken from `energy`.
    potential : str or None
        Another potential than the file's or the settings'.
    gas_phase, switch : GasPhase, float
        Wave function and multipole analysis of molecules from CIFs.
    campaign : pathlib.Path or None
        Results of a campaign whose molecules are to be used for CIFs.
    """

    energy: EnergySettings = field(default_factory=EnergySettings)
    minimiser: MinimiserSettings = field(default_factory=MinimiserSettings)
    potential: str | None = None
    gas_phase: GasPhase = field(default_factory=GasPhase)
    switch: float = 4.0
    campaign: Path | None = None


@dataclass(frozen=True)
class CrystalModel:
    """A crystal and the model of its energy."""

    packing: Packing
    model: RigidLatticeEnergy
    notes: tuple[str, ...]


@dataclass(frozen=True)
class OpenedCrystal:
    """A file that has been checked; `ready` does what may take minutes."""

    path: Path
    ready: Callable[[], CrystalModel]


def read_request(config: Path | None, potential: str | None, campaign: Path | None) -> Request:
    """The request of a command line; without a config its defaults.

    Raises
    ------
    InputError
        When the config cannot be used or there is no such potential.
    """
    if potential is not None:
        _potential(potential)
    request = Request(potential=potential, campaign=campaign)
    if config is None:
        return request
    settings = load_settings(config)
    return replace(
        request,
        energy=settings.energy,
        minimiser=settings.minimiser,
        gas_phase=settings.molecule.gas_phase,
        switch=settings.molecule.multipole_switch,
    )


def open_crystal(path: Path, request: Request) -> OpenedCrystal:
    """Read and check a file: everything about it that the user can have got wrong is told now.

    Raises
    ------
    InputError
        Naming file, key, value and remedy.
    """
    if path.suffix.lower() == ".json":
        return _open_json(path, request)
    if path.suffix.lower() == ".cif":
        return _open_cif(path, request)
    raise InputError(
        str(path), "", str(path), "is neither *.cif nor *.json", "give a CIF or a file of the JSON form"
    )


def _potential(name: str) -> Potential:
    try:
        return load_potential(name)
    except ValueError as error:
        raise InputError(
            "command line or config", "potential", name, str(error), "name one of them"
        ) from error


def _typed(path: Path, molecule: Conformer, potential: Potential) -> Conformer:
    try:
        types = potential.assign_types(molecule.atomic_number_a, molecule.bonds)
    except ValueError as error:
        kind = formula(molecule.atomic_number_a)
        raise InputError(
            str(path), "", f"molecule {kind}", str(error), "choose another potential: --potential"
        ) from error
    return replace(molecule, potential_type_a=types)


def _open_json(path: Path, request: Request) -> OpenedCrystal:
    case = read_case(path)
    if request.potential is not None:
        case = _with_potential(path, case, _potential(request.potential))
    splitting = Splitting.dmacrys(case.cutoff_A, FINE_DECADES, case.spline_A)
    pressure = request.energy.pressure_GPa / GPA_PER_EV_PER_A3
    model = RigidLatticeEnergy(case.conformers, case.potential, replace(splitting, pressure=pressure))
    return OpenedCrystal(path, lambda: CrystalModel(case.packing, model, case.notes))


def _with_potential(path: Path, case: Case, potential: Potential) -> Case:
    """A file's crystal with another potential than the file's."""
    typed = {key: _typed(path, molecule, potential) for key, molecule in case.conformers.items()}
    moves = any(potential.types[name].moved_A for one in typed.values() for name in one.potential_type_a)
    if moves and case.moved_A > _MOVED_A:
        raise InputError(
            "command line",
            "--potential",
            potential.name,
            f"moves hydrogen sites, and those of {path} lie {case.moved_A:.2f} A from their atoms already",
            "take a potential that leaves them, or the file's own",
        )
    return replace(case, conformers=typed, potential=potential)


def _open_cif(path: Path, request: Request) -> OpenedCrystal:
    try:
        crystal = read_cif(path)
        if request.campaign is not None:
            return _of_campaign(path, crystal, request, request.campaign)
        molecules = whole_molecules(crystal.atomic_number_a, crystal.fractional_ac, crystal.cell_cv)
        return _of_cif(path, crystal, molecules, request)
    except CifError as error:
        raise InputError(str(path), "", "", error.problem, error.remedy) from error
    except ValueError as error:
        raise InputError(str(path), "", "", str(error), "give the crystal of separate molecules") from error


def _energy(request: Request) -> EnergySettings:
    """The force field with the potential of the command line."""
    if request.potential is None:
        return request.energy
    return request.energy.model_copy(update={"potential": request.potential})


def _of_campaign(path: Path, crystal: CifCrystal, request: Request, campaign: Path) -> OpenedCrystal:
    """A CIF's packing, of the rigid molecules of a campaign."""
    tables = campaign / "molecule.parquet", campaign / "conformers.parquet"
    if not all(table.is_file() for table in tables):
        raise InputError(
            "command line",
            "--campaign",
            str(campaign),
            "holds no molecules",
            "name a folder results/<campaign>",
        )
    energy = _energy(request)
    potential = _potential(energy.potential)
    try:
        rigid = conformers_of(MOLECULE.read(tables[0]), CONFORMERS.read(tables[1]), selected_only=False)
    except TableError as error:
        remedy = "run the campaign again: another version of polyscape wrote it, or it is damaged"
        raise InputError("command line", "--campaign", str(campaign), str(error), remedy) from error
    conformers = {key: _typed(path, molecule, potential) for key, molecule in rigid.items()}
    one_of_each = {key[0]: molecule for key, molecule in conformers.items()}
    formulas = [formula(one_of_each[index].atomic_number_a) for index in sorted(one_of_each)]
    stoichiometry = [one_of_each[index].stoichiometry for index in sorted(one_of_each)]
    found = form_crystal(molecules_of(crystal, formulas, stoichiometry), crystal.cell_cv, conformers)
    note = f"molecules of {campaign}, {found.rmsd_A:.3f} A from those of the file"

    def ready() -> CrystalModel:
        packing = asymmetric_unit(found.packing, conformers, symmetry_of(found.reduced.atoms))
        return CrystalModel(in_standard_setting(packing), build_model(conformers, energy), (note,))

    return OpenedCrystal(path, ready)


def _of_cif(path: Path, crystal: CifCrystal, molecules: list[Molecule], request: Request) -> OpenedCrystal:
    """A CIF's packing of its own molecules, whose wave functions are computed."""
    energy = _energy(request)
    potential = _potential(energy.potential)
    atoms = Atoms(crystal.atomic_number_a, cell=crystal.cell_cv, pbc=True)
    atoms.set_scaled_positions(crystal.fractional_ac)
    group = symmetry_of(atoms)
    chosen = [molecules[m] for m in independent_molecules(molecules, crystal.cell_cv, group)]
    for numbers_a, position_av in chosen:
        _check_molecule(path, (numbers_a, position_av), potential, request.gas_phase)
    formulas = [formula(numbers_a) for numbers_a, _ in molecules]
    kinds = list(dict.fromkeys(formula(numbers_a) for numbers_a, _ in chosen))
    first = [next(m for m in chosen if formula(m[0]) == kind) for kind in kinds]
    charges = neutral_charges(
        [possible_charges(*molecule) for molecule in first], [formulas.count(kind) for kind in kinds]
    )
    charge_of = dict(zip(kinds, charges, strict=True))

    def ready() -> CrystalModel:
        typed, poses = [], []
        for molecule in chosen:
            level = GasPhaseLevel(
                request.gas_phase.functional, request.gas_phase.basis, charge_of[formula(molecule[0])]
            )
            conformer, pose = _rigid(molecule, level, request.switch, crystal.cell_cv)
            typed.append(_typed(path, conformer, potential))
            poses.append(pose)
        a, b, c, alpha, beta, gamma = (float(value) for value in cell_to_cellpar(crystal.cell_cv))
        unit = formula_unit(typed, poses, group, ((a, b, c, alpha, beta, gamma), None))
        note = (
            f"multipoles of the crystal's molecules: {request.gas_phase.functional}/{request.gas_phase.basis}"
        )
        return CrystalModel(unit.packing, build_model(unit.conformers, energy), (note,))

    return OpenedCrystal(path, ready)


def _check_molecule(path: Path, molecule: Molecule, potential: Potential, gas_phase: GasPhase) -> None:
    """Refuse a molecule that lacks hydrogens, parameters or basis functions."""
    numbers_a, position_av = molecule
    bare = lacks_hydrogens(numbers_a, position_av)
    if bare is not None:
        kind = f"molecule {formula(numbers_a)}"
        problem = f"lacks hydrogen atoms (at its atom {bare}, or a bond is broken)"
        raise InputError(str(path), "", kind, problem, "add all hydrogen atoms to the CIF")
    missing = sorted({int(n) for n in numbers_a} - BASIS_ELEMENTS[gas_phase.basis])
    if missing:
        symbol = chemical_symbols[missing[0]]
        others = [name for name, elements in BASIS_ELEMENTS.items() if missing[0] in elements]
        remedy = (
            f"choose one of {', '.join(others)} in --config" if others else f"{symbol} is not supported yet"
        )
        raise InputError(
            str(path), "molecule.gas_phase.basis", gas_phase.basis, f"has no functions for {symbol}", remedy
        )
    nothing = np.zeros((len(numbers_a), 25))
    _typed(path, rigid_molecule(numbers_a, position_av, nothing, nothing[:, 0]).conformer, potential)


def _rigid(
    molecule: Molecule, level: GasPhaseLevel, switch: float, cell_cv: NDArray[np.float64]
) -> tuple[Conformer, Pose]:
    """A molecule as it stands in the crystal with its multipoles and charges, and its pose."""
    numbers_a, position_av = molecule
    symbols = [chemical_symbols[int(number)] for number in numbers_a]
    alone = [Operation(np.arange(len(numbers_a)), np.eye(3))]
    found = compute_properties(symbols, level, switch, (position_av, alone))
    rigid = rigid_molecule(numbers_a, position_av, found.multipole_aq, found.charge_a)
    centre_c = rigid.centre_v @ np.linalg.inv(cell_cv)
    return rigid.conformer, Pose.of(rigid.matrix_vv, centre_c, (0, "rigid"))
