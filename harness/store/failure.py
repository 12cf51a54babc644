"""Turn what SQLite and the operating system raise into one line that names the store, the cause and the next step."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import HarnessError, InputOutputError, RequestError, input_output_error

BUSY_SECONDS = 30.0
"""How many seconds to wait for another process that is writing."""
MAGIC = b"SQLite format 3\0"
"""The first bytes of every SQLite file."""


class StoreError(InputOutputError):
    """A store cannot be read or written: a full disk, a lock that is never released, a damaged file."""


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn every error of SQLite and of the operating system inside the block into an error of the harness.

    A file that is no store is a ``RequestError``, because another one can be named. Whatever else SQLite refuses is a
    ``StoreError``.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _store_error(path, error) from error
    except OSError as error:
        raise input_output_error(error, path) from error


def damaged(path: Path, what: str) -> StoreError:
    """Return the error of a store whose contents are not what a harness has written."""
    return StoreError(f"{path}: {what}; {_DAMAGED}")


def _store_error(path: Path, error: sqlite3.Error) -> HarnessError:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name == "SQLITE_NOTADB" and not _begins_as_database(path):
        return RequestError(f"{path}: {error}; this is no store; choose another store")
    step = next((step for start, step in _STEPS.items() if name.startswith(start)), "")
    return StoreError(f"{path}: {error}{'; ' if step else ''}{step}")


def _begins_as_database(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


_DAMAGED = "the file is damaged; choose another store, or save what is left: sqlite3 FILE .recover"
_STEPS = {
    "SQLITE_FULL": "make room and run again: all rows before this one are safe",
    "SQLITE_IOERR": "look at the disk, then run again: all rows before this one are safe",
    "SQLITE_BUSY": f"another process kept it locked for {BUSY_SECONDS:.0f} s; end that process and run again",
    "SQLITE_READONLY": "the file or its folder is read-only; choose another store",
    "SQLITE_CANTOPEN": "the file or its folder cannot be opened; choose another store",
    "SQLITE_NOTADB": _DAMAGED,
    "SQLITE_CORRUPT": _DAMAGED,
}
"""What to do next, by the start of SQLite's name for the error."""
