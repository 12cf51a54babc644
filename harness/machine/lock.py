"""Only one run at a time on a machine: a lock that every run of every user takes, and that ends with its process."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from harness.errors import InputOutputError
from harness.machine.needs import require_processes

try:
    import fcntl
except ImportError:  # pragma: no cover  ``require_processes`` refuses a system without it
    fcntl = None  # type: ignore[assignment]

FOLDER = "HARNESS_LOCKS"
"""The environment variable that names another folder for the lock."""

PAUSE = 0.2
"""Seconds between two attempts to take a lock that another run holds."""


@dataclass(frozen=True)
class Holder:
    """The process that holds the lock."""

    pid: int
    command: str

    def __str__(self) -> str:
        """Return the command and the process id, as messages show them."""
        return f"{self.command or 'a run'} (process {self.pid})"


OnWait = Callable[[Holder | None], None]
"""Called once before the wait begins, with the holder of the lock, or ``None`` if that cannot be read."""


@contextmanager
def machine_lock(command: str, *, share: bool = False, on_wait: OnWait = lambda _holder: None) -> Iterator[bool]:
    """Hold the machine for one run; yield whether another run uses it at the same time.

    While another run holds the lock, wait for it; with ``share``, go on without the lock. The system gives the lock
    back when the process ends, however it ends. Raise ``InputOutputError`` if the lock's file cannot be opened.
    """
    require_processes()
    with _opened(_path()) as file:
        taken = _take(file)
        if not taken and not share:
            on_wait(_holder(file))
            while not _take(file):
                time.sleep(PAUSE)
            taken = True
        if taken:
            _sign(file, Holder(os.getpid(), command))
        yield not taken


def _path() -> Path:
    given = os.environ.get(FOLDER, "")
    folder = Path(given) if given else Path(tempfile.gettempdir()) / "backprop-harness-locks"
    return folder / "machine.lock"


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    """Open the lock's file, which every user may write; raise ``InputOutputError`` if that fails."""
    try:
        _make(path.parent)
        handle = _handle(path)
    except OSError as error:
        cause = f"the lock of this machine, {path}, cannot be opened ({error.strerror})"
        raise InputOutputError(f"{cause}; set {FOLDER} to a folder that can be written") from error
    with suppress(OSError):  # the file of another user keeps the mode that its owner gave it
        os.fchmod(handle, 0o666)
    with os.fdopen(handle, "r+", encoding="utf-8", errors="replace") as file:
        yield file


def _make(folder: Path) -> None:
    """Make the folder for every user; another run may make it at the same time."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(PermissionError):  # another user made it first and sets the mode
            folder.chmod(0o1777)


def _handle(path: Path) -> int:
    """Open the file; create it only if it is missing.

    In a folder that everybody may write, Linux refuses to open another user's file with ``O_CREAT``.
    """
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        return os.open(path, flags | os.O_CREAT, 0o666)


def _take(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(file: IO[str], holder: Holder) -> None:
    file.seek(0)
    file.truncate()
    json.dump(asdict(holder), file)
    file.flush()


def _holder(file: IO[str]) -> Holder | None:
    """Return the process that is named in the lock's file; ``None`` if the file holds something else."""
    file.seek(0)
    try:
        holder = json.loads(file.read(4096))
        return Holder(int(holder["pid"]), str(holder["command"]))
    except (ValueError, KeyError, TypeError):
        return None
