from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from harness.store import Store, connection
from tests.samples import a_cell, a_row, a_run


@pytest.fixture
def version_1(path: Path) -> Path:
    """A store as the first schema made it, with one row."""
    with sqlite3.connect(path) as raw:
        raw.executescript((Path(__file__).parent / "schema_1.sql").read_text())
        raw.execute(f"PRAGMA application_id = {connection.APPLICATION}")
        raw.execute("PRAGMA user_version = 1")
        raw.execute("INSERT INTO machines VALUES ('box-1', '{}')")
        raw.execute("INSERT INTO runs VALUES ('r', 'box-1', 'quick', '', '0', '', '0.1', '1+abc', 1.0)")
    raw.close()
    return path


def test_a_store_without_labels_gets_them_and_loses_nothing(version_1: Path) -> None:
    with Store.read(version_1) as store:
        assert store.studies() == ["quick"]
        assert store.stored() == []
    with Store.open(version_1) as store:
        run = a_run(label="new")
        store.begin(run, [a_cell()])
        store.add(run, a_row())
        assert [one.label for one in store.stored()] == ["new"]
        assert store.studies() == ["quick"]


def test_what_a_migration_makes_is_what_a_new_store_has(version_1: Path, tmp_path: Path) -> None:
    with Store.open(version_1) as old, Store.open(tmp_path / "new.db") as new:
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'view' ORDER BY name"
        assert [tuple(row) for row in old._connection.execute(query)] == [
            tuple(row) for row in new._connection.execute(query)
        ]
        columns = [[row["name"] for row in one._connection.execute("PRAGMA table_info(runs)")] for one in (old, new)]
        assert columns[0] == columns[1]


def test_what_was_measured_under_another_label_is_not_done_and_not_replaced(path: Path) -> None:
    cell = a_cell()
    with Store.open(path) as store:
        before, after = a_run(label="before"), a_run(label="after")
        store.begin(before, [cell])
        store.add(before, a_row(cell, 0, epoch_seconds=(1.0,)))
        assert store.done(before, [cell]) == {(cell.key, 0)}
        assert store.done(after, [cell]) == frozenset()
        store.begin(after, [cell])
        store.add(after, a_row(cell, 0, epoch_seconds=(2.0,)))
        assert [(one.label, one.attempt) for one in store.stored()] == [("before", 1), ("after", 1)]
        assert [row.epoch_seconds for row in store.rows()] == [(2.0,)]
