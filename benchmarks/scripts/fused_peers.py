"""How fast ``fused`` is beside its peers, each written as plainly as its own users would, outside the harness.

    python benchmarks/scripts/fused_peers.py --rounds 5 --batches 1,4,16,128,1024 --nets 784-1024-10,784-1024-1024-10 \
        --workers 1,2 --peers jax,torch,torch-compile,keras --json peers.json

Every measurement is a fresh process, bound to as many CPUs as it has workers; in each round all contenders of a cell
come in a random order. Exact minibatch SGD, sigmoid, mean squared error, float32, rows in the order given; a contender
whose weights after the first epoch are not those of ``fused`` is reported as wrong. The table has medians in GFLOP/s,
and for every peer the median ratio with a bootstrap interval over the paired rounds.
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
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

import harness
from harness.environment import one_library_thread, threads

RATE = 0.01
"""Small: at batch 1 a larger one amplifies rounding until weights of equal mathematics cannot be compared."""
Array: TypeAlias = harness.Array
Epoch: TypeAlias = Callable[[], None]
Contender: TypeAlias = Callable[["Task"], tuple[Epoch, Callable[[], Array]]]
"""Makes a function that trains one epoch and returns when it is done, and one that returns the first weights."""


class Task:
    """One cell: the network, its start weights and a random set of whole batches."""

    def __init__(self, net: str, batch: int, workers: int) -> None:
        self.sizes = [int(size) for size in net.split("-")]
        self.batch, self.workers = batch, workers
        self.network = harness.Network.dense(self.sizes)
        self.start = harness.initial_parameters(self.network)
        rows = batch * max(2, 2048 // batch)
        generator = np.random.default_rng(0)
        self.x = generator.random((rows, self.sizes[0]), np.float32)
        self.y = np.eye(self.sizes[-1], dtype=np.float32)[generator.integers(0, self.sizes[-1], rows)]
        self.flops = self.network.flops_per_example * rows


def fused(task: Task) -> tuple[Epoch, Callable[[], Array]]:
    """Return the backend of this project."""
    backend = harness.get_backend("fused")(task.network, task.start, workers=task.workers)
    backend.load(task.x, task.y)
    return lambda: backend.train_epoch(task.batch, RATE), lambda: backend.parameters()[0][0]


def jax(task: Task) -> tuple[Epoch, Callable[[], Array]]:
    """Return JAX: the whole epoch is one ``lax.scan`` under ``jit``."""
    import jax
    import jax.numpy as jnp

    def loss(parameters: Any, x: Any, y: Any) -> Any:
        for weights, bias in parameters:
            x = jax.nn.sigmoid(x @ weights + bias)
        return jnp.square(x - y).sum() / len(y)

    def step(parameters: Any, batch: Any) -> Any:
        gradients = jax.grad(loss)(parameters, *batch)
        return jax.tree.map(lambda p, g: p - RATE * g, parameters, gradients), None

    epoch = jax.jit(lambda parameters, set_: jax.lax.scan(step, parameters, set_)[0], donate_argnums=0)
    batches = tuple(jnp.asarray(part.reshape(-1, task.batch, part.shape[1])) for part in (task.x, task.y))
    held = [jax.tree.map(jnp.asarray, task.start)]

    def run() -> None:
        held[0] = jax.block_until_ready(epoch(held[0], batches))  # type: ignore[no-untyped-call]

    return run, lambda: np.asarray(held[0][0][0])


def torch(task: Task, *, compiled: bool = False) -> tuple[Epoch, Callable[[], Array]]:
    """Return PyTorch: modules, autograd and its SGD, eager or compiled."""
    import torch

    torch.set_num_threads(task.workers)
    layers: list[torch.nn.Module] = []
    for weights, bias in task.start:
        layer = torch.nn.Linear(*weights.shape)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weights.T.copy()))
            layer.bias.copy_(torch.from_numpy(bias))
        layers += [layer, torch.nn.Sigmoid()]
    model = torch.nn.Sequential(*layers)
    optimiser = torch.optim.SGD(model.parameters(), lr=RATE)
    x, y = (torch.split(torch.from_numpy(part), task.batch) for part in (task.x, task.y))

    def loss(x: Any, y: Any) -> Any:
        return (model(x) - y).square().sum() / task.batch

    evaluate = torch.compile(loss) if compiled else loss

    def run() -> None:
        for batch in zip(x, y, strict=True):
            optimiser.zero_grad()
            evaluate(*batch).backward()
            optimiser.step()

    return run, lambda: next(model.parameters()).detach().numpy().T


def torch_compile(task: Task) -> tuple[Epoch, Callable[[], Array]]:
    """Return PyTorch with the forward and backward pass compiled."""
    return torch(task, compiled=True)


def keras(task: Task) -> tuple[Epoch, Callable[[], Array]]:
    """Return Keras on TensorFlow: ``fit`` with the training step compiled by XLA."""
    os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3")
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(task.workers)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    layers = [keras.layers.Dense(size, activation="sigmoid") for size in task.sizes[1:]]
    model = keras.Sequential([keras.Input((task.sizes[0],)), *layers])
    model.set_weights([array for pair in task.start for array in pair])
    loss = lambda y, a: keras.ops.sum(keras.ops.square(a - y), axis=-1)  # noqa: E731  Keras names what it is given
    model.compile(keras.optimizers.SGD(RATE), loss, jit_compile=True)
    data = tf.data.Dataset.from_tensor_slices((task.x, task.y)).batch(task.batch).cache().prefetch(4)
    return lambda: model.fit(data, verbose=0), lambda: model.get_weights()[0]


CONTENDERS: dict[str, Contender] = {
    "fused": fused,
    "jax": jax,
    "torch": torch,
    "torch-compile": torch_compile,
    "keras": keras,
}


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


def measure(name: str, net: str, batch: int, workers: int, seconds: float) -> dict[str, Any]:
    """Start one child on ``workers`` CPUs and return what it printed, or why it printed nothing."""
    variables = one_library_thread(workers, {}) if name == "fused" else threads(workers)
    here = {**os.environ, **{key: value for key, value in variables.items() if value is not None}}
    cpus = sorted(os.sched_getaffinity(0))[:workers]
    words = [sys.executable, __file__, "--child", name, net, str(batch), str(workers), str(seconds)]
    bound = lambda: os.sched_setaffinity(0, cpus)  # noqa: E731  runs in the child alone
    done = subprocess.run(words, env=here, capture_output=True, text=True, check=False, preexec_fn=bound)
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]}
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def cell(net: str, batch: int, workers: int, given: argparse.Namespace) -> dict[str, Any]:
    """Run all rounds of one cell and return its row of the table."""
    names = ["fused", *given.peers]
    rounds: list[dict[str, dict[str, Any]]] = []
    for _ in range(given.rounds):
        order = random.sample(names, len(names))
        rounds.append({name: measure(name, net, batch, workers, given.seconds) for name in order})
    row: dict[str, Any] = {"net": net, "batch": batch, "workers": workers, "peers": {}, "rounds": rounds}
    ours = [one["fused"] for one in rounds]
    row["fused"] = statistics.median(one["gflops"] for one in ours)
    for peer in given.peers:
        row["peers"][peer] = compared(ours, [one[peer] for one in rounds])
    return row


def compared(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a peer's median, the median ratio with its interval, or why there is none."""
    failed = [one["error"] for one in theirs if "error" in one]
    if failed:
        return {"error": failed[0]}
    gap = max(float(np.abs(np.subtract(a["weights"], b["weights"])).max()) for a, b in zip(ours, theirs, strict=True))
    ratios = [a["gflops"] / b["gflops"] for a, b in zip(ours, theirs, strict=True)]
    draws = sorted(
        statistics.median(random.choices(ratios, k=len(ratios)))  # noqa: S311  statistics
        for _ in range(2000)
    )
    return {
        "gflops": statistics.median(one["gflops"] for one in theirs),
        "ratio": statistics.median(ratios),
        "interval": [draws[50], draws[1949]],
        "gap": gap,
        "wrong": gap > 1e-3,
    }


def line(row: dict[str, Any]) -> str:
    """Return one line of the table."""
    cells = [f"{row['net']:>18} {row['batch']:>6} {row['workers']:>2} {row['fused']:8.1f}"]
    for name, peer in row["peers"].items():
        if "error" in peer:
            cells.append(f"{name}: {peer['error']}")
            continue
        low, high = peer["interval"]
        mark = " WRONG" if peer["wrong"] else ""
        cells.append(f"{name} {peer['gflops']:.1f} x{peer['ratio']:.2f} [{low:.2f}, {high:.2f}]{mark}")
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
    parser.add_argument("--seconds", type=float, default=1.0, help="time to measure in each process")
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
