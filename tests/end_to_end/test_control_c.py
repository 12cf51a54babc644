"""Ctrl-C at a terminal, where the running cell's processes do not hear it, and the same command afterwards."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time

from tests.end_to_end.conftest import ROWS, WORDS, Runs

CONTROL_C = b"\x03"


class Terminal:
    """A run of the study whose terminal we hold."""

    def __init__(self, runs: Runs) -> None:
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            WORDS,
            cwd=runs.folder,
            env=runs.environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_take_the_terminal,  # noqa: PLW1509  nothing else gives a child its own terminal
        )
        os.close(theirs)
        self.shown = b""

    def wait_for(self, *words: bytes) -> None:
        """Read until one of the words is shown."""
        until = time.monotonic() + 30
        while not any(word in self.shown for word in words):
            assert time.monotonic() < until, self.shown
            self.read()

    def ended(self) -> int:
        """Read all that is left and return the exit code."""
        while self.process.poll() is None:
            self.read()
        return self.process.returncode

    def read(self) -> None:
        """Take what is shown now."""
        if select.select([self.ours], [], [], 0.1)[0]:
            try:
                self.shown += os.read(self.ours, 1 << 16)
            except OSError:  # how Linux says that nobody holds the other end any more
                time.sleep(0.05)


def _take_the_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _run(runs: Runs, *keys: bytes) -> tuple[int, bytes]:
    """Run the study at a terminal and press keys in its third cell."""
    terminal = Terminal(runs)
    if keys:
        while len(runs.records()) < 2:
            terminal.read()
        terminal.wait_for(b"faulty")
    for key in keys:
        os.write(terminal.ours, key)
        time.sleep(0.05)
    code = terminal.ended()
    os.close(terminal.ours)
    return code, terminal.shown


def test_control_c_keeps_what_was_finished_and_the_same_command_goes_on(runs: Runs) -> None:
    code, shown = _run(runs, CONTROL_C)
    assert code == 130
    assert b"interrupted" in shown
    assert runs.marked.rest() == ([], [])
    states = [state for _, _, _, state, *_ in runs.records()]
    assert set(states) <= {"ok", "interrupted"}
    assert states.count("interrupted") <= 1
    assert 2 <= len(states) < ROWS
    code, _ = _run(runs)
    assert code == 0
    newest = {record[1:3]: record[3] for record in runs.records()}
    assert list(newest.values()) == ["ok"] * ROWS


def test_two_control_cs_end_at_once_and_keep_what_was_finished(runs: Runs) -> None:
    code, shown = _run(runs, CONTROL_C, CONTROL_C)
    assert code == 130
    assert b"Traceback" not in shown
    assert runs.marked.quiet_within(2.0), runs.marked.rest()
    assert {state for _, _, _, state, *_ in runs.records()} <= {"ok", "interrupted"}
    assert len(runs.records()) >= 2
