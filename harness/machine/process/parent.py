"""The parent's side of one child: what ``run`` is asked, how it talks to the guardian, and what it answers.

``Start`` with its ``Limits`` is the request, ``Ended`` the answer. In between a ``Guard`` starts the guardian, hands it
one order, passes on the child's messages and waits for the guardian's report.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import selectors
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from harness.machine.needs import require_processes

State = Literal["ended", "timeout", "out-of-memory", "crashed", "interrupted"]
"""How a child ended: by itself, by a limit, by a signal that the harness did not send, or because of ``stop``."""

OnMessage: TypeAlias = Callable[[dict[str, Any]], None]
"""Called with every message of the child that has a ``"type"``."""


@dataclass(frozen=True)
class Limits:
    """What a child and all its descendants together may use."""

    seconds: float
    """Wall clock from the start of the child to the end of the last of its processes."""
    memory_bytes: int | None = None
    """Resident memory of all processes together; ``None``: no limit."""
    linger: float = 5.0
    """Seconds that the child may go on after it has delivered its result. Then it is ended, and the result counts."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """One child to run: ``words... python -P -m module``, with ``request`` for ``process.child.receive``."""

    module: str
    request: Mapping[str, Any]
    """Plain data for JSON."""
    environment: Mapping[str, str]
    """The complete environment. The harness adds only its own ``HARNESS_CHANNEL`` and ``HARNESS_GUARD``."""
    limits: Limits
    words: tuple[str, ...] = ()
    """A launcher, put before the command line. Every rank receives the request, and one of them should deliver."""
    cpus: frozenset[int] | None = None
    """The only CPUs that the child and its descendants may use; ``None``: all that this process may use."""
    python: str = field(default_factory=lambda: sys.executable)
    """The interpreter. Another one needs ``harness`` installed and nothing else in common with this one."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How the child ended. None of its descendants is alive any more."""

    state: State
    reason: str = ""
    """One sentence if the child did not end by itself, or could not be started."""
    exit_code: int | None = None
    signal: str | None = None
    """The name of the signal that ended the child, such as ``SIGSEGV``."""
    message: dict[str, Any] | None = None
    """The last message without a ``"type"`` that the child delivered: its result."""
    stderr: str = ""
    """The last lines that all its processes printed to standard error."""
    stdout: str = ""
    """The last lines that all its processes printed to standard output. They are for people and are never parsed."""
    seconds: float = 0.0
    peak_bytes: int | None = None
    """Largest resident memory of all its processes together; memory that they share is counted once."""
    cpu_seconds: float = 0.0
    """User and system time of the child and of all its descendants."""
    warnings: tuple[str, ...] = ()
    """What was not in order although the child ended by itself, one sentence each."""


def run(start: Start, *, on_message: OnMessage | None = None, stop: threading.Event | None = None) -> Ended:
    """Run one child to its end and return how it ended; when this returns, no descendant of it is alive.

    ``on_message`` gets every message with a ``"type"`` while the child runs. Setting ``stop`` ends the child with the
    state ``interrupted``. Any exception in between, ``KeyboardInterrupt`` too, also ends the child. A system on which
    processes cannot be guarded is ``Unavailable``; a guardian that cannot be started is an ``Ended`` with a reason.
    """
    require_processes()
    try:
        guard = Guard(start)
    except OSError as error:
        return Ended(state="ended", exit_code=127, reason=f"cannot start a guardian: {error}")
    try:
        report = guard.report(on_message, stop)
        return ended(report, guard.result, asked=stop is not None and stop.is_set())
    finally:
        guard.close()


# The guardian, as the parent sees it.

BOOT = "import sys; sys.path.append(sys.argv[1]); from harness.machine.process.guardian import main; main()"
"""The guardian's program: isolated Python finds no package by itself, so it gets the folder of this one."""
ROOT = str(Path(__file__).parents[3])
"""The folder that holds the package ``harness``."""
OVERDUE = 20.0
"""Seconds beyond all limits after which the guardian itself is thought to be held, and is ended."""
GUARD = "HARNESS_GUARD"
"""The variable that holds a random mark in every process of a cell."""
LARGEST = 64 << 20
"""Bytes of the largest message that is read."""


class Guard:
    """One guardian, started with its order. Call ``report`` once, then ``close``."""

    def __init__(self, start: Start) -> None:
        self.token, self.mark = secrets.token_hex(16), secrets.token_hex(8)
        self.folder = Path(tempfile.gettempdir(), f"harness-{self.mark}-{secrets.token_hex(8)}").absolute()
        self.result: dict[str, Any] | None = None
        """The last result that the child delivered."""
        limits = start.limits
        self.deadline = time.monotonic() + limits.seconds + limits.linger + OVERDUE
        with _signals_blocked():
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", BOOT, ROOT],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._say(self._order(start))

    def _order(self, start: Start) -> bytes:
        """Return the order as the guardian reads it: 16 digits with its length, then JSON."""
        order = {
            "command": [*start.words, start.python, "-P", "-m", start.module],
            "environment": {**start.environment, GUARD: self.mark},
            "cpus": None if start.cpus is None else sorted(start.cpus),
            "seconds": start.limits.seconds,
            "memory_bytes": start.limits.memory_bytes,
            "linger": start.limits.linger,
            "folder": str(self.folder),
            "token": self.token,
            "request": json.dumps(start.request),
        }
        text = json.dumps(order).encode()
        return b"%016d%s" % (len(text), text)

    def _say(self, words: bytes) -> None:
        assert self.process.stdin
        with suppress(BrokenPipeError):  # if the guardian has ended, the missing report will show it
            self.process.stdin.write(words)
            self.process.stdin.flush()

    def report(self, on_message: OnMessage | None, stop: threading.Event | None) -> dict[str, Any]:
        """Wait for the guardian's report and return it; pass the child's messages on meanwhile."""
        for line in self._lines(stop):
            if "message" in line:
                self._message(line["message"], on_message)
            else:
                return line
        return {"ended": "crashed", "reason": f"its guardian {self._fate()}, so its processes were ended"}

    def _fate(self) -> str:
        """Return, for a message, what became of a guardian that sent no report."""
        try:
            return f"ended with {self.process.wait(timeout=0.5)}"
        except subprocess.TimeoutExpired:
            return "was held"

    def _lines(self, stop: threading.Event | None) -> Iterator[dict[str, Any]]:
        """Yield what the guardian prints, until it closes its output or the deadline has passed."""
        assert self.process.stdout
        os.set_blocking(self.process.stdout.fileno(), False)
        rest = b""
        asked = False
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while time.monotonic() < self.deadline:
                if stop is not None and stop.is_set() and not asked:
                    asked = True
                    self._say(b"!")
                if not selector.select(0.1 if stop is not None else 1.0):
                    continue
                block = os.read(self.process.stdout.fileno(), 1 << 16)
                if not block:
                    return
                *lines, rest = (rest + block).split(b"\n")
                yield from map(json.loads, lines)

    def _message(self, name: str, on_message: OnMessage | None) -> None:
        content = read_message(self.folder / name, self.token)
        if content is None:
            return
        if name.startswith("result-"):
            self.result = content
        elif on_message is not None:
            on_message(content)

    def close(self) -> None:
        """Let the guardian end. If it ended without a report, end the processes that it left behind."""
        assert self.process.stdin
        assert self.process.stdout
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(timeout=OVERDUE if time.monotonic() < self.deadline else 0.1)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        if self.process.returncode != 0:
            sweep(self.mark)
            shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Block the signals of the terminal, so that a child started here inherits the mask.

    The mask protects it for the short time until it has a session of its own.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def read_message(path: Path, token: str) -> dict[str, Any] | None:
    """Read one message and remove its file.

    Return ``None`` if it is not a plain file, is incomplete or lacks the token: then our child did not write it.
    """
    try:
        content = _content(path)
    except (OSError, ValueError, RecursionError):
        return None
    finally:
        with suppress(OSError):  # removed, so that listing the folder stays cheap after many messages
            path.unlink()
    if not isinstance(content, dict) or content.get("token") != token:
        return None
    message = content.get("message")
    return message if isinstance(message, dict) else None


def _content(path: Path) -> Any:
    figures = path.lstat()
    if not stat.S_ISREG(figures.st_mode) or figures.st_size > LARGEST:
        raise ValueError(path)
    return json.loads(path.read_bytes())


def marked(mark: str) -> list[int]:
    """Return every living process that has this mark in its environment; none on a system without ``/proc``."""
    wanted = f"{GUARD}={mark}".encode()
    pids = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                pids.append(int(entry.name))
    return pids


def sweep(mark: str, seconds: float = 5.0) -> None:
    """End every marked process and look again until none is left; needed only if the guardian itself was killed."""
    until = time.monotonic() + seconds
    while (pids := marked(mark)) and time.monotonic() < until:
        for pid in pids:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


# From the guardian's report to ``Ended``.

LINES, CHARACTERS = 60, 8000
"""How much of the child's output is kept, at most."""
STATES: dict[str, State] = {
    "ended": "ended",
    "lingering": "ended",
    "unstarted": "ended",
    "timeout": "timeout",
    "out-of-memory": "out-of-memory",
    "crashed": "crashed",
    "interrupted": "interrupted",
    "orphaned": "interrupted",
}
"""The state of each ending that a guardian reports."""
POLITE = ("SIGINT", "SIGTERM", "SIGHUP")
"""Signals that ask a process to end."""
ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def ended(report: dict[str, Any], result: dict[str, Any] | None, *, asked: bool = False) -> Ended:
    """Return how a child ended, from the guardian's report and the child's last result.

    ``asked`` says that it was asked to stop: then a polite signal from somebody else counts as ``interrupted``, because
    whoever ends a whole job may have sent that signal to the child as well.
    """
    state, reason = STATES[report["ended"]], report["reason"]
    exit_code, name = _status(report)
    if report["ended"] == "ended" and name is not None:
        state, reason = ("interrupted", "") if asked and name in POLITE else _by_signal(name, report)
    return Ended(
        state=state,
        reason=reason,
        exit_code=exit_code,
        signal=name if state == "crashed" else None,
        message=result,
        stderr=last_lines(report.get("stderr", "")),
        stdout=last_lines(report.get("stdout", "")),
        seconds=report.get("seconds", 0.0),
        peak_bytes=report.get("peak_bytes"),
        cpu_seconds=report.get("cpu_seconds", 0.0),
        warnings=_warnings(report),
    )


def _by_signal(name: str, report: dict[str, Any]) -> tuple[State, str]:
    """Return state and reason of a child that a signal ended; the kernel's kill for lack of memory is told apart."""
    if name == "SIGKILL" and report["kernel_kills"]:
        return "out-of-memory", "ended by the kernel, because the machine's memory ran out"
    return "crashed", f"ended by {name}"


def _status(report: dict[str, Any]) -> tuple[int | None, str | None]:
    """Return the exit code, or the name of the signal, that ended the child."""
    if report["ended"] == "unstarted":
        return 127, None
    status = report.get("status")
    if status is None:
        return None, None
    code = os.waitstatus_to_exitcode(status)
    return (code, None) if code >= 0 else (None, signal_name(-code))


def signal_name(number: int) -> str:
    """Return a signal's name, such as ``SIGSEGV``, or ``signal 40`` for a real-time signal, which has no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _warnings(report: dict[str, Any]) -> tuple[str, ...]:
    warnings = []
    if report["ended"] == "lingering":
        warnings.append(f"{report['reason']} and was ended")
    if report["ended"] == "ended" and report["left"]:
        warnings.append(f"left {report['left']} processes behind, which were ended")
    if report["ended"] == "ended" and report["shared"]:
        warnings.append(f"left shared memory behind, which was removed: {', '.join(report['shared'])}")
    if not report.get("supervised", True):
        warnings.append("this system shows no process tree: memory was not limited, and some processes may be left")
    if not report.get("clean", True):
        warnings.append("some processes could not be ended: look for them with ps")
    return tuple(warnings)


def last_lines(text: str) -> str:
    """Return the last lines of a text without terminal escapes and other control characters."""
    plain = CONTROLS.sub("\N{REPLACEMENT CHARACTER}", ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    return "\n".join(plain.splitlines()[-LINES:])[-CHARACTERS:]
