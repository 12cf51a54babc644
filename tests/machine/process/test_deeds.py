"""Whatever a child does, it ends in its own state and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.machine.process import State
from tests.machine.process.conftest import Lab

MIB = 1 << 20
DONE = {"deed": "done"}


@pytest.mark.parametrize(
    ("deed", "state", "fields"),
    [
        ("segfault", "crashed", {"signal": "SIGSEGV"}),
        ("abort", "crashed", {"signal": "SIGABRT"}),
        ("stack_overflow_in_c", "crashed", {"signal": "SIGSEGV"}),
        ("hang_in_c", "timeout", {"reason": "had not ended after 1 s"}),
        ("ignore_terminate", "timeout", {"reason": "had not ended after 1 s"}),
        ("stop_itself", "timeout", {"reason": "had not ended after 1 s; it is held by a stop signal"}),
        ("fork_ten", "ended", {"message": DONE, "warnings": ("left 10 processes behind, which were ended",)}),
        ("fork_ten_and_hang", "timeout", {}),
        ("close_all_files", "ended", {"message": DONE, "exit_code": 0}),
        ("exit_at_once", "ended", {"message": None, "exit_code": 0}),
        ("exit_politely", "ended", {"message": None, "exit_code": 0}),
        ("raise_base_exception", "ended", {"message": None, "exit_code": 1}),
        ("recurse", "ended", {"message": None, "exit_code": 1}),
        ("leave_a_thread", "ended", {"message": DONE, "warnings": ("still ran 1 s after its result and was ended",)}),
        ("change_directory", "ended", {"message": DONE, "warnings": ()}),
        ("print_much", "ended", {"message": DONE, "exit_code": 0}),
        ("share_memory", "ended", {"message": DONE, "exit_code": 0}),
        ("eat_memory", "out-of-memory", {}),
        ("eat_memory_together", "out-of-memory", {}),
        ("fake_messages", "ended", {"message": None, "exit_code": 0}),
        ("forge_messages", "ended", {"message": None, "exit_code": 0}),
        ("terminate_the_guardian", "ended", {"message": DONE, "exit_code": 0}),
        ("terminate_itself", "crashed", {"signal": "SIGTERM", "reason": "ended by SIGTERM"}),
        ("kill_the_guardian", "crashed", {"message": None}),
    ],
)
def test_a_child_ends_in_its_own_state_and_leaves_nothing(
    lab: Lab, deed: str, state: State, fields: dict[str, Any]
) -> None:
    ended = lab.run(deed, seconds=1.0 if state == "timeout" else 20.0, memory=300 * MIB)
    assert ended.state == state, ended
    assert {name: getattr(ended, name) for name in fields} == fields
    assert lab.rest() == ([], [])


def test_a_chain_of_forks_is_caught(lab: Lab) -> None:
    ended = lab.run("fork_for_ever", seconds=1.0)
    assert ended.state == "ended"
    assert lab.rest() == ([], [])


def test_a_guardian_that_is_held_is_ended_with_all_that_it_guards(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.machine.process.parent.OVERDUE", 0.5)
    ended = lab.run("hold_the_guardian", seconds=1.0)
    assert ended.state == "crashed"
    assert "guardian was held" in ended.reason
    assert lab.rest() == ([], [])


def test_output_is_kept_to_its_last_lines(lab: Lab) -> None:
    ended = lab.run("print_much")
    assert ended.stderr.splitlines()[-1] == "the last line"
    assert len(ended.stderr) <= 8000
    assert ended.peak_bytes is not None
    assert ended.peak_bytes < 100 * MIB


def test_a_crash_says_where_python_stood(lab: Lab) -> None:
    assert "in segfault" in lab.run("segfault").stderr
    assert "in hang_in_c" in lab.run("hang_in_c", seconds=0.5).stderr


def test_what_one_process_eats_is_its_peak(lab: Lab) -> None:
    ended = lab.run("eat_memory", memory=300 * MIB)
    assert ended.peak_bytes is not None
    assert 300 * MIB < ended.peak_bytes < 900 * MIB
    assert "the limit is 300 MiB" in ended.reason


@pytest.mark.parametrize(("deed", "kept"), [("leave_shared_memory", False), ("leave_a_file_in_shared_memory", True)])
def test_shared_memory_is_removed_where_the_child_had_it_mapped(lab: Lab, deed: str, *, kept: bool) -> None:
    names: list[str] = []
    lab.run(deed, seconds=1.0, on_message=lambda news: names.append(news["name"]))
    file = Path("/dev/shm", names[0])
    try:
        assert file.exists() == kept
    finally:
        file.unlink(missing_ok=True)
