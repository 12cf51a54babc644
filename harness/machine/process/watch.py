"""Watch one child: wake up when something happens, and ten times a second to look at its memory and messages.

A look costs more if there are many processes or threads. Then it is taken less often, so that watching uses at most
half a percent of one core.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from resource import getpagesize
from typing import Any

from harness.machine.process.tree import Reaper, descendants, stopped

TICK, SLOWEST, SHARE = 0.1, 2.0, 200
"""Least and most seconds between two looks; and the pause after a look, as a multiple of what the look cost."""
TAIL = 1 << 16
"""Bytes kept of each output."""
SHARED = "/dev/shm"  # noqa: S108  the folder of named shared memory on Linux
PROC = "/proc"
PAGE = getpagesize()
MIB = 1 << 20
ROUGHLY = "{} of {} processes show no smaps_rollup, so their shared pages count fully"
"""What a reason says where the exact memory of some processes cannot be read."""


class Tail:
    """A pipe for one output, of which the last bytes are kept. It is drained, so that no writer waits for a reader."""

    def __init__(self) -> None:
        self.exit, self.entry = os.pipe()
        os.set_blocking(self.exit, False)
        self.kept = b""

    def drain(self) -> bool:
        """Read one block; return whether there may be more."""
        try:
            block = os.read(self.exit, TAIL)
        except BlockingIOError:
            return False
        self.kept = (self.kept + block)[-TAIL:]
        return bool(block)


class Pipes:
    """Standard output and standard error of the child and all its descendants."""

    def __init__(self) -> None:
        self.out, self.err = Tail(), Tail()

    def drain(self) -> None:
        """Read what lies in both, at most 16 blocks each, so that endless output cannot hold the guardian."""
        for tail in (self.out, self.err):
            for _ in range(16):
                if not tail.drain():
                    break

    def tails(self) -> dict[str, str]:
        """Return the last part of both outputs as text."""
        self.drain()
        return {"stdout": self.out.kept.decode(errors="replace"), "stderr": self.err.kept.decode(errors="replace")}


class Watch:
    """One child under its limits, from its start to the verdict."""

    def __init__(self, order: dict[str, Any], reaper: Reaper, pipes: Pipes, report: Callable[..., None]) -> None:
        self.order, self.reaper, self.pipes, self.report = order, reaper, pipes, report
        self.started = time.monotonic()
        self.memory = Memory(order["memory_bytes"])
        self.shared = SharedNames()
        self.seen: set[str] = set()
        self.result_at: float | None = None
        self.poller = select.poll()
        self.exits = [_pidfd(reaper.child), _pidfd(os.getppid())]
        for number in (0, pipes.out.exit, pipes.err.exit, *self.exits):
            if number is not None:
                self.poller.register(number, select.POLLIN)

    def seconds(self) -> float:
        """Return how long the child has run."""
        return time.monotonic() - self.started

    def verdict(self) -> tuple[str, str]:
        """Wait until the child has ended or must be ended; return the state and, if it must, the reason."""
        due = TICK
        while True:
            pause = max(0.0, min(due, self.order["seconds"]) - self.seconds())
            ready = {number for number, _ in self.poller.poll(pause * 1000 + 1)}
            self.pipes.drain()
            self.reaper.reap()
            if self.reaper.status is not None:
                return "ended", ""
            called = self._called(ready)
            if called:
                return called, ""
            if self.seconds() >= self.order["seconds"]:
                return "timeout", self._overdue()
            if self.seconds() >= due:
                cost = time.process_time()
                verdict = self.look() or self._lingers()
                if verdict:
                    return verdict
                due = self.seconds() + min(SLOWEST, max(TICK, SHARE * (time.process_time() - cost)))

    def _called(self, ready: set[int]) -> str:
        """Return ``interrupted`` if the parent asked to stop, ``orphaned`` if it has ended, or an empty string."""
        if self.exits[1] in ready:
            return "orphaned"
        if 0 in ready:
            return "interrupted" if os.read(0, 1) else "orphaned"
        return ""

    def _overdue(self) -> str:
        still = "; it is held by a stop signal" if stopped(self.reaper.child) else ""
        return f"had not ended after {self.order['seconds']:g} s{still}"

    def look(self) -> tuple[str, str] | None:
        """Look at the memory of all processes and pass on new messages; return a verdict if a limit is passed."""
        pids = descendants()
        self.shared.look(pids)
        self.hand_on()
        reason = self.memory.too_large(pids)
        return ("out-of-memory", reason) if reason else None

    def hand_on(self) -> None:
        """Report every new message in the order of delivery."""
        names = (name for name in os.listdir(self.order["folder"]) if name.startswith(("news-", "result-")))  # noqa: PTH208  plain calls: this runs while the clock runs
        for name in sorted(set(names) - self.seen, key=lambda name: name.split("-")[1]):
            self.seen.add(name)
            self.report(message=name)
            if name.startswith("result-"):
                self.result_at = self.seconds()

    def _lingers(self) -> tuple[str, str] | None:
        if self.result_at is None or self.seconds() - self.result_at < self.order["linger"]:
            return None
        return "lingering", f"still ran {self.order['linger']:g} s after its result"


def _pidfd(pid: int) -> int | None:
    """Return an open file that is ready when the process has ended; ``None`` if the system has no such files."""
    with suppress(AttributeError, OSError):
        return os.pidfd_open(pid)
    return None


class Memory:
    """Resident memory of all processes: the limit, and the largest that was seen."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.peak = 0

    def too_large(self, pids: list[int]) -> str:
        """Add up the memory of all processes; return a reason if it is over the limit, else an empty string.

        The quick sum counts shared pages too often, so the exact one decides. It is taken twice, and the smaller
        counts: pages that become shared while one process after the other is read are counted too often as well. Where
        the system does not show the exact one, the next best counts, and the reason says so.
        """
        once, every = resident(pids)
        self.peak = max(self.peak, once)
        if self.limit is None or every <= self.limit:
            return ""
        exact, rough = (every, 0) if len(pids) == 1 else min(proportional(pids), proportional(pids))
        if exact <= self.limit:
            return ""
        self.peak = max(self.peak, exact)
        how = f" ({ROUGHLY.format(rough, len(pids))})" if rough else ""
        return f"{exact / MIB:.0f} MiB resident{how}, the limit is {self.limit / MIB:.0f} MiB"


def resident(pids: Iterable[int]) -> tuple[int, int]:
    """Return two sums of resident memory in bytes: shared pages counted once, and counted for every process."""
    private = largest = every = 0
    for pid in pids:
        with suppress(OSError), open(f"{PROC}/{pid}/statm", "rb") as figures:  # noqa: PTH123  as above
            _, held, shared = map(int, figures.read().split()[:3])
            private += held - shared
            largest = max(largest, shared)
            every += held
    return (private + largest) * PAGE, every * PAGE


def proportional(pids: Sequence[int]) -> tuple[int, int]:
    """Return the resident memory in bytes, each shared page divided by the number of its users: exact and slow.

    Of a process that does not show this, all resident memory counts, so that no limit is ever passed unseen. The second
    number says how many such processes there were.
    """
    exact = [_proportional(pid) for pid in pids]
    rough = [resident([pid])[1] for pid, held in zip(pids, exact, strict=True) if held is None]
    return sum(filter(None, exact)) + sum(rough), sum(held > 0 for held in rough)


def _proportional(pid: int) -> int | None:
    """Return the memory of one process in bytes, or ``None`` if neither file shows it, or the process has ended.

    Kernels before 4.14 have only the second, longer file. Both are closed to a process that runs for another user.
    """
    for name in ("smaps_rollup", "smaps"):
        with suppress(OSError), open(f"{PROC}/{pid}/{name}", "rb") as figures:  # noqa: PTH123  as above
            return sum(int(line.split()[1]) for line in figures if line.startswith(b"Pss:")) * 1024
    return None


class SharedNames:
    """Named shared memory that appeared while the child ran and that a descendant has mapped.

    It is removed in the end, because MPI leaves its own behind when it is killed. A name that no descendant was seen
    to map belongs to somebody else and is never touched.
    """

    def __init__(self) -> None:
        self.known = set(_names())
        self.ours: set[str] = set()

    def look(self, pids: Iterable[int]) -> None:
        """Find out which new names these processes have mapped; this costs almost nothing while there are none."""
        fresh = set(_names()) - self.known - self.ours
        if fresh:
            mapped = {name for pid in pids for name in _mapped(pid)}
            self.ours |= fresh & mapped

    def remove(self) -> list[str]:
        """Remove what is left and return the names; call it when no descendant is alive."""
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
    """Yield the names of the shared memory that a process has mapped."""
    with suppress(OSError), open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as lines:  # noqa: PTH123  as above
        for line in lines:
            _, separator, name = line.rstrip("\n").partition(f"{SHARED}/")
            if separator:
                yield name.removesuffix(" (deleted)")


def kernel_kills() -> int:
    """Return how many processes this machine's kernel has ended so far because memory ran out."""
    with suppress(OSError), open("/proc/vmstat", "rb") as lines:  # noqa: PTH123  as above
        return next((int(line.split()[1]) for line in lines if line.startswith(b"oom_kill ")), 0)
    return 0
