"""Memory of a process with all that it started.

Forked processes share pages until one writes to them; their resident sizes added up count such pages again and again.
The proportional set size (PSS) counts a page that n processes share as 1/n of it in each: the sum is what they take.
"""

import os
import subprocess
import time
from pathlib import Path

INTERVAL_S = 0.5


def run_and_measure(command):
    """Run a program to its end: wall seconds, processor seconds and the peak of the PSS in GB, of it and its children."""
    before, start = os.times(), time.perf_counter()
    process = subprocess.Popen(command)
    peak_kB = 0
    while process.poll() is None:
        peak_kB = max(peak_kB, sum(map(_pss_kB, _tree(process.pid))))
        time.sleep(INTERVAL_S)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    after = os.times()
    cpu_s = after.children_user - before.children_user + after.children_system - before.children_system
    return time.perf_counter() - start, cpu_s, peak_kB / 1e6


def _tree(pid):
    """The process and all below it that still live."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _text(children).split():
            yield from _tree(int(child))


def _pss_kB(pid):
    lines = _text(Path(f"/proc/{pid}/smaps_rollup")).splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _text(path):
    """What a file of /proc says; nothing when its process has ended."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
