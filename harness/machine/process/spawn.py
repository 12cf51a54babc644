"""Start the child from the guardian: a session of its own, its CPUs, and death with the guardian."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
LINUX = sys.platform == "linux"


def prctl(option: int, value: int) -> None:
    """Set one attribute of this process, where the system knows it."""
    if not LINUX:
        return
    import ctypes  # noqa: PLC0415  exists everywhere, but the C library has the call only here

    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}, {value})")


class CannotStartError(Exception):
    """The child's program could not be started; the message says why."""


def spawn(
    command: Sequence[str], environment: Mapping[str, str], cpus: Sequence[int] | None, out: int, err: int
) -> int:
    """Start ``command`` with its output on two open files and nothing else open; return its process id."""
    said, say = os.pipe()
    guardian = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            _settle(guardian, cpus, out, err)
            os.execvpe(command[0], list(command), dict(environment))  # noqa: S606  a shell is what we avoid
        except BaseException as error:  # noqa: BLE001  a fork must never return into the guardian's loop
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
    os.setsid()
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != guardian:
        os._exit(127)
    for name in ("SIGPIPE", "SIGXFSZ", "SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    with suppress(OSError):  # where memory runs out, the kernel should end the cell and not the harness
        Path("/proc/self/oom_score_adj").write_text("500")
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if cpus is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cpus)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, target in ((nothing, 0), (out, 1), (err, 2)):
        os.dup2(number, target)
