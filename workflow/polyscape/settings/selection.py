"""Settings of the choice of expensive jobs, and of what they may cost."""

from typing import Literal

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
    strategy: Literal["ranking", "random", "lowest_energy", "farthest_points", "all"] = Field(
        "ranking",
        description="What a slot goes to: the largest fall of the ranking's uncertainty per cost; chance, the lowest "
        "force-field energy, or the structure farthest from the others, to compare with; or every structure up to "
        "`max_atoms`, the lowest first, to the highest level.",
    )
    top_level_share: float = Field(
        0.5,
        description="Share of the first round's slots that climb to the highest level (at least one); every round's, "
        "with a strategy that does not weigh levels.",
        gt=0,
        le=1,
    )
    max_atoms: int = Field(
        32, description="Largest reduced cell that is computed; larger ones are predicted only.", ge=1
    )
    energy_scale_kJ_per_mol: float = Field(
        10.0,
        description="Energy above the lowest at which a structure's weight in the choice falls to 1/e: twice what the "
        "force field is wrong by, or the window that the whole landscape is wanted for.",
        gt=0,
    )
    cost_exponent: float = Field(
        0.5,
        description="How strongly cheap structures are favoured: value over predicted cost to this power.",
        ge=0,
        le=2,
    )
    settled_probability: float = Field(
        0.95,
        description="Slots stay empty once rank 1 and the five lowest are known with this probability; 1 never stops.",
        gt=0.5,
        le=1,
    )

    @property
    def top_slots(self) -> int:
        """Slots of a batch that climb to the highest level where levels are not weighed."""
        return min(self.batch, max(1, round(self.top_level_share * self.batch)))


class BudgetSettings(Section):
    """The price that may be paid for the levels of theory."""

    core_hours: float | None = Field(
        None,
        description="Most core-hours that the isolated molecules and the slots may take: what is predicted to cost more "
        "than is left is not started. Results from the store count with their price. The search is not counted; null is no "
        "limit.",
        gt=0,
    )
