from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from harness.store import Store
from tests.samples import a_cell, a_row, a_run
from tests.store.conftest import make_old


@pytest.fixture
def version_1(path: Path) -> Path:
    """Return a store as the first harness made it, with one run."""
    with closing(sqlite3.connect(make_old(path, 1))) as raw, raw:
        raw.execute("INSERT INTO machines VALUES ('box-1', '{}')")
        raw.execute("INSERT INTO runs VALUES ('r', 'box-1', 'quick', '', '0', '', '0.1', '1+abc', 1.0)")
    return path


def test_a_store_without_labels_gets_them_and_loses_nothing(version_1: Path) -> None:
    with Store.read(version_1) as store:
        assert store.studies() == ["quick"]
        assert store.stored() == []
    with Store.open(version_1) as store:
        run = a_run(label="new")
        store.begin(run, [a_cell()])
        store.add(run, a_row())
        assert [entry.label for entry in store.stored()] == ["new"]
        assert store.studies() == ["quick"]


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
        assert [(entry.label, entry.attempt) for entry in store.stored()] == [("before", 1), ("after", 1)]
        assert [row.epoch_seconds for row in store.rows()] == [(2.0,)]
