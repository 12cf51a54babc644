"""``harness run`` killed with ``kill -9`` at twenty random moments, and started again each time."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import time
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
ROWS = 4 * 3 * 2
KILLS = 20
MEASUREMENTS = "SELECT code, cell, round, state, started, run FROM measurements ORDER BY recorded"

Record = tuple[str, str, int, str, float, str]


@dataclass(frozen=True)
class Runs:
    """A study in a folder of its own, its store, and the processes of all its runs."""

    folder: Path
    marked: Marked
    environment: dict[str, str]

    def start(self) -> subprocess.Popen[bytes]:
        """Start the run; it takes up what is missing."""
        words = [sys.executable, "-m", "tests.end_to_end.without_limit", "run", "study.toml", "--store", "rows.db"]
        return subprocess.Popen(
            words, cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )

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


def test_nothing_is_lost_doubled_or_left_by_twenty_kills(runs: Runs) -> None:
    first = _seconds_to_the_first_row(runs)
    before = set(runs.records())
    moments = random.Random(20)
    for _ in range(KILLS):
        process = runs.start()
        time.sleep(moments.uniform(0.1, 1.5) * first)
        before = _after_the_kill(runs, process, before)
    last = runs.start()
    _, err = last.communicate(timeout=60)
    assert last.returncode == 0, err
    _check_complete(runs, before)


def _seconds_to_the_first_row(runs: Runs) -> float:
    """Kill a run as soon as it has a row: moments around that time hit every part of a run, on any machine."""
    clock = time.monotonic()
    process = runs.start()
    while not runs.records():
        assert time.monotonic() - clock < 30
        time.sleep(0.01)
    first = time.monotonic() - clock
    _after_the_kill(runs, process, set())
    return first


def _after_the_kill(runs: Runs, process: subprocess.Popen[bytes], before: set[Record]) -> set[Record]:
    """Kill a run; every process is gone soon and every row still there."""
    process.kill()
    process.communicate()
    assert runs.marked.quiet_within(2.0), runs.marked.rest()
    after = set(runs.records())
    assert before <= after
    return after


def _check_complete(runs: Runs, before: set[Record]) -> None:
    """Every cell and round is there once, whichever run has measured it; other code would measure it again."""
    records = runs.records()
    assert before <= set(records)
    assert len({record[:3] for record in records}) == len(records)
    assert len([record for record in records if record[0] == records[-1][0]]) == ROWS
    assert {state for _, _, _, state, *_ in records} == {"ok"}
    assert len({run for *_, run in records}) > 1
    assert runs.marked.rest() == ([], [])
