"""Memory bandwidth by size: the traffic of the update ``w += g``, which reads two arrays and writes one.

Every thread has its own arrays. NumPy adds one row again and again into the same sum (``np.add.reduce`` over a
broadcast axis). So even the smallest size spends its time in NumPy's loop, without the GIL, and not in Python.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from harness.machine.cores import text
from harness.machine.limit.gemm import seconds_of

CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
USUAL = {"L1": 32 << 10, "L2": 1 << 20, "L3": 16 << 20}
"""Sizes in bytes that are used if the system names none."""

LARGEST = 256 << 20
"""Bytes of all threads together at the size that stands for main memory, at most."""

PATIENCE = 20.0
"""Seconds that threads wait for each other to start; then every one of them raises an error."""

STREAMS = 3
"""Accesses for each element: two reads and a write."""


def bandwidth(threads: int, dtype: str, seconds: float) -> list[dict[str, Any]]:
    """Return for each level of memory the bytes that a thread uses and the best rate of all threads in GB/s."""
    levels = sizes(threads)
    share = seconds / len(levels)
    return [{"level": name, "bytes": size, "gb_per_s": _rate(size, threads, dtype, share)} for name, size in levels]


def sizes(threads: int) -> list[tuple[str, int]]:
    """Return each level with the bytes for one thread: half of each cache, and four times the last cache for memory."""
    cache_bytes = {**USUAL, **caches()}
    last = cache_bytes["L3"]
    memory = min(LARGEST, max(64 << 20, 4 * last)) // threads
    halves = [("L1", cache_bytes["L1"] // 2), ("L2", cache_bytes["L2"] // 2), ("L3", last // 2 // threads)]
    return [*halves, ("memory", memory)]


def caches() -> dict[str, int]:
    """Return the sizes of the first CPU's data caches by level, as far as the system tells."""
    levels: dict[str, int] = {}
    for folder in sorted(CACHES.glob("index*")):
        level, kind, size = (text(folder / name) for name in ("level", "type", "size"))
        if level and size and kind in ("Data", "Unified") and size[:-1].isdecimal():
            levels[f"L{level}"] = int(size[:-1]) << {"K": 10, "M": 20, "G": 30}[size[-1]]
    return levels


def _rate(size: int, threads: int, dtype: str, seconds: float) -> float:
    count = max(64, size // 2 // np.dtype(dtype).itemsize)
    bytes_once = STREAMS * count * np.dtype(dtype).itemsize
    ready = threading.Barrier(threads, timeout=PATIENCE)
    with ThreadPoolExecutor(threads) as pool:
        works = [pool.submit(_work, count, dtype, seconds, ready) for _ in range(threads)]
        return sum(bytes_once / work.result() for work in works) / 1e9


def _work(count: int, dtype: str, seconds: float, ready: threading.Barrier) -> float:
    """Return the least seconds of one pass in this thread, while the other threads do the same."""
    row, out = np.ones(count, dtype), np.zeros(count, dtype)
    rows = _passes(row, out)
    ready.wait()
    until = time.perf_counter() + seconds * 0.6
    best = seconds_of(lambda: np.add.reduce(rows, axis=0, out=out))
    while time.perf_counter() < until:
        best = min(best, seconds_of(lambda: np.add.reduce(rows, axis=0, out=out)))
    return best / len(rows)


def _passes(row: np.ndarray[Any, Any], out: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return a view that repeats the row so often that one sum takes about 2 ms, judged by a first try."""
    tried = np.broadcast_to(row, (2, len(row)))
    once = min(seconds_of(lambda: np.add.reduce(tried, axis=0, out=out)) for _ in range(3)) / 2
    return np.broadcast_to(row, (max(1, min(100_000, int(2e-3 / once))), len(row)))
