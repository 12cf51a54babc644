"""What a framework loses by running under the harness: its cells against a bare script of the same framework.

    python benchmarks/scripts/frameworks_bare.py --rounds 5 --batch 128 --workers 2

The bare scripts are those of ``peers.py``: a user's own loop, no harness in the process. Each round measures
every framework both ways, each in a fresh process with the same environment and CPUs, in a random order. The table has
the medians in GFLOP/s and the median ratio of paired rounds with its interval; 1 means that nothing is lost.
"""

from __future__ import annotations

import argparse
import random
import sys
from typing import Any

import fused_peers
import peers

from harness.contract.network import Network
from harness.contract.registry import spec
from harness.machine.launch import launch
from harness.machine.process import Limits, Start, run
from harness.plan.cell import Cell
from harness.report.statistics import Estimate, median, ratio

PAIRS: dict[str, tuple[str, dict[str, str | int]]] = {
    "torch": ("torch", {}),
    "torch-compile": ("torch", {"mode": "compile"}),
    "jax": ("jax", {}),
    "keras": ("keras", {"mode": "function"}),
}
"""Bare script to backend and options."""


def cell(backend: str, options: dict[str, str | int], batch: int, workers: int) -> Cell:
    """Return the cell that does what the bare script does: the same sizes, rows and rate."""
    return Cell(
        study="frameworks_bare",
        backend=backend,
        options=spec(backend).resolve(options),
        workers=workers,
        batch=batch,
        network=Network.dense([784, 1024, 10]),
        dataset="synthetic",
        dataset_options={"rows": batch * max(2, 2048 // batch), "inputs": 784, "outputs": 10, "seed": 0},
        rate=peers.RATE,
        seed=0,
        init="glorot_uniform",
        epochs=40,
        time_limit=120.0,
    )


def under_harness(name: str, batch: int, workers: int) -> float:
    """Return the GFLOP/s of one cell, in a process started as the runner starts it."""
    backend, options = PAIRS[name]
    asked = cell(backend, options, batch, workers)
    how = launch(spec(backend), workers, asked.options)
    request = {"cell": asked.to_json(), "round": 0}
    limits = Limits(asked.time_limit)
    ended = run(
        Start(module="harness.worker", request=request, environment=how.environment, limits=limits, cpus=how.cpus)
    )
    if ended.message is None or ended.message["state"] != "ok":
        sys.exit(f"{name} under the harness: {ended.reason or ended.stderr or (ended.message or {}).get('reason')}")
    return float(ended.message["gflops"])


def bare(name: str, batch: int, workers: int, seconds: float) -> float:
    """Return the GFLOP/s of the bare script."""
    result: dict[str, Any] = fused_peers.measure(name, "784-1024-10", batch, workers, seconds)
    if "error" in result:
        sys.exit(f"{name} bare: {result['error']}")
    return float(result["gflops"])


def main() -> None:
    """Print one line for each framework."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a bare measurement (1)")
    parser.add_argument("--only", default=",".join(PAIRS), help="names, separated by commas")
    given = parser.parse_args()
    seen: dict[tuple[str, bool], dict[int, float]] = {}
    for turn in range(given.rounds):
        turns = [(name, inside) for name in given.only.split(",") for inside in (False, True)]
        for name, inside in random.sample(turns, len(turns)):
            rate = (
                under_harness(name, given.batch, given.workers)
                if inside
                else bare(name, given.batch, given.workers, given.seconds)
            )
            seen.setdefault((name, inside), {})[turn] = rate
    for name in given.only.split(","):
        estimate = ratio(seen[name, True], seen[name, False])
        sides = ", ".join(
            f"{words} {median([*seen[name, inside].values()]):.1f}"
            for words, inside in (("bare", False), ("harness", True))
        )
        print(f"{name:14} {sides} GFLOP/s; ratio {_words(estimate)}")


def _words(estimate: Estimate | None) -> str:
    if estimate is None:
        return "unknown"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f} (too few rounds for an interval)"
    return f"{estimate.value:.3f} (95 % interval {estimate.low:.3f} to {estimate.high:.3f})"


if __name__ == "__main__":
    main()
