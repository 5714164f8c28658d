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

_OF_COMPILED_CODE = (b"@compiled", b"NamedTuple", b"numba.njit")
"""What modules hold that compiled functions are made of: themselves, and the types of their arguments."""


def cache_folder() -> Path:
    """Folder of the machine code of exactly these sources: all modules that hold compiled functions."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(here.glob("*.py")):
        text = path.read_bytes()
        if any(word in text for word in _OF_COMPILED_CODE):
            digest.update(path.name.encode() + b"\0" + text)
    base = os.environ.get("NUMBA_CACHE_DIR")
    return (Path(base) if base else here / "__pycache__") / f"polyscape-energy-{digest.hexdigest()[:16]}"


numba.config.CACHE_DIR = str(cache_folder())  # type: ignore[attr-defined]

compiled = partial(numba.njit, cache=True, nogil=True, error_model="numpy")
"""Cached, releasing the GIL, with IEEE division."""
