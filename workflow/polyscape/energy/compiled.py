"""The decorator of all compiled functions, and where their machine code is kept.

Numba's cache notices that a function's own file has changed, not that a function it calls has: after an edit of one
module the others' machine code would go on with the old one.  The cache folder therefore carries a hash of this
package's sources.  It lies in NUMBA_CACHE_DIR where that is set, else beside this file.
"""

import hashlib
import os
from functools import partial
from pathlib import Path

import numba


def _cache_folder() -> Path:
    """Folder of the machine code of exactly these sources."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(here.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    base = os.environ.get("NUMBA_CACHE_DIR")
    return (Path(base) if base else here / "__pycache__") / f"polyscape-energy-{digest.hexdigest()[:16]}"


numba.config.CACHE_DIR = str(_cache_folder())  # type: ignore[attr-defined]

compiled = partial(numba.njit, cache=True, nogil=True, error_model="numpy")
"""Cached, releasing the GIL, with IEEE division."""
