"""The config of a campaign: one frozen, typed object."""

from pathlib import PurePath
from typing import Self

from pydantic import Field, model_validator

from polyscape.settings.base import FolderName, Name, Section, refusal
from polyscape.settings.gpaw import GpawSettings
from polyscape.settings.learning import FeaturesSettings, LearningSettings, ReportSettings
from polyscape.settings.levels import Level
from polyscape.settings.molecule import MoleculeSettings
from polyscape.settings.search import (
    EnergySettings,
    KnownForm,
    LandscapeSettings,
    MinimiserSettings,
    SearchSettings,
)
from polyscape.settings.selection import BudgetSettings, SelectionSettings


def default_levels() -> list[Level]:
    """PBE-D3(BJ), then PBE0-D3(BJ) on the PBE orbitals."""
    return [
        Level(name="pbe-d3"),
        Level(name="pbe0-d3", gpaw=GpawSettings(functional="PBE0", hybrid="non_self_consistent")),
    ]


class Settings(Section):
    """Everything a chemist chooses."""

    campaign: Name = Field(description="Name of the campaign; its results stand in results/<campaign>/.")
    seed: int = Field(
        1, description="Seed of every random number; another seed, another search.", ge=0, le=2**31 - 1
    )
    store: FolderName = Field(
        "results/store",
        description="Folder of the expensive results, found by what they are; campaigns may share it.",
    )
    molecule: MoleculeSettings = Field(description="The molecules.")
    known_forms: list[KnownForm] = Field(
        default_factory=list, description="Experimental structures to look for."
    )
    search: SearchSettings = Field(default_factory=SearchSettings, description="The search.")
    energy: EnergySettings = Field(default_factory=EnergySettings, description="The force field.")
    minimiser: MinimiserSettings = Field(default_factory=MinimiserSettings, description="The minimiser.")
    landscape: LandscapeSettings = Field(
        default_factory=LandscapeSettings, description="Window and duplicates."
    )
    features: FeaturesSettings = Field(default_factory=FeaturesSettings, description="The descriptor.")
    levels: list[Level] = Field(
        default_factory=default_levels,
        description="The ladder above the force field, cheapest first.",
        min_length=1,
    )
    selection: SelectionSettings = Field(default_factory=SelectionSettings, description="The budget of DFT.")
    budget: BudgetSettings = Field(
        default_factory=BudgetSettings, description="What the levels of theory may cost."
    )
    learning: LearningSettings = Field(default_factory=LearningSettings, description="The learner.")
    report: ReportSettings = Field(default_factory=ReportSettings, description="The report.")

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        for key, names in (
            ("molecule.components[{}].name", [c.name for c in self.molecule.components]),
            ("levels[{}].name", [level.name for level in self.levels]),
            ("known_forms[{}].name", [form.name for form in self.known_forms]),
        ):
            for index, name in enumerate(names):
                if name in names[:index]:
                    raise refusal(key.format(index), name, "is the name of an earlier one", "choose another")
        if "ff" in (names := [level.name for level in self.levels]):
            key = f"levels[{names.index('ff')}].name"
            raise refusal(key, "ff", "is the force field's name", "choose another")
        return self

    @model_validator(mode="after")
    def _ladder_is_climbable(self) -> Self:
        """A hybrid on the orbitals of another level finds these right below."""
        for index, level in enumerate(self.levels):
            if level.gpaw.hybrid == "non_self_consistent" and (
                index == 0 or self.levels[index - 1].backend != "gpaw"
            ):
                where = "the first level" if index == 0 else "this level"
                problem = f"{where} has no orbitals below it"
                remedy = "put a self-consistent level of GPAW right before it"
                raise refusal(f"levels[{index}].gpaw.hybrid", level.gpaw.hybrid, problem, remedy)
        return self

    @model_validator(mode="after")
    def _no_setting_is_idle(self) -> Self:
        """A level on the orbitals of another takes their cutoff, grid, k-points; one box serves the whole ladder."""
        own_box = next((index for index, level in enumerate(self.levels) if level.backend == "gpaw"), 0)
        below = self.levels[own_box].gpaw
        for index, level in enumerate(self.levels):
            own = level.gpaw.hybrid != "non_self_consistent"
            acts = {*GpawSettings.model_fields} if own else {"functional", "hybrid"}
            idle_box = {"molecule_box_A"} if index != own_box else set()
            for key in sorted(level.gpaw.model_fields_set - (acts - idle_box)):
                value = getattr(level.gpaw, key)
                if value not in (GpawSettings.model_fields[key].default, getattr(below, key)):
                    problem = "has no effect: this level takes it from one below"
                    remedy = "leave the key out here, and set it at the lower level"
                    raise refusal(f"levels[{index}].gpaw.{key}", value, problem, remedy)
            below = level.gpaw if own and level.backend == "gpaw" else below
        return self

    @model_validator(mode="after")
    def _store_is_apart(self) -> Self:
        store = PurePath(self.store)
        campaign = PurePath("results", self.campaign)
        if store == campaign or campaign in store.parents:
            remedy = "choose a folder outside the campaign's, results/store for instance"
            raise refusal("store", self.store, "lies in the campaign's own folder", remedy)
        return self
