"""The machine code of the lattice energy: made once, by one process, before anybody uses it.

Processes that compile into one empty cache at the same time may make code that differs in the last bits of its results, and
each of them pays for it.  Here the first to come has it made by a process of its own while the others wait; after that all
load the same code.  Code is kept for one type of processor and one version of numba at a time.
"""

import hashlib
import subprocess
import sys
from functools import cache
from pathlib import Path

import numba
from numba.core.registry import cpu_target

from polyscape.energy.compiled import cache_folder
from polyscape.locks import held


@cache
def prepare() -> None:
    """Have the machine code made unless it is there; waits for a process that makes it.

    Raises
    ------
    subprocess.CalledProcessError
        When it could not be made.
    """
    if _mark().exists():
        return
    with held([cache_folder() / "machine_code.lock"]):
        if not _mark().exists():
            print(
                "compiling the lattice energy for this processor, once: about a minute",
                file=sys.stderr,
                flush=True,
            )
            subprocess.run([sys.executable, "-m", "polyscape.energy.compile_all"], check=True)
            _mark().touch()


def _mark() -> Path:
    """The file that tells that the code for this processor is complete."""
    # by this numba's cache tells processors apart
    processor = cpu_target.target_context.codegen().magic_tuple()
    digest = hashlib.sha256(repr((*processor, numba.__version__, sys.version_info[:2])).encode())
    return cache_folder() / f"complete-{digest.hexdigest()[:16]}"
