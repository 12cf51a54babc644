"""Watch one child: wake when something happens, else ten times a second to look at memory and messages.

A look that is dear, because there are many processes or threads, is taken less often, so that watching costs the
machine half a percent of one core at most.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from harness.machine.process.memory import Memory, SharedNames
from harness.machine.process.tree import Reaper, descendants, stopped

TICK, SLOWEST, SHARE = 0.1, 2.0, 200
"""Seconds between looks, at most; and how many times its own cost a look is apart from the next."""
TAIL = 1 << 16


class Tail:
    """The last bytes of one output, drained so that nobody ever waits for a reader."""

    def __init__(self) -> None:
        self.exit, self.entry = os.pipe()
        os.set_blocking(self.exit, False)
        self.kept = b""

    def drain(self) -> bool:
        """Take one block; return whether there may be more."""
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
        """Take what lies in both, at most a few blocks, so that a chatterer cannot hold the guardian."""
        for tail in (self.out, self.err):
            for _ in range(16):
                if not tail.drain():
                    break

    def tails(self) -> dict[str, str]:
        """Return the last of both as text."""
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
        """Wait until the child has ended or must end; return the state and, where it must, the reason."""
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
                found = self.look() or self._lingers()
                if found:
                    return found
                due = self.seconds() + min(SLOWEST, max(TICK, SHARE * (time.process_time() - cost)))

    def _called(self, ready: set[int]) -> str:
        """Return what the parent wants, by a word or by its end."""
        if self.exits[1] in ready:
            return "orphaned"
        if 0 in ready:
            return "interrupted" if os.read(0, 1) else "orphaned"
        return ""

    def _overdue(self) -> str:
        still = ", standing still by a stop signal" if stopped(self.reaper.child) else ""
        return f"had not ended after {self.order['seconds']:g} s{still}"

    def look(self) -> tuple[str, str] | None:
        """Look at all processes and hand on new messages; return a verdict where there is one."""
        pids = descendants()
        self.shared.look(pids)
        self.hand_on()
        reason = self.memory.too_large(pids)
        return ("out-of-memory", reason) if reason else None

    def hand_on(self) -> None:
        """Report every new message in the order of delivery."""
        names = (name for name in os.listdir(self.order["folder"]) if name.startswith(("news-", "result-")))  # noqa: PTH208  plain calls: this runs beside the clock
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
    """Return an open file that is ready when the process has ended, where the system has such files."""
    with suppress(AttributeError, OSError):
        return os.pidfd_open(pid)
    return None
