"""What a report shows, as plain frozen objects; energies in kJ/mol per formula unit, as in the tables."""

from dataclasses import dataclass, field
from typing import Any

from ase import Atoms

from polyscape.ids import known_form_id


@dataclass(frozen=True)
class LevelEnergy:
    """A structure at one level of theory.

    Attributes
    ----------
    level : str
        Name of the level.
    lattice_energy_kJ_per_mol : float
        Computed energy or posterior mean.
    sd_kJ_per_mol : float
        Its standard deviation, mostly an offset common to the level's structures where it is predicted.
    relative_energy_kJ_per_mol, sd_relative_kJ_per_mol : float
        The energy above that of this level's rank 1, and the standard deviation of the difference.
    computed : bool
        Whether the level was computed for the structure; otherwise it is predicted.
    rank : int
        Rank at this level, from 1.
    """

    level: str
    lattice_energy_kJ_per_mol: float
    sd_kJ_per_mol: float
    relative_energy_kJ_per_mol: float
    sd_relative_kJ_per_mol: float
    computed: bool
    rank: int


@dataclass(frozen=True)
class Structure:
    """A distinct structure of the ranked landscape.

    `levels` starts with the force field and ends with the highest level; `rank_low` and `rank_high` are the 5 % and
    95 % quantiles of the rank; `atoms` is the primitive reduced cell; `cell` the lengths (Angstrom) and angles
    (degree) of the conventional cell in its standard setting.
    """

    structure_id: str
    rank: int
    relative_energy_kJ_per_mol: float
    sd_kJ_per_mol: float
    sd_relative_kJ_per_mol: float
    p_rank_1: float
    p_lowest_5: float
    rank_low: int
    rank_high: int
    levels: tuple[LevelEnergy, ...]
    density_g_per_cm3: float
    symmetry: str
    z_prime: float
    formula_units: int
    hits: int
    known_forms: tuple[str, ...]
    cell: tuple[float, ...]
    atoms: Atoms
    dispersion_kJ_per_mol: dict[str, float] = field(default_factory=dict)

    @property
    def known_form(self) -> str | None:
        """The known forms that it is, as text; one form measured at two temperatures is one structure."""
        return ", ".join(self.known_forms) or None

    @property
    def top(self) -> LevelEnergy:
        """The structure at the highest level."""
        return self.levels[-1]


@dataclass(frozen=True)
class KnownForm:
    """A known form and what became of it.

    `structure` is the one that the search found, or the form's own force-field minimum where it found none (`found` is
    False then); None when there is neither.  `match_powder_similarity` compares its powder pattern with the published
    crystal's.  `ff_relative_energy_kJ_per_mol` is the energy of the form's own force-field minimum above the lowest structure of
    the landscape: it says where the form would stand had it been found.
    """

    name: str
    source: str
    citation: str | None
    z: int
    z_prime: float
    conformers: str
    conformer_rmsd_A: float
    conformer_searched: bool
    density_g_per_cm3: float
    structure: Structure | None
    match_rmsd_A: float | None
    match_minimised_rmsd_A: float | None
    match_molecules: int | None
    ff_relative_energy_kJ_per_mol: float | None
    minimised_density_g_per_cm3: float | None
    minimised_rmsd_A: float | None
    match_powder_similarity: float | None = None

    @property
    def found(self) -> bool:
        """Whether the search found the form: not where a form's own minimum, this one's or another's, stands for it."""
        return self.structure is not None and not self.structure.structure_id.startswith(known_form_id(""))

    @property
    def density_deviation_percent(self) -> float | None:
        """Density of the matching structure (else of the form's own minimum) above experiment, in per cent."""
        predicted = self.structure.density_g_per_cm3 if self.structure else self.minimised_density_g_per_cm3
        return None if predicted is None else 100.0 * (predicted / self.density_g_per_cm3 - 1.0)


@dataclass(frozen=True)
class GroupSearch:
    """One series of trials, or one file of imported crystals: counts of them and of what became of them.

    `kind` says which crystals: Z' = 1, special (molecules on special positions), imported.  `symbol` is the space group,
    or the name of the imported file, which has no `number`.  Counts are None where they are not known.
    """

    symbol: str
    number: int | None
    kind: str
    trials: int | None
    accepted: int | None
    converged: int | None
    in_window: int
    distinct: int
    hits: int


@dataclass(frozen=True)
class Completeness:
    """A series of trials (or `all`) after a number of trials: hits, structures, and the Good-Turing coverage."""

    series: str
    trials: int
    hits: int
    distinct: int
    found_once: int
    new_structures: int
    new_per_1000_trials: float
    coverage: float | None
    coverage_sd: float | None


@dataclass(frozen=True)
class Search:
    """The search: series of trials and imported files, outcomes that failed (status and count), and how complete it looks.

    `series` holds how each series of trials ended, `growth` how all of them together grew, the end last; both are empty
    where nothing was searched.
    """

    groups: tuple[GroupSearch, ...]
    failures: tuple[tuple[str, int], ...]
    series: tuple[Completeness, ...] = ()
    growth: tuple[Completeness, ...] = ()

    @property
    def coverage(self) -> float | None:
        """Good's estimate of the chance that the next hit of a trial falls on a structure already found."""
        return self.growth[-1].coverage if self.growth else None

    @property
    def found_once(self) -> int:
        """Structures that one trial only has led to."""
        return self.growth[-1].found_once if self.growth else 0


@dataclass(frozen=True)
class Cost:
    """What a stage or a level has cost in CPU seconds.

    `found_core_s` is the part of `core_s` that the store held already, `full_core_s` the price of the level for
    every structure.  `unusable` of the points failed or were not believed.  `retries` counts attempts that died,
    `lost_core_s` is what they took.  Of `predicted` points `well_predicted` took between 2/3 and 3/2 of what all
    other points say.
    """

    name: str
    level: str | None
    jobs: int
    points: int
    core_s: float
    peak_memory_MB: float | None
    full_core_s: float | None = None
    found_core_s: float = 0.0
    retries: int = 0
    lost_core_s: float = 0.0
    predicted: int = 0
    well_predicted: int = 0
    unusable: int = 0


@dataclass(frozen=True)
class LevelPoints:
    """The single points of a level: how many were computed, came from the store, or failed (with the messages)."""

    level: str
    computed: int
    from_store: int
    failed: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RoundState:
    """The state of knowledge after a round, over the structures that were within 10 kJ/mol of the lowest."""

    round: int
    computed: tuple[int, ...]
    median_sd_kJ_per_mol: float
    leader: str


@dataclass(frozen=True)
class Site:
    """An atom of a searched conformer as the force field sees it."""

    conformer: str
    index: int
    element: str
    potential_type: str
    charge_e: float


@dataclass(frozen=True)
class Component:
    """A molecule of the formula unit, its conformers (name, intramolecular energy, point group, searched), its sites."""

    name: str
    smiles: str
    stoichiometry: int
    conformers: tuple[tuple[str, float, str, bool], ...]
    gas_phase_level: str
    sites: tuple[Site, ...]
    charge: int = 0


@dataclass(frozen=True)
class CalibrationRow:
    """A line of the learner's cross-validation: nominal and observed share of errors within the interval.

    `inflation` is the factor by which the learner's standard deviations were widened after it, `uninflated` the share
    before that.
    """

    level: str
    nominal: float
    observed: float
    uninflated: float
    points: int
    mean_error_kJ_per_mol: float
    inflation: float


@dataclass(frozen=True)
class ReportData:
    """Everything that the page, the picture and the exports show."""

    campaign: str
    components: tuple[Component, ...]
    levels: tuple[str, ...]
    structures: tuple[Structure, ...]
    known_forms: tuple[KnownForm, ...]
    search: Search
    points: tuple[LevelPoints, ...]
    rounds: tuple[RoundState, ...]
    costs: tuple[Cost, ...]
    calibration: tuple[CalibrationRow, ...]
    settings: dict[str, Any]
    provenance: dict[str, str]
    listed: int
    pressure_GPa: float = 0.0

    @property
    def quantity(self) -> str:
        """What the structures are ranked by: their energy, under pressure their enthalpy."""
        return f"enthalpy at {self.pressure_GPa:g} GPa" if self.pressure_GPa else "energy"

    @property
    def is_salt(self) -> bool:
        """Whether lattice energies count from isolated ions."""
        return any(component.charge for component in self.components)

    @property
    def lowest(self) -> tuple[Structure, ...]:
        """The structures that are listed first and exported."""
        return self.structures[: self.listed]

    @property
    def exported(self) -> tuple[Structure, ...]:
        """The lowest structures and every known form that was found, by rank."""
        return tuple(s for i, s in enumerate(self.structures) if i < self.listed or s.known_form)
