"""One process at a time computes a result: locks for any number of processes, on any nodes, that share a store.

A lock is a file that only one process can create (``O_EXCL``).  While its owner lives, a thread touches it every
`BEAT_S` seconds.  A process that waits takes a lock over when its owner is seen to be dead on the same machine, or
when the file has not been touched for `PATIENCE_S` of the waiting process's own clock: clocks of two nodes are never
compared, and no file system need know more than exclusive creation and rename.

The worst that a broken lock can do is that a result is computed twice; entries are written whole either way.
"""

import json
import os
import random
import secrets
import socket
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

BEAT_S: Final = 20.0
PATIENCE_S: Final = 300.0
"""Fifteen missed beats: longer than compiled code keeps Python's threads waiting, or a network disk caches a file."""

_POLL_S: Final = (0.5, 1.5)


@dataclass(frozen=True)
class Owner:
    """The process that made a lock, or a temporary folder.

    Attributes
    ----------
    machine : str
        Host name, its boot and its space of process ids: two containers of one name are two machines.
    pid : int
        Process id.
    born : str
        When the process started, in the kernel's units: a process id may be used again.
    slurm_job : str or None
        SLURM's job id.
    token : str
        Different for every lock.
    """

    machine: str
    pid: int
    born: str
    slurm_job: str | None
    token: str

    @classmethod
    def this_process(cls) -> "Owner":
        """The running process, with a fresh token."""
        pid = os.getpid()
        return cls(_machine(), pid, _birth(pid), os.environ.get("SLURM_JOB_ID"), secrets.token_hex(8))

    @classmethod
    def parse(cls, text: str) -> "Owner | None":
        """The owner written in a file; None where it is being written or is not one."""
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError):
            return None

    def dump(self) -> str:
        """One line of JSON."""
        return json.dumps(vars(self)) + "\n"

    @property
    def is_dead(self) -> bool:
        """Whether it ran on this machine and has ended; of another machine's processes nothing is known."""
        return self.machine == _machine() and self.born != _birth(self.pid)

    def __str__(self) -> str:
        job = f", SLURM job {self.slurm_job}" if self.slurm_job else ""
        return f"process {self.pid} on {self.machine.split('/')[0]}{job}"


@contextmanager
def held(paths: Iterable[Path]) -> Iterator[None]:
    """Hold the locks of all paths while the block runs; waits for processes that hold one.

    They are taken in one order by everybody, so that two processes never wait for each other.
    """
    owner = Owner.this_process()
    ended = threading.Event()
    with ExitStack() as stack:
        taken: list[Path] = []
        thread = threading.Thread(target=_beat, args=(taken, ended), daemon=True)
        stack.callback(ended.set)
        thread.start()
        for path in sorted(set(paths)):
            _acquire(path, owner)
            stack.callback(_release, path, owner)
            taken.append(path)
        yield


def _acquire(path: Path, owner: Owner) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    said, since, seen = False, time.monotonic(), None
    while not _create(path, owner.dump()):
        state = _state(path)
        if state is None:  # given back just now
            continue
        if state != seen:
            since, seen = time.monotonic(), state
        other = Owner.parse(state[0])
        if (other is not None and other.is_dead) or time.monotonic() - since > PATIENCE_S:
            _break(path, state)
            continue
        if not said:
            print(
                f"waiting for {other or 'another process'}, which computes {path.stem}",
                file=sys.stderr,
                flush=True,
            )
            said = True
        time.sleep(random.uniform(*_POLL_S))


def _create(path: Path, text: str) -> bool:
    """Whether the file was not there and is now; a file that could not be written whole is removed."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError:
        return False
    try:
        os.write(descriptor, text.encode())
    except OSError:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    return True


def _state(path: Path) -> tuple[str, int] | None:
    """Content and time of a lock; None when it is gone."""
    try:
        return path.read_text(errors="replace"), path.stat().st_mtime_ns
    except FileNotFoundError:
        return None


def _break(path: Path, state: tuple[str, int]) -> None:
    """Remove the lock if it is still the one that was seen."""
    if _state(path) != state:
        return
    grave = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        path.rename(grave)  # of two processes that break it only one succeeds
    except FileNotFoundError:
        return
    grave.unlink()


def _release(path: Path, owner: Owner) -> None:
    """Remove the lock, unless it was taken over while this process was suspended."""
    state = _state(path)
    if state is not None and state[0] == owner.dump():
        path.unlink(missing_ok=True)


def _beat(taken: list[Path], ended: threading.Event) -> None:
    while not ended.wait(BEAT_S):
        for path in tuple(taken):
            try:
                os.utime(path)
            except (
                OSError
            ):  # taken over, or the disk is away for a moment: the result is kept by its key either way
                continue


def _machine() -> str:
    """Host name, the kernel's boot and the space of process ids."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return socket.gethostname()
    return f"{socket.gethostname()}/{boot}/{space}"


def _birth(pid: int) -> str:
    """When a process started, in clock ticks since boot; empty when it has ended, or only waits to be buried."""
    try:
        fields: list[Any] = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else str(fields[19])
