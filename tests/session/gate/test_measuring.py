"""The gate and ``--until-decided`` hold the machine while they measure: only one run at a time does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.machine.lock import Holder, machine_lock
from harness.session.gate.measuring import RoundRunner, runner
from harness.store import Store
from harness.study import read_study
from tests.samples import a_cell


class WaitedError(Exception):
    """Ends a wait, which would last for ever in a test."""


def give_up(holder: Holder | None) -> None:
    raise WaitedError(str(holder))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "results.db") as opened:
        yield opened


def test_nothing_is_measured_while_another_run_holds_the_machine(store: Store) -> None:
    with (
        machine_lock("harness run other.toml"),
        pytest.raises(WaitedError, match=rf"harness run other\.toml \(process {os.getpid()}\)"),
        runner(store, read_study("quick"), [[a_cell()]], "gate", "harness gate", give_up),
    ):
        pytest.fail("it measures beside another run")


def test_the_machine_is_held_while_it_measures_and_given_back_afterwards(store: Store) -> None:
    with runner(store, read_study("quick"), [[a_cell()]], "gate", "harness gate", give_up) as measure:
        assert isinstance(measure, RoundRunner)
        with machine_lock("harness run other.toml", share=True) as shared:
            assert shared
    with machine_lock("harness run other.toml", on_wait=give_up) as shared:
        assert not shared


IMPATIENT = """
import sys
from harness.cli import main
from harness.machine import lock
from harness.session.gate.measuring import RoundRunner

def sleep(seconds):
    raise KeyboardInterrupt

def measure(*arguments):
    sys.exit("it measures beside another run")

lock.time.sleep, RoundRunner.__call__ = sleep, measure
sys.exit(main(sys.argv[1:]))
"""
"""Runs a command that is interrupted as soon as it waits."""


@pytest.mark.parametrize(
    "words",
    [
        ["gate", "--calibrate", "--rounds", "5", "--runs", "1"],
        ["compare", "blas", "python", "--until-decided", "--budget", "1s"],
    ],
    ids=" ".join,
)
def test_the_commands_wait_for_another_run_and_say_for_whom(words: list[str], tmp_path: Path) -> None:
    with machine_lock("harness run other.toml"):
        done = subprocess.run(
            [sys.executable, "-c", IMPATIENT, *words], capture_output=True, text=True, check=False, cwd=tmp_path
        )
    whom = f"waiting for harness run other.toml (process {os.getpid()}): one run at a time measures on a machine"
    assert done.stderr.splitlines() == [f"harness: {whom}", "harness: interrupted"]
    assert done.returncode == 130
