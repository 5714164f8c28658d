"""Settings of search, minimisation and landscape."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from polyscape.settings.base import Name, Section, refusal

Kind = Literal["special"] | Annotated[int, Field(ge=1, le=4)]
"""Crystals with molecules on special positions, or a number of formula units on general positions."""


class Sampling(Section):
    """How a trial crystal is drawn; changing any of it redraws every trial."""

    volume_factor_low: float = Field(
        0.9,
        description="Smallest starting volume over the estimated volume; lower for dense, flat molecules.",
        gt=0.3,
        lt=3,
    )
    volume_factor_high: float = Field(
        1.6,
        description="Largest starting volume over the estimated volume; higher for awkward shapes.",
        gt=0.5,
        lt=5,
    )
    contact_factor: float = Field(
        0.75,
        description="Atoms of two molecules overlap below this fraction of the sum of their van der Waals radii.",
        gt=0.3,
        lt=1.2,
    )
    max_expansion: float = Field(
        3.0,
        description="Largest growth of the volume to remove overlap; a trial that needs more is rejected.",
        ge=1,
        le=20,
    )

    @model_validator(mode="after")
    def _volumes_are_in_order(self) -> Self:
        if self.volume_factor_low >= self.volume_factor_high:
            problem = f"is not below volume_factor_high = {self.volume_factor_high:g}"
            raise refusal(
                "volume_factor_low", self.volume_factor_low, problem, "lower it, or raise volume_factor_high"
            )
        return self


class GroupTrials(Section):
    """A space group with a number of trials of its own."""

    group: int | str = Field(description="Number, Hermann-Mauguin or Hall symbol.")
    trials: int = Field(
        description="Trials in this group, in place of `trials_per_space_group`.", ge=1, le=9_999_999
    )


class KindTrials(Section):
    """A kind of crystal with its share of the trials."""

    kind: Kind = Field(description="`special`, or formula units in the asymmetric unit.")
    share: float = Field(
        description="Trials of this kind in each group over those that the group is given (rounded up).",
        gt=0,
        le=100,
    )


def _usual_kinds() -> list[Kind | KindTrials]:
    """Crystals with one formula unit, and some with molecules on special positions."""
    return [KindTrials(kind="special", share=0.25), 1]


class SearchSettings(Section):
    """Which trial crystals are made."""

    model_config = ConfigDict(serialize_by_alias=True)

    space_groups: Literal["common10", "common25", "all"] | list[int | str | GroupTrials] = Field(
        "common10",
        description="`common10` (61, 14, 19, 2, 4, 15, 33, 9, 29, 5), `common25` (and 1, 7, 60, 56, 13, 18, 43, 62, "
        "11, 12, 148, 88, 96, 76, 36), `all` 230, or a list of numbers, Hermann-Mauguin or Hall symbols, any of them "
        "with trials of its own: `{group: P21/c, trials: 5000}`. An empty list searches nothing but what is imported.",
    )
    trials_per_space_group: int = Field(
        2000,
        description="Trials per space group; raising it extends the search and repeats nothing.",
        ge=1,
        le=9_999_999,
    )
    z_prime: list[Kind | KindTrials] = Field(
        default_factory=_usual_kinds,
        description="Kinds of crystal to search: `special` has molecules on special positions (Z' = 1/2, 1/4, ...), "
        "as far as their own symmetry allows; a whole number is that many formula units in the asymmetric unit on "
        "general positions. Any of them with a share: `{kind: 2, share: 3}` makes three times the group's trials.",
        min_length=1,
    )
    chirality: Literal["racemic", "enantiopure"] = Field(
        "racemic",
        description="`racemic`: both hands of every molecule may stand in a crystal. `enantiopure`: all molecules "
        "are of the hand given, but for components without stereocentres beside one that has some: those may have either "
        "hand of their shape; only the 65 Sohncke groups hold such crystals.",
    )
    chunk_size: int = Field(
        500,
        description="Trials per job; results do not depend on it. Larger on a cluster (jobs of >= 10 minutes).",
        ge=1,
    )
    stop_at_coverage: float | None = Field(
        None,
        description="Good-Turing coverage (0-1) at which a series of trials ends early: no more of its trials are "
        "minimised. Judged at 128, 256, 512, ... trials; null never stops. What counts as one structure decides which "
        "trials are minimised: with a coverage, another energy window or tolerance of duplicates minimises anew.",
        gt=0,
        lt=1,
    )
    sampling: Sampling = Field(default_factory=Sampling, description="How a trial crystal is drawn.")
    imported: list[str] = Field(
        default_factory=list,
        alias="import",
        description="Files of crystals from other generators, minimised and ranked with the trials: CIF (any number "
        "of blocks), extended XYZ, or Parquet in the form of the table `trials`. A file is one job.",
    )


class EnergySettings(Section):
    """The force field."""

    potential: str = Field(
        "fit",
        description="Repulsion-dispersion potential (exp-6): `fit`, `w99rev`, or the path of a file of your own "
        "(docs/potentials.md).",
    )
    electrostatics: Literal["multipoles", "esp_charges"] = Field(
        "multipoles",
        description="Model of the electrostatics: distributed multipoles to rank 4, or charges fitted to the "
        "molecule's potential (five times faster, cruder).",
    )
    sums: Literal["ewald", "dmacrys"] = Field(
        "ewald",
        description="How the lattice sums end: `ewald` sums every term to convergence; `dmacrys` keeps that "
        "program's cutoffs, to compare with its energies.",
    )
    cutoff_A: float = Field(
        10.0,
        description="Cutoff of the direct sums. Ewald's sums converge to 1e-6 kJ/mol whatever it is and repulsion "
        "has died off by then: a matter of speed only. With `dmacrys` sums it is part of the model (15 is usual).",
        ge=8,
        le=40,
    )
    spline_A: float | None = Field(
        2.0,
        description="`dmacrys` sums only: length beyond the cutoff over which pairs of sites are switched off; "
        "null for a sharp cutoff.",
        gt=0,
        le=10,
    )
    pressure_GPa: float = Field(
        0.0,
        description="Hydrostatic pressure: what is minimised is the enthalpy.",
        ge=0,
        le=100,
    )


class MinimiserSettings(Section):
    """The lattice-energy minimiser."""

    max_steps: int = Field(1000, description="Steps before a minimisation is given up as `step_limit`.", ge=1)
    gradient_tolerance_kJ_per_mol_A: float = Field(
        1e-3, description="Convergence of the scaled gradient's largest component.", gt=0
    )
    leave_saddles: Literal["never", "landscape", "always"] = Field(
        "landscape",
        description="Where the Hessian of all molecules of the cell is computed, and a saddle left in a subgroup: for "
        "the distinct structures of the landscape, for every trial (three times slower), or nowhere.",
    )


class LandscapeSettings(Section):
    """Energy window and duplicate removal."""

    window_kJ_per_mol: float = Field(
        20.0,
        description="Structures up to this energy above the lowest are kept; polymorphs lie within about 10.",
        gt=0,
    )
    duplicate_energy_kJ_per_mol: float = Field(
        0.5, description="Two minima further apart in energy are never duplicates.", gt=0
    )
    duplicate_density_g_per_cm3: float = Field(
        0.03, description="Two minima further apart in density are never duplicates.", gt=0
    )
    duplicate_rmsd_A: float = Field(
        0.15,
        description="Two packings whose clusters overlay within this RMSD are one structure.",
        gt=0,
        lt=1,
    )
    overlay_molecules: int = Field(15, description="Molecules of the overlaid clusters.", ge=4, le=60)
    match_rmsd_A: float = Field(
        0.5,
        description="A structure whose cluster overlays a known form within this RMSD is that form.",
        gt=0,
        lt=2,
    )


class KnownForm(Section):
    """An experimental crystal structure to look for."""

    name: Name = Field(description="Name of the form in tables and reports.")
    file: str = Field(
        description="CIF file of the form; hydrogens that heavy atoms determine may be missing."
    )
