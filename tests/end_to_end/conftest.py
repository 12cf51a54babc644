"""A study of many small cells, run by the command line in processes that can be found again."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.marked import Marked
from tests.runner.installed import ROOT, faulty_site

STUDY = """
title = "Many small cells"
dataset = {name = "synthetic", rows = 64, inputs = 8, outputs = 2}
networks = [{hidden = [4], activation = "sigmoid"}]
batch = [8, 16, 32, 64]
rate = [0.1, 0.2, 0.3]
epochs = 1
rounds = 2
[[backend]]
name = "faulty"
"""
WORDS = (sys.executable, "-m", "tests.end_to_end.without_limit", "run", "study.toml", "--store", "rows.db")
ROWS = 4 * 3 * 2
MEASUREMENTS = "SELECT code, cell, round, state, started, run FROM measurements ORDER BY recorded"

Record = tuple[str, str, int, str, float, str]


@dataclass(frozen=True)
class Runs:
    """A study in a folder of its own, its store, and the processes of all its runs."""

    folder: Path
    marked: Marked
    environment: dict[str, str]

    def records(self) -> list[Record]:
        """Return every measurement, from a store that must be sound."""
        store = self.folder / "rows.db"
        if not store.exists() or not store.stat().st_size:
            return []
        connection = sqlite3.connect(store)
        try:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            return connection.execute(MEASUREMENTS).fetchall() if tables else []
        finally:
            connection.close()


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    site = faulty_site(tmp_path / "site")
    for name in ("work", "temporary"):
        (tmp_path / name).mkdir()
    marked = Marked(tmp_path / "temporary")
    path = f"{site.folder}{os.pathsep}{ROOT}"
    variables = {"PYTHONPATH": path, "XDG_CACHE_HOME": str(tmp_path / "cache"), **marked.variables}
    (tmp_path / "work" / "study.toml").write_text(STUDY)
    yield Runs(tmp_path / "work", marked, {**os.environ, **variables})
    marked.kill()
