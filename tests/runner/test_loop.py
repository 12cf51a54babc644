"""A run from cells to rows: rounds, what is done already, other interpreters, and the user's Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from typing import Any

import pytest

from harness.machine.launch import Launch
from harness.machine.process import Ended, Start
from harness.runner import loop as loop_module
from harness.runner.events import CellBegun, CellEnded, CellNews, Event, RunBegun, RunEnded
from harness.runner.loop import run_cells
from harness.runner.row import Row
from harness.runner.starting import Launches
from tests.fakes.marked import Marked
from tests.fakes.site import Site
from tests.runner.conftest import MODULE, Sweep, environment
from tests.runner.sweep import cell


def test_rounds_follow_each_other_and_each_runs_every_cell(sweep: Sweep) -> None:
    rows = sweep({"rate": 0.1}, {"rate": 0.2}, {"rate": 0.3}, rounds=2, seed=3)
    assert [row["round"] for row in rows] == [0, 0, 0, 1, 1, 1]
    assert sorted(row["rate"] for row in rows) == [0.1, 0.1, 0.2, 0.2, 0.3, 0.3]
    assert {row["state"] for row in rows} == {"ok"}
    assert len({row["final_loss"] for row in rows}) == 3


def test_what_cannot_be_started_is_a_row_with_its_reason(sweep: Sweep) -> None:
    found = sweep(
        {"backend": "absent", "options": {}},
        {"backend": "no-such-backend", "options": {}},
        {"python": "/no/such/python"},
        {"python": sys.executable, "backend": "absent", "options": {}},
        one_by_one=True,
    )
    assert [row["state"] for row in found] == ["unavailable"] * 4
    words = ("pip install nothing", "unknown backend 'no-such-backend'", "/no/such/python", "pip install nothing")
    for row, word in zip(found, words, strict=True):
        assert word in row["reason"]


def test_every_rank_of_a_launched_cell_runs_and_one_row_comes(sweep: Sweep) -> None:
    one, *launched = sweep(
        {},
        {"backend": "ranks", "workers": 2},
        {"backend": "ranks", "workers": 2, "fault": "segfault"},
        {"backend": "ranks", "workers": 2, "fault": "hang_in_c", "time_limit": 3.0},
        one_by_one=True,
    )
    assert [row["state"] for row in launched] == ["ok", "crashed", "timeout"]
    assert launched[0]["final_loss"] == one["final_loss"]
    assert "ranks.py" in " ".join(launched[0]["receipt"]["process"]["launcher"])
    assert "Segmentation fault" in launched[1]["reason"]


def test_another_interpreter_runs_a_cell_and_the_same_numbers_come_out(sweep: Sweep) -> None:
    ours, theirs = sweep({}, {"python": sys.executable}, one_by_one=True)
    assert (theirs["state"], theirs["final_loss"]) == ("ok", ours["final_loss"])


class Stage:
    """Stands in for real processes, and remembers who was started when."""

    def __init__(self) -> None:
        self.story: list[str] = []

    def run(self, start: Start, *, on_message: object, stop: object) -> Ended:
        assert callable(on_message)
        assert isinstance(stop, threading.Event)
        self.story.append(f"started {start.module}")
        on_message({"type": "epoch"})
        return Ended(state="interrupted" if stop.is_set() else "ended", message={"state": "ok"})

    def hear(self, event: Event) -> None:
        self.story.append(type(event).__name__)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = Stage()
    monkeypatch.setattr(loop_module, "run", made.run)
    monkeypatch.setattr(Launches, "of", lambda *_: Launch({}))
    return made


def _rows(stage: Stage, **settings: object) -> list[Row]:
    cells = [cell(rate=rate) for rate in (0.1, 0.2)]
    base: dict[str, Any] = {"seed": 0, "machine": "m", "limit": None, "on_event": stage.hear}
    return list(run_cells(cells, 1, **{**base, **settings}))


def test_a_row_is_handed_over_before_the_next_cell_starts(stage: Stage) -> None:
    cells = [cell(rate=rate) for rate in (0.1, 0.2)]
    for _ in run_cells(cells, 1, seed=0, machine="m", limit=None, on_event=stage.hear):
        stage.story.append("committed")
    one = [CellBegun.__name__, "started harness.worker", CellNews.__name__, CellEnded.__name__, "committed"]
    assert stage.story == [RunBegun.__name__, *one, *one, RunEnded.__name__]


def test_what_is_done_is_not_measured_again(stage: Stage) -> None:
    first = _rows(stage)
    done = {(row.cell.key, row.round) for row in first[:1]}
    assert [row.cell for row in _rows(stage, done=done)] == [first[1].cell]


def test_a_run_that_is_to_stop_starts_nothing_more(stage: Stage) -> None:
    stop = threading.Event()
    stop.set()
    assert _rows(stage, stop=stop) == []
    assert stage.story == [RunBegun.__name__, RunEnded.__name__]


def test_handlers_are_put_back_also_by_one_who_stops_listening(stage: Stage) -> None:
    before = signal.getsignal(signal.SIGINT)
    rows = run_cells([cell()], 2, seed=0, machine="m", limit=None, on_event=stage.hear)
    next(rows)
    assert signal.getsignal(signal.SIGINT) is not before
    assert isinstance(rows, Generator)
    rows.close()
    assert signal.getsignal(signal.SIGINT) is before


class Running:
    """A sweep of two cells that hang, in a process of its own, caught in its first cell."""

    def __init__(self, site: Site, variables: dict[str, str], fault: str) -> None:
        cells = [{"fault": fault, "rate": rate} for rate in (0.1, 0.2)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", MODULE, json.dumps({"cells": cells})],
            env=environment(site, variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr
        assert self.process.stderr.readline() == "begun\n"
        time.sleep(0.5)

    def asked(self, *signals: signal.Signals) -> tuple[int, list[str], str]:
        """Send the signals, close together, and return exit code, states of the rows and standard error."""
        for number in signals:
            self.process.send_signal(number)
            time.sleep(0.05)
        out, err = self.process.communicate(timeout=240)
        return self.process.returncode, [json.loads(line)["state"] for line in out.splitlines()], err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("fault", ["ignore_terminate", "hang_in_c"])
def test_one_control_c_ends_the_running_cell_and_keeps_its_row(
    site: Site, variables: dict[str, str], marked: Marked, fault: str, number: signal.Signals
) -> None:
    code, states, _ = Running(site, variables, fault).asked(number)
    assert (code, states) == (0, ["interrupted"])
    assert marked.rest() == ([], [])


def test_two_end_at_once(site: Site, variables: dict[str, str], marked: Marked) -> None:
    code, states, err = Running(site, variables, "ignore_terminate").asked(signal.SIGINT, signal.SIGINT)
    assert (code != 0, states) == (True, [])
    assert "KeyboardInterrupt" in err
    assert marked.rest() == ([], [])
