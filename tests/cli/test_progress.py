"""The lines of a run whose standard error is piped come one by one, and nothing there can end the run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.cli.progress import progress
from harness.runner.events import CellBegun, CellEnded, LimitEnded, RunBegun, RunEnded
from tests.samples import a_cell, a_lost_row, a_row


def test_each_cell_that_has_ended_is_one_line_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(quiet=False) as tell:
        assert tell is not None
        tell(RunBegun(total=2, done=0, rounds=1))
        tell(CellBegun(cell=a_cell(), round=1, number=1, total=2))
        assert capsys.readouterr().err == ""
        tell(CellEnded(row=a_row(), number=1, total=2, seconds=3.0))
        first = "harness: 1/2 ok, blas kernels=auto workers=1 batch=32 on digits round 1, 3.0 s\n"
        assert capsys.readouterr().err == first
        tell(CellEnded(row=a_lost_row(reason="two\nlines \x1b[31m"), number=2, total=2, seconds=3.0))
        second = (
            "harness: 2/2 crashed, blas kernels=auto workers=1 batch=32 on digits round 1, 3.0 s: two lines \\x1b[31m\n"
        )
        assert capsys.readouterr().err == second
        tell(RunEnded(left=0, interrupted=False))
    assert capsys.readouterr().err == ""


def test_a_limit_that_is_not_known_is_one_line_and_a_known_one_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(quiet=False) as tell:
        assert tell is not None
        tell(LimitEnded(threads=2, dtype="float32", round=0, gflops=100.0))
        tell(LimitEnded(threads=2, dtype="float32", round=0, gflops=None, reason="no kernel"))
    assert capsys.readouterr().err == "harness: the machine's limit at 2 threads is not known: no kernel\n"


def test_quiet_shows_nothing() -> None:
    with progress(quiet=True) as tell:
        assert tell is None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_disk_under_the_messages_does_not_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stderr", full)
        with progress(quiet=False) as tell:
            assert tell is not None
            for number in (1, 2):
                tell(CellEnded(row=a_row(), number=number, total=2, seconds=3.0))
