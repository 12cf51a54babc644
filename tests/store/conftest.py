from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from harness.store import Store, connection
from tests.samples import a_cell, a_row, a_run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results.db"


@pytest.fixture
def filled(path: Path) -> Path:
    """A store with one run of two cells in two rounds."""
    with Store.open(path) as store:
        run = a_run()
        cells = [a_cell(), a_cell(batch=64)]
        store.begin(run, cells)
        for turn in (1, 2):
            for cell in cells:
                store.add(run, a_row(cell, turn))
    return path


def make_old(path: Path, version: int) -> Path:
    """Make a store as an older harness made it, without any row."""
    with closing(sqlite3.connect(path)) as raw, raw:
        for number in range(1, version + 1):
            raw.executescript(connection.SCRIPTS.joinpath(f"migrations/{number}.sql").read_text(encoding="utf-8"))
        raw.execute(f"PRAGMA application_id = {connection.APPLICATION}")
        raw.execute(f"PRAGMA user_version = {version}")
    return path
