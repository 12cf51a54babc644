"""The GEMM peak: the most operations a second that NumPy's BLAS reaches on square matrices on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import numpy as np

SIZES = (512, 1024, 2048)
"""Rows of the matrices: the smallest fit into the second cache of a core, the largest exceed most third caches."""

ENOUGH = 3
"""Products of one size, at least, before its best one counts."""


def peak(dtype: str, seconds: float) -> dict[str, Any]:
    """Return the best rate in GFLOP/s, and best, median and count for each size; this takes about ``seconds``.

    ``spread`` says how far the median lies below the best at the best size. It is large on a busy machine.
    """
    share = seconds / len(SIZES)
    samples = {size: rates for size in SIZES if (rates := list(_rates(size, dtype, share)))}
    best = max(samples, key=lambda size: max(samples[size]))
    rates = samples[best]
    return {
        "gflops": max(rates),
        "size": best,
        "spread": 1 - median(rates) / max(rates),
        "sizes": {str(size): _summary(rates) for size, rates in samples.items()},
    }


def _summary(rates: list[float]) -> dict[str, float]:
    return {"best": max(rates), "median": median(rates), "count": len(rates)}


def _rates(size: int, dtype: str, seconds: float) -> Iterator[float]:
    """Yield the rate of one product after the other; yield nothing for a size that would take far too long."""
    a, b = (np.full((size, size), value, dtype) for value in (0.5, 2.0))
    out = np.empty_like(a)
    operations = 2 * size**3
    first = seconds_of(lambda: np.matmul(a, b, out=out))  # starts the threads and touches the pages, so it is no sample
    if size > SIZES[0] and first * ENOUGH > 4 * seconds:
        return
    until = time.perf_counter() + seconds - first
    taken = 0
    while taken < ENOUGH or time.perf_counter() < until:
        yield operations / seconds_of(lambda: np.matmul(a, b, out=out)) / 1e9
        taken += 1


def seconds_of(action: Callable[[], object]) -> float:
    """Return how long one call took."""
    begin = time.perf_counter_ns()
    action()
    return (time.perf_counter_ns() - begin) / 1e9
