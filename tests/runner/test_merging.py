"""A row is what the worker delivered where that is valid, and otherwise how its process ended."""

from __future__ import annotations

from typing import Any

import pytest

from harness.machine.launch import Launch
from harness.machine.process import Ended
from harness.runner.merging import merged
from harness.runner.row import Row
from tests.runner.sweep import cell

GOOD: dict[str, Any] = {
    "state": "ok",
    "reason": "",
    "epoch_seconds": [0.1, 0.2],
    "gflops": 3.0,
    "warnings": ["slow"],
    "history": [{"epoch": 1}],
    "receipt": {"cpu": "some"},
}


def _row(**fields: Any) -> Row:
    ended = Ended(**{"state": "ended", "exit_code": 0, **fields})
    return merged(cell(), 2, "here", 5.0, ended, Launch({}, ("mpiexec",), frozenset({1, 0})))


def test_a_delivered_row_keeps_its_figures_and_gains_those_of_the_process() -> None:
    row = _row(message=GOOD, peak_bytes=7, seconds=1.5, cpu_seconds=2.5, stderr="noise", warnings=("left 1",))
    assert (row.state, row.round, row.machine, row.started, row.peak_bytes) == ("ok", 2, "here", 5.0, 7)
    assert row.epoch_seconds == (0.1, 0.2)
    assert row.warnings == ("slow", "left 1")
    assert row.stderr == ""
    process = row.receipt["process"]
    assert (process["seconds"], process["cpus"], process["launcher"]) == (1.5, [0, 1], ["mpiexec"])
    assert row.receipt["cpu"] == "some"


@pytest.mark.parametrize(
    ("words", "receipt", "peak"),
    [
        ((), {"steady": {"resident_peak_bytes": 5}}, 5),
        (("mpiexec",), {"steady": {"resident_peak_bytes": 5}}, 7),
        ((), {"steady": {}}, 7),
        ((), {"steady": None}, 7),
        ((), {}, 7),
    ],
    ids=["trained", "one of several ranks", "not shown by the system", "nonsense", "never trained"],
)
def test_memory_is_what_training_needed_where_that_is_known(
    words: tuple[str, ...], receipt: dict[str, Any], peak: int
) -> None:
    ended = Ended(state="ended", exit_code=0, message={**GOOD, "receipt": receipt}, peak_bytes=7)
    row = merged(cell(), 0, "here", 5.0, ended, Launch({}, words))
    assert row.peak_bytes == peak
    assert row.receipt["process"]["peak_bytes"] == 7


@pytest.mark.parametrize(
    ("fields", "state", "reason"),
    [
        ({}, "error", "exit code 0 and delivered no row"),
        ({"exit_code": 3}, "error", "exit code 3 and delivered no row: last words"),
        ({"exit_code": 139}, "crashed", "SIGSEGV"),
        ({"exit_code": 250}, "crashed", "signal 122"),
        ({"exit_code": 127, "reason": "cannot start 'x'"}, "error", "cannot start 'x'"),
        ({"state": "timeout", "reason": "had not ended"}, "timeout", "had not ended"),
        ({"state": "out-of-memory", "reason": "much"}, "out-of-memory", "much"),
        ({"state": "crashed", "reason": "ended by SIGBUS"}, "crashed", "SIGBUS"),
        ({"state": "interrupted"}, "interrupted", "by the user"),
    ],
)
def test_without_a_row_the_end_of_the_process_gives_the_state(fields: dict[str, Any], state: str, reason: str) -> None:
    row = _row(stderr="last words", **fields)
    assert row.state == state
    assert reason in row.reason
    assert row.stderr == "last words"
    assert row.receipt["process"]


@pytest.mark.parametrize(
    "change",
    [
        {"state": "splendid"},
        {"state": None},
        {"cell": {}},
        {"peak_share": 1.0},
        {"gflops": "fast"},
        {"epoch_seconds": 3},
        {"epoch_seconds": ["x"]},
        {"receipt": []},
        {"reason": 3},
        {"warnings": [1]},
        {"history": [1]},
    ],
)
def test_a_delivered_row_that_is_none_is_an_error(change: dict[str, Any]) -> None:
    row = _row(message={**GOOD, **change})
    assert row.state == "error"
    assert "no valid row" in row.reason
    assert row.gflops is None


def test_a_bad_end_after_a_delivered_row_is_a_warning() -> None:
    row = _row(message=GOOD, state="crashed", exit_code=None, reason="ended by SIGSEGV")
    assert row.state == "ok"
    assert row.warnings == ("slow", "crashed after its row was delivered: ended by SIGSEGV")


@pytest.mark.parametrize(("state", "warned"), [("ok", True), ("error", False)])
def test_an_exit_code_after_a_good_row_is_a_warning(state: str, *, warned: bool) -> None:
    row = _row(message={**GOOD, "state": state}, exit_code=11)
    assert row.state == state
    assert ("ended with exit code 11 after its row was delivered" in row.warnings) == warned


def test_a_rank_that_a_signal_ended_has_crashed_whatever_its_launcher_returns() -> None:
    row = _row(exit_code=11, stderr="Fatal Python error: Segmentation fault\n\nstack\nlauncher says goodbye")
    assert row.state == "crashed"
    assert row.reason == "a rank ended with Segmentation fault, its launcher with exit code 11"
