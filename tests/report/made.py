"""A store as no machine made it: eight backends, every end state, hostile names, two machines, 500 rows and more."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from harness.contract.network import Network
from harness.contract.spec import BackendSpec
from harness.plan.cell import Cell
from harness.runner.row import Row, State
from harness.store import Run, Store
from tests.samples import a_cell, a_row, a_run

IMG = "<img src=x onerror=\"window.owned='img'\">"
SCRIPT = "\"></script><script>window.owned='script'</script>"
QUOTES = "' onmouseover='owned=1' \" ` ${window.owned=2} {{ 7*7 }}"
TURNED = "\u202egnp.exe\u2067 \u2028line\u2029 \x1b[31m \x00"
FIELD = "a.b[c]\\'); window.owned='field'; datum['"
HOSTILE = (IMG, SCRIPT, QUOTES, TURNED, FIELD)
"""Words that must never do anything."""

BACKENDS = ("blas", "fused", "jax", "torch", "threads", "linalg", SCRIPT, FIELD)
SPEEDS = (290.0, 350.0, 330.0, 180.0, 260.0, 40.0, 90.0, 20.0)
MACHINES = ("amd-epyc-2c-0123abcd", f"other {IMG}")
STATES: tuple[State, ...] = tuple(state for state in get_args(State) if state != "ok")
ROUNDS = 5


def specs() -> dict[str, BackendSpec]:
    """Return the specs of the backends whose names a registry would let in."""
    described: dict[str, Any] = {"summary": "a fake", "parallel": "matrix", "algebra": "blas"}
    return {name: BackendSpec(api=1, name=name, implementation="module:Class", **described) for name in BACKENDS[:6]}


def rows() -> list[Row]:
    """Return 480 good rows and one of every other state, some with hostile words."""
    noise = np.random.default_rng(0)
    return [*_good(noise), *_short()]


def store(path: Path) -> Path:
    """Write the rows into a store, as two runs of one study."""
    every = rows()
    with Store.open(path) as opened:
        for machine in MACHINES:
            own = [row for row in every if row.machine == machine]
            run = a_run(study="speed", machine=machine, id=f"run of {machine}", plugins={}, facts={"cpu": machine})
            _fill(opened, run, own)
    return path


def _fill(opened: Store, run: Run, own: list[Row]) -> None:
    opened.begin(run, {row.cell.key: row.cell for row in own}.values())
    for row in own:
        opened.add(run, row)


def cell(backend: str, workers: int, batch: int, **changes: Any) -> Cell:
    """Return a cell of a network of the papers' size."""
    network = Network.dense([784, 1024, 10], activation="sigmoid", loss="mse", dtype="float32")
    given = {"backend": backend, "workers": workers, "batch": batch, "options": {}, "network": network}
    return a_cell(**{"study": "speed", "dataset": "mnist", **given, **changes})


def _good(noise: np.random.Generator) -> Iterator[Row]:
    for machine, (backend, speed), workers, batch in itertools.product(
        MACHINES, zip(BACKENDS, SPEEDS, strict=True), (1, 2, 4), (32, 128)
    ):
        measured = cell(backend, workers, batch)
        rate = speed * (0.6 + 0.4 * workers / (1 + 0.15 * (workers - 1))) * (batch / 128) ** 0.25
        for turn in range(ROUNDS):
            yield _row(measured, turn, machine, rate * float(np.exp(noise.normal(0, 0.02))))


def fourteen() -> list[Row]:
    """Return rounds of fourteen backends on 1, 2 and 4 workers, one very slow, one with two kinds of threads."""
    every = []
    for i, workers, threads in itertools.product(range(14), (1, 2, 4), (1, 2)):
        options = {"blas_threads": threads} if i == 0 else {}
        measured = cell(f"backend-{i:02}", workers, 128, options=options)
        speed = 0.3 if i == 13 else 400 / (1 + i / 3) * threads**0.2
        if i == 0 or threads == 1:
            every += [_row(measured, turn, "box", speed * workers**0.7 * (1 + turn / 100)) for turn in range(ROUNDS)]
    return every


def _row(measured: Cell, turn: int, machine: str, rate: float) -> Row:
    seconds = measured.network.flops_per_example * 60_000 / rate / 1e9
    epochs = np.cumsum([seconds * 1.4, *[seconds] * measured.epochs])
    history = tuple(
        {"epoch": float(i + 1), "loss": 0.5 / (i + 1), "accuracy": 0.96 - 0.3 / (i + 1), "seconds": float(at)}
        for i, at in enumerate(epochs)
    )
    return a_row(
        measured,
        turn,
        machine=machine,
        epoch_seconds=(seconds,) * measured.epochs,
        first_epoch_seconds=seconds * 1.4,
        gflops=rate,
        peak_share=rate / (250 * measured.workers + 200),
        history=history,
        warnings=(f"asked for {measured.workers} threads, got 1 {IMG}",) if measured.backend == "torch" else (),
        receipt=_receipt(measured, machine),
    )


def _receipt(measured: Cell, machine: str) -> dict[str, Any]:
    levels = (("L1", 900.0), ("L2", 500.0), ("L3", 220.0), ("memory", 60.0))
    bandwidth = [{"level": name, "bytes": 1 << 20, "gb_per_s": speed * measured.workers} for name, speed in levels]
    return {
        "threads": {"asked": measured.workers, "pools": [{"library": "openblas", "num_threads": measured.workers}]},
        "steady": {"seconds": 1.0, "effective_cores": 0.98 * measured.workers, "steal_share": 0.001},
        "variables": {"OPENBLAS_CORETYPE": QUOTES, "OMP_NUM_THREADS": str(measured.workers)},
        "hardware": {"cpu": f"{machine} {TURNED}", "usable_cores": 4, "cpus": 4, "memory_gib": 16},
        "libraries": {"numpy": "2.4.6", SCRIPT: FIELD},
        "backend": {"note": IMG, "strategy": SCRIPT},
        "limit": {"gflops": 250.0 * measured.workers + 200, "bandwidth": bandwidth},
    }


def _short() -> Iterator[Row]:
    """Yield two cells of every state that is not ok, one with a hostile reason, one beside good rounds."""
    words = itertools.cycle(HOSTILE)
    for batch, state in enumerate(STATES, start=1):
        plain = cell("linalg", 1, 4096 + batch)
        lost = a_row(plain, 0, state=state, machine=MACHINES[0], reason=next(words), stderr=next(words), receipt={})
        yield replace(lost, epoch_seconds=(), gflops=None, accuracy=None, peak_share=None, history=())
        mixed = cell("blas", 1, 8192 + batch, options={"kernels": next(words)}, dataset=QUOTES)
        yield replace(_row(mixed, 0, MACHINES[0], 100.0), state="ok")
        yield replace(_row(mixed, 1, MACHINES[0], 100.0), state=state, reason=next(words), stderr=next(words))
