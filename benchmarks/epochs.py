"""Every backend over its own history: an epoch, its memory, what it learns, and what an operation costs.

All of it is the better the lower, as asv has it. Seconds and operations come with their samples, so that asv can test
a difference; memory and error rate are one figure a round and go by asv's factor alone.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, TypeVar

from asv_runner.benchmarks.mark import SkipNotImplemented

from benchmarks.combinations import BACKENDS, BATCHES, NETS, WORKERS, rows
from benchmarks.training import ROUNDS, TIMEOUT, Task, task, train, version

T = TypeVar("T")
Samples = dict[str, Any]
"""What asv takes for a set of measurements in place of one."""

LARGE_BATCH = BATCHES[-1]


def samples(values: list[float]) -> Samples:
    """Return measurements as asv wants them: each of one run."""
    return {"samples": values, "number": 1}


class Epoch:
    """Seconds of one epoch: ``train_epoch`` and ``sync``, by the clock of the process that trains."""

    params = (BACKENDS, NETS, BATCHES, WORKERS)
    param_names = ("backend", "net", "batch", "workers")
    timeout = TIMEOUT
    type = "time"
    unit = "seconds"
    version = version()

    def track_epoch(self, backend: str, net: str, batch: int, workers: int) -> Samples:
        """Return the samples of one process."""
        return samples(train(task(backend, net, batch, workers)).seconds)

    track_epoch.rounds = ROUNDS  # type: ignore[attr-defined]  # where asv looks for it


class Operation:
    """Nanoseconds for an operation of the matrix products, at the largest batch: the inverse of GFLOP/s."""

    params = (BACKENDS, NETS, WORKERS)
    param_names = ("backend", "net", "workers")
    timeout = TIMEOUT
    unit = "ns/FLOP"
    version = version("epochs")

    def track_ns_per_flop(self, backend: str, net: str, workers: int) -> Samples:
        """Return the samples of one process."""
        wanted = task(backend, net, LARGE_BATCH, workers)
        flops = operations(wanted.sizes) * wanted.rows
        return samples([1e9 * seconds / flops for seconds in train(wanted).seconds])

    track_ns_per_flop.rounds = ROUNDS  # type: ignore[attr-defined]  # as above


def operations(sizes: list[int]) -> int:
    """Return the operations for one example: forward, weight gradient, and input gradient of all but the first."""
    layers = [2 * inputs * outputs for inputs, outputs in pairwise(sizes)]
    return 3 * sum(layers) - layers[0]


class Memory:
    """Largest resident memory of all the processes of a backend, its framework included."""

    params = (BACKENDS, WORKERS)
    param_names = ("backend", "workers")
    timeout = TIMEOUT
    unit = "bytes"
    version = version("epochs")

    def track_peak_bytes(self, backend: str, workers: int) -> int:
        """Return the peak of one process on the large network, or on the small one where that is too slow."""
        net = NETS[1] if rows(backend, NETS[1], LARGE_BATCH) else NETS[0]
        return known(train(task(backend, net, LARGE_BATCH, workers, epochs=1)).peak_bytes)


class Learning:
    """Share of digits answered wrong after a fixed training: a faster backend that learns less shows here."""

    params = (BACKENDS, WORKERS)
    param_names = ("backend", "workers")
    timeout = TIMEOUT
    unit = "error rate"
    version = version("epochs")
    ROWS, EPOCHS, BATCH, RATE = 512, 18, 16, 1.0

    def track_error_rate(self, backend: str, workers: int) -> float:
        """Return the error rate on the rows that were trained."""
        wanted = Task(backend, NETS[0], self.BATCH, workers, self.ROWS, epochs=self.EPOCHS, rate=self.RATE, digits=True)
        return known(train(wanted).error_rate)


def known(figure: T | None) -> T:
    """Return a figure; one that the system does not tell, such as memory where there is no ``/proc``, is n/a."""
    if figure is None:
        raise SkipNotImplemented("not known on this machine")
    return figure
