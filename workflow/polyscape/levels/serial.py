"""What back ends without MPI of their own share: one process, and the clock."""

import resource
import time
from dataclasses import dataclass, field
from typing import Any

from polyscape.levels.protocol import Work


class SerialBackend:
    """A back end of one process.  In a parallel job rank 0 computes and tells the others."""

    @property
    def is_root(self) -> bool:
        """Always: there is one process."""
        return True

    def share(self, value: Any) -> Any:
        """The value itself."""
        return value


@dataclass(frozen=True)
class Clock:
    """When a calculation began, in wall time and in CPU time of this process and its finished children."""

    wall_s: float = field(default_factory=time.perf_counter)
    cpu_s: float = field(default_factory=lambda: _cpu_s())

    def work(self, scf_steps: int = 0) -> Work:
        """What was taken since."""
        own, children = (
            resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        return Work(
            wall_s=time.perf_counter() - self.wall_s,
            core_s=_cpu_s() - self.cpu_s,
            cores=1,
            peak_memory_MB=max(own, children) / 1024,
            scf_steps=scf_steps,
            plane_waves=0,
            k_points=1,
        )


def _cpu_s() -> float:
    """CPU seconds of this process and of programs that it ran and that have ended."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
