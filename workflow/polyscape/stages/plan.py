"""The plan of a campaign: which files it makes, from the settings alone, before anything has run.

The number of rounds and of slots in a round is a setting, so the plan is complete before the first job: the
workflow has no checkpoint, and a dry run shows the exact number of DFT jobs.
"""

from dataclasses import dataclass
from pathlib import Path

from polyscape.errors import InputError
from polyscape.ids import Chunk, chunks
from polyscape.search.plan import check_space_groups
from polyscape.settings import Settings
from polyscape.stages.registry import STAGES

MAX_SLOTS = 5000
"""Most DFT jobs of a campaign: Snakemake plans 5000 jobs in about a quarter of a minute, and ever more slowly beyond."""

MEMORY_HEADROOM = 1.5
"""Memory asked for a single point over the predicted peak, times the attempt."""

TIME_HEADROOM = 4.0
"""Wall time asked for a single point over the predicted core time, times the attempt."""


@dataclass(frozen=True)
class Plan:
    """The files and jobs of one campaign.

    Attributes
    ----------
    settings : Settings
        The checked config.
    groups : dict of int to str
        Hall symbol of each searched space group by its number, in the order of the search.
    """

    settings: Settings
    groups: dict[int, str]

    @classmethod
    def of(cls, settings: Settings, where: str) -> "Plan":
        """The plan of a config; `where` names its file in errors.

        Raises
        ------
        InputError
            When a space group does not exist or is listed in two settings, or there are too many DFT jobs.
        """
        _check_slots(settings, where)
        return cls(
            settings,
            {group.number: group.hall_symbol for group in check_space_groups(settings.search, where)},
        )

    @property
    def folder(self) -> str:
        """Folder of everything that the campaign makes, the store of expensive results excepted."""
        return f"results/{self.settings.campaign}"

    @property
    def scratch(self) -> str:
        """Folder of wave functions and other large files that live as long as their job."""
        return f"{self.folder}/scratch"

    @property
    def rounds(self) -> list[int]:
        """The rounds of selection, computation and learning."""
        return list(range(self.settings.selection.rounds))

    @property
    def slots(self) -> list[int]:
        """The slots of a round."""
        return list(range(self.settings.selection.batch))

    def chunks(self) -> list[Chunk]:
        """Every chunk of the search, space group by space group."""
        search = self.settings.search
        return [
            c
            for number in self.groups
            for c in chunks(number, search.trials_per_space_group, search.chunk_size)
        ]

    def chunk(self, space_group: str, name: str) -> Chunk:
        """The chunk that is stored as ``<space_group>/<name>.parquet``."""
        return next(c for c in self.chunks() if (f"{c.space_group:03d}", c.name) == (space_group, name))

    def chunk_files(self, table: str) -> list[str]:
        """The files of a chunked table (`trials` or `minima`)."""
        return [f"{self.folder}/{table}/{c.space_group:03d}/{c.name}.parquet" for c in self.chunks()]

    def slot_files(self, rounds: int) -> list[str]:
        """The single points of the first `rounds` rounds."""
        folder = f"{self.folder}/points"
        return [f"{folder}/round{r}/slot{k:03d}.parquet" for r in self.rounds[:rounds] for k in self.slots]

    def chunk_words(self, table: str) -> str:
        """The files of `chunk_files` as one word that bash expands: ``.../{004,014}/c{0000000..0000500..500}.parquet``.

        Linux takes no single argument above 128 KiB, and Snakemake hands bash each command as one.
        """
        starts = sorted({c.start for c in self.chunks()})
        groups = [f"{number:03d}" for number in self.groups]
        group = groups[0] if len(groups) == 1 else f"{{{','.join(groups)}}}"
        chunk = f"c{{{starts[0]:07d}..{starts[-1]:07d}..{self.settings.search.chunk_size}}}"
        return f"{self.folder}/{table}/{group}/{chunk}.parquet"

    def slot_words(self, rounds: int) -> str:
        """The files of `slot_files` as one word that bash expands: ``.../round{0..2}/slot{000..011}.parquet``."""
        return f"{self.folder}/points/round{{0..{rounds - 1}}}/slot{{000..{self.slots[-1]:03d}}}.parquet"

    def user_files(self, stage: str) -> list[str]:
        """The user's files that a stage reads: a changed CIF or geometry reruns it, as a changed key does."""
        declared, settings = STAGES[stage], self.settings
        files: list[str] = []
        if declared.reads("molecule", settings):
            files += [name for component in settings.molecule.components for name in component.files]
        if declared.reads("known_forms", settings):
            files += [form.file for form in settings.known_forms]
        return files

    def summary(self) -> str:
        """What will be done, in one line."""
        search, selection = self.settings.search, self.settings.selection
        return (
            f"campaign {self.settings.campaign}: {search.trials_per_space_group} trials in each of "
            f"{len(self.groups)} space groups; {selection.rounds} x {selection.batch} DFT jobs and the "
            "isolated molecule"
        )


def _check_slots(settings: Settings, where: str) -> None:
    rounds, batch = settings.selection.rounds, settings.selection.batch
    if rounds * batch > MAX_SLOTS:
        problem = f"makes {rounds} x {batch} DFT jobs, more than {MAX_SLOTS}"
        remedy = f"write at most {MAX_SLOTS // rounds}, or fewer rounds"
        raise InputError(where, "selection.batch", batch, problem, remedy)


def slot_resource(selection: str, slot: int, column: str) -> float:
    """A predicted resource of a slot from its row of the selection; 0 for an empty slot.

    Raises
    ------
    FileNotFoundError
        When the selection has not been made yet.
    """
    from polyscape.schemas import SELECTION  # pandas is slow to import, and a dry run does without

    Path(selection).stat()
    rows = SELECTION.read(Path(selection))
    values = rows.loc[rows.slot == slot, column].dropna().to_list()
    return float(values[0]) if values else 0.0


def slot_memory_MB(selection: str, slot: int, attempt: int) -> int:
    """Memory to ask for a slot; grows with each retry."""
    predicted_MB = slot_resource(selection, slot, "predicted_memory_MB")
    return attempt * max(1000, round(MEMORY_HEADROOM * predicted_MB))


def slot_minutes(selection: str, slot: int, attempt: int) -> int:
    """Wall time to ask for a slot on one core, minutes; grows with each retry."""
    predicted_s = slot_resource(selection, slot, "predicted_core_s")
    return attempt * max(10, round(TIME_HEADROOM * predicted_s / 60.0))
