"""The memory of all descendants: weighed while they run, and named shared memory removed after them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from resource import getpagesize

SHARED = "/dev/shm"  # noqa: S108  where named shared memory lies on Linux
PAGE = getpagesize()
MIB = 1 << 20


class Memory:
    """Resident memory against a limit, and the largest that was seen."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.peak = 0

    def too_large(self, pids: list[int]) -> str:
        """Weigh all processes; return a reason if they are over the limit.

        Shared pages make the quick sum too large, so the exact one decides; twice, because pages that come to be
        shared while one process after the other is read are counted too often.
        """
        once, every = resident(pids)
        self.peak = max(self.peak, once)
        if self.limit is None or every <= self.limit:
            return ""
        exact = every if len(pids) == 1 else min(proportional(pids), proportional(pids))
        if exact <= self.limit:
            return ""
        self.peak = max(self.peak, exact)
        return f"{exact / MIB:.0f} MiB resident, the limit is {self.limit / MIB:.0f} MiB"


def resident(pids: Iterable[int]) -> tuple[int, int]:
    """Return two sums of resident memory in bytes: shared pages counted once, and counted for every process."""
    private = largest = every = 0
    for pid in pids:
        with suppress(OSError), open(f"/proc/{pid}/statm", "rb") as figures:  # noqa: PTH123  plain: beside the clock
            _, held, shared = map(int, figures.read().split()[:3])
            private += held - shared
            largest = max(largest, shared)
            every += held
    return (private + largest) * PAGE, every * PAGE


def proportional(pids: Iterable[int]) -> int:
    """Return the resident memory in bytes with each shared page divided among its sharers: exact and slow."""
    total = 0
    for pid in pids:
        with suppress(OSError), open(f"/proc/{pid}/smaps_rollup", "rb") as figures:  # noqa: PTH123  as above
            total += next((int(line.split()[1]) for line in figures if line.startswith(b"Pss:")), 0)
    return total * 1024


class SharedNames:
    """Named shared memory that descendants have mapped and that was not there before: MPI leaves its own when killed.

    A name that no descendant was seen to map belongs to somebody else and is never touched.
    """

    def __init__(self) -> None:
        self.known = set(_names())
        self.ours: set[str] = set()

    def look(self, pids: Iterable[int]) -> None:
        """Find out whose the new names are; costs next to nothing while there are none."""
        fresh = set(_names()) - self.known - self.ours
        if fresh:
            mapped = {name for pid in pids for name in _mapped(pid)}
            self.ours |= fresh & mapped

    def remove(self) -> list[str]:
        """Remove what is left, once no descendant is alive; return the names."""
        left = sorted(self.ours & set(_names()))
        for name in left:
            with suppress(OSError):
                os.unlink(f"{SHARED}/{name}")  # noqa: PTH108  as above
        return left


def _names() -> list[str]:
    with suppress(OSError):
        return os.listdir(SHARED)  # noqa: PTH208  as above
    return []


def _mapped(pid: int) -> Iterator[str]:
    with suppress(OSError), open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as lines:  # noqa: PTH123  as above
        for line in lines:
            _, found, name = line.rstrip("\n").partition(f"{SHARED}/")
            if found:
                yield name.removesuffix(" (deleted)")


def kernel_kills() -> int:
    """Return how many processes this machine's kernel has ended so far because memory ran out."""
    with suppress(OSError), open("/proc/vmstat", "rb") as lines:  # noqa: PTH123  as above
        return next((int(line.split()[1]) for line in lines if line.startswith(b"oom_kill ")), 0)
    return 0
