"""The plan of a campaign: which files it makes, from the settings alone, before anything has run.

The number of rounds and of slots in a round is a setting, so the plan is complete before the first job: the
workflow has no checkpoint, and a dry run shows the exact number of DFT jobs.
"""

import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from polyscape.errors import InputError
from polyscape.ids import IMPORT, Chunk, chunks, series_name
from polyscape.search.completeness import checkpoints
from polyscape.search.plan import Series, search_plan
from polyscape.settings import Settings
from polyscape.stages.registry import STAGES

MAX_SLOTS = 5000
"""Most DFT jobs of a campaign: Snakemake plans 5000 jobs in about a quarter of a minute, and ever more slowly beyond."""


@dataclass(frozen=True)
class Plan:
    """The files and jobs of one campaign.

    Attributes
    ----------
    settings : Settings
        The checked config.
    series : tuple of Series
        Space groups and kinds of crystal, in the order of the search.
    imported : dict of str to str
        File of each imported set of crystals by its name, the file's own without suffix.
    """

    settings: Settings
    series: tuple[Series, ...]
    imported: dict[str, str]

    @classmethod
    def of(cls, settings: Settings, where: str) -> "Plan":
        """The plan of a config; `where` names its file in errors.

        Raises
        ------
        InputError
            When a space group does not exist or is listed in two settings, two imported files have one name, or there
            are too many DFT jobs.
        """
        _check_slots(settings, where)
        return cls(settings, tuple(search_plan(settings.search, where)), _imported(settings, where))

    @property
    def folder(self) -> str:
        """Folder of everything that the campaign makes, the store of expensive results excepted."""
        return f"results/{self.settings.campaign}"

    @property
    def rounds(self) -> list[int]:
        """The rounds of selection, computation and learning."""
        return list(range(self.settings.selection.rounds))

    @property
    def slots(self) -> list[int]:
        """The slots of a round."""
        return list(range(self.settings.selection.batch))

    def chunks(self) -> list[Chunk]:
        """Every chunk of the search, series by series."""
        size = self.settings.search.chunk_size
        return [c for s in self.series for c in chunks(s.group.number, s.trials, size, s.kind)]

    def chunk(self, series: str, name: str) -> Chunk:
        """The chunk that is stored as ``<series>/<name>.parquet``."""
        return next(c for c in self.chunks() if (c.series, c.name) == (series, name))

    def hall_symbol(self, chunk: Chunk) -> str:
        """Space group and setting of a chunk."""
        return next(s.group.hall_symbol for s in self.series if s.group.number == chunk.space_group)

    @property
    def jobs(self) -> int:
        """Chunks and imported files: the jobs that minimise."""
        return len(self.chunks()) + len(self.imported)

    def chunk_files(self, table: str) -> list[str]:
        """The files of a chunked table (`trials` or `minima`), those of imported crystals last."""
        names = [f"{c.series}/{c.name}" for c in self.chunks()] + [
            f"{IMPORT}/{name}" for name in self.imported
        ]
        return [f"{self.folder}/{table}/{name}.parquet" for name in names]

    def judged_minima(self, series: str, name: str) -> list[str]:
        """The minima before a chunk that decide whether it is still searched; none for imported crystals."""
        if series == IMPORT:
            return []
        chunk = self.chunk(series, name)
        last = max(checkpoints(chunk.start + chunk.count - 1), default=0)
        before = [c for c in self.chunks() if c.series == series and c.start < min(last, chunk.start)]
        return [f"{self.folder}/minima/{series}/{c.name}.parquet" for c in before]

    def slot_files(self, rounds: int) -> list[str]:
        """The single points of the first `rounds` rounds."""
        folder = f"{self.folder}/points"
        return [f"{folder}/round{r}/slot{k:03d}.parquet" for r in self.rounds[:rounds] for k in self.slots]

    def chunk_words(self, table: str) -> str:
        """The files of `chunk_files` as words that bash expands: ``.../{004,014}/c{0000000..0000500..500}.parquet``.

        Linux takes no single argument above 128 KiB, and Snakemake hands bash each command as one.  Neighbouring series
        of as many chunks share a word.
        """
        size = self.settings.search.chunk_size
        words = []
        for last, alike in groupby(self.series, lambda s: (s.trials - 1) // size * size):
            names = [series_name(s.group.number, s.kind) for s in alike]
            name = names[0] if len(names) == 1 else f"{{{','.join(names)}}}"
            words.append(f"{name}/c{{{0:07d}..{last:07d}..{size}}}")
        words += [f"{IMPORT}/{name}" for name in self.imported]
        return " ".join(f"{self.folder}/{table}/{word}.parquet" for word in words)

    def slot_words(self, rounds: int) -> str:
        """The files of `slot_files` as one word that bash expands: ``.../round{0..2}/slot{000..011}.parquet``."""
        return f"{self.folder}/points/round{{0..{rounds - 1}}}/slot{{000..{self.slots[-1]:03d}}}.parquet"

    def user_files(self, stage: str) -> list[str]:
        """The user's files that a stage reads: a changed CIF or geometry reruns it, as a changed key does."""
        declared, settings = STAGES[stage], self.settings
        files: list[str] = []
        if declared.reads("molecule", settings):
            files += [name for component in settings.molecule.components for name in component.files]
        if stage == "import_crystals":
            files += settings.search.imported
        if declared.reads("known_forms", settings):
            files += [form.file for form in settings.known_forms]
        return files

    def summary(self) -> str:
        """What will be done, in one line."""
        selection, groups = self.settings.selection, {s.group.number for s in self.series}
        trials = f"{sum(s.trials for s in self.series)} trials in {len(groups)} space groups"
        files = f", {len(self.imported)} files of imported crystals" if self.imported else ""
        return (
            f"campaign {self.settings.campaign}: {trials}{files}; "
            f"{selection.rounds} x {selection.batch} DFT jobs and the isolated molecule"
        )


def _imported(settings: Settings, where: str) -> dict[str, str]:
    """The imported files by their names, which become parts of ids and paths."""
    found: dict[str, str] = {}
    for index, file in enumerate(settings.search.imported):
        key, name = f"search.import[{index}]", Path(file).stem
        if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_+.-]{0,63}", name) is None:
            problem = "its name becomes part of the crystals' ids"
            remedy = "name the file with up to 64 letters, digits, '_', '-', '+' or '.'"
            raise InputError(where, key, file, problem, remedy)
        if name in found:
            problem, remedy = (
                f"has the name of {found[name]}",
                "rename one: crystals are named after their file",
            )
            raise InputError(where, key, file, problem, remedy)
        found[name] = file
    return found


def _check_slots(settings: Settings, where: str) -> None:
    rounds, batch = settings.selection.rounds, settings.selection.batch
    if rounds * batch > MAX_SLOTS:
        problem = f"makes {rounds} x {batch} DFT jobs, more than {MAX_SLOTS}"
        remedy = f"write at most {MAX_SLOTS // rounds}, or fewer rounds"
        raise InputError(where, "selection.batch", batch, problem, remedy)
