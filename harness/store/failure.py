"""What SQLite raises, as one line that names the store, the cause and the next step."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import HarnessError

BUSY_SECONDS = 30.0
"""How long to wait for another process that is writing a row."""


class StoreError(HarnessError):
    """A store failed while it was in use: a full disk, a lock that is never released, a damaged file."""


@contextmanager
def explained(path: Path, kind: type[HarnessError] = StoreError) -> Iterator[None]:
    """Turn what SQLite raises into one line that names the store, the cause and the next step."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        step = next((step for start, step in _STEPS.items() if name.startswith(start)), "")
        raise kind(f"{path}: {error}{'; ' if step else ''}{step}") from error


_STEPS = {
    "SQLITE_FULL": "make room and run again: all rows before this one are safe",
    "SQLITE_IOERR": "look at the disk, then run again: all rows before this one are safe",
    "SQLITE_BUSY": f"another process kept it locked for {BUSY_SECONDS:.0f} s; end that one and run again",
    "SQLITE_READONLY": "the file or its folder is read-only; choose another store",
    "SQLITE_CANTOPEN": "the file or its folder cannot be opened; choose another store",
    "SQLITE_NOTADB": "this is no store; choose another store",
    "SQLITE_CORRUPT": "the file is damaged; choose another store, or save what is left: sqlite3 FILE .recover",
}
