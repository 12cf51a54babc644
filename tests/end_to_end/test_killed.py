"""``harness run`` killed with ``kill -9`` at twenty random moments, and started again each time."""

from __future__ import annotations

import random
import subprocess
import time

from tests.end_to_end.conftest import ROWS, WORDS, Record, Runs

KILLS = 20


def test_nothing_is_lost_doubled_or_left_by_twenty_kills(runs: Runs) -> None:
    first = _seconds_to_the_first_row(runs)
    before = set(runs.records())
    moments = random.Random(20)
    for _ in range(KILLS):
        process = _start(runs)
        time.sleep(moments.uniform(0.1, 1.5) * first)
        before = _after_the_kill(runs, process, before)
    last = _start(runs)
    _, err = last.communicate(timeout=240)
    assert last.returncode == 0, err
    _check_complete(runs, before)


def _seconds_to_the_first_row(runs: Runs) -> float:
    """Kill a run as soon as it has a row: moments around that time hit every part of a run, on any machine."""
    clock = time.monotonic()
    process = _start(runs)
    while not runs.records():
        assert process.poll() is None, "the run ended before it had a row"
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


def _start(runs: Runs) -> subprocess.Popen[bytes]:
    """Start the run; it takes up what is missing."""
    return subprocess.Popen(
        WORDS, cwd=runs.folder, env=runs.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
