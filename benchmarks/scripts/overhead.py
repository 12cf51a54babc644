"""What the harness itself costs: its timed epochs against a bare loop that does the same, and a cell's fixed cost.

``python benchmarks/scripts/overhead.py`` prints two figures. First, one epoch of about 0.1 s, by the worker's own clock
and by a bare loop around the same calls, alternating: the promise is under 1 %. Second, a whole cell of a NumPy backend
from the start of its process to its end, less its timed epochs: the promise is under 0.5 s.
"""

from __future__ import annotations

import argparse
import sys
import time
from statistics import median

import numpy as np

from harness.contract.arrays import Array
from harness.contract.backend import Backend
from harness.contract.environment import Option
from harness.contract.loading import get_backend
from harness.contract.network import Network
from harness.contract.parameters import initial_parameters
from harness.contract.registry import spec
from harness.machine.launch import launch
from harness.machine.process import Limits, Start, run
from harness.plan.cell import Cell
from harness.worker.clock import samples, settled

BACKEND = "blas"
NETWORK = Network.dense([784, 256, 10])
BATCH, RATE = 128, 0.1


def bare(backend: Backend) -> float:
    """Return the seconds of one epoch as a user would time it by hand."""
    begin = time.perf_counter()
    backend.train_epoch(BATCH, RATE)
    backend.sync()
    return time.perf_counter() - begin


def set_of(rows: int) -> tuple[Array, Array]:
    """Return a random training set."""
    generator = np.random.default_rng(0)
    x = generator.random((rows, NETWORK.inputs), np.float32)
    return x, np.eye(NETWORK.outputs, dtype=np.float32)[generator.integers(0, NETWORK.outputs, rows)]


def rows_for(seconds: float, backend: Backend) -> int:
    """Return how many rows make an epoch of about this length."""
    backend.load(*set_of(4096))
    bare(backend)
    return max(BATCH, int(4096 * seconds / bare(backend)))


def clock_cost(rounds: int) -> tuple[float, float]:
    """Return the median epoch of a bare loop, and the median over pairs of what the worker's clock adds, as a share."""
    with get_backend(BACKEND)(NETWORK, initial_parameters(NETWORK)) as backend:
        backend.load(*set_of(rows_for(0.1, backend)))
        pairs = [pair(backend, first=turn % 2 == 0) for turn in range(rounds)]
    return median(hand for hand, _ in pairs), median(own / hand - 1 for hand, own in pairs)


def pair(backend: Backend, *, first: bool) -> tuple[float, float]:
    """Return one epoch by hand and one by the worker's clock, in either order."""
    hand = bare(backend) if first else 0.0
    with settled():
        (own,) = samples(backend, BATCH, RATE, count=1)
    return hand or bare(backend), own


def cell_cost(rounds: int) -> float:
    """Return the least seconds of a cell from process start to end, less its timed part, of several."""
    described = spec(BACKEND)
    options: dict[str, Option] = described.defaults()
    cell = Cell(
        study="overhead",
        backend=BACKEND,
        options=options,
        workers=1,
        batch=32,
        network=Network.dense([64, 32, 10]),
        dataset="digits",
        rate=RATE,
        seed=0,
        init="glorot_uniform",
        epochs=3,
        time_limit=60.0,
    )
    return min(once(cell) for _ in range(rounds + 1))  # the first one computes the reference


def once(cell: Cell) -> float:
    """Return the cost of one cell."""
    how = launch(spec(cell.backend), cell.workers, cell.options)
    start = Start(
        module="harness.worker",
        request={"cell": cell.to_json(), "round": 0},
        environment=how.environment,
        limits=Limits(cell.time_limit),
        cpus=how.cpus,
    )
    begin = time.perf_counter()
    ended = run(start)
    spent = time.perf_counter() - begin
    if ended.message is None or ended.message["state"] != "ok":
        sys.exit(f"the cell failed: {ended.reason or ended.stderr or (ended.message or {}).get('reason')}")
    timed: float = ended.message["first_epoch_seconds"] + sum(ended.message["epoch_seconds"])
    return spent - timed


def main() -> None:
    """Print both figures; exit 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    epoch, share = clock_cost(rounds)
    fixed = cell_cost(min(5, rounds))
    print(f"clock: {share:+.3%} of an epoch of {epoch:.3f} s (median of {rounds} pairs; promised under 1 %)")
    print(f"cell:  {fixed:.3f} s outside the timed part of a {BACKEND} cell (promised under 0.5 s)")
    sys.exit(share >= 0.01 or fixed >= 0.5)


if __name__ == "__main__":
    main()
