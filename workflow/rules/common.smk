# The config, the plan of the campaign, and what all rules share.  No physics.

import os
import shlex
import sys
from pathlib import Path

from polyscape.errors import InputError
from polyscape.stages.campaign import keep_config, open_campaign
from polyscape.stages.plan import slot_memory_MB, slot_minutes
from polyscape.stages.registry import stage_slice

try:
    plan = open_campaign(
        configfiles=[Path(name) for name in workflow.overwrite_configfiles] or [Path("config/config.yaml")],
        overrides=dict(workflow.config_settings.config),
        driver=workflow.is_main_process,
    )
except InputError as error:
    print(f"error: {error.line()}", file=sys.stderr)
    sys.exit(InputError.exit_code)

settings = plan.settings
CORES = workflow.cores or 1
LAST = settings.selection.rounds - 1
FOLDER = plan.folder
LOGS = f"{FOLDER}/logs"
MOLECULE = f"{FOLDER}/molecule.parquet"
CONFORMERS = f"{FOLDER}/conformers.parquet"
KNOWN_FORMS = f"{FOLDER}/known_forms.parquet"
LANDSCAPE = f"{FOLDER}/landscape.parquet"
COMPLETENESS = f"{FOLDER}/completeness.parquet"
FEATURES = f"{FOLDER}/features.parquet"
DISPERSION = f"{FOLDER}/dispersion.parquet"
ISOLATED = f"{FOLDER}/points/molecules.parquet"
STORED = f"{FOLDER}/points/stored.parquet"
RANKING = f"{FOLDER}/ranking.parquet"
CALIBRATION = f"{FOLDER}/calibration.parquet"
LEDGER = f"{FOLDER}/ledger.parquet"

# Compiled once for all jobs, in a folder that every node can write to.
MACHINE_CODE = os.environ.get("NUMBA_CACHE_DIR", str(Path.cwd() / "results/.cache/numba"))

shell.prefix(
    "set -euo pipefail; export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 "
    "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "
    f"NUMBA_CACHE_DIR={shlex.quote(MACHINE_CODE)}; "
)


def part(stage):
    """A stage's slice of the config: its jobs rerun when it changes, and only then."""
    return stage_slice(settings, stage)


def command(stage, arguments, **options):
    """The shell command of a stage's script: its output to the log, its warnings to the terminal as well.

    The trap puts the line to repeat by hand at the head of the log, as it is written here: bash expands the words for
    many files later.  `options` are for where things are kept rather than what is computed: a change of theirs reruns
    nothing.
    """
    program = [sys.executable, f"{workflow.basedir}/scripts/{stage}.py"]
    kept = [word for name, value in options.items() for word in (f"--{name}", value)]
    plain, more = (shlex.join(words).replace("{", "{{").replace("}", "}}") for words in (program, kept))
    work = f"( trap 'echo \"+ $BASH_COMMAND\"' DEBUG; {plain} --settings {{params.slice:q}} {arguments} {more} ) > {{log:q}} 2>&1"
    return f"{work}; grep '^warning' {{log:q}} >&2 || true"


def chunk_of(wildcards):
    """The trials that a chunk's job draws."""
    return plan.chunk(wildcards.series, wildcards.chunk)


def all_chunks(table):
    """The files of a chunked table, for the command line of a job that reads them all."""
    return lambda _: plan.chunk_words(table)


def all_slots(_):
    """The points of all slots, for the command line of a job that reads them all."""
    return plan.slot_words(LAST + 1)


def threads_per_chunk(_):
    """One core while there are as many chunks as cores: chunks side by side waste nothing."""
    return max(1, CORES // plan.jobs)


wildcard_constraints:
    series=r"\d{3}(s|z\d)?|import",
    chunk=r"[A-Za-z0-9][A-Za-z0-9_+.-]*",  # c0000500, or the name of an imported file
    round=r"\d+",
    slot=r"\d{3}",
