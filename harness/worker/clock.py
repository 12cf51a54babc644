"""The clock: ``perf_counter_ns`` around ``train_epoch`` and ``sync``, and nothing else inside."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harness.contract.backend import Backend
from harness.contract.network import Network

SHORTEST = 50e-6
"""Seconds: a thousand times what ``perf_counter_ns`` resolves on common systems. Shorter epochs are repeated."""

FASTEST = 1e12
"""Operations a second that no backend beats on an epoch this short."""

STEP = 1e-6
"""Seconds that no backend beats for one step of one batch."""


def seconds_of(action: Callable[[], None]) -> float:
    """Return how long one call took, in seconds."""
    begin = time.perf_counter_ns()
    action()
    return (time.perf_counter_ns() - begin) / 1e9


def repeats(network: Network, rows: int, batch: int) -> int:
    """Return how many epochs one sample holds so that the clock resolves it; 1 for all but the smallest sets.

    The answer follows from the sizes alone, never from a clock, so that all ranks and all backends agree.
    """
    steps = math.ceil(rows / batch)
    least = max(network.flops_per_example * rows / FASTEST, steps * STEP)
    return max(1, math.ceil(round(SHORTEST / least, 6)))


def epoch(backend: Backend, batch: int, rate: float) -> None:
    """Train one epoch and wait until it is done: what every table means by an epoch."""
    backend.train_epoch(batch, rate)
    backend.sync()


def samples(
    backend: Backend,
    batch: int,
    rate: float,
    *,
    count: int,
    repeat: int = 1,
    look: Callable[[], None] = lambda: None,
) -> list[float]:
    """Return ``count`` samples in seconds an epoch, each the mean of ``repeat`` epochs in a row.

    ``look`` is called after each sample, outside the clock.
    """
    clock, train, sync = time.perf_counter_ns, backend.train_epoch, backend.sync
    taken: list[float] = []
    for _ in range(count):
        begin = clock()
        for _ in range(repeat):
            train(batch, rate)
            sync()
        taken.append((clock() - begin) / 1e9 / repeat)
        look()
    return taken


@contextmanager
def settled() -> Iterator[None]:
    """Collect garbage first and freeze what is left, so that a backend pays for its own garbage only.

    The collector stays on inside: a backend that makes cycles pays for them, as it would in a user's program.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
