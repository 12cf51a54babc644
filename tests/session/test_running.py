from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys

import pytest

import harness
from harness.errors import RequestError
from harness.machine.lock import machine_lock
from harness.plan.model import Plan
from harness.runner.row import Row
from harness.session import running
from harness.store import Run, Store
from tests.cli.conftest import Lab
from tests.samples import a_cell, a_row

CODE = """
import harness, json
rows = harness.run("mine.toml", store="mine.db", overrides=["rate=0.2"], label="night")
print(json.dumps([[type(row).__name__, row.state, row.cell.rate] for row in rows]))
"""


def test_run_from_python_returns_the_rows_that_the_command_would_show(lab: Lab) -> None:
    lab.study("mine.toml", "healthy")
    done = lab.python("-c", CODE, **lab.variables())
    assert json.loads(done.out) == [["Row", "ok", 0.2]], done.err
    with sqlite3.connect(lab.path("mine.db")) as base:
        row = base.execute("SELECT study, study_text, command, seed, label FROM runs").fetchone()
        study, text, command, seed, label = row
    base.close()
    assert (study, seed, label) == ("mine", "0", "night")
    assert text == lab.path("mine.toml").read_text()
    assert command == "harness.run('mine.toml', 'mine.db', overrides=['rate=0.2'], again='', label='night')"


def test_the_name_run_is_there_and_costs_nothing_until_it_is_used() -> None:
    assert "run" in dir(harness)
    assert harness.run is running.run


def test_a_word_that_again_does_not_know_is_refused_before_a_store_is_made(lab: Lab) -> None:
    with pytest.raises(RequestError, match="choose from '', 'failed', 'all'"):
        running.measure(a_plan(), lab.path("none.db"), again="sometimes")
    assert not lab.path("none.db").exists()


def a_plan() -> Plan:
    return Plan(study="quick", title="Quick", cells=(a_cell(),), refused=(), rounds=2, seed=0)


def test_times_of_earlier_rows_are_taken_from_this_machine_alone(lab: Lab) -> None:
    here = running.this_run(a_plan())
    with Store.open(lab.path("earlier.db")) as store:
        for run, seconds in ((here, (1.0, 3.0)), (Run(study="quick", machine="far", code="c"), (50.0, 50.0))):
            store.begin(run, [])
            for turn, spent in enumerate(seconds):
                store.add(run, took(turn, spent, run.machine))
    earlier = running.earlier_times(lab.path("earlier.db"))
    assert earlier(a_cell()) == 2.0
    assert earlier(a_cell(batch=7)) is None
    assert running.earlier_times(lab.path("none.db"))(a_cell()) is None


def took(turn: int, seconds: float, machine: str) -> Row:
    return a_row(turn=turn, machine=machine, receipt={"process": {"seconds": seconds}})


def test_importing_the_package_loads_neither_the_runner_nor_the_store(lab: Lab) -> None:
    code = "import harness, sys; print([name for name in sys.modules if name in ('sqlite3', 'numpy', 'rich')])"
    assert lab.python("-c", code, **lab.variables()).out == "[]\n"
    assert sys.modules["harness.session.running"]


def warnings_of(lab: Lab, store: str) -> list[list[str]]:
    with Store.read(lab.path(store)) as opened:
        return [list(row.warnings) for row in opened.rows()]


def test_a_run_waits_for_the_machine_and_says_for_whom(lab: Lab) -> None:
    lab.study("mine.toml", "healthy")
    words = [sys.executable, "-P", "-m", "harness", "run", "mine.toml", "--store", "mine.db"]
    variables = lab.variables()
    path = os.pathsep.join([str(lab.folder), variables["PYTHONPATH"]])
    environment = {**os.environ, **variables, "PYTHONPATH": path}
    with machine_lock("harness run other.toml") as shared:
        assert not shared
        waiting = subprocess.Popen(words, cwd=lab.folder, env=environment, stderr=subprocess.PIPE, text=True)
        assert waiting.stderr is not None
        line = waiting.stderr.readline()
    _, rest = waiting.communicate(timeout=240)
    assert f"waiting for harness run other.toml (process {os.getpid()})" in line, line + rest
    assert waiting.returncode == 0, rest
    assert not [text for row in warnings_of(lab, "mine.db") for text in row if text == running.SHARED]


def test_a_run_that_shares_the_machine_marks_every_row(lab: Lab) -> None:
    lab.study("mine.toml", "healthy")
    with machine_lock("harness run other.toml"):
        done = lab.run("run", "mine.toml", "--store", "mine.db", "--share")
    assert done.code == 0, done.err
    assert [running.SHARED in row for row in warnings_of(lab, "mine.db")] == [True]


def test_a_run_with_nothing_to_measure_waits_for_nobody(lab: Lab) -> None:
    lab.study("mine.toml", "healthy")
    assert lab.run("run", "mine.toml", "--store", "mine.db").code == 0
    with machine_lock("harness run other.toml"):
        again = lab.run("run", "mine.toml", "--store", "mine.db")
    assert again.code == 0
    assert "waiting" not in again.err
