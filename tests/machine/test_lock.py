"""One run at a time: a second one waits, says for whom, or shares; whatever ends a run gives the machine back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import InputOutputError
from harness.machine import lock
from harness.machine.lock import Holder, machine_lock

HOLD = """
import sys, time
from harness.machine.lock import machine_lock
with machine_lock("harness run quick"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_LOCKS", str(tmp_path / "locks"))
    monkeypatch.setattr(lock, "PAUSE", 0.01)
    return tmp_path / "locks"


@pytest.fixture
def other() -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    with subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_machine_is_free_again_after_a_run() -> None:
    for _ in range(2):
        with machine_lock("first") as shared:
            assert not shared


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_second_run_waits_and_is_told_for_whom_until_the_first_is_gone(
    other: subprocess.Popen[str], how: signal.Signals
) -> None:
    told: list[Holder | None] = []

    def end_the_other(holder: Holder | None) -> None:
        told.append(holder)
        other.send_signal(how)

    with machine_lock("harness run cpu", on_wait=end_the_other) as shared:
        assert not shared
        assert told == [Holder(other.pid, "harness run quick")]
        assert str(told[0]) == f"harness run quick (process {other.pid})"


def test_a_run_that_shares_goes_on_and_knows_it(other: subprocess.Popen[str]) -> None:
    with machine_lock("harness run cpu", share=True) as shared:
        assert shared
    other.kill()
    other.wait()
    with machine_lock("harness run cpu", share=True) as shared:
        assert not shared


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x", "command": 1}', "\x00" * 10])
def test_a_file_that_holds_something_else_is_no_holder(folder: Path, content: str) -> None:
    folder.mkdir()
    (folder / "machine.lock").write_text(content)
    with (folder / "machine.lock").open("r+") as file:
        assert lock._holder(file) is None
    with machine_lock("harness run cpu") as shared:
        assert not shared


def test_a_folder_that_cannot_be_made_is_said_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HARNESS_LOCKS", str(tmp_path / "file" / "locks"))
    with pytest.raises(InputOutputError, match="set HARNESS_LOCKS to a folder that can be written"), machine_lock("x"):
        pass


def test_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    (tmp_path / "precious").write_text("kept")
    (folder / "machine.lock").symlink_to(tmp_path / "precious")
    with pytest.raises(InputOutputError, match="cannot be opened"), machine_lock("x"):
        pass
    assert (tmp_path / "precious").read_text() == "kept"


def test_the_first_two_runs_may_begin_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = Path.mkdir

    def after_another_was_quicker(path: Path, *words: object, **how: object) -> None:
        os.makedirs(path, exist_ok=True)  # noqa: PTH103  the method is what this test replaces
        make(path, *words, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "mkdir", after_another_was_quicker)
    with machine_lock("harness run cpu") as shared:
        assert not shared
    assert folder.is_dir()


def test_a_file_that_is_there_is_opened_and_not_created(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    (folder / "machine.lock").write_text("")
    opened = os.open

    def as_linux_in_a_shared_folder(path: Path, flags: int, *mode: int) -> int:
        if flags & os.O_CREAT:
            raise PermissionError(13, "Permission denied")
        return opened(path, flags, *mode)

    monkeypatch.setattr("os.open", as_linux_in_a_shared_folder)
    with machine_lock("harness run cpu") as shared:
        assert not shared
