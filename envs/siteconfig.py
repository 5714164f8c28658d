"""GPAW's build, fitted to what the machine has: read by GPAW's setup.py, and run by hand to see what it finds.

Debian's packages and a cluster's modules name their libraries differently; the first name that links is taken.  Without
an MPI compiler the build is serial.  To build GPAW your own way, point GPAW_CONFIG at your own siteconfig.py.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def links(*names: str) -> bool:
    """Whether a program links against these libraries."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "empty.cpp")
        source.write_text("int main() { return 0; }\n")
        command = [compiler, str(source), "-o", str(Path(folder, "empty")), *(f"-l{name}" for name in names)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def first_that_links(what: str, *names: str) -> str:
    """The first of several names of one library that links."""
    for name in names:
        if links(name):
            return name
    sys.exit(
        f"no {what} to link against (tried {', '.join(names)}); load its module or install its -dev package"
    )


mpi = shutil.which("mpic++") is not None
compiler = "mpic++" if mpi else "g++"
if shutil.which(compiler) is None:
    sys.exit("no C++ compiler; load a compiler module or install g++")
libraries = [
    first_that_links("libxc", "xc"),
    first_that_links("BLAS and LAPACK", "openblas", "flexiblas"),
]
fftw = links("fftw3")
if fftw:
    libraries.append("fftw3")
scalapack_names = [name for name in ("scalapack-openmpi", "scalapack") if mpi and links(name)]
scalapack = bool(scalapack_names)
libraries += scalapack_names[:1]

if __name__ == "__main__":
    print(
        f"GPAW will be built with {compiler}, {'MPI' if mpi else 'no MPI'}, libraries {' '.join(libraries)}"
    )
