"""What happened while the clock ran: CPU time of this process and its children, steal, throttling and other load."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from harness.machine.cores import PROC, cgroup_folders, text
from harness.machine.process.tree import descendants

TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
"""The counters of ``/proc`` in a second; a system without ``sysconf`` has no such counters either."""

LONG_ENOUGH = 0.2
"""Seconds from which counters with a tick of 10 ms are precise enough."""


@dataclass(frozen=True)
class Machine:
    """Counters of the whole machine since it started, in seconds of CPU time."""

    busy: float
    steal: float
    total: float

    @classmethod
    def read(cls) -> Machine | None:
        """Return the counters now, or ``None`` if the system has none."""
        words = (text(PROC / "stat") or "").partition("\n")[0].split()
        if len(words) < 9 or words[0] != "cpu":
            return None
        user, nice, system, idle, waiting, irq, soft, steal = (int(word) / TICKS for word in words[1:9])
        busy = user + nice + system + irq + soft
        return cls(busy, steal, busy + idle + waiting + steal)


class Span:
    """The time of a ``with`` block; afterwards ``figures()`` says what happened. Counters are read at both ends."""

    def __enter__(self) -> Self:
        """Read all counters, this process's own clocks last."""
        self._children = children_seconds()
        self._throttled = throttled_seconds()
        self._machine = Machine.read()
        self._waited = waited_seconds()
        self._own, self._wall = time.process_time(), time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Read all counters again, this process's own clocks first."""
        self.wall, self.own = time.perf_counter() - self._wall, time.process_time() - self._own
        waited = waited_seconds()
        self.waited = None if waited is None or self._waited is None else waited - self._waited
        self._machine_after = Machine.read()
        self.children = max(0.0, children_seconds() - self._children)
        after = throttled_seconds()
        self.throttled = None if after is None or self._throttled is None else after - self._throttled

    @property
    def effective_cores(self) -> float | None:
        """CPU time over wall time; ``None`` if children took part and the time is too short for their ticks."""
        if self.children and self.wall < LONG_ENOUGH:
            return None
        return (self.own + self.children) / max(self.wall, 1e-9)

    def figures(self) -> dict[str, Any]:
        """Return the figures for the receipt, without those that this system does not show."""
        figures: dict[str, Any] = {
            "seconds": self.wall,
            "effective_cores": self.effective_cores,
            "children_cpu_seconds": self.children,
        }
        if self.waited is not None:
            figures["waiting_share"] = self.waited / max(self.wall, 1e-9)
        peak = resident_peak()
        if peak is not None:
            figures["resident_peak_bytes"] = peak
        if self.throttled is not None:
            figures["throttled_seconds"] = self.throttled
        before, after = self._machine, self._machine_after
        if before is not None and after is not None and self.wall >= LONG_ENOUGH and after.total > before.total:
            figures["steal_share"] = (after.steal - before.steal) / (after.total - before.total)
            others = after.busy - before.busy - self.own - self.children
            figures["other_cores"] = max(0.0, others) / self.wall
        return figures


def waited_seconds() -> float | None:
    """Return how many seconds the main thread has waited for a CPU so far; exact even for short times."""
    words = (text(PROC / "self/schedstat") or "").split()
    return int(words[1]) / 1e9 if len(words) == 3 else None


def resident_peak() -> int | None:
    """Return the largest resident memory so far of this process and its living descendants together, or ``None``.

    It is read after the steady epochs and before evaluation and parity, because their arrays do not belong to the
    backend. Each process counts with the most that it held. Memory that they share counts once, as far as the system
    shows it.
    """
    processes = [_resident(text(PROC / str(pid) / "status") or "") for pid in (os.getpid(), *descendants())]
    most = sum(peak for peak, _ in processes)
    shared = [shared_now for _, shared_now in processes]
    return most - sum(shared) + max(shared) if most else None


def _resident(status: str) -> tuple[int, int]:
    """Return how many bytes a process held at most, and how many of its present bytes are shared."""
    held = {
        name: int(size) * 1024
        for name, size in re.findall(r"^(VmHWM|RssFile|RssShmem):\s+(\d+) kB", status, re.MULTILINE)
    }
    return held.get("VmHWM", 0), held.get("RssFile", 0) + held.get("RssShmem", 0)


def children_seconds() -> float:
    """Return the CPU time of all descendants, living and ended; its precision is one tick, mostly 10 ms."""
    waited = os.times()
    return waited.children_user + waited.children_system + sum(_cpu_seconds(pid) for pid in descendants())


def _cpu_seconds(pid: int) -> float:
    words = (text(PROC / str(pid) / "stat") or "").rpartition(")")[2].split()
    return sum(int(word) for word in words[11:13]) / TICKS


def throttled_seconds() -> float | None:
    """Return how many seconds the quota has stopped this process's cgroups so far; ``None`` if nobody counts them."""
    stopped = [seconds for folder in cgroup_folders() if (seconds := _throttled(text(folder / "cpu.stat"))) is not None]
    return max(stopped, default=None)


def _throttled(stat: str | None) -> float | None:
    """Return the seconds that a ``cpu.stat`` names: version 2 counts microseconds, version 1 nanoseconds."""
    for line in (stat or "").splitlines():
        name, _, value = line.partition(" ")
        if name in ("throttled_usec", "throttled_time"):
            return int(value) / (1e6 if name == "throttled_usec" else 1e9)
    return None
