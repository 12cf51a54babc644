"""The memory limit holds whatever the system shows of its processes, and the reason says what was counted."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.machine.process import watch
from harness.machine.process.watch import MIB, PAGE, Memory, proportional

if not Path("/proc/self/statm").exists():
    pytest.skip("this system has no /proc", allow_module_level=True)

HELD, SHARED = 200, 150
"""MiB that each process of the made-up system holds, and how many of them it shares with the other one."""
KIB = 1024


def smaps(folder: Path, names: Mapping[str, str]) -> None:
    for name, text in names.items():
        (folder / name).write_text(text)


EXACT = HELD - SHARED // 2
ROLLUP = f"Rss: {HELD * KIB} kB\nPss: {EXACT * KIB} kB\nPss_Dirty: {EXACT * KIB} kB\n"
MAPPINGS = f"00-01 r\nPss: {(EXACT - 20) * KIB} kB\n01-02 r\nPss: {20 * KIB} kB\n"


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system with the processes 7 and 8, of which nothing but the resident pages can be read."""
    for pid in (7, 8):
        folder = tmp_path / str(pid)
        folder.mkdir()
        pages = [size * MIB // PAGE for size in (900, HELD, SHARED)]
        smaps(folder, {"statm": " ".join(map(str, pages))})
        (folder / "smaps_rollup").mkdir()  # opening it fails, even for root
        (folder / "smaps").mkdir()
    monkeypatch.setattr(watch, "PROC", str(tmp_path))
    return tmp_path


def show(proc: Path, pid: int, name: str, text: str) -> None:
    (proc / str(pid) / name).rmdir()
    smaps(proc / str(pid), {name: text})


def test_where_nothing_exact_can_be_read_all_resident_memory_counts_and_the_reason_says_so(proc: Path) -> None:
    assert proc.exists()
    reason = Memory(300 * MIB).too_large([7, 8])
    assert reason == (
        "400 MiB resident (2 of 2 processes show no smaps_rollup, so their shared pages count fully), "
        "the limit is 300 MiB"
    )  # fmt: skip
    assert Memory(400 * MIB).too_large([7, 8]) == ""


def test_a_single_process_that_shows_nothing_exact_does_not_slip_through(proc: Path) -> None:
    show(proc, 8, "smaps_rollup", ROLLUP)
    reason = Memory(300 * MIB).too_large([7, 8])
    assert reason == (
        f"{HELD + EXACT} MiB resident (1 of 2 processes show no smaps_rollup, so their shared pages count fully), "
        "the limit is 300 MiB"
    )  # fmt: skip


@pytest.mark.parametrize(("name", "text"), [("smaps_rollup", ROLLUP), ("smaps", MAPPINGS)])
def test_an_old_kernel_shows_the_same_by_mapping(proc: Path, name: str, text: str) -> None:
    for pid in (7, 8):
        show(proc, pid, name, text)
    assert proportional([7, 8]) == (2 * EXACT * MIB, 0)
    assert Memory(300 * MIB).too_large([7, 8]) == ""
    assert Memory(200 * MIB).too_large([7, 8]) == f"{2 * EXACT} MiB resident, the limit is 200 MiB"


def test_a_process_that_has_ended_holds_nothing(proc: Path) -> None:
    assert proc.exists()
    assert proportional([9, 10]) == (0, 0)
    assert Memory(1).too_large([9, 10]) == ""


def test_a_real_process_is_measured() -> None:
    waits = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"]
    children = [subprocess.Popen(waits, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    try:
        for child in children:
            assert child.stdout is not None
            child.stdout.readline()
        held, rough = proportional([child.pid for child in children])
    finally:
        for child in children:
            child.communicate()
    assert rough == 0
    assert held > MIB
