"""All descendants of a process: find them and end them. Without ``/proc`` only one process group can be found.

The guardian is a subreaper: a process whose parent has ended becomes its child, whatever session or group that process
made for itself. So "no child is left to wait for" means exactly "no descendant is left", and every loop here ends then.
"""

from __future__ import annotations

import os
import signal
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
HAS_PROC = (PROC / "self" / "stat").exists()
HAS_CHILDREN = (PROC / "self" / "task" / str(os.getpid()) / "children").exists()


def descendants() -> list[int]:
    """Return every living descendant of this process, parents before their children; none without ``/proc``."""
    if not HAS_PROC:
        return []
    children = _children if HAS_CHILDREN else _families().__getitem__
    pids: list[int] = []
    pending = list(children(os.getpid()))
    while pending:
        pid = pending.pop(0)
        pids.append(pid)
        pending.extend(children(pid))
    return pids


def _children(pid: int) -> Iterator[int]:
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208  plain calls: this runs while the clock runs
            with suppress(OSError), open(f"/proc/{pid}/task/{task}/children", "rb") as listed:  # noqa: PTH123  as above
                yield from map(int, listed.read().split())


def _families() -> defaultdict[int, list[int]]:
    """Return the children of every process, for a kernel that does not list them; this reads all processes."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for name in filter(str.isdigit, os.listdir(PROC)):  # noqa: PTH208  as above
        with suppress(OSError), open(f"/proc/{name}/stat", "rb") as figures:  # noqa: PTH123  as above
            children[int(figures.read().rpartition(b")")[2].split()[1])].append(int(name))
    return children


def stopped(pid: int) -> bool:
    """Return whether a stop signal holds a process."""
    with suppress(OSError), open(f"/proc/{pid}/stat", "rb") as figures:  # noqa: PTH123  as above
        return figures.read().rpartition(b")")[2].split()[0] in (b"T", b"t")
    return False


class Reaper:
    """Waits for every process that has ended, and keeps the exit status of the first child."""

    def __init__(self, child: int) -> None:
        self.child = child
        self.status: int | None = None

    def reap(self) -> bool:
        """Collect every process that has ended; return whether any is left."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return True
                if pid == self.child:
                    self.status = status
        except ChildProcessError:
            return False

    def settled(self, seconds: float) -> bool:
        """Wait at most so many seconds until no process is left; return whether none is left."""
        until = time.monotonic() + seconds
        while self.reap():
            if time.monotonic() > until:
                return False
            time.sleep(0.005)
        return True

    def signal_all(self, number: int) -> int:
        """Send one signal to every descendant and return how many there were."""
        pids = descendants() if HAS_PROC else [-self.child]
        for pid in pids:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        return len(pids)

    def kill_all(self, seconds: float = 10.0) -> bool:
        """Kill every descendant and look again until none is left or the time is up; return whether none is left."""
        until = time.monotonic() + seconds
        if not HAS_PROC:
            self.signal_all(signal.SIGKILL)  # the group may hold processes that are not our children
        while self.reap():
            if time.monotonic() > until:
                return False
            self.signal_all(signal.SIGSTOP)  # a stopped process cannot fork while the others are being ended
            self.signal_all(signal.SIGKILL)
            time.sleep(0.002)
        return True
