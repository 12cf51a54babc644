"""Merge several stores into one. A run has a random identity, so no row can replace a row of another run."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from harness.errors import RequestError
from harness.store.connection import connect_reading, connect_writing, transaction
from harness.store.failure import explained

TABLES = ("machines", "runs", "cells", "run_cells", "measurements")
"""The tables, each after those that it refers to."""


def merge(sources: Sequence[Path], target: Path) -> tuple[int, int]:
    """Add every row of the sources to the target; return how many rows were added and how many it has now.

    The target is created if it does not exist. Rows that it has already stay as they are, so merging twice changes
    nothing. Each source is added completely or not at all.
    """
    for source in sources:
        if target.exists() and source.exists() and target.samefile(source):
            raise RequestError(f"{target}: this is one of the stores to merge; name another with -o")
    for source in sources:  # check all of them before writing anything
        connect_reading(source).close()
    with closing(connect_writing(target)) as out:
        before = _count(out)
        for source in sources:
            _add(source, target, out)
        return _count(out) - before, _count(out)


def _add(source: Path, target: Path, out: sqlite3.Connection) -> None:
    with closing(connect_reading(source)) as given, explained(source):
        given.execute("BEGIN")  # read one consistent state, even if a run is writing
        with explained(target), transaction(out):
            for table in TABLES:
                cursor = given.execute(f"SELECT * FROM {table}")  # noqa: S608  our own names
                names = [column[0] for column in cursor.description if column[0] not in _generated(given, table)]
                marks, listed = ", ".join("?" * len(names)), ", ".join(names)
                rows = given.execute(f"SELECT {listed} FROM {table}")  # noqa: S608  our own names
                out.executemany(f"INSERT OR IGNORE INTO {table} ({listed}) VALUES ({marks})", rows)  # noqa: S608


def _generated(connection: sqlite3.Connection, table: str) -> set[str]:
    """Return the columns that are computed from others."""
    return {column[1] for column in connection.execute(f"PRAGMA table_xinfo({table})") if column[6]}


def _count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM measurements").fetchone()[0])
