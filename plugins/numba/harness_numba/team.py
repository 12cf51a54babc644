"""Python threads that work on one batch together: a pool that lives on, or a team made and joined for every batch.

Where the process has as many cores as the team has threads, each thread keeps to one. An epoch on a small net ends
before the system has noticed that it woke two threads on one core, and each would wait there for the other to give up
its turn. A process with cores to spare is left alone: others may keep theirs busy.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import partial
from itertools import cycle
from threading import Barrier

from harness import RequestError
from harness.errors import nearest

Task = Callable[[int], None]
KINDS = ("pool", "fork")


class Team:
    """``run`` gives every thread its number and returns when all are done; ``meet`` lets them wait for each other."""

    def __init__(self, kind: str, size: int, abort: Callable[[], None] = lambda: None) -> None:
        """Keep ``size`` threads ready (``pool``), or make them at every ``run`` (``fork``); a team of one has none.

        ``abort`` is called when one of them fails, to free those that wait for it in native code.
        """
        self.size, self._abort = size, abort
        self._barrier = Barrier(size)
        self._pool = self._threads() if kind == "pool" and size > 1 else None

    def run(self, task: Task) -> None:
        """Run ``task(number)`` once on each thread; the first error of any is raised here."""
        self._barrier.reset()
        if self.size == 1:
            task(0)
        elif self._pool is not None:
            self._share(self._pool, task)
        else:
            with self._threads() as team:
                self._share(team, task)

    def meet(self) -> None:
        """Return when every thread of the team has come here."""
        self._barrier.wait()

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()
        self._pool = None

    def _threads(self) -> ThreadPoolExecutor:
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        if len(cores) != self.size:
            return ThreadPoolExecutor(self.size, "worker")
        return ThreadPoolExecutor(self.size, "worker", partial(_keep_to, cycle(cores)))

    def _share(self, pool: ThreadPoolExecutor, task: Task) -> None:
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
                tasks.append(pool.submit(guarded, number))  # noqa: PERF401  those before one that fails must be known
            for done in tasks:
                done.result()
        except BaseException:
            self._free()
            wait(tasks)
            raise

    def _free(self) -> None:
        self._barrier.abort()
        self._abort()


def _keep_to(cores: Iterator[int]) -> None:
    """Bind the calling thread to the next core; one that the system has taken away meanwhile binds nobody."""
    with suppress(OSError):
        os.sched_setaffinity(0, {next(cores)})


def checked(kind: str) -> str:
    """Return ``kind`` where it is one, or refuse it."""
    if kind not in KINDS:
        raise RequestError(f"option team={kind!r} is unknown{nearest(str(kind), KINDS)}")
    return kind
