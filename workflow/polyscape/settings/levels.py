"""Settings of the ladder of levels of theory and of the budget spent on it."""

from typing import Literal

from pydantic import Field

from polyscape.settings.base import Name, Section


class GpawSettings(Section):
    """Plane-wave DFT with GPAW."""

    functional: str = Field(
        "PBE", description="Exchange-correlation functional: any name that GPAW or libxc knows."
    )
    plane_wave_cutoff_eV: float = Field(
        500.0,
        description="Plane-wave cutoff; below 500 eV relative energies jump by kJ/mol (smoke tests only).",
        ge=200,
    )
    grid_spacing_A: float = Field(
        0.16,
        description="Spacing of the real-space grid; fixed, so that all structures share one grid density.",
        gt=0.05,
        lt=0.4,
    )
    k_spacing_per_A: float = Field(
        0.6,
        description="Largest distance between points of the Monkhorst-Pack mesh, 2 pi included. Meshes are not "
        "centred on Gamma; 10 is one point.",
        gt=0.05,
        le=10,
    )
    hybrid: Literal["none", "non_self_consistent"] = Field(
        "none",
        description="`non_self_consistent` evaluates a hybrid functional on the orbitals of the level below.",
    )
    max_scf_steps: int = Field(100, description="Steps before the next remedy is tried.", ge=1)
    molecule_box_A: float = Field(
        10.0,
        description="Edge of the isolated molecule's cubic box; its extent plus 6 A where that is larger.",
        ge=6,
    )


class Level(Section):
    """One rung of the ladder."""

    name: Name = Field(description="Name of the level in tables and reports.")
    backend: Literal["gpaw"] = Field("gpaw", description="Program that computes the level.")
    dispersion: Literal["none", "d3bj"] = Field(
        "d3bj", description="Dispersion correction added to the electronic energy."
    )
    dispersion_functional: str | None = Field(
        None, description="Functional whose D3 parameters are used; by default the level's own."
    )
    gpaw: GpawSettings = Field(default_factory=GpawSettings, description="Settings of the GPAW back end.")


class SelectionSettings(Section):
    """How many structures are computed at which level: the budget of expensive jobs."""

    rounds: int = Field(2, description="Rounds of selection, computation and learning.", ge=1, le=50)
    batch: int = Field(
        6,
        description="Slots per round: rounds x batch is the number of DFT jobs, known before they start.",
        ge=1,
        le=1000,
    )
    top_level_share: float = Field(
        0.5,
        description="Share of a round's slots that climb to the highest level (at least one).",
        gt=0,
        le=1,
    )
    max_atoms: int = Field(
        32, description="Largest reduced cell that is computed; larger ones are predicted only.", ge=1
    )
    energy_scale_kJ_per_mol: float = Field(
        5.0,
        description="Energy above the lowest at which a structure's weight in the choice falls to 1/e.",
        gt=0,
    )
    cost_exponent: float = Field(
        0.5,
        description="How strongly cheap structures are favoured: value over predicted cost to this power.",
        ge=0,
        le=2,
    )
