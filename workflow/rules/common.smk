# The config, the plan of the campaign, and what all rules share.  No physics.

import os
import shlex
import sys
from pathlib import Path

from polyscape.errors import InputError
from polyscape.stages.campaign import keep_config, open_campaign
from polyscape.stages.left_jobs import settle
from polyscape.stages.machine import Machine
from polyscape.stages.registry import stage_slice
from polyscape.stages.requests import Request, molecule_cost, slot_cost

try:
    plan = open_campaign(
        configfiles=[Path(name) for name in workflow.overwrite_configfiles] or [Path("config/config.yaml")],
        overrides=dict(workflow.config_settings.config),
        driver=workflow.is_main_process,
    )
    machine = Machine.of(getattr(workflow.resource_settings.default_resources, "args", ()))
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

# As root in a container; ranks of jobs that run side by side must not all be bound to the first cores, as Open MPI
# does by default, nor counted against cores instead of threads.  Version 5 has other names.
OPEN_MPI = (
    "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"
    " OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_rmaps_base_oversubscribe=1"
    " PRTE_MCA_hwloc_default_binding_policy=none PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe"
)

shell.prefix(
    (f"{machine.setup}; " if machine.setup else "")
    + "set -euo pipefail; export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 "
    f"{OPEN_MPI} "
    f"NUMBA_CACHE_DIR={shlex.quote(MACHINE_CODE)}; "
)


def part(stage):
    """A stage's slice of the config: its jobs rerun when it changes, and only then."""
    return stage_slice(settings, stage)


def command(stage, arguments, launch="", **options):
    """The shell command of a stage's script: its output to the log, its warnings to the terminal as well.

    The trap puts the line to repeat by hand at the head of the log, as it is written here: bash expands the words for
    many files later.  `launch` comes before the program.  `options` are for where things are kept rather than what is
    computed: a change of theirs reruns nothing.
    """
    program = [sys.executable, f"{workflow.basedir}/scripts/{stage}.py"]
    kept = [word for name, value in options.items() for word in (f"--{name}", value)]
    plain, more = (shlex.join(words).replace("{", "{{").replace("}", "}}") for words in (program, kept))
    work = f"( trap 'echo \"+ $BASH_COMMAND\"' DEBUG; {launch} {plain} --settings {{params.slice:q}} {arguments} {more} ) > {{log:q}} 2>&1"
    return f"{work}; grep '^warning' {{log:q}} >&2 || true"


def slot_request(wildcards, input):
    """What a slot asks for, from its row; the missing selection of a round to come is Snakemake's "not known yet"."""
    return _request(slot_cost(str(input.selection), int(wildcards.slot)))


def molecule_request(wildcards, input):
    """What the isolated molecules ask for."""
    return _request(molecule_cost(str(input.molecule), str(input.conformers), part("isolated_molecule")))


# 2.3 GB for 5,000 structures, growing with the square of their number
LEARNING = {"mem_mb": lambda wildcards, attempt: 4000 * attempt, "runtime": 60}


def _request(cost):
    """On this machine a job has no more ranks than Snakemake has cores; a cluster's profile knows better."""
    here = workflow.local_exec and workflow.is_main_process
    return Request.on(machine, cost, settings.levels, CORES if here else machine.mpi_ranks)


def level_resources(request):
    """Resources of a job of single points: without `mpi` on one core, which is how SLURM's plugin wants serial jobs."""

    def several(value):
        """The value for a job of several ranks; no such resource for the others."""
        return lambda wildcards, input: (
            value(ranks) if (ranks := request(wildcards, input).ranks) > 1 else None
        )

    return {
        "mem_mb": lambda wildcards, input, attempt: request(wildcards, input).mem_mb(attempt),
        "runtime": lambda wildcards, input, attempt: request(wildcards, input).runtime(attempt),
        "mpi": several(lambda ranks: machine.mpi_launcher),
        "tasks": several(lambda ranks: ranks),
        "cpus_per_task": several(lambda ranks: 1),
        "launch": lambda wildcards, input: (
            f"{machine.mpi_launcher} -n {ranks}" if (ranks := request(wildcards, input).ranks) > 1 else ""
        ),
    }


def ranks_or_one(request):
    """Cores of a job of single points on this machine; one while its size is not known."""

    def cores(wildcards, input):
        try:
            return request(wildcards, input).ranks
        except FileNotFoundError:
            return 1

    return cores


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
