"""What the harness itself costs: to start, to list, to run a cell that trains nothing, to read and to report.

Commands run as a user runs them, in a process of their own. What a commit does not have yet is n/a there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from asv_runner.benchmarks.mark import SkipNotImplemented

from benchmarks import fakes
from benchmarks.places import module
from benchmarks.training import ROUNDS, SAMPLES

ROWS, SHOWN = 10_000, 600
FINE = ("ok", "wrong")
"""States of a cell that came to its end; one that trains nothing is found out."""


def need(*modules: str) -> None:
    """Skip a benchmark at a commit that lacks a module of the harness; its parents are looked for first."""
    for path in modules:
        parts = path.split(".")
        names = [".".join(parts[: place + 1]) for place in range(len(parts))]
        if not all(find_spec(name) for name in names):
            raise SkipNotImplemented(f"this commit has no {path}")


def harness(*words: str, **variables: str) -> None:
    """Run one command of the harness and throw away what it prints."""
    environment = {**os.environ, **variables}
    subprocess.run([sys.executable, "-P", "-m", "harness", *words], env=environment, check=True, capture_output=True)


class _Timed:
    rounds, repeat, number = ROUNDS, SAMPLES, 1
    warmup_time = 0
    timeout = 120


class Start(_Timed):
    """Seconds until the harness is there."""

    def setup(self) -> None:
        """Look whether there is a command line."""
        need("harness.cli")

    def timeraw_import(self) -> str:
        """Time ``import harness`` in a fresh interpreter, its own start not counted."""
        return "import harness"

    def time_help(self) -> None:
        """Time ``harness --help``, interpreter included."""
        harness("--help")


class Planning(_Timed):
    """Seconds to read and plan a study of a thousand cells."""

    study = Path("thousand.toml")

    def setup_cache(self) -> None:
        """Write the study."""
        axes = "".join(f"{name} = [{', '.join(map(str, range(1, 11)))}]\n" for name in ("batch", "rate", "seed"))
        self.study.write_text(axes + '[[backend]]\nname = "python"\n', encoding="utf-8")

    def setup(self) -> None:
        """Look whether there is a planner."""
        need("harness.cli.plan")

    def time_plan(self) -> None:
        """Time ``harness plan`` on a thousand cells, interpreter included."""
        harness("plan", str(self.study), "--json")


class Plugins(_Timed):
    """Seconds with ten plugins more than are installed."""

    folder = Path("plugins")

    def setup_cache(self) -> None:
        """Install them beside the suite's working folder."""
        fakes.install(self.folder)

    def setup(self) -> None:
        """Let this process and those that it starts see them."""
        need("harness.cli.backends")
        place = str(self.folder.resolve())
        os.environ["PYTHONPATH"] = place
        if place not in sys.path:
            sys.path.insert(0, place)

    def time_backends(self) -> None:
        """Time ``harness backends``."""
        harness("backends")

    def time_empty_cell(self) -> None:
        """Time one cell through the runner with a backend that trains nothing, from start to row."""
        need("harness.runner", "harness.worker")
        (row,) = module("harness.runner.loop").run_cells(
            [fakes.cell("empty-0")], 1, seed=0, machine="fake-1c", limit=None
        )
        if row.state not in FINE:
            raise RuntimeError(f"the empty cell is {row.state}: {row.reason}\n{row.stderr}")

    def track_empty_cell_by_bare_start(self) -> float:
        """Return how many times as long as a bare start of Python with NumPy an empty cell takes; the least of five."""
        need("harness.runner", "harness.worker")
        bare = [sys.executable, "-c", "import numpy"]
        ratios = []
        for _ in range(5):
            begin = time.perf_counter()
            subprocess.run(bare, check=True)
            between = time.perf_counter()
            self.time_empty_cell()
            ratios.append((time.perf_counter() - between) / (between - begin))
        return min(ratios)


class Stored(_Timed):
    """Seconds to make something of rows that were measured before."""

    large, small = Path("large.db"), Path("small.db")

    def setup_cache(self) -> None:
        """Write a store of 10,000 rows and one of a usual size, where the commit can."""
        try:
            need("harness.store")
        except SkipNotImplemented:
            return
        fakes.fill(self.large, ROWS)
        fakes.fill(self.small, SHOWN)

    def setup(self) -> None:
        """Look whether there is anything to read."""
        need("harness.store")

    def time_read_10000_rows(self) -> Any:
        """Time opening the large store and taking every row that a report shows."""
        from harness.store import Store

        with Store.read(self.large) as store:
            return store.rows()

    def time_report(self) -> None:
        """Time ``harness report`` on the usual store."""
        need("harness.cli.report")
        harness("report", "--store", str(self.small), "--output", "page.html")
