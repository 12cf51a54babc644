"""Open a store: the file is checked first, and every refusal of SQLite becomes one line.

The journal is SQLite's rollback journal, not WAL. At most two rows are written in a second, so WAL would gain nothing.
With WAL a store could not be read in a read-only folder, could not lie on a network file system, and would be more than
the one file that people copy.
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
"""The ``PRAGMA application_id`` of every store, the letters 'bpph': it tells a store from another program's file."""
VERSION = 3
"""The newest schema version. A store keeps its own version in ``PRAGMA user_version``."""
SCRIPTS = files("harness.store")
"""The package in which ``migrations/<version>.sql`` lie; all of them in order are the schema."""


def connect_writing(path: Path) -> sqlite3.Connection:
    """Open or create a store for writing, in the newest schema."""
    with explained(path):
        _refuse_what_is_no_file(path)
        connection = _connect(path, "rwc")
        try:
            _version(connection, path)  # refuses another program's file without taking the lock for writing
            bring_up(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def connect_reading(path: Path) -> sqlite3.Connection:
    """Open an existing store for reading. A store of an older schema is read through a copy in memory."""
    with explained(path):
        _refuse_what_is_no_file(path)
        if not path.exists():
            raise RequestError(f"{path}: there is no such store; `harness run STUDY --store {path}` makes it")
        if path.stat().st_size == 0:
            raise RequestError(f"{path}: the file is empty, nothing has been stored in it yet")
        # Mode rw also rolls back what a killed writer left; where the file is read-only, SQLite falls back to ro.
        connection = _connect(path, "rw")
        try:
            connection.execute("PRAGMA query_only = ON")
            return connection if _version(connection, path) == VERSION else _copied(connection, path)
        except BaseException:
            connection.close()
            raise


def bring_up(connection: sqlite3.Connection, path: Path) -> None:
    """Create the schema in an empty file, or bring an older one to the newest version, in one transaction.

    The version is read after the lock for writing is taken, so that of several processes only the first one creates or
    migrates. Something is written in any case, so that a full or read-only disk is found before anything is measured.
    """
    with transaction(connection):
        for number in range(_marks(connection, path) + 1, VERSION + 1):
            script = SCRIPTS.joinpath(f"migrations/{number}.sql").read_text(encoding="utf-8")
            for statement in _statements(script):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {VERSION}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all or nothing. The lock is taken at the start, so that a second writer waits instead of failing."""
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
    """Return the schema version as ``_marks`` does, in one transaction for reading.

    Without the transaction, another process could create the schema between two of the questions.
    """
    connection.execute("BEGIN")
    try:
        return _marks(connection, path)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _marks(connection: sqlite3.Connection, path: Path) -> int:
    """Return the schema version, 0 for an empty file; refuse a file of another program or of a newer harness.

    The caller holds a transaction.
    """
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION and (application or version or tables):
        raise RequestError(f"{path}: this is the SQLite file of another program; choose another store")
    if version > VERSION:
        raise RequestError(
            f"{path}: written by a newer harness (schema {version}; this one knows {VERSION}); upgrade backprop-harness"
        )
    return int(version)


def _copied(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", isolation_level=None)
    connection.backup(copy)
    connection.close()
    bring_up(copy, path)
    return copy


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script one by one, because ``executescript`` would commit before them."""
    statement = ""
    for piece in script.split(";"):
        statement += f"{piece};"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
