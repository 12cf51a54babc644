"""The exit codes of docs/commands.md, each from a command that ends with it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import pytest

from harness import cli
from harness.cli import codes, main
from harness.errors import DataError, PluginError
from harness.session.gate.calibration import Calibration
from harness.store import Store
from tests.samples import a_cell, a_row, a_run

DOCS = Path(__file__).parents[2] / "docs" / "commands.md"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "results.db"
    with Store.open(path) as opened:
        run = a_run()
        opened.begin(run, [a_cell()])
        opened.add(run, a_row())
    return path


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], int]:
    """Return a function that runs a command which raises what it is given, and returns the exit code."""

    def end(error: BaseException) -> int:
        def fail(_: object) -> NoReturn:
            raise error

        monkeypatch.setattr("harness.cli.studies.run", fail)
        return main(["studies"])

    return end


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def test_every_exit_code_is_documented() -> None:
    page = DOCS.read_text(encoding="utf-8")
    values = [value for name, value in vars(codes).items() if name.isupper()]
    assert sorted(values) == [0, 1, 2, 3, 70, 74, 130]
    assert all(f"| {value} | " in page for value in values)


@pytest.mark.parametrize("words", [[], ["help"], ["--help"], ["help", "run"], ["run", "--help"], ["--version"]])
def test_asking_for_help_is_0(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["help"]])
def test_harness_alone_lists_every_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main(words)
    shown = capsys.readouterr().out
    assert cli.COMMANDS.keys() <= {line.split()[0] for line in shown.splitlines() if line.startswith("    ")}


def test_what_fell_short_is_1(ending: Callable[[BaseException], int], capsys: pytest.CaptureFixture[str]) -> None:
    assert ending(PluginError("mine: no such class")) == 1
    assert lines(capsys) == ["harness: mine: no such class"]


def test_data_that_cannot_be_had_are_74(
    ending: Callable[[BaseException], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(DataError("digits: not here")) == 74
    assert lines(capsys) == ["harness: digits: not here"]


@pytest.mark.parametrize(
    "words", [["export", "--stor", "x"], ["nonsense"], ["help", "nonsense"], ["export", "--store", "none.db"]]
)
def test_a_refused_request_is_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert len(lines(capsys)) == 1


@pytest.mark.parametrize(
    ("smallest", "noise", "words", "code"),
    [
        (0.05, 1e-3, ["--strict"], 0),
        (0.05, 0.5, ["--strict"], 3),
        (0.2, 1e-3, ["--strict"], 3),
        (None, 1e-3, ["--strict"], 3),
        (None, 1e-3, [], 0),
    ],
)
def test_a_gate_that_would_not_see_the_slower_copy_is_3_if_strict(
    smallest: float | None, noise: float, words: list[str], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Calibration(
        machine="box", backend="blas", study="gate", cells=1, rounds=20, runs=10, alarms=0, percent=10, found=10,
        alarm_rate=0.0, smallest=smallest, times=(((1.0, 1.0 + noise, 1.0), (1.0 + noise, 1.0, 1.0)),),
    )  # fmt: skip
    monkeypatch.setattr(Calibration, "load", lambda _: known)
    assert main(["gate", *words]) == code


@pytest.mark.parametrize("error", [KeyError("x"), RuntimeError("two\nlines \x1b[31m"), ValueError(), RecursionError()])
def test_an_internal_error_is_70_and_one_line_without_a_traceback(
    ending: Callable[[BaseException], int], error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(error) == 70
    (line,) = lines(capsys)
    assert line.startswith(f"harness: internal error: {type(error).__name__}: ")
    assert "HARNESS_TRACEBACK=1" in line
    assert "\x1b" not in line


def test_the_traceback_of_an_internal_error_can_be_seen(
    ending: Callable[[BaseException], int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HARNESS_TRACEBACK", "1")
    assert ending(KeyError("x")) == 70
    first, *_, last = lines(capsys)
    assert first == "harness: Traceback (most recent call last):"
    assert last.startswith("harness: internal error: KeyError: 'x'")
    assert ending(OSError(28, "No space left on device")) == 74
    assert lines(capsys)[0] == "harness: Traceback (most recent call last):"


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (OSError(28, "No space left on device"), 74, "make room"),
        (PermissionError(13, "Permission denied", "rows.csv"), 74, "rows.csv: Permission denied; change the perm"),
        (OSError(30, "Read-only file system", b"rows.csv"), 74, "rows.csv: Read-only file system"),
        (OSError(5, "Input/output error"), 74, "look at the disk"),
        (OSError("strange"), 74, "strange"),
        (sqlite3.DatabaseError("malformed"), 74, "malformed"),
        (OSError(36, "File name too long", "n" * 300), 2, "...: File name too long; choose a shorter name"),
        (OverflowError("int too large to convert to float"), 2, "a number is too large"),
    ],
)
def test_what_the_system_refuses_is_74_or_2_if_it_can_be_mended(
    ending: Callable[[BaseException], int], error: Exception, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(error) == code
    (line,) = lines(capsys)
    assert said in line


def test_an_interrupt_is_130(ending: Callable[[BaseException], int], capsys: pytest.CaptureFixture[str]) -> None:
    assert ending(KeyboardInterrupt()) == 130
    assert lines(capsys) == ["harness: interrupted"]


def test_a_command_that_gets_sigint_is_130() -> None:
    code = (
        "import os, signal, sys, time\nimport harness.cli.studies as command\nfrom harness.cli import main\n"
        "def run(_):\n    os.kill(os.getpid(), signal.SIGINT)\n    while True: time.sleep(0.01)\n"
        "command.run = run\nsys.exit(main(['studies']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=240)
    assert (done.returncode, done.stdout, done.stderr) == (128 + signal.SIGINT, "", "harness: interrupted\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("words", [["studies"], ["export"], ["--help"], ["--version"], []])
def test_a_full_disk_under_the_output_is_74(store: Path, words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "harness", *words],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=240, cwd=store.parent,
            env={**os.environ, "PYTHONPATH": str(DOCS.parents[1])},
        )  # fmt: skip
    said = "harness: No space left on device; make room where the output or the files go, then repeat\n"
    assert (done.returncode, done.stderr) == (74, said)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_disk_under_the_messages_changes_no_exit_code(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "harness", "nonsense"],
            stdout=subprocess.PIPE, stderr=full, check=False, timeout=240, cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(DOCS.parents[1])},
        )  # fmt: skip
    assert done.returncode == 2


COMMANDS_OF_A_STORE = [
    ["export", "--store", "results.db"],
    ["report", "--store", "results.db"],
    ["compare", "results.db", "results.db"],
    ["compare", "a", "b", "--store", "results.db"],
    ["merge", "results.db", "-o", "all.db"],
    ["plan", "quick", "--store", "results.db"],
]


@pytest.mark.parametrize("words", COMMANDS_OF_A_STORE)
@pytest.mark.parametrize("kept", [50, 6000])
def test_a_damaged_store_is_74(
    store: Path, words: list[str], kept: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(store.parent)
    store.write_bytes(store.read_bytes()[:kept])
    assert main(words) == 74
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("harness: results.db: ")
    assert "the file is damaged; choose another store, or save what is left" in line


def test_a_store_with_a_cell_that_nobody_wrote_is_74(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(store)) as raw, raw:
        raw.execute("UPDATE cells SET settings = '{\"backend\": 1}'")
    assert main(["export", "--store", str(store)]) == 74
    (line,) = lines(capsys)
    assert str(store) in line


def test_a_store_that_is_not_one_is_2(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store.write_text("nothing of the kind" * 100)
    assert main(["export", "--store", str(store)]) == 2
    (line,) = lines(capsys)
    assert "this is no store" in line
