"""Installed plugins that cost nothing but their being there, and stores of rows that nobody measured."""

from __future__ import annotations

import shutil
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.places import module

PLUGINS = 10
SPEC = """
from harness import BackendSpec, hookimpl

@hookimpl
def harness_backends():
    yield BackendSpec(api=1, name="{name}", implementation="{module}.backend:Empty", summary="trains nothing",
                      parallel="none", algebra="handwritten")
"""
BACKEND = '''
from harness import Backend
import numpy as np

class Empty(Backend):
    """Keeps its start weights: what is left of a cell is what the harness adds to it."""

    def __init__(self, network, parameters, *, workers=1):
        super().__init__(network, parameters, workers=workers)
        self.start = [(w.copy(), b.copy()) for w, b in parameters]
        self.seen = 1

    def parameters(self):
        return [(w.copy(), b.copy()) for w, b in self.start]

    gradients = parameters

    def outputs(self):
        return np.zeros((self.seen, self.network.outputs), self.network.dtype)

    def forward(self, rows):
        self.seen = rows.stop - rows.start

    def backprop(self, rows):
        pass

    def step(self, rate):
        pass

    def train_epoch(self, batch_size, rate):
        pass

    def close(self):
        pass
'''


def install(folder: Path) -> list[str]:
    """Leave ten plugins in ``folder`` as pip would, and return the names of their backends."""
    names = [f"empty-{number}" for number in range(PLUGINS)]
    for name in names:
        module = name.replace("-", "_")
        info = folder / f"{module}-1.0.dist-info"
        for place in (folder / module, info):
            place.mkdir(parents=True)
        (folder / module / "__init__.py").write_text(SPEC.format(name=name, module=module))
        (folder / module / "backend.py").write_text(BACKEND)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[harness]\n{name} = {module}\n")
    return names


def cell(backend: str, **changes: Any) -> Any:
    """Return a cell of the digits."""
    settings = {
        "study": "costs",
        "backend": backend,
        "options": {},
        "workers": 1,
        "batch": 32,
        "network": module("harness.contract.network").Network.dense([64, 32, 10]),
        "dataset": "digits",
        "rate": 0.1,
        "seed": 0,
        "init": "glorot_uniform",
        "epochs": 3,
        "time_limit": 60.0,
    }
    return module("harness.plan.cell").Cell(**{**settings, **changes})


def row(of: Any, turn: int) -> Any:
    """Return a row that looks as if it had been measured."""
    seconds = 0.001 * of.batch / of.workers * (1 + 0.01 * turn)
    return module("harness.runner.row").Row(
        cell=of,
        round=turn,
        machine="fake-1c",
        state="ok",
        started=1_700_000_000.0 + turn,
        setup_seconds=0.1,
        load_seconds=0.01,
        first_epoch_seconds=2 * seconds,
        epoch_seconds=(seconds, 1.01 * seconds, seconds),
        gflops=1 / seconds,
        peak_share=0.5,
        final_loss=0.3,
        accuracy=0.9,
        peak_bytes=100_000_000,
        receipt={"threads": {"asked": of.workers}, "hardware": {"cpu": "a processor"}},
    )


def fill(path: Path, rows: int) -> None:
    """Write a store of so many rows: ten backends, ten batch sizes, two numbers of workers, rounds as needed.

    Every row is on the disk when it is added, which takes minutes on a busy one: the store is made in memory and moved.
    """
    from harness.store import Run, Store

    axes = product([f"backend-{number}" for number in range(10)], range(1, 11), (1, 2))
    cells = [cell(name, batch=2**power, workers=workers) for name, power, workers in axes]
    run = Run(study="costs", machine="fake-1c", code="1+fake")
    memory = "/dev/shm"  # noqa: S108  the name is made by TemporaryDirectory
    with TemporaryDirectory(dir=memory if Path(memory).is_dir() else None) as folder:
        draft = Path(folder, path.name)
        with Store.open(draft) as store:
            store.begin(run, cells)
            for number in range(rows):
                store.add(run, row(cells[number % len(cells)], number // len(cells)))
        shutil.move(draft, path)
