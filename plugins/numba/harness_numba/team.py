"""Python threads that work on one batch together: a pool that lives on, or a team made and joined for every batch.

In a pool every number has a thread of its own, so that what it owns stays in the cache of one core. Where the process
has as many cores as the pool has threads, each thread keeps to one: an epoch on a small net ends before the system has
noticed that it woke two threads on one core, and each would wait there for the other to give up its turn. A process
with cores to spare is left alone: others may keep theirs busy.
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
    """What a thread ends with because another one did: never the cause, and never what the caller sees."""


class Team:
    """``run`` gives every thread its number and returns when all are done; ``meet`` lets them wait for each other."""

    def __init__(self, kind: str, size: int, abort: Callable[[], None] = lambda: None) -> None:
        """Keep ``size`` threads ready (``pool``), or make them at every ``run`` (``fork``); a team of one has none.

        ``abort`` is called when one of them fails, to free those that wait for it in native code.
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
        """Return when every thread of the team has come here."""
        self._barrier.wait()

    def close(self) -> None:
        """End the threads."""
        self._open = False
        self._free()
        for one in self._pool:
            one.shutdown()
        self._pool = []

    def _share(self, submit: Submit, task: Task) -> None:
        """Nobody is left waiting when a thread fails or the caller is interrupted: all come home before it raises."""

        def guarded(number: int) -> None:
            try:
                task(number)
            except BaseException:
                self._free()
                raise

        tasks: list[Future[None]] = []
        try:
            for number in range(self.size):
                tasks.append(submit(guarded, number))  # noqa: PERF401  those before one that fails must be known
            wait(tasks)
        except BaseException:
            self._free()
            self._renew()
            raise
        errors = [error for one in tasks if (error := one.exception()) is not None]
        causes = [error for error in errors if not isinstance(error, (AbortedError, BrokenBarrierError))]
        if errors:
            raise (causes or errors)[0]

    def _renew(self) -> None:
        """New threads for the pool, the old ones at home: nothing that was started or not noted may run later."""
        for one in self._pool:
            one.shutdown(cancel_futures=True)
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
    """Bind the calling thread to a core; one that the system has taken away meanwhile binds nobody."""
    with suppress(OSError):
        os.sched_setaffinity(0, {core})


def checked(kind: str) -> str:
    """Return ``kind`` where it is one, or refuse it."""
    return one_of("option team", kind, KINDS)
