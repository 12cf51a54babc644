from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import STORE_NAME, STUDY_NAME, Lab
from tests.fakes.site import Ran


def in_shell(lab: Lab, line: str) -> subprocess.CompletedProcess[str]:
    """Run a line of the shell in the lab, in which ``{harness}`` is the command."""
    path = os.pathsep.join([str(lab.folder), lab.variables()["PYTHONPATH"]])
    return subprocess.run(
        line.format(harness=f"{shlex.quote(sys.executable)} -m harness"),
        shell=True,
        cwd=lab.folder,
        env={**os.environ, **lab.variables(), "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


STORE_WORD, STUDY_WORD = shlex.quote(STORE_NAME), shlex.quote(STUDY_NAME)


def test_a_reader_that_leaves_early_is_no_error(ran: tuple[Lab, Ran]) -> None:
    lab, _ = ran
    done = in_shell(lab, f"{{harness}} export --store {STORE_WORD} --format json | head -1")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize(
    "words", ["studies", f"export --store {STORE_WORD}", f"run {STUDY_WORD} --store {STORE_WORD} --quiet"]
)
def test_a_full_disk_under_the_output_is_told_in_one_line(ran: tuple[Lab, Ran], words: str) -> None:
    lab, _ = ran
    done = in_shell(lab, f"{{harness}} {words} > /dev/full")
    assert (done.returncode, len(done.stderr.splitlines())) == (74, 1), done.stderr
    assert done.stderr.startswith("harness: No space left on device; make room")


@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", ">&-", "2>&-"])
def test_closed_standard_streams_are_no_error_and_no_file_takes_their_place(lab: Lab, closed: str) -> None:
    study = lab.study("closed.toml", "healthy")
    done = in_shell(lab, f"exec {{harness}} run {study} --quiet --store closed.db {closed}")
    assert (done.returncode, done.stderr) == (0, "")
    shown = in_shell(lab, "exec {harness} export --store closed.db --format json")
    assert {row["state"] for row in json.loads(shown.stdout)} == {"ok"}


def test_a_current_folder_that_is_gone_is_told_in_one_line(lab: Lab) -> None:
    done = in_shell(lab, "mkdir gone && cd gone && rmdir ../gone && exec {harness} studies")
    said = "harness: the current folder has been removed; change to one that is there\n"
    assert (done.returncode, done.stderr) == (2, said)
