"""Independent calculations in processes of one thread each, so that results do not depend on the number of cores."""

import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def map_tasks(work: Callable[[Task], Result], tasks: Sequence[Task], cores: int, label: str) -> list[Result]:
    """Results of all tasks in their order; a line of progress on standard error after each.

    Even one task on one core runs in a fresh process: a sum over several threads would change the last bits.
    """
    if not tasks:
        return []
    started = time.perf_counter()
    context = multiprocessing.get_context("spawn")
    results: dict[int, Result] = {}
    workers = min(cores, len(tasks))
    with (
        _one_thread(),
        ProcessPoolExecutor(workers, context, _end_with_parent, (os.getpid(),)) as pool,
    ):
        futures = {pool.submit(work, task): index for index, task in enumerate(tasks)}
        for future in as_completed(futures):
            results[futures[future]] = future.result()
            seconds = time.perf_counter() - started
            print(
                f"molecule: {label}: {len(results)}/{len(tasks)}, {seconds:.0f} s",
                file=sys.stderr,
                flush=True,
            )
    return [results[index] for index in range(len(tasks))]


def _end_with_parent(parent: int) -> None:
    """Let a worker end when its parent was killed; it would go on computing for nobody."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Environment of the processes to come: one thread each."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
