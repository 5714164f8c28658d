"""Machine code is made by one process; who comes meanwhile waits and loads it."""

import os
import shutil
import subprocess
import sys

from polyscape.energy.compiled import cache_folder
from polyscape.energy.machine_code import prepare

ASK = "from polyscape.energy.machine_code import prepare; prepare()"


def test_of_two_that_come_at_once_one_compiles(tmp_path):
    prepare()
    folder = tmp_path / cache_folder().name
    shutil.copytree(cache_folder(), folder)  # so that compiling is quick
    (mark,) = folder.glob("complete-*")
    mark.unlink()
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    both = [
        subprocess.Popen([sys.executable, "-c", ASK], env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = "".join(process.communicate()[1] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert said.count("compiling the lattice energy") == 1, said
    assert mark.exists()
    assert not list(folder.glob("*.lock"))
