"""How the worker of a cell is started; the interpreter that will run it is asked."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.contract.registry import missing, spec
from harness.errors import HarnessError, RequestError, Unavailable, Unsupported
from harness.machine.launch import Launch, launch
from harness.machine.process import Limits, Start, run
from harness.plan.cell import Cell
from harness.runner.row import State

SECONDS = 60.0
"""How long another interpreter may take to load its plugins' light modules."""


@dataclass(frozen=True)
class Refusal:
    """The state and the reason of a cell for which no worker is started."""

    state: State
    reason: str


def launch_here(cell: Cell) -> Launch | Refusal:
    """Return how to start the cell's worker with the plugins of this interpreter, or why it cannot start."""
    try:
        wanted = spec(cell.backend)
        reason = missing(wanted)
        if reason:
            return Refusal("unavailable", f"{cell.backend} {reason}")
        return launch(wanted, cell.workers, cell.options, cell.hosts)
    except (Unavailable, RequestError) as error:
        return Refusal("unavailable", str(error))
    except Unsupported as error:
        return Refusal("unsupported", str(error))
    except HarnessError as error:
        return Refusal("error", str(error))


@dataclass
class Launches:
    """How to start the worker of every cell; another interpreter is asked once for each configuration."""

    stop: threading.Event
    _asked: dict[tuple[object, ...], Launch | Refusal] = field(default_factory=dict)

    def of(self, cell: Cell) -> Launch | Refusal:
        """Return how to start this cell's worker, or why it cannot start."""
        if cell.python is None:
            return launch_here(cell)
        key = (cell.python, cell.backend, cell.workers, tuple(sorted(cell.options.items())), cell.hosts)
        if key not in self._asked:
            self._asked[key] = self._elsewhere(cell, cell.python)
        return self._asked[key]

    def _elsewhere(self, cell: Cell, python: str) -> Launch | Refusal:
        start = Start(
            module="harness.runner.elsewhere",
            request={"cell": cell.to_json()},
            environment=os.environ,
            limits=Limits(SECONDS),
            python=python,
        )
        ended = run(start, stop=self.stop)
        if ended.state == "interrupted":
            return Refusal("interrupted", "interrupted by the user")
        if ended.message is None:
            last = ended.stderr.splitlines()[-1:] or [f"exit code {ended.exit_code}"]
            return Refusal("unavailable", f"{python} cannot run a worker: {ended.reason or last[0]}")
        return _understood(ended.message)


def _understood(answer: Mapping[str, Any]) -> Launch | Refusal:
    """Return the ``Launch`` or ``Refusal`` that ``harness.runner.elsewhere`` delivered as plain data."""
    if "state" in answer:
        return Refusal(answer["state"], answer["reason"])
    cpus = answer["cpus"]
    return Launch(answer["environment"], tuple(answer["words"]), None if cpus is None else frozenset(cpus))
