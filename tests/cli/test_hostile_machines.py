"""Machines and words that no command is prepared for: one line, no traceback, and an exit code that says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import gettempdir

import pytest

from harness.cli import main
from harness.store import Store
from tests.samples import a_cell, a_row, a_run

ROOT = Path(__file__).parents[2]
LONG = "n" * 300
DIGITS, TOO_MANY = "9" * 400, "9" * 5000
STRANGER = """
import difflib, importlib, os, sys, traceback
from harness.cli import COMMANDS, main
for name in COMMANDS: importlib.import_module(f"harness.cli.{name.replace('-', '_')}")
os.geteuid() or (os.setgid(54321), os.setuid(54321))
sys.exit(main(sys.argv[1:]))
"""
"""Runs a command as a user to whom the permissions apply, and whom no list of users knows."""


def as_stranger(folder: Path, *words: str, **environment: str) -> tuple[int, str]:
    """Return the exit code and the only line on standard error."""
    known = {name: value for name, value in os.environ.items() if name != "HOME" and not name.startswith("XDG_")}
    done = subprocess.run(
        [sys.executable, "-c", STRANGER, *words],
        env={**known, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True, text=True, check=False, timeout=240, cwd=folder,
    )  # fmt: skip
    (line,) = done.stderr.splitlines()
    return done.returncode, line


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with a store, that every user can read and nobody but its owner can write to."""
    with Store.open(tmp_path / "results.db") as store:
        run = a_run()
        store.begin(run, [a_cell()])
        store.add(run, a_row())
    for parent in (tmp_path, *tmp_path.parents):
        if Path(gettempdir()) in parent.parents:
            parent.chmod(0o755)
    tmp_path.chmod(0o555)
    yield tmp_path
    tmp_path.chmod(0o755)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user without a home")
@pytest.mark.parametrize("words", [("run", "quick"), ("fetch", "mnist"), ("check", "blas"), ("gate",)])
def test_no_home_is_a_request_that_can_be_mended(folder: Path, words: tuple[str, ...]) -> None:
    code, line = as_stranger(folder, *words)
    assert (code, line) == (
        2, f"harness: {words[0]}: this user has no home folder; set HOME to a folder that can be written to"
    )  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        ("merge", "results.db", "-o", "all.db"),
        ("export", "-o", "rows.csv"),
        ("report",),
        ("new-backend", "mine"),
    ],
)
def test_a_read_only_folder_and_home_is_74(folder: Path, words: tuple[str, ...]) -> None:
    code, line = as_stranger(folder, *words, HOME=str(folder))
    assert code == 74, line


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="this system has no folder that even root cannot write to")
def test_a_run_into_a_folder_that_cannot_be_written_is_74_before_anything_is_measured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["run", "quick", "--quiet", "--store", "/proc/self/results.db"]) == 74
    out, err = capsys.readouterr()
    assert out == ""
    assert "choose another store" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("words", [("export",), ("merge", "results.db", "-o", "/tmp/all.db"), ("report",)])
def test_an_unreadable_store_is_74(folder: Path, words: tuple[str, ...]) -> None:
    (folder / "results.db").chmod(0)
    code, line = as_stranger(folder, *words, HOME=str(folder))
    assert (code, "results.db" in line or "report.html" in line) == (74, True), line


@pytest.mark.parametrize("mode", [0, 0o755])
def test_an_unreadable_calibration_is_74_and_a_missing_one_2(folder: Path, mode: int) -> None:
    folder.chmod(0o755)
    place = folder / "backprop-harness" / "gate"
    place.mkdir(parents=True)
    place.chmod(mode)
    code, line = as_stranger(folder, "gate", HOME=str(folder), XDG_STATE_HOME=str(folder))
    place.chmod(0o755)
    assert (code, line.split(": ")[1].startswith(str(folder))) == ((2, False) if mode else (74, True)), line


@pytest.mark.parametrize("hidden", ["study.toml", "."])
@pytest.mark.parametrize("command", ["plan", "run"])
def test_an_unreadable_study_is_74(folder: Path, command: str, hidden: str) -> None:
    folder.chmod(0o755)
    (folder / "closed").mkdir()
    (folder / "closed" / "study.toml").write_text('[[backend]]\nname = "blas"\n')
    (folder / "closed" / hidden).chmod(0)
    code, line = as_stranger(folder, command, "closed/study.toml", HOME=str(folder))
    (folder / "closed").chmod(0o755)
    assert (code, line) == (
        74, "harness: closed/study.toml: Permission denied; change the permissions, or name another place"
    )  # fmt: skip


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="this system has no folder that even root cannot write to")
def test_a_lock_that_cannot_be_written_is_74(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HARNESS_LOCKS", "/proc/self/locks")
    words = ["run", "quick", "--quiet", "--store", str(tmp_path / "results.db"), "--set", "backend=blas"]
    assert main(words) == 74
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert out == ""
    assert "set HARNESS_LOCKS to a folder that can be written" in line


def test_an_unreadable_folder_is_74(folder: Path) -> None:
    folder.chmod(0o755)
    (folder / "closed").mkdir(mode=0)
    code, line = as_stranger(folder, "export", "--store", "closed/results.db", HOME=str(folder))
    assert (code, line) == (
        74, "harness: closed/results.db: Permission denied; change the permissions, or name another place"
    )  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        ["run", LONG],
        ["run", f"{LONG}.toml"],
        ["run", "quick", "--store", LONG],
        ["plan", LONG],
        ["plan", "quick", "--store", LONG],
        ["export", "--store", LONG],
        ["export", "-o", LONG],
        ["report", "--store", LONG],
        ["report", "-o", LONG],
        ["report", "--figures", LONG],
        ["merge", LONG, "-o", "all.db"],
        ["merge", "results.db", "-o", LONG],
        ["compare", LONG, LONG],
        ["compare", "a", "b", "--store", LONG],
        ["new-backend", LONG],
        ["new-backend", "mine", "--path", LONG],
        ["fetch", LONG],
        ["check", LONG],
    ],
)
def test_a_name_beyond_255_bytes_is_a_request_that_can_be_mended(
    words: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.chmod(0o755)
    monkeypatch.chdir(folder)
    assert main(words) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert [entry.name for entry in folder.iterdir()] == ["results.db"]


KEYS = ("batch", "workers", "epochs", "rounds", "rate", "time_limit")


@pytest.mark.parametrize("words", [
    *(["plan", "quick", "--set", f"{key}={number}"] for key in KEYS for number in (DIGITS, TOO_MANY, "1e400")),
    ["plan", "quick", "--set", f"seed={TOO_MANY}"],
    ["plan", "quick", "--budget", f"{DIGITS}s"],
    ["check", "blas", "--workers", DIGITS],
    ["check", "blas", "--workers", TOO_MANY],
    ["check", "blas", "--seconds", DIGITS],
    ["gate", "--calibrate", "--rounds", DIGITS],
    ["gate", "--calibrate", "--percent", DIGITS],
    ["gate", "--calibrate", "--runs", TOO_MANY],
    ["compare", "a", "b", "--store", "results.db", "--band", f"{DIGITS}%"],
])  # fmt: skip
def test_a_number_of_400_digits_is_a_request_that_can_be_mended(
    words: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    assert main(words) == 2
    said = capsys.readouterr().err
    assert all(line.startswith("harness: ") and len(line) < 500 for line in said.splitlines())
    assert said
