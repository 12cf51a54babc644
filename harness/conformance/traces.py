"""What a process holds: threads, children, files, shared memory; and which threads are busy. It reads ``/proc``."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil
from threadpoolctl import threadpool_info

PROC, SHARED = Path("/proc/self"), Path("/dev/shm")  # noqa: S108  the system's own name for shared memory
WINDOW, PAUSE = 0.4, 0.002
"""Seconds for which threads are watched, and seconds between two looks."""


@dataclass(frozen=True)
class Holding:
    """How many of each there are at one moment, and the names in shared memory."""

    threads: int
    processes: int
    files: int
    shared: frozenset[str] = field(default=frozenset())


def holding() -> Holding:
    """Return what this process holds now."""
    return Holding(
        threads=len(list((PROC / "task").iterdir())),
        processes=len(psutil.Process().children(recursive=True)),
        files=len(list((PROC / "fd").iterdir())),
        shared=frozenset(path.name for path in SHARED.iterdir()) if SHARED.is_dir() else frozenset(),
    )


def thread_limits() -> dict[str, int]:
    """Return how many threads each loaded numeric library would use now, by the library's file."""
    return {library["filepath"]: library["num_threads"] for library in threadpool_info()}


def settled(wanted: Callable[[Holding], bool], seconds: float = 2.0) -> Holding:
    """Wait until ``wanted`` is true of what is held, or the time is up; return what is held then.

    Threads and children need some time to end.
    """
    deadline = time.monotonic() + seconds
    now = holding()
    while not wanted(now) and time.monotonic() < deadline:
        time.sleep(0.02)
        now = holding()
    return now


class ThreadSampler:
    """Counts in a ``with`` block, again and again, the threads of this process and its children that want a CPU.

    A thread that waits for a CPU counts too. So neither a busy machine nor a limit of CPUs can hide a thread.
    """

    def __init__(self) -> None:
        self.counts: list[int] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="conformance-sampler")

    def __enter__(self) -> Self:
        """Start sampling."""
        children = psutil.Process().children(recursive=True)
        self._tasks = [PROC / "task", *(Path(f"/proc/{child.pid}/task") for child in children)]
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop sampling."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        own = str(threading.get_native_id())
        while not self._stop.is_set():
            self.counts.append(sum(_running(tasks, own) for tasks in self._tasks))
            time.sleep(PAUSE)

    def share_above(self, limit: int) -> float:
        """Return the share of the samples in which more than ``limit`` threads were busy."""
        return sum(count > limit for count in self.counts) / max(1, len(self.counts))

    @property
    def usual(self) -> int:
        """The median number of busy threads."""
        return sorted(self.counts)[len(self.counts) // 2] if self.counts else 0


def _running(tasks: Path, own: str) -> int:
    count = 0
    with suppress(OSError):  # a process or a thread may end while it is read
        for task in tasks.iterdir():
            with suppress(OSError):
                count += task.name != own and (task / "stat").read_text().rpartition(")")[2].split()[0] == "R"
    return count
