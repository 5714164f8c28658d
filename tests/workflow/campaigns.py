"""Campaigns in folders of their own, run by the command that a user types."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

from polyscape import schemas
from polyscape.tables import Table

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests/campaigns/tiny.yaml"
FORM = Path("tests/campaigns/found_again.cif")  # as the config names it, seen from the working directory
MACHINE_CODE = ROOT / ".pytest_cache/numba"  # compiled once for all campaigns of the tests
LONGEST_S = 1800  # a driver may wait for ever for a cluster that is gone
SNAKEMAKE = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]

SINGLE = {
    "molecule.parquet": schemas.MOLECULE,
    "conformers.parquet": schemas.CONFORMERS,
    "known_forms.parquet": schemas.KNOWN_FORMS,
    "landscape.parquet": schemas.LANDSCAPE,
    "features.parquet": schemas.FEATURES,
    "dispersion.parquet": schemas.DISPERSION,
    "points/molecules.parquet": schemas.POINTS,
    "points/stored.parquet": schemas.POINTS,
    "posterior/round0.parquet": schemas.POSTERIOR,
    "posterior/round1.parquet": schemas.POSTERIOR,
    "ranking.parquet": schemas.RANKING,
    "calibration.parquet": schemas.CALIBRATION,
    "ledger.parquet": schemas.LEDGER,
}
SEVERAL = {
    "trials/*/*.parquet": schemas.TRIALS,
    "minima/*/*.parquet": schemas.MINIMA,
    "selection/*.parquet": schemas.SELECTION,
    "points/round*/*.parquet": schemas.POINTS,
}
SAME_BYTES = ("molecule", "conformers", "known_forms", "landscape", "features", "dispersion")


@dataclass(frozen=True)
class Campaign:
    """A working directory with a config."""

    folder: Path

    @classmethod
    def create(cls, folder: Path, **changes):
        """The tiny campaign with some sections of its config changed."""
        config = yaml.safe_load(TINY.read_text())
        for key, value in changes.items():
            section = config.get(key)
            config[key] = (
                {**section, **value} if isinstance(section, dict) and isinstance(value, dict) else value
            )
        for place in ("config", FORM.parent):
            (folder / place).mkdir(parents=True, exist_ok=True)
        (folder / "config/config.yaml").write_text(yaml.safe_dump(config))
        shutil.copy2(ROOT / FORM, folder / FORM)  # its time as well, or what read it runs again
        return cls(folder)

    def copy(self, folder: Path, **changes):
        """The same folder elsewhere, results and Snakemake's records included, with another config."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Campaign.create(folder, **changes)

    @property
    def results(self) -> Path:
        return self.folder / "results/tiny"

    def start(self, *options: str, cores: int = 2) -> subprocess.Popen:
        """Start snakemake in a process group of its own."""
        return subprocess.Popen(
            [*SNAKEMAKE, "--cores", str(cores), *options],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *options: str, cores: int = 2, code: int = 0) -> str:
        """Run snakemake; its output, standard error included."""
        process = self.start(*options, cores=cores)
        try:
            output, _ = process.communicate(timeout=LONGEST_S)
        except (KeyboardInterrupt, subprocess.TimeoutExpired):
            os.killpg(process.pid, signal.SIGKILL)
            raise
        assert process.returncode == code, output[-6000:]
        return output

    def planned(self, *options: str) -> dict[str, int]:
        """Jobs by rule that a dry run announces; empty when nothing is to be done."""
        output = self.run("--dry-run", *options)
        return {} if "Nothing to be done" in output else announced(output)

    def kill_after(self, pattern: str, count: int, *options: str) -> None:
        """Run until `count` files match, then kill -9 the whole process group."""
        process = self.start(*options)
        while len(list(self.results.glob(pattern))) < count:
            assert process.poll() is None, process.communicate()[0][-6000:]
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL

    def table(self, name: str) -> pd.DataFrame:
        """A table by its path in the campaign's folder, or all files of a pattern one after the other."""
        if name in SINGLE:
            return SINGLE[name].read(self.results / name)
        table: Table = SEVERAL[name]
        return table.read_all(sorted(self.results.glob(name)))

    def without(self, *names: str) -> None:
        """Remove parts of the results."""
        for name in names:
            target = self.folder / "results" / name
            if target.is_dir():
                shutil.rmtree(target)
            else:
                target.unlink()


class Written:
    """The entries of a store, and each file that they have been: an entry that is written again is another file."""

    def __init__(self, store):
        self.store, self.files, self._end = store, {}, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    def _watch(self):
        last = False
        while not last:
            last = self._end.wait(0.05)
            for path in self.store.glob("*/*/*.json"):
                self.files.setdefault(path, set()).add(path.stat().st_ino)


def announced(output: str) -> dict[str, int]:
    """Jobs by rule in the statistics at the head of Snakemake's output."""
    block = output.split("Job stats:", 1)[1].split("\n\n", 1)[0]
    counts = {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", block, re.MULTILINE)}
    return {name: count for name, count in counts.items() if name not in ("total", "all")}


def executed(output: str) -> dict[str, int]:
    """Jobs by rule that Snakemake says it started."""
    names = re.findall(r"^(?:local)?rule (\w+):$", output, re.MULTILINE)
    return {name: names.count(name) for name in set(names) - {"all"}}


def assert_same_search(one: Campaign, other: Campaign) -> None:
    """Equal to the byte where one file is one table, to the bit where chunks may be cut elsewhere."""
    for name in SAME_BYTES:
        path = f"{name}.parquet"
        assert (one.results / path).read_bytes() == (other.results / path).read_bytes(), name
    for pattern in ("trials/*/*.parquet", "minima/*/*.parquet"):
        pd.testing.assert_frame_equal(one.table(pattern), other.table(pattern), check_exact=True)


def assert_same_points(one: Campaign, other: Campaign, rounds: int | None = None) -> None:
    """The same structures at the same levels, energies within 1e-6 eV (GPAW repeats itself to 1e-12 eV).

    Of the first campaign only so many rounds are compared.
    """
    keys = ["structure_id", "level", "method_id"]
    columns = ["status", "total_energy_eV"]
    slots = sorted(one.results.glob("points/round*/*.parquet"))
    if rounds is not None:
        slots = [path for path in slots if int(path.parent.name.removeprefix("round")) < rounds]
    pairs = (
        (one.table("points/molecules.parquet"), other.table("points/molecules.parquet")),
        (schemas.POINTS.read_all(slots), other.table("points/round*/*.parquet")),
    )
    for tables in pairs:
        left, right = (table.set_index(keys)[columns].sort_index() for table in tables)
        pd.testing.assert_frame_equal(left, right, rtol=0, atol=1e-6)
