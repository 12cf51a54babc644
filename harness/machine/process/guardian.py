"""The guardian: a process between the harness and one child, which alone decides that the child's time is over.

It is started as ``python -I -S``, reads one order from standard input and reports lines of JSON on standard output.
While it runs, the parent's end of standard input stays open: the byte ``!`` asks to stop, end of file says that the
parent has read the report, or is gone. The guardian leaves no descendant and no folder behind.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from contextlib import suppress
from typing import Any

from harness.machine.process.child import REQUEST, VARIABLE
from harness.machine.process.memory import kernel_kills
from harness.machine.process.spawn import PR_SET_CHILD_SUBREAPER, CannotStartError, prctl, spawn
from harness.machine.process.tree import HAS_PROC, Reaper, descendants
from harness.machine.process.watch import Pipes, Watch

GRACE, SETTLE = 0.3, 0.3
"""Seconds for a polite end before the forced one, and for helpers of a child that has ended to follow it."""


def main() -> None:
    """Carry out one order."""
    order: dict[str, Any] = json.loads(_read(int(_read(16))))
    _prepare()
    try:
        _report(**_guarded(order))
        while os.read(0, 1):  # until the parent has read what lies in the folder, or is gone
            pass
    finally:
        _remove_folder(order["folder"])


def _read(size: int) -> bytes:
    read = bytearray()
    while len(read) < size:
        block = os.read(0, size - len(read))
        if not block:
            sys.exit(0)  # the parent ended before its order was whole
        read += block
    return bytes(read)


def _report(**line: Any) -> None:
    with suppress(BrokenPipeError):  # the parent is gone; the end comes by way of standard input
        os.write(1, json.dumps(line).encode() + b"\n")


def _prepare() -> None:
    """Inherit orphans, and owe nothing to how the parent treats signals; its end comes by standard input."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _guarded(order: dict[str, Any]) -> dict[str, Any]:
    """Run the child to its end; return the report."""
    pipes = Pipes()
    environment = {**order["environment"], VARIABLE: f"{order['token']}:{order['folder']}"}
    kills = kernel_kills()
    try:
        _make_folder(order)
        child = spawn(order["command"], environment, order["cpus"], pipes.out.entry, pipes.err.entry)
    except (CannotStartError, OSError) as error:
        return {"ended": "unstarted", "reason": str(error)}
    _step_aside(order["cpus"])
    watch = Watch(order, Reaper(child), pipes, _report)
    return {**_watched(watch), "kernel_kills": kernel_kills() - kills, "supervised": HAS_PROC, **pipes.tails()}


def _watched(watch: Watch) -> dict[str, Any]:
    """Wait for the verdict, carry it out, and say what the child used and left."""
    state, reason = watch.verdict()
    watch.look()
    left = _end(state, watch.reaper)
    clean = watch.reaper.kill_all()
    watch.hand_on()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    largest = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {
        "ended": state,
        "reason": reason,
        "status": watch.reaper.status,
        "left": left,
        "clean": clean,
        "shared": watch.shared.remove(),
        "seconds": watch.seconds(),
        "peak_bytes": max(watch.memory.peak, largest),
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
    }


def _end(state: str, reaper: Reaper) -> int:
    """Let everything end by itself, politely asked where the child has not; return how many have not heeded."""
    if state == "out-of-memory":
        return 0
    if state != "ended":
        reaper.signal_all(signal.SIGTERM)
        reaper.signal_all(signal.SIGCONT)
    return 0 if reaper.settled(GRACE if state != "ended" else SETTLE) else len(descendants())


def _step_aside(cpus: list[int] | None) -> None:
    """Leave the child's CPUs to the child, where there are others."""
    if cpus is None:
        return
    others = os.sched_getaffinity(0) - set(cpus)
    if others:
        os.sched_setaffinity(0, others)


def _make_folder(order: dict[str, Any]) -> None:
    """Make the private folder, which must not exist yet, with the request in it."""
    os.mkdir(order["folder"], 0o700)  # noqa: PTH102  plain calls: pathlib would cost more than all else here
    with open(f"{order['folder']}/{REQUEST}", "w", encoding="utf-8") as file:  # noqa: PTH123  as above
        file.write(order["request"])


def _remove_folder(folder: str) -> None:
    with suppress(FileNotFoundError):  # where it could not be made, which the report says
        for name in os.listdir(folder):  # noqa: PTH208  as above
            os.unlink(f"{folder}/{name}")  # noqa: PTH108  as above
        os.rmdir(folder)  # noqa: PTH106  as above
