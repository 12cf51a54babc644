"""The guardian as the parent sees it: a process to give one order, to listen to and to let go."""

from __future__ import annotations

import json
import os
import secrets
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

from harness.machine.process.messages import read_message
from harness.machine.process.start import Start
from harness.machine.process.sweep import GUARD, sweep

BOOT = "import sys; sys.path.append(sys.argv[1]); from harness.machine.process.guardian import main; main()"
ROOT = str(Path(__file__).parents[3])
OVERDUE = 20.0
"""Seconds beyond all limits after which the guardian itself is taken to be held and is ended."""

OnMessage: TypeAlias = Callable[[dict[str, Any]], None]


@contextmanager
def _deaf() -> Iterator[None]:
    """Start what the terminal must not reach: it inherits the mask, for the moment before it has its own session."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Guard:
    """One guardian, started with its order."""

    def __init__(self, start: Start) -> None:
        self.token, self.mark = secrets.token_hex(16), secrets.token_hex(8)
        self.folder = Path(tempfile.gettempdir(), f"harness-{self.mark}-{secrets.token_hex(8)}").absolute()
        self.result: dict[str, Any] | None = None
        limits = start.limits
        self.deadline = time.monotonic() + limits.seconds + limits.linger + OVERDUE
        with _deaf():
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", BOOT, ROOT],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._say(self._order(start))

    def _order(self, start: Start) -> bytes:
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
        with suppress(BrokenPipeError):  # that the guardian is gone shows when its report is read
            self.process.stdin.write(words)
            self.process.stdin.flush()

    def report(self, on_message: OnMessage | None, stop: threading.Event | None) -> dict[str, Any]:
        """Return the guardian's report, handing messages on meanwhile."""
        for line in self._lines(stop):
            if "message" in line:
                self._message(line["message"], on_message)
            else:
                return line
        return {"ended": "crashed", "reason": f"its guardian {self._fate()}, so its processes were ended"}

    def _fate(self) -> str:
        """Return how a guardian came to its end that has not reported."""
        try:
            return f"ended with {self.process.wait(timeout=0.5)}"
        except subprocess.TimeoutExpired:
            return "was held"

    def _lines(self, stop: threading.Event | None) -> Iterator[dict[str, Any]]:
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
        """Let the guardian go; where it went without a report, end what it left behind."""
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
