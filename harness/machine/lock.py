"""One run at a time on a machine: a lock that every run of every user takes, and that ends with its process."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from harness.errors import RequestError

try:
    import fcntl
except ImportError:  # pragma: no cover  a system without flock cannot run cells either
    fcntl = None  # type: ignore[assignment]

FOLDER = "HARNESS_LOCKS"
"""The variable that names another folder for the lock."""

PAUSE = 0.2
"""Seconds between two looks at a lock that another run holds."""


@dataclass(frozen=True)
class Holder:
    """Who holds the lock."""

    pid: int
    command: str

    def __str__(self) -> str:
        """Return the command and its process, as a message names them."""
        return f"{self.command or 'a run'} (process {self.pid})"


OnWait = Callable[[Holder | None], None]
"""Told once, before the wait begins, who holds the lock; ``None`` where that cannot be read."""


@contextmanager
def machine_lock(command: str, *, share: bool = False, on_wait: OnWait = lambda _holder: None) -> Iterator[bool]:
    """Hold the machine for one run; yield whether it is shared with another run.

    While another run holds the lock, wait for it; with ``share``, go on beside it. The system gives the lock back when
    the process ends, however it ends.
    """
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
    """Open the lock's file, which every user may write, or say why it cannot be opened and what to do."""
    try:
        _make(path.parent)
        handle = _handle(path)
    except OSError as error:
        cause = f"the lock of this machine, {path}, cannot be opened ({error.strerror})"
        raise RequestError(f"{cause}; set {FOLDER} to a folder that can be written") from error
    with suppress(OSError):  # another user's file stays as its owner made it
        os.fchmod(handle, 0o666)
    with os.fdopen(handle, "r+", encoding="utf-8", errors="replace") as file:
        yield file


def _make(folder: Path) -> None:
    """Make the folder for every user; where another run makes it at the same moment, that is as good."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(PermissionError):  # another user was quicker and does the same
            folder.chmod(0o1777)


def _handle(path: Path) -> int:
    """Open the file, and make it only where it is missing.

    In a folder that all may write, Linux refuses to create what another user has made, even if it could be opened.
    """
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        return os.open(path, flags | os.O_CREAT, 0o666)


def _take(file: IO[str]) -> bool:
    if fcntl is None:
        raise RequestError(f"a run needs flock, which {sys.platform} does not have; use Linux or macOS")
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
    """Return who signed the lock's file; ``None`` where it holds something else."""
    file.seek(0)
    try:
        told = json.loads(file.read(4096))
        return Holder(int(told["pid"]), str(told["command"]))
    except (ValueError, KeyError, TypeError):
        return None
