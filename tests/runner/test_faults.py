"""A backend that misbehaves ends in its own state, and the cells before and after it are well."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.marked import Marked
from tests.runner.conftest import Sweep
from tests.runner.faulty import FAULTS

EXPECTED = {
    "segfault": ("crashed", "ended by SIGSEGV"),
    "abort": ("crashed", "ended by SIGABRT"),
    "hang_in_c": ("timeout", "had not ended after 2 s"),
    "ignore_terminate": ("timeout", "had not ended after 2 s"),
    "stop_itself": ("timeout", "it is held by a stop signal"),
    "fork_ten_quietly": ("ok", ""),
    "exit_at_once": ("error", "the worker ended with exit code 0 and delivered no row"),
    "exit_politely": ("error", "SystemExit"),
    "raise_base_exception": ("error", "Strange: from the depths"),
    "recurse": ("error", "RecursionError"),
    "eat_memory": ("out-of-memory", "the limit is 300 MiB"),
    "kill_the_guardian": ("crashed", "its guardian ended"),
    "close_all_files": ("ok", ""),
    "change_directory": ("ok", ""),
    "print_much": ("ok", ""),
    "become_nan": ("diverged", "not finite"),
    "leave_threads": ("ok", ""),
    "print_rows": ("error", "the worker ended with exit code 0 and delivered no row"),
    "wrong": ("wrong", ""),
    "unsupported": ("unsupported", "never on any machine"),
    "unavailable": ("unavailable", "no such device here"),
}
WARNED = {"fork_ten_quietly": "processes behind, which were ended", "leave_threads": "still ran 5 s after its result"}


@pytest.fixture(scope="module")
def rows(sweep: Sweep) -> dict[str, tuple[dict[str, Any], ...]]:
    """Every fault's row, between that of the healthy cell before it and that of the one after it."""
    cells: list[dict[str, Any]] = [{}]
    for fault, (state, _) in EXPECTED.items():
        cells += [{"fault": fault, "time_limit": 2.0 if state == "timeout" else 20.0}, {}]
    found = sweep(*cells, one_by_one=True)
    assert len(found) == len(cells)
    return {fault: tuple(found[2 * at : 2 * at + 3]) for at, fault in enumerate(EXPECTED)}


def test_every_fault_has_its_expected_state() -> None:
    assert set(FAULTS) <= set(EXPECTED)


@pytest.mark.parametrize("fault", EXPECTED)
def test_a_fault_ends_in_its_own_state_and_nothing_else_suffers(
    rows: dict[str, tuple[dict[str, Any], ...]], fault: str
) -> None:
    state, reason = EXPECTED[fault]
    before, row, after = rows[fault]
    assert row["state"] == state, row
    assert reason in row["reason"]
    assert before["state"] == after["state"] == "ok", (before["reason"], after["reason"])
    assert before["final_loss"] == after["final_loss"]
    assert WARNED.get(fault, "") in " ".join(row["warnings"])
    assert (row["gflops"] is not None) == (state == "ok")
    assert bool(row["stderr"]) <= (state not in ("ok", "unsupported", "unavailable"))


def test_no_fault_leaves_anything(rows: dict[str, tuple[dict[str, Any], ...]], marked: Marked) -> None:
    assert rows
    assert marked.rest() == ([], [])


def test_the_last_words_of_a_crash_are_kept(rows: dict[str, tuple[dict[str, Any], ...]]) -> None:
    assert "in segfault" in rows["segfault"][1]["stderr"]
    assert "in hang_in_c" in rows["hang_in_c"][1]["stderr"]
