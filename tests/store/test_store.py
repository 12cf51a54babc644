from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from harness.runner.row import State
from harness.store import Again, Store, StoreError
from tests.samples import a_cell, a_lost_row, a_row, a_run
from tests.store.conftest import make_old


def test_a_row_comes_back_equal_in_every_field(path: Path) -> None:
    with Store.open(path) as store:
        this = a_run()
        store.begin(this, [a_row().cell])
        store.add(this, a_row())
    with Store.read(path) as store:
        assert store.rows() == [a_row()]


def test_a_row_that_got_nowhere_comes_back_equal(path: Path) -> None:
    lost = a_lost_row()
    with Store.open(path) as store:
        this = a_run()
        store.begin(this, [])
        store.add(this, lost)
        assert store.rows() == [lost]


def test_figures_that_are_not_finite_come_back_as_they_were(path: Path) -> None:
    with Store.open(path) as store:
        this = a_run()
        store.begin(this, [])
        store.add(this, a_row(state="diverged", final_loss=math.nan, gflops=math.inf, epoch_seconds=(math.nan, 0.1)))
        (back,) = store.rows()
    assert math.isnan(back.final_loss)
    assert back.gflops == math.inf
    assert math.isnan(back.epoch_seconds[0])


@pytest.mark.parametrize(
    "text", ["half a character \udc80", "a \0 inside", 'quote\'s "double" <b>;--', "\x1b[31mred", "ü€𝄞"]
)
def test_hostile_texts_are_stored(path: Path, text: str) -> None:
    with Store.open(path) as store:
        this = a_run(study=text)
        store.begin(this, [])
        store.add(this, a_row(stderr=text, reason=text, warnings=(text,), receipt={text: text}))
        (back,) = store.rows()
    assert back.warnings == (text,)
    assert back.stderr == text.replace("\udc80", "\\udc80")


def test_seeds_and_sizes_beyond_64_bits_are_stored(path: Path) -> None:
    huge = a_cell(seed=2**70, batch=2**70)
    with Store.open(path) as store:
        this = a_run(seed=2**70)
        store.begin(this, [huge])
        store.add(this, a_row(huge))
        assert store.rows()[0].cell == huge


def test_an_activation_that_is_not_installed_here_can_be_read(filled: Path) -> None:
    with Store.open(filled) as store:
        store._connection.execute("UPDATE cells SET settings = replace(settings, 'sigmoid', 'swish')")
        assert {layer.activation for row in store.rows() for layer in row.cell.network.layers} == {"swish"}


def test_a_run_cannot_store_one_cell_and_round_twice(path: Path) -> None:
    with Store.open(path) as store:
        this = a_run()
        store.begin(this, [])
        store.add(this, a_row())
        with pytest.raises(StoreError, match="UNIQUE"):
            store.add(this, a_row(accuracy=0.1))
        assert store.rows() == [a_row()]


def test_cells_of_equal_key_are_stored_once(filled: Path) -> None:
    with Store.read(filled) as store:
        assert store._connection.execute("SELECT count(*) FROM cells").fetchone()[0] == 2
        assert len(store.rows()) == 4


def test_what_one_queries_are_columns(filled: Path) -> None:
    with Store.read(filled) as store:
        found = store._connection.execute("SELECT backend, workers, batch, dataset, rate FROM cells ORDER BY batch")
        assert [tuple(record) for record in found] == [("blas", 1, 32, "digits", 0.1), ("blas", 1, 64, "digits", 0.1)]


def test_done_names_what_this_machine_code_and_plugin_measured(filled: Path) -> None:
    cells = [a_cell(), a_cell(batch=64), a_cell(batch=128)]
    measured = {(cell.key, turn) for cell in cells[:2] for turn in (1, 2)}
    with Store.read(filled) as store:
        assert store.done(a_run(), cells) == measured
        assert store.done(a_run(machine="box-2"), cells) == frozenset()
        assert store.done(a_run(code="2+abc"), cells) == frozenset()
        assert store.done(a_run(plugins={"blas": "blas 2"}), cells) == frozenset()
        assert store.done(a_run(), cells[:1]) == {(cells[0].key, 1), (cells[0].key, 2)}


@pytest.mark.parametrize(
    ("state", "again", "measured"),
    [
        ("ok", "", True),
        ("ok", "failed", True),
        ("ok", "all", False),
        ("unsupported", "failed", True),
        ("unavailable", "", True),
        ("unavailable", "failed", False),
        ("timeout", "", True),
        ("timeout", "failed", False),
        ("interrupted", "", False),
        ("interrupted", "failed", False),
    ],
)
def test_again_decides_what_counts_as_measured(path: Path, state: State, again: Again, *, measured: bool) -> None:
    with Store.open(path) as store:
        this = a_run()
        store.begin(this, [a_row().cell])
        store.add(this, a_row(state=state))
        assert bool(store.done(a_run(), [a_row().cell], again)) is measured


def test_the_newest_attempt_counts_and_the_older_is_kept(path: Path) -> None:
    first, second = a_row(state="timeout"), a_row(state="ok")
    with Store.open(path) as store:
        for row in (first, second):
            this = a_run()
            store.begin(this, [row.cell])
            store.add(this, row)
        assert store.rows() == [second]
        assert [(stored.row.state, stored.attempt) for stored in store.stored(every=True)] == [
            ("timeout", 1),
            ("ok", 2),
        ]


@pytest.mark.parametrize("later", [1000.0, 0.0])
def test_attempts_keep_their_order_though_the_clock_was_set_back(
    path: Path, monkeypatch: pytest.MonkeyPatch, later: float
) -> None:
    """The times are those of the clock; the order is that in which the store got the rows."""
    clock = iter([1000.0, later, 500.0])
    monkeypatch.setattr("harness.store.store.time.time", lambda: next(clock))
    with Store.open(path) as store:
        for reason in ("first", "second", "third"):
            this = a_run(code=reason, started=0.0)
            store.begin(this, [a_row().cell])
            store.add(this, a_row(reason=reason))
        assert [stored.row.reason for stored in store.stored(every=True)] == ["first", "second", "third"]
        assert [row.reason for row in store.rows()] == ["third"]


def test_the_last_attempt_of_one_code_counts_though_the_clock_was_set_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([1000.0, 500.0])
    monkeypatch.setattr("harness.store.store.time.time", lambda: next(clock))
    with Store.open(path) as store:
        for state in ("timeout", "ok"):
            this = a_run(started=0.0)
            store.begin(this, [a_row().cell])
            store.add(this, a_row(state=state))
        assert [(stored.row.state, stored.attempt) for stored in store.stored(every=True)] == [
            ("timeout", 1),
            ("ok", 2),
        ]
        assert [row.state for row in store.rows()] == ["ok"]


def test_the_attempts_of_an_older_store_keep_the_order_of_their_times(path: Path) -> None:
    columns = "run, cell, round, machine, code, plugin, recorded, state, reason, started"
    columns += ", epoch_seconds, history, warnings, receipt, stderr"
    with closing(sqlite3.connect(make_old(path, 2))) as raw, raw:
        raw.execute("INSERT INTO machines VALUES ('box-1', '{}')")
        raw.execute("INSERT INTO cells (key, settings) VALUES (?, ?)", (a_cell().key, a_cell().settings))
        for run, recorded in (("b", 1.5), ("a", 2.5)):
            raw.execute("INSERT INTO runs VALUES (?, 'box-1', 'quick', '', '0', '', '0.1', '1+abc', 1.0, '')", run)
            values = (run, a_cell().key, 1, "box-1", "1+abc", "", recorded, "ok", run, 0.0, "[]", "[]", "[]", "{}", "")
            raw.execute(f"INSERT INTO measurements ({columns}) VALUES ({', '.join('?' * len(values))})", values)
    for opened in (Store.read, Store.open):  # the copy in memory first, then the file itself
        with opened(path) as store:
            assert [stored.row.reason for stored in store.stored(every=True)] == ["b", "a"]
            assert [row.reason for row in store.rows()] == ["a"]


def test_an_interrupted_attempt_never_hides_a_finished_one(path: Path) -> None:
    with Store.open(path) as store:
        for state in ("ok", "interrupted"):
            this = a_run()
            store.begin(this, [a_row().cell])
            store.add(this, a_row(state=state))
        assert [row.state for row in store.rows()] == ["ok"]
        assert len(store.done(a_run(), [a_row().cell])) == 1


def test_a_report_never_mixes_the_rounds_of_two_codes(path: Path) -> None:
    with Store.open(path) as store:
        for code, rounds in (("old", 3), ("new", 1)):
            this = a_run(code=code)
            store.begin(this, [a_row().cell])
            for turn in range(1, rounds + 1):
                store.add(this, a_row(turn=turn, reason=code))
        assert [(row.reason, row.round) for row in store.rows()] == [("new", 1)]
        assert len(store.stored()) == 4


def test_a_cell_measured_under_another_study_belongs_to_both(filled: Path) -> None:
    with Store.open(filled) as store:
        store.begin(a_run(study="paper"), [a_cell(study="paper")])
        assert store.studies() == ["paper", "quick"]
        assert [row.cell for row in store.rows("paper")] == [replace(a_cell(), study="paper")] * 2
        assert len(store.rows("quick")) == 4
        assert store.rows("none") == []
