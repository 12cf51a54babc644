"""The process that trains: started as a cell is, so that no two frameworks ever share a process.

Everything is fixed in the request before it starts, the number of epochs too, because the ranks of a launcher must
never branch on a clock. It leans on the contract alone: the same file measures every commit that has it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

WARM = 2
"""Epochs before the clock runs: compilation, first touch of memory, threads that start."""


def main() -> None:
    """Train what the request says and deliver the seconds of each epoch, and the error rate where it is asked for."""
    from harness.errors import Unavailable, Unsupported

    try:
        from harness.machine.process import child
    except ModuleNotFoundError:  # a commit from before the tree was put in order
        from harness.process import child  # type: ignore[no-redef,import-not-found]

    request = child.receive()
    try:
        answer = trained(request)
    except (Unavailable, Unsupported) as refusal:
        answer = {"refused": f"{type(refusal).__name__}: {refusal}"}
    if answer is not None:
        child.deliver(answer)


def trained(request: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what rank 0 delivers; ``None`` on another rank."""
    import harness

    network = harness.Network.dense(request["sizes"])
    x, y = data(request)
    start = harness.initial_parameters(network, seed=0)
    with harness.get_backend(request["backend"])(network, start, workers=request["workers"]) as backend:
        backend.load(x, y)
        seconds = [epoch(backend, request["batch"], request["rate"]) for _ in range(WARM + request["epochs"])]
        answer: dict[str, Any] = {"seconds": seconds[WARM:]}
        if request["evaluate"]:
            answer["error_rate"] = error_rate(backend, x, y, request["batch"])
        return answer if backend.rank() == 0 else None


def data(request: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the first rows of the digits, or seeded random rows where the network is not made for digits."""
    import numpy as np

    rows, sizes = request["rows"], request["sizes"]
    if request["digits"]:
        from harness.datasets import load_dataset

        digits = load_dataset("digits")
        return digits.x_train[:rows].astype(np.float32), digits.y_train[:rows].astype(np.float32)
    generator = np.random.default_rng(0)
    labels = generator.integers(0, sizes[-1], rows)
    return generator.random((rows, sizes[0]), np.float32), np.eye(sizes[-1], dtype=np.float32)[labels]


def epoch(backend: Any, batch: int, rate: float) -> float:
    """Return the seconds of one ``train_epoch`` and ``sync``, and of nothing else."""
    begin = time.perf_counter()
    backend.train_epoch(batch, rate)
    backend.sync()
    return time.perf_counter() - begin


def error_rate(backend: Any, x: Any, y: Any, batch: int) -> float:
    """Return the share of the training rows whose largest output is not the right one."""
    wrong = 0
    for begin in range(0, len(x), batch):
        part = slice(begin, min(begin + batch, len(x)))
        backend.forward(part)
        wrong += int((backend.outputs().argmax(axis=1) != y[part].argmax(axis=1)).sum())
    return wrong / len(x)


if __name__ == "__main__":
    main()
