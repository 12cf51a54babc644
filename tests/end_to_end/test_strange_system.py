"""On a system that is neither Linux nor macOS, all works that runs no cell, and what runs one says what it lacks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.store import Store
from tests.samples import a_cell, a_row, a_run

STRANGE, ROOT = Path(__file__).with_name("strange_system.py"), Path(__file__).parents[2]
PLATFORMS = ("win32", "sunos5")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a store of two backends in three rounds."""
    cells = [a_cell(), a_cell(backend="python")]
    with Store.open(tmp_path / "results.db") as store:
        run = a_run()
        store.begin(run, cells)
        for cell in cells:
            for turn in range(3):
                store.add(run, a_row(cell, turn))
    return tmp_path


def strange(folder: Path, platform: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(STRANGE), platform, *words],
        capture_output=True, text=True, check=False, cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / "cache")},
    )  # fmt: skip


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--help"], "compare"),
        (["run", "--help"], "--share"),
        (["plan", "quick"], "cells in 3 rounds"),
        (["studies"], "quick"),
        (["report", "--text"], "blas"),
        (["report", "-o", "page.html"], "page.html"),
        (["export", "--format", "json"], '"state": "ok"'),
        (["compare", "blas", "python"], "B = python against A = blas, 1 cell: 1 same"),
        (["merge", "results.db", "-o", "all.db"], "6 rows added"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_runs_no_cell_works(folder: Path, platform: str, words: list[str], said: str) -> None:
    done = strange(folder, platform, *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert said in done.stdout


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    "words",
    [
        ["run", "quick", "--store", "new.db"],
        ["compare", "blas", "python", "--until-decided", "--store", "new.db"],
        ["gate", "--calibrate", "--store", "new.db"],
        ["check", "blas"],
        ["doctor", "--quick"],
    ],
    ids=" ".join,
)
def test_what_runs_cells_says_what_the_system_lacks(folder: Path, platform: str, words: list[str]) -> None:
    done = strange(folder, platform, *words)
    (line,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, "")
    assert line.startswith(f"harness: cells cannot run on this system ({platform}), because Python has no os.fork, ")
    assert "fcntl, resource here; run them on Linux, macOS or WSL" in line
    assert not (folder / "new.db").exists()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_package_is_imported_and_computes(folder: Path, platform: str) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(STRANGE.parent)!r})\n"
        f"import strange_system; sys.argv = ['x', {platform!r}, '--version']; strange_system.main()\n"
        "import harness, json\n"
        "net = harness.Network.dense([4, 3, 2]); start = harness.initial_parameters(net, seed=0)\n"
        "print(json.dumps([sorted(harness.backends())[:1], len(start)]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])[1] == 2
