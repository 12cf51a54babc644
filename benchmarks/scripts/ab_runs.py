"""Both promises of `harness compare` on this machine, with real times of `blas` at batch 128. Wants a quiet machine.

    python benchmarks/scripts/ab_runs.py slowdown    # about 3 minutes on a quiet machine
    python benchmarks/scripts/ab_runs.py equals      # about 3 minutes

`slowdown`: 10 runs of 20 rounds, each round two processes through the runner: `blas`, and a copy of it that wastes 10 %
of its own time. Prints in how many runs the copy is called slower; 9 are wanted.

`equals`: 100 runs of a study of 20 cells and 20 rounds, `blas` against itself. That would be 80 000 processes, so here
a round is a fresh instance in one process instead: built, loaded, warmed up and timed by the worker's own clock, the
two of a pair one after the other in random order. Prints in how many runs any cell is called changed, with the band of
5 % and with none; 9 are allowed with either.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

os.environ["HARNESS_GATE_SLOWED"] = "1"  # before anything loads the registry
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before anything loads NumPy

from harness.contract.arrays import Array
from harness.contract.loading import get_backend
from harness.contract.network import Network
from harness.contract.parameters import initial_parameters
from harness.datasets import load_dataset
from harness.plan.cell import Cell
from harness.report.compare.error_rate import LEVEL
from harness.report.compare.pairing import Pair, Samples, Setting, setting
from harness.report.compare.verdicts import Comparison, Thresholds, judged
from harness.runner.row import Row
from harness.session.gate.calibrating import trios
from harness.session.gate.measuring import runner
from harness.store import Store, Stored
from harness.study import read_study
from harness.worker.clock import epoch, samples, settled

STUDY = """
title = "blas at batch 128"
dataset = {name = "synthetic", rows = 2048, inputs = 64, outputs = 10}
networks = {hidden = [128]}
batch = 128
epochs = 40
rate = 0.1
[[backend]]
name = "blas"
"""
RUNS, ROUNDS, WANTED = 10, 20, 9
STUDIES, CELLS, ROWS, EPOCHS, ALLOWED = 100, 20, 256, 3, 9
NO_BAND = Thresholds(default=1e-6)


def slowdown(percent: int) -> bool:
    """Return whether a copy slowed by so much is found in 9 of 10 runs."""
    slower = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.toml"
        path.write_text(STUDY)
        study = read_study(path)
        ((plain, _, slowed),) = trios("blas", percent, study)
        with (
            Store.open(Path(folder) / "results.db") as store,
            runner(store, study, [(plain, slowed)], "ab", "ab_runs.py") as measure,
        ):
            for number in range(RUNS):
                rows = [row for turn in range(ROUNDS) for row in measure((plain, slowed), number * ROUNDS + turn)]
                (comparison,) = judged([_pair(plain, slowed, rows)], Thresholds(), LEVEL)
                slower += comparison.verdict == "slower"
                print(f"run {number + 1}: {_said(comparison)}", flush=True)
    print(f"slowed by {percent} %: called slower in {slower} of {RUNS} runs ({WANTED} wanted)")
    return slower >= WANTED


def _pair(before: Cell, after: Cell, rows: list[Stored]) -> tuple[Setting, Pair]:
    sides = [Samples(tuple(stored for stored in rows if stored.row.cell.key == cell.key)) for cell in (before, after)]
    return setting(before, rows[0].row.machine), Pair(*sides)


def _said(comparison: Comparison) -> str:
    ratio = comparison.ratio
    if ratio is None or ratio.low is None or ratio.high is None:
        return comparison.verdict
    return f"{comparison.verdict}, ratio {ratio.value:.3f} ({ratio.low:.3f} to {ratio.high:.3f})"


def equals() -> bool:
    """Return whether at most 9 of 100 runs of equals call any change."""
    calls = {"band of 5 %": 0, "no band": 0}
    cells = [_cell(8 * (1 + number)) for number in range(CELLS)]
    data = load_dataset("synthetic", {"rows": ROWS, "inputs": 64, "outputs": 10, "seed": 0}).cast("float32")
    x, y = data.x_train, data.y_train
    begun = time.monotonic()
    for number in range(STUDIES):
        pairs = [_twins(cell, x, y, number) for cell in cells]
        for name, thresholds in zip(calls, (Thresholds(), NO_BAND), strict=True):
            calls[name] += any(made.verdict in ("faster", "slower") for made in judged(pairs, thresholds, LEVEL))
        if (number + 1) % 10 == 0:
            print(f"{number + 1} runs, {time.monotonic() - begun:.0f} s: {calls}", flush=True)
    study = f"{CELLS} cells of {ROUNDS} rounds"
    for name, count in calls.items():
        print(f"equals, {study}, {name}: {count} of {STUDIES} runs call a change ({ALLOWED} allowed)")
    return max(calls.values()) <= ALLOWED


def _cell(width: int) -> Cell:
    return Cell(
        study="equals",
        backend="blas",
        options={"kernels": "inherit"},
        workers=1,
        batch=128,
        network=Network.dense([64, width, 10]),
        dataset="synthetic",
        rate=0.1,
        seed=0,
        init="glorot_uniform",
        epochs=EPOCHS,
        time_limit=60.0,
    )


def _twins(cell: Cell, x: Array, y: Array, number: int) -> tuple[Setting, Pair]:
    """Time two equal instances a round, in random order."""
    order = random.Random(f"{number}:{cell.key}")  # noqa: S311  an order, not a secret
    sides: tuple[list[Stored], list[Stored]] = ([], [])
    for turn in range(ROUNDS):
        for side in order.sample(sides, 2):
            side.append(_stored(cell, turn, tuple(_times(cell, x, y))))
    return setting(cell, "here"), Pair(Samples(tuple(sides[0])), Samples(tuple(sides[1])))


def _times(cell: Cell, x: Array, y: Array) -> Iterator[float]:
    with get_backend(cell.backend)(cell.network, initial_parameters(cell.network), workers=1) as backend:
        backend.load(x, y)
        epoch(backend, cell.batch, cell.rate)
        yield from samples(backend, cell.batch, cell.rate, count=cell.epochs)


def _stored(cell: Cell, turn: int, times: tuple[float, ...]) -> Stored:
    row = Row(cell=cell, round=turn, machine="here", state="ok", epoch_seconds=times)
    return Stored(row=row, run=str(0), code="", plugin="", label="", attempt=1)


def main() -> int:
    """Run what was asked for; return 0 where the promise is kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("slowdown", "equals"))
    parser.add_argument("--percent", type=int, default=10)
    args = parser.parse_args()
    with settled():
        return 0 if (slowdown(args.percent) if args.what == "slowdown" else equals()) else 1


if __name__ == "__main__":
    sys.exit(main())
