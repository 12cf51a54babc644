"""Run cells of the installed faulty plugin and print each row as soon as it is there: ``sweep.py REQUEST``.

The request is JSON: ``cells`` is a list of settings, ``fault`` among them, and ``rounds``, ``seed`` go to the runner.
``"one_by_one"`` runs each cell in a run of its own, in the order given.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from harness.contract.network import Network
from harness.plan.cell import Cell
from harness.runner.events import CellBegun, Event
from harness.runner.loop import run_cells
from harness.runner.row import Row

MIB = 1 << 20


def cell(*, fault: str = "healthy", **settings: Any) -> Cell:
    """Return a small cell of the faulty plugin."""
    base: dict[str, Any] = {
        "study": "faults",
        "backend": "faulty",
        "options": {"fault": fault},
        "workers": 1,
        "batch": 32,
        "network": Network.dense([8, 4, 2]),
        "dataset": "synthetic",
        "dataset_options": {"rows": 64, "inputs": 8, "outputs": 2},
        "rate": 0.1,
        "seed": 0,
        "init": "glorot_uniform",
        "epochs": 2,
        "time_limit": 20.0,
        "memory_limit": 300 * MIB,
    }
    return Cell(**{**base, **settings})


def rows(request: dict[str, Any]) -> Iterator[Row]:
    """Yield the rows of one run, or of as many as there are cells."""
    cells = [cell(**settings) for settings in request["cells"]]
    rounds, seed = request.get("rounds", 1), request.get("seed", 0)
    for group in [[one] for one in cells] if request.get("one_by_one") else [cells]:
        yield from run_cells(group, rounds, seed=seed, machine="here", limit=None, on_event=tell)


def tell(event: Event) -> None:
    """Say on standard error when a worker is being started."""
    if isinstance(event, CellBegun):
        print("begun", file=sys.stderr, flush=True)


def main() -> None:
    """Print one line of JSON for each row."""
    for row in rows(json.loads(sys.argv[1])):
        print(json.dumps(row.exported()), flush=True)


if __name__ == "__main__":
    main()
