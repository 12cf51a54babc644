"""From the guardian's report to ``Ended``: what no test can bring about at will."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from harness.machine.process import tree
from harness.machine.process.parent import ended, last_lines

REPORT: dict[str, Any] = {"ended": "ended", "reason": "", "status": 0, "left": 0, "clean": True, "shared": []}


@pytest.mark.parametrize(("kills", "state"), [(0, "crashed"), (1, "out-of-memory")])
def test_a_kill_by_the_kernel_is_out_of_memory(kills: int, state: str) -> None:
    found = ended({**REPORT, "status": int(signal.SIGKILL), "kernel_kills": kills}, None)
    assert found.state == state
    assert found.signal == ("SIGKILL" if state == "crashed" else None)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"clean": False}, "could not be ended"),
        ({"supervised": False}, "no process tree"),
        ({"shared": ["a", "b"]}, "removed: a, b"),
        ({"left": 3}, "left 3 processes"),
    ],
)
def test_what_was_out_of_order_is_a_warning(changes: dict[str, Any], word: str) -> None:
    (warning,) = ended({**REPORT, **changes}, None).warnings
    assert word in warning


def test_last_lines_have_nothing_that_steers_a_terminal() -> None:
    text = "first\r\n\x1b[31mred\x1b[0m \x1b]0;title\x07plain\rbar 10 %\rbar 99 %\x00\x9b"
    assert last_lines(text) == "first\nred plain\nbar 10 %\nbar 99 %\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"
    assert len(last_lines("x" * 10**5)) == 8000
    assert last_lines("\n".join(map(str, range(1000)))).splitlines()[-1] == "999"


WITHOUT_PROC = """
import os, time
from harness.machine.process import tree
tree.HAS_PROC = False
child = os.fork()
if child == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    time.sleep(100)
time.sleep(0.3)
print(tree.descendants(), tree.Reaper(child).kill_all(), flush=True)
"""


def test_without_a_process_tree_the_group_is_ended() -> None:
    words = [sys.executable, "-c", WITHOUT_PROC]
    done = subprocess.run(words, env=dict(os.environ), capture_output=True, text=True, timeout=240, check=True)
    assert done.stdout == "[] True\n"


def test_without_lists_of_children_every_process_is_asked_for_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    nested = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'], stdin=0)"
    before = len(tree.descendants())
    with subprocess.Popen([sys.executable, "-c", nested], stdin=subprocess.PIPE) as child:
        try:
            while len(tree.descendants()) < before + 2:
                time.sleep(0.01)
            listed = tree.descendants()
            monkeypatch.setattr(tree, "HAS_CHILDREN", False)
            assert tree.descendants() == listed
            assert child.pid in listed
        finally:
            child.communicate(b"\n")
