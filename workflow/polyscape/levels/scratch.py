"""Temporary folders of calculations, which leave nothing behind: not even those of a killed job stay for long."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from polyscape.locks import Owner

_PREFIX: Final = "polyscape-"
_OWNER: Final = ".owner"


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """A fresh folder for temporary files, removed at the end; those that killed jobs left on this machine go first."""
    parent.mkdir(parents=True, exist_ok=True)
    sweep(parent)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    try:
        (folder / _OWNER).write_text(Owner.this_process().dump())
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(parent: Path) -> None:
    """Remove the folders of processes that have died on this machine."""
    for mark in parent.glob(f"{_PREFIX}*/{_OWNER}"):
        try:
            owner = Owner.parse(mark.read_text())
        except OSError:  # another user's, or removed just now
            continue
        if owner is not None and owner.is_dead:
            shutil.rmtree(mark.parent, ignore_errors=True)
