"""How fast ``fused`` is beside its peers, and what share of the machine's limit that is.

    python benchmarks/scripts/fused_peers.py --rounds 5 --batches 1,4,16,128,1024 --nets 784-1024-10,784-1024-1024-10 \
        --workers 1,2 --peers jax,torch,torch-compile,keras --json peers.json

Every measurement is a fresh process, bound to as many CPUs as it has workers; in each round all contenders of a cell
come in a random order, the GEMM peak of NumPy's BLAS among them. A peer that is slower than ``--race`` times the
fastest peer of the first round is not run again, and has no interval. One whose weights after the first epoch are not
those of ``fused`` is reported as wrong. The table has medians in GFLOP/s, and for every peer the median ratio of paired
rounds with its 95 % interval; ``fused_peers_chart.py`` makes tables and a chart of what ``--json`` writes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from peers import CONTENDERS, Task

from harness.contract.environment import one_library_thread, threads
from harness.report.statistics import ratio

LIMIT = "gemm"
TOO_FAR = 1e-3
"""Weights further apart than this after one epoch are not the same mathematics."""
Sample: TypeAlias = dict[str, Any]
Round: TypeAlias = dict[str, Sample]


def child(name: str, net: str, batch: int, workers: int, seconds: float) -> None:
    """Measure one contender in this process and print one JSON object."""
    task = Task(net, batch, workers)
    epoch, weights = CONTENDERS[name](task)
    epoch()
    first = weights().copy()
    begin, times = time.perf_counter(), list[float]()
    while len(times) < 3 or (time.perf_counter() - begin < seconds and len(times) < 1000):
        before = time.perf_counter()
        epoch()
        times.append(time.perf_counter() - before)
    gflops = task.flops / statistics.median(times) / 1e9
    sample = first[:: max(1, len(first) // 16), ::64].ravel().tolist()
    print(json.dumps({"gflops": gflops, "epochs": len(times), "weights": sample}))


def measure(name: str, net: str, batch: int, workers: int, seconds: float) -> Sample:
    """Start one child on ``workers`` CPUs and return what it printed, or why it printed nothing."""
    variables = one_library_thread(workers, {}) if name == "fused" else threads(workers)
    here = {**os.environ, **{key: value for key, value in variables.items() if value is not None}}
    cpus = sorted(os.sched_getaffinity(0))[:workers]
    words = [sys.executable, __file__, "--child", name, net, str(batch), str(workers), str(seconds)]
    bound = lambda: os.sched_setaffinity(0, cpus)  # noqa: E731  runs in the child alone
    done = subprocess.run(words, env=here, capture_output=True, text=True, check=False, preexec_fn=bound)
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]}
    result: Sample = json.loads(done.stdout.splitlines()[-1])
    return result


def cell(net: str, batch: int, workers: int, given: argparse.Namespace) -> dict[str, Any]:
    """Run all rounds of one cell and return its row of the table."""
    names, rounds = ["fused", LIMIT, *given.peers], list[Round]()
    for _ in range(given.rounds):
        order = random.sample(names, len(names))
        rounds.append({name: measure(name, net, batch, workers, given.seconds) for name in order})
        names = ["fused", LIMIT, *leaders(rounds[0], given.peers, given.race)]
    row: dict[str, Any] = {"net": net, "batch": batch, "workers": workers}
    row["fused"], row[LIMIT] = (typical(rounds, name) for name in ("fused", LIMIT))
    row["peers"] = {peer: compared(rounds, peer) for peer in given.peers}
    row["rounds"] = [{name: {**result, "weights": None} for name, result in turn.items()} for turn in rounds]
    return row


def leaders(first: Round, peers: Sequence[str], race: float) -> list[str]:
    """Return the peers that are at least ``race`` times as fast as the fastest of them."""
    speeds = {peer: float(first[peer].get("gflops", 0.0)) for peer in peers}
    return [peer for peer, speed in speeds.items() if speed >= race * max(speeds.values())]


def typical(rounds: Sequence[Round], name: str) -> float:
    """Return the median GFLOP/s of the rounds that a contender took part in, or stop with the reason."""
    failed = [turn[name]["error"] for turn in rounds if "error" in turn.get(name, {})]
    if failed:
        sys.exit(f"{name}: {failed[0]}")
    return statistics.median(float(turn[name]["gflops"]) for turn in rounds if name in turn)


def compared(rounds: Sequence[Round], peer: str) -> dict[str, Any]:
    """Return a peer's median, the median ratio with its interval, or why there is none."""
    turns = {number: turn for number, turn in enumerate(rounds) if peer in turn}
    failed = [turn[peer]["error"] for turn in turns.values() if "error" in turn[peer]]
    if failed:
        return {"error": failed[0]}
    gaps = [np.abs(np.subtract(turn["fused"]["weights"], turn[peer]["weights"])).max() for turn in turns.values()]
    ours, theirs = ({number: turn[name]["gflops"] for number, turn in turns.items()} for name in ("fused", peer))
    estimate = ratio(ours, theirs)
    interval = [estimate.low, estimate.high] if estimate and estimate.low is not None else None
    speed, gap = statistics.median(theirs.values()), float(max(gaps))
    return {
        "gflops": speed,
        "ratio": estimate and estimate.value,
        "interval": interval,
        "gap": gap,
        "wrong": gap > TOO_FAR,
    }


def line(row: Mapping[str, Any]) -> str:
    """Return one line of the table."""
    share = f"{100 * row['fused'] / row[LIMIT]:3.0f} % of {row[LIMIT]:.0f}"
    cells = [f"{row['net']:>18} {row['batch']:>6} {row['workers']:>2} {row['fused']:8.1f}  {share}"]
    for name, peer in row["peers"].items():
        if "error" in peer:
            cells.append(f"{name}: {peer['error']}")
            continue
        interval = " [{:.2f}, {:.2f}]".format(*peer["interval"]) if peer["interval"] else ""
        mark = " WRONG" if peer["wrong"] else ""
        cells.append(f"{name} {peer['gflops']:.1f} x{peer['ratio']:.2f}{interval}{mark}")
    return "  ".join(cells)


def main() -> None:
    """Parse the command line, run every cell and print its line as soon as it is known."""
    words = lambda text: text.split(",")  # noqa: E731  a type of argparse
    numbers = lambda text: [int(word) for word in text.split(",")]  # noqa: E731  as above
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--child", nargs=5, help=argparse.SUPPRESS)
    parser.add_argument("--nets", type=words, default=["784-1024-10", "784-1024-1024-10"])
    parser.add_argument("--batches", type=numbers, default=[1, 4, 16, 32, 128, 1024, 4096])
    parser.add_argument("--workers", type=numbers, default=[1, 2])
    parser.add_argument("--peers", type=words, default=["jax", "torch", "torch-compile", "keras"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="time to measure in each process (1)")
    parser.add_argument("--race", type=float, default=0.5, help="0 runs every peer in every round (0.5)")
    parser.add_argument("--json", type=Path, help="write every sample here, too")
    given = parser.parse_args()
    if given.child:
        name, net, batch, workers, seconds = given.child
        child(name, net, int(batch), int(workers), float(seconds))
        return
    rows = []
    for net, workers, batch in [(n, w, b) for n in given.nets for w in given.workers for b in given.batches]:
        rows.append(cell(net, batch, workers, given))
        print(line(rows[-1]), flush=True)
        if given.json:
            given.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
