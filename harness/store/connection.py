"""Opening a store: what is there is checked first, and every refusal of SQLite becomes one line.

The journal is SQLite's plain rollback journal, not WAL. A row is written once in half a second at most, so nothing
is gained by WAL, and much would be lost: a store that is read from a read-only folder, that lies on a network file
system, or that is copied as the one file that it looks like.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from harness.errors import RequestError
from harness.store import failure
from harness.store.failure import explained

APPLICATION = 0x62707068
"""``PRAGMA application_id`` of a store: 'bpph', so that ``file`` and we know our own."""
VERSION = 2
"""Schema version of this harness, kept in ``PRAGMA user_version``."""
SCRIPTS = files("harness.store")
"""Where ``schema.sql`` and ``migrations/<version>.sql`` lie."""


def connect_writing(path: Path) -> sqlite3.Connection:
    """Open or create a store for writing, in the newest schema."""
    _refuse_what_is_no_file(path)
    with explained(path, RequestError):
        connection = _connect(path, "rwc")
        try:
            _version(connection, path)  # refuses without a lock
            bring_up(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def connect_reading(path: Path) -> sqlite3.Connection:
    """Open a store that is there for reading; one of an older schema is read through a copy in memory."""
    _refuse_what_is_no_file(path)
    if not path.exists():
        raise RequestError(f"{path}: there is no such store; `harness run STUDY --store {path}` makes it")
    if path.stat().st_size == 0:
        raise RequestError(f"{path}: the file is empty, nothing has been stored in it yet")
    with explained(path, RequestError):
        connection = _connect(path, "rw")  # which also rolls back what a killed writer left; SQLite falls back to ro
        connection.execute("PRAGMA query_only = ON")
        return connection if _version(connection, path) == VERSION else _copied(connection, path)


def bring_up(connection: sqlite3.Connection, path: Path) -> None:
    """Make the schema in an empty file, or bring an older one to the newest, in one transaction.

    Something is written in any case, so that a disk that is full or read-only is found before anything is measured.
    """
    with transaction(connection):
        version = _version(connection, path)
        steps = [f"migrations/{later}.sql" for later in range(version + 1, VERSION + 1)]
        for name in steps if version else ["schema.sql"]:
            for statement in _statements(SCRIPTS.joinpath(name).read_text(encoding="utf-8")):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {VERSION}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all or nothing; the lock is taken at once, so that two writers queue instead of failing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}", uri=True, timeout=failure.BUSY_SECONDS, isolation_level=None
    )
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _refuse_what_is_no_file(path: Path) -> None:
    if path.exists() and not path.is_file():
        raise RequestError(f"{path}: a store is a file, and this is {'a folder' if path.is_dir() else 'none'}")
    if not path.parent.is_dir():
        raise RequestError(f"{path}: there is no folder {path.parent}; make it, or choose another store")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the schema version, 0 for a file with nothing in it; refuse what is not ours or newer."""
    (application,), (version,) = (connection.execute(f"PRAGMA {name}").fetchone() for name in _MARKS)
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application != APPLICATION and (application or version or tables):
        raise RequestError(f"{path}: this is the SQLite file of another program; choose another store")
    if version > VERSION:
        raise RequestError(
            f"{path}: written by a newer harness (schema {version}; this one knows {VERSION}); upgrade backprop-harness"
        )
    return int(version)


_MARKS = ("application_id", "user_version")


def _copied(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", isolation_level=None)
    connection.backup(copy)
    connection.close()
    bring_up(copy, path)
    return copy


def _statements(script: str) -> Iterator[str]:
    """Split a script at its statements: ``executescript`` would commit in between."""
    statement = ""
    for piece in script.split(";"):
        statement += f"{piece};"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
