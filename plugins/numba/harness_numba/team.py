"""Python threads that work on one batch together. ``pool`` keeps the threads; ``fork`` makes new ones for each batch.

In a pool every number has its own thread, so that its data stays in the cache of one core. If the process has exactly
as many cores as the pool has threads, each thread is bound to one core. Otherwise the system may wake two threads on
the same core, where each waits for the other, and an epoch on a small network ends before the system moves one of them.
If the process has more cores, the threads are not bound, because other programs may use some of those cores.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

from harness import RequestError
from harness.plugin import one_of

Task = Callable[[int], None]
Submit = Callable[[Task, int], "Future[None]"]
"""Starts ``task(number)`` on the thread of that number."""
KINDS = ("pool", "fork")


class AbortedError(RuntimeError):
    """A thread ends with this error because another thread failed. The caller sees the error of that other thread."""


class Team:
    """``run`` calls a task once in every thread and returns when all are done; ``meet`` is a barrier between them."""

    def __init__(self, kind: str, size: int, abort: Callable[[], None] = lambda: None) -> None:
        """Keep ``size`` threads ready (``pool``), or make them at every ``run`` (``fork``).

        A team of size 1 runs in the calling thread. ``abort`` is called when a thread fails; it must release the
        threads that wait for that thread in native code.
        """
        self.size, self._kind, self._abort = size, kind, abort
        self._barrier = Barrier(size)
        self._open = True
        self._pool = _pool(size) if kind == "pool" and size > 1 else []

    def run(self, task: Task) -> None:
        """Run ``task(number)`` once on each thread; the error that ended the run is raised here."""
        if not self._open:
            raise RequestError("this backend is closed; make a new one")
        self._barrier.reset()
        if self.size == 1:
            task(0)
        elif self._kind == "pool":
            self._share(lambda work, number: self._pool[number].submit(work, number), task)
        else:
            with ThreadPoolExecutor(self.size, "worker") as team:
                self._share(team.submit, task)

    def meet(self) -> None:
        """Return when every thread of the team has called this method."""
        self._barrier.wait()

    def close(self) -> None:
        """End the threads."""
        self._open = False
        self._free()
        for executor in self._pool:
            executor.shutdown()
        self._pool = []

    def _share(self, submit: Submit, task: Task) -> None:
        """Run the task in every thread. If one fails or the caller is interrupted, release the others, then raise."""

        def guarded(number: int) -> None:
            try:
                task(number)
            except BaseException:
                self._free()
                raise

        tasks: list[Future[None]] = []
        try:
            for number in range(self.size):
                tasks.append(submit(guarded, number))  # noqa: PERF401  if one fails, those before it must be known
            wait(tasks)
        except BaseException:
            self._free()
            self._renew()
            raise
        errors = [error for future in tasks if (error := future.exception()) is not None]
        causes = [error for error in errors if not isinstance(error, (AbortedError, BrokenBarrierError))]
        if errors:
            raise (causes or errors)[0]

    def _renew(self) -> None:
        """End the threads of the pool and make new ones, so that no task of the interrupted run is started later."""
        for executor in self._pool:
            executor.shutdown(cancel_futures=True)
        self._pool = _pool(self.size) if self._pool else []

    def _free(self) -> None:
        self._barrier.abort()
        self._abort()


def _pool(size: int) -> list[ThreadPoolExecutor]:
    """Return an executor of one thread for each number."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(cores) != size:
        return [ThreadPoolExecutor(1, "worker") for _ in range(size)]
    return [ThreadPoolExecutor(1, "worker", _keep_to, (core,)) for core in cores]


def _keep_to(core: int) -> None:
    """Bind the calling thread to a core; do nothing if the system no longer gives this core to the process."""
    with suppress(OSError):
        os.sched_setaffinity(0, {core})


def checked(kind: str) -> str:
    """Return ``kind`` if it is in ``KINDS``; otherwise raise a ``RequestError``."""
    return one_of("option team", kind, KINDS)
