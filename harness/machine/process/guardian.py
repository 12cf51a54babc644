"""The guardian: a small process between the harness and one child. It alone decides when the child's time is over.

It is started as ``python -I -S``, reads one order from standard input and prints its reports as lines of JSON on
standard output. While it runs, the parent keeps its end of standard input open: the byte ``!`` asks the guardian to
stop, and end of file says that the parent has read the report or has ended. The guardian leaves no descendant and no
folder behind.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.machine.process.child import REQUEST, VARIABLE
from harness.machine.process.tree import HAS_PROC, Reaper, descendants
from harness.machine.process.watch import Pipes, Watch, kernel_kills

GRACE, SETTLE = 0.3, 0.3
"""Seconds between the polite end and the forced one, and seconds for helpers to end after the child has ended."""
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
"""Linux's numbers of two attributes of a process."""
LINUX = sys.platform == "linux"


def main() -> None:
    """Read one order, carry it out, report, and wait until the parent has read what lies in the private folder."""
    order: dict[str, Any] = json.loads(_read(int(_read(16))))
    _prepare()
    try:
        _report(**_guarded(order))
        while os.read(0, 1):  # end of file: the parent has read the folder, or has ended
            pass
    finally:
        _remove_folder(order["folder"])


def _read(size: int) -> bytes:
    """Return exactly ``size`` bytes of standard input; end this process if the parent ended before they were sent."""
    content = bytearray()
    while len(content) < size:
        block = os.read(0, size - len(content))
        if not block:
            sys.exit(0)
        content += block
    return bytes(content)


def _report(**line: Any) -> None:
    with suppress(BrokenPipeError):  # the parent has ended; end of file on standard input will say so
        os.write(1, json.dumps(line).encode() + b"\n")


def _prepare() -> None:
    """Become a subreaper and reset the signals; the parent's end is seen as end of file on standard input."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _guarded(order: dict[str, Any]) -> dict[str, Any]:
    """Start the child, watch it until it has ended, and return the report."""
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
    """Wait for the verdict, end all processes, and return what the child used and what it left behind."""
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
    """Give all processes a short time to end by themselves, and return how many have not.

    A child that has not ended is asked politely first. After ``out-of-memory`` nobody waits.
    """
    if state == "out-of-memory":
        return 0
    if state != "ended":
        reaper.signal_all(signal.SIGTERM)
        reaper.signal_all(signal.SIGCONT)
    return 0 if reaper.settled(GRACE if state != "ended" else SETTLE) else len(descendants())


def _step_aside(cpus: list[int] | None) -> None:
    """Move the guardian off the child's CPUs, if there are others."""
    if cpus is None:
        return
    others = os.sched_getaffinity(0) - set(cpus)
    if others:
        os.sched_setaffinity(0, others)


def _make_folder(order: dict[str, Any]) -> None:
    """Make the private folder, which must not exist yet, and write the request into it."""
    os.mkdir(order["folder"], 0o700)  # noqa: PTH102  plain calls: a start has to stay cheap
    with open(f"{order['folder']}/{REQUEST}", "w", encoding="utf-8") as file:  # noqa: PTH123  as above
        file.write(order["request"])


def _remove_folder(folder: str) -> None:
    with suppress(FileNotFoundError):  # it could not be made; the report says so
        for name in os.listdir(folder):  # noqa: PTH208  as above
            os.unlink(f"{folder}/{name}")  # noqa: PTH108  as above
        os.rmdir(folder)  # noqa: PTH106  as above


# Starting the child: a session of its own, its CPUs, and an end together with the guardian's.


class CannotStartError(Exception):
    """The child's program could not be started; the message says why."""


def spawn(
    command: Sequence[str], environment: Mapping[str, str], cpus: Sequence[int] | None, out: int, err: int
) -> int:
    """Start ``command`` and return its process id; raise ``CannotStartError`` if the program cannot be started.

    ``out`` and ``err`` are the open files that become its output. It inherits no other open file. It is confined to
    ``cpus``; ``None`` leaves it on all of them.
    """
    said, say = os.pipe()
    guardian = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            _settle(guardian, cpus, out, err)
            os.execvpe(command[0], list(command), dict(environment))  # noqa: S606  a shell is what we avoid
        except BaseException as error:  # noqa: BLE001  the forked copy must never return into the guardian's loop
            os.write(say, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(127)
    os.close(say)
    with os.fdopen(said, "rb") as failure:
        cause = failure.read().decode()
    if cause:
        os.waitpid(child, 0)
        raise CannotStartError(f"cannot start {command[0]!r}: {cause}")
    return child


def _settle(guardian: int, cpus: Sequence[int] | None, out: int, err: int) -> None:
    """Prepare the forked copy for the child's program: session, signals, limits, CPUs and open files."""
    os.setsid()
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != guardian:
        os._exit(127)
    for name in ("SIGPIPE", "SIGXFSZ", "SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    with suppress(OSError):  # if memory runs out, the kernel should end the cell and not the harness
        Path("/proc/self/oom_score_adj").write_text("500")
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if cpus is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cpus)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, target in ((nothing, 0), (out, 1), (err, 2)):
        os.dup2(number, target)


def prctl(option: int, value: int) -> None:
    """Set one attribute of this process. Do nothing on a system other than Linux; raise ``OSError`` on failure."""
    if not LINUX:
        return
    import ctypes  # noqa: PLC0415  only Linux's C library has the call

    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}, {value})")
