"""Settings of the budget of expensive jobs."""

from pydantic import Field

from polyscape.settings.base import Section


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
