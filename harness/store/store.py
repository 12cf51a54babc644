"""``Store`` keeps rows in one SQLite file and writes each row in its own transaction."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from harness._version import __version__
from harness.plan.cell import Cell
from harness.runner.row import Row
from harness.store import rows as columns
from harness.store.connection import connect_reading, connect_writing, transaction
from harness.store.failure import damaged, explained
from harness.store.records import Again, Run, Stored


class Store:
    """An open store, which ``with`` closes. When ``add`` returns, the row is on the disk."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.path = path
        self._connection = connection
        self._connection.row_factory = sqlite3.Row

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open a store for writing, and create it if it does not exist."""
        return cls(connect_writing(Path(path)), Path(path))

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Open an existing store for reading only. The file and its folder may be read-only."""
        return cls(connect_reading(Path(path)), Path(path))

    def begin(self, run: Run, cells: Iterable[Cell]) -> None:
        """Store a run and the cells of its study, before anything is measured."""
        with explained(self.path), transaction(self._connection):
            self._insert("machines", {"name": run.machine, "facts": json.dumps(dict(run.facts))})
            record = {name: getattr(run, name) for name in ("id", "machine", "study", "study_text", "command", "label")}
            self._insert(
                "runs",
                {**record, "seed": str(run.seed), "harness": __version__, "code": run.code, "started": run.started},
            )
            for cell in cells:
                self._insert_cell(cell)
                self._insert("run_cells", {"run": run.id, "cell": cell.key})

    def add(self, run: Run, row: Row) -> None:
        """Store one row in its own transaction. It is an error if this run has this cell and round already."""
        plugin = run.plugins.get(row.cell.backend, "")
        identity = {"run": run.id, "cell": row.cell.key, "code": run.code, "plugin": plugin}
        with explained(self.path), transaction(self._connection):
            self._insert("machines", {"name": row.machine, "facts": json.dumps(dict(run.facts))})
            self._insert_cell(row.cell)
            self._insert("measurements", {**columns.to_columns(row), **identity, **self._moment()}, "ABORT")

    def done(self, run: Run, cells: Iterable[Cell], again: Again = "") -> frozenset[tuple[str, int]]:
        """Return each ``(cell key, round)`` that this machine measured already with this code, plugin and label."""
        if again == "all":
            return frozenset()
        wanted = {cell.key: run.plugins.get(cell.backend, "") for cell in cells}
        finished = {"ok", "unsupported"} if again == "failed" else None
        query = "SELECT cell, round, plugin, state FROM counting WHERE machine = ? AND code = ? AND label = ?"
        with explained(self.path):
            records = self._connection.execute(query, (run.machine, run.code, run.label)).fetchall()
        return frozenset(
            (cell, turn)
            for cell, turn, plugin, state in records
            if wanted.get(cell) == plugin and (state in finished if finished else state != "interrupted")
        )

    def rows(self, study: str | None = None) -> list[Row]:
        """Return the rows that a report shows: for each machine and cell, the rounds of the newest code and label."""
        return [stored.row for stored in self.newest(study)]

    def newest(self, study: str | None = None) -> list[Stored]:
        """Return the same rows as ``rows``, each with its run, code, plugin, label and attempt."""
        return self._select("newest", study)

    def stored(self, study: str | None = None, *, every: bool = False) -> list[Stored]:
        """Return the attempts that count, of all codes and labels; with ``every``, all attempts."""
        return self._select("attempts" if every else "counting", study)

    def studies(self) -> list[str]:
        """Return the names of the studies that were run into this store, sorted."""
        with explained(self.path):
            return [name for (name,) in self._connection.execute("SELECT DISTINCT study FROM runs ORDER BY study")]

    def close(self) -> None:
        """Close the file. It may be closed twice."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _insert(self, table: str, record: Mapping[str, Any], conflict: str = "IGNORE") -> None:
        names, marks = ", ".join(record), ", ".join("?" * len(record))
        self._connection.execute(
            f"INSERT OR {conflict} INTO {table} ({names}) VALUES ({marks})",  # noqa: S608  our own names
            tuple(map(columns.storable, record.values())),
        )

    def _moment(self) -> dict[str, float]:
        """Return the time of a new measurement, and its sequence number, which grows although the clock is set back."""
        now = time.time()
        (highest,) = self._connection.execute("SELECT max(sequence) FROM measurements").fetchone()
        return {"recorded": now, "sequence": max(int(now * 1_000_000), (highest or 0) + 1)}

    def _insert_cell(self, cell: Cell) -> None:
        self._insert("cells", {"key": cell.key, "settings": cell.settings})

    def _select(self, view: str, study: str | None) -> list[Stored]:
        query = (
            f"SELECT {view}.*, settings, runs.study FROM {view} JOIN cells ON cells.key = cell"  # noqa: S608  our views
            " JOIN runs ON runs.id = run"
        )
        if study is not None:  # including rows of another study, if this study names the same cell
            query += " WHERE cell IN (SELECT cell FROM run_cells JOIN runs ON runs.id = run WHERE study = ?)"
        parameters = () if study is None else (study,)
        with explained(self.path):
            records = self._connection.execute(f"{query} ORDER BY {view}.sequence, run, cell", parameters).fetchall()
        to_cell = cache(columns.to_cell)
        try:
            return [_stored(record, to_cell(record["settings"], study or record["study"])) for record in records]
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise damaged(self.path, f"a row cannot be read ({type(error).__name__}: {error})") from error


def _stored(record: sqlite3.Row, cell: Cell) -> Stored:
    names = ("run", "code", "plugin", "label", "attempt")
    return Stored(row=columns.from_columns(record, cell), **{name: record[name] for name in names})
