"""All descendants of the guardian: find them and end them. Reads ``/proc``; elsewhere one process group.

The guardian is a subreaper: a process whose parent has ended becomes its child, whatever session or group it made for
itself. So "no child left to wait for" means "no descendant left", exactly, and is what every loop here ends on.
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
    """Return every living descendant of this process, parents before their children."""
    if not HAS_PROC:
        return []
    children = _children if HAS_CHILDREN else _families().__getitem__
    found: list[int] = []
    pending = list(children(os.getpid()))
    while pending:
        pid = pending.pop(0)
        found.append(pid)
        pending.extend(children(pid))
    return found


def _children(pid: int) -> Iterator[int]:
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208  plain calls: this runs beside the clock
            with suppress(OSError), open(f"/proc/{pid}/task/{task}/children", "rb") as listed:  # noqa: PTH123  as above
                yield from map(int, listed.read().split())


def _families() -> defaultdict[int, list[int]]:
    """Return the children of every process: where the kernel does not list them, at the price of reading them all."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for name in filter(str.isdigit, os.listdir(PROC)):  # noqa: PTH208  as above
        with suppress(OSError), open(f"/proc/{name}/stat", "rb") as figures:  # noqa: PTH123  as above
            found[int(figures.read().rpartition(b")")[2].split()[1])].append(int(name))
    return found


def stopped(pid: int) -> bool:
    """Return whether a process stands still by a stop signal."""
    with suppress(OSError), open(f"/proc/{pid}/stat", "rb") as figures:  # noqa: PTH123  as above
        return figures.read().rpartition(b")")[2].split()[0] in (b"T", b"t")
    return False


class Reaper:
    """Waits for whatever has ended, and remembers how the first child did."""

    def __init__(self, child: int) -> None:
        self.child = child
        self.status: int | None = None

    def reap(self) -> bool:
        """Collect all that have ended; return whether any process is left."""
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
        """Wait until no process is left, at most so long; return whether that came true."""
        until = time.monotonic() + seconds
        while self.reap():
            if time.monotonic() > until:
                return False
            time.sleep(0.005)
        return True

    def signal_all(self, number: int) -> int:
        """Send one signal to every descendant; return how many there were."""
        pids = descendants() if HAS_PROC else [-self.child]
        for pid in pids:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        return len(pids)

    def kill_all(self, seconds: float = 10.0) -> bool:
        """End every descendant and look again until none is left; return whether none is."""
        until = time.monotonic() + seconds
        if not HAS_PROC:
            self.signal_all(signal.SIGKILL)  # the group may hold what is no child of ours
        while self.reap():
            if time.monotonic() > until:
                return False
            self.signal_all(signal.SIGSTOP)  # what stands still cannot fork while the rest is being ended
            self.signal_all(signal.SIGKILL)
            time.sleep(0.002)
        return True
